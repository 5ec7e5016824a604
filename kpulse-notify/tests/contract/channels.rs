//! Every channel that speaks HTTP, and what is its own in how it must answer for an attempt.

use std::fmt;

use kpulse_notify::{Accepted, DeliveryError};
use kpulse_testkit::sink::{Message, Serving};
use serde_json::{Value, json};

use crate::bench::SECRET;

/// A kind of channel, and settings that make it send to a sink.
pub(crate) struct Channel {
    /// Which one, where a kind has several ways.
    pub(crate) label: &'static str,
    /// In the configuration, and at the sink.
    pub(crate) kind: &'static str,
    pub(crate) settings: fn(&Serving) -> Value,
    /// What a success ends in whose body does not come.
    pub(crate) unread: Ends,
    /// What a success ends in whose body is huge, and no words of the platform.
    pub(crate) huge: Ends,
    /// Answers in the platform's own words.
    pub(crate) words: &'static [(u16, &'static str, Ends)],
    /// How its messages are edited, where they can be.
    pub(crate) living: Option<Living>,
}

/// How a channel keeps one message per group up to date.
pub(crate) struct Living {
    /// Whether a request replaces an earlier message.
    pub(crate) is_edit: fn(&Message) -> bool,
    /// The answer that the message to be replaced is no longer there.
    pub(crate) lost: (u16, &'static str),
    /// How many lines are said besides the edit when a group grew.
    pub(crate) history: usize,
}

/// What an attempt must end in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    Accepted,
    Transient,
    /// Not before that many seconds, between these two: a date tells whole ones.
    Pause(u64, u64),
    Refused,
    Unavailable,
}

impl Ends {
    pub(crate) fn agrees(&self, result: &Result<Accepted, DeliveryError>) -> bool {
        match (self, result) {
            (Self::Pause(from, to), Err(DeliveryError::Transient { retry_after: Some(pause), .. })) => {
                (*from..=*to).contains(&pause.as_secs())
            }
            (Self::Accepted, Ok(_))
            | (Self::Transient, Err(DeliveryError::Transient { retry_after: None, .. }))
            | (Self::Refused, Err(DeliveryError::Refused { .. }))
            | (Self::Unavailable, Err(DeliveryError::Unavailable { .. })) => true,
            _ => false,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label)
    }
}

/// Every channel that speaks HTTP.
pub(crate) const CHANNELS: &[Channel] = &[
    Channel {
        label: "webhook",
        kind: "webhook",
        settings: |server| {
            json!({
                "url_from_secret": "URL",
                "headers": {"Authorization": "Bearer $TOKEN", "X-Plain": SECRET},
                "secret_from_secret": "TOKEN",
                "default": server.addr().port() > 0,
            })
        },
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[],
        living: None,
    },
    Channel {
        label: "slack by webhook",
        kind: "slack",
        settings: |_| json!({"webhook_url_from_secret": "URL"}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[
            (400, "invalid_payload", Ends::Refused),
            (400, "invalid_token", Ends::Unavailable),
            (400, "no_text", Ends::Refused),
            (403, "action_prohibited", Ends::Unavailable),
            (404, "no_service", Ends::Unavailable),
            (410, "channel_is_archived", Ends::Unavailable),
            (500, "rollup_error", Ends::Transient),
            (400, SECRET, Ends::Refused),
        ],
        living: None,
    },
    Channel {
        label: "slack by bot",
        kind: "slack",
        settings: |server| json!({"bot_token_from_secret": "TOKEN", "channel": "#ops", "api_url": server.url_of("slack/api")}),
        unread: Ends::Transient,
        huge: Ends::Transient,
        words: &[
            (200, r#"{"ok": false, "error": "ratelimited"}"#, Ends::Transient),
            (200, r#"{"ok": false, "error": "service_unavailable"}"#, Ends::Transient),
            (200, r#"{"ok": false, "error": "invalid_auth"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "token_revoked"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "account_inactive"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "channel_not_found"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "is_archived"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "not_in_channel"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "no_permission"}"#, Ends::Unavailable),
            (200, r#"{"ok": false, "error": "invalid_blocks"}"#, Ends::Refused),
            (200, r#"{"ok": false, "error": "msg_too_long"}"#, Ends::Refused),
            (200, r#"{"ok": false, "error": "s3cr3t-4f9c"}"#, Ends::Refused),
            (200, r#"{"ok": false}"#, Ends::Transient),
            (200, "ok", Ends::Transient),
            (200, "", Ends::Transient),
        ],
        living: Some(Living {
            is_edit: |message| message.path.ends_with("/chat.update"),
            lost: (200, r#"{"ok": false, "error": "message_not_found"}"#),
            history: 1,
        }),
    },
    Channel {
        label: "discord",
        kind: "discord",
        settings: |_| json!({"webhook_url_from_secret": "URL"}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[
            (404, r#"{"message": "Unknown Webhook", "code": 10015}"#, Ends::Unavailable),
            (401, r#"{"message": "Invalid Webhook Token", "code": 50027}"#, Ends::Unavailable),
            (
                429,
                r#"{"message": "You are being rate limited.", "retry_after": 64.57, "global": false}"#,
                Ends::Pause(64, 64),
            ),
            (400, r#"{"code": 50035, "message": "Invalid Form Body"}"#, Ends::Refused),
        ],
        living: Some(Living {
            is_edit: |message| message.method == "PATCH",
            lost: (404, r#"{"message": "Unknown Message", "code": 10008}"#),
            history: 0,
        }),
    },
    Channel {
        label: "teams",
        kind: "teams",
        settings: |_| json!({"webhook_url_from_secret": "URL"}),
        unread: Ends::Transient,
        huge: Ends::Accepted,
        words: TEAMS,
        living: None,
    },
    Channel {
        label: "teams by connector",
        kind: "teams",
        settings: |_| json!({"webhook_url_from_secret": "URL", "format": "message_card"}),
        unread: Ends::Transient,
        huge: Ends::Accepted,
        words: TEAMS,
        living: None,
    },
    Channel {
        label: "telegram",
        kind: "telegram",
        settings: |server| json!({"bot_token_from_secret": "TOKEN", "chat_id": -1001234567890_i64, "api_url": server.url_of("telegram")}),
        unread: Ends::Transient,
        huge: Ends::Transient,
        words: &[
            (
                429,
                r#"{"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 35", "parameters": {"retry_after": 35}}"#,
                Ends::Pause(35, 35),
            ),
            (
                200,
                r#"{"ok": false, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 7}}"#,
                Ends::Pause(7, 7),
            ),
            (
                403,
                r#"{"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}"#,
                Ends::Unavailable,
            ),
            (
                400,
                r#"{"ok": false, "error_code": 400, "description": "Bad Request: chat not found"}"#,
                Ends::Unavailable,
            ),
            (
                400,
                r#"{"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat", "parameters": {"migrate_to_chat_id": -100555}}"#,
                Ends::Unavailable,
            ),
            (401, r#"{"ok": false, "error_code": 401, "description": "Unauthorized"}"#, Ends::Unavailable),
            (
                400,
                r#"{"ok": false, "error_code": 400, "description": "Bad Request: can't parse entities"}"#,
                Ends::Refused,
            ),
            (400, r#"{"ok": false, "error_code": 400, "description": "s3cr3t-4f9c"}"#, Ends::Refused),
            (200, "ok", Ends::Transient),
        ],
        living: Some(Living {
            is_edit: |message| message.path.ends_with("/editMessageText"),
            lost: (400, r#"{"ok": false, "error_code": 400, "description": "Bad Request: message to edit not found"}"#),
            history: 0,
        }),
    },
    Channel {
        label: "mattermost",
        kind: "mattermost",
        settings: |_| json!({"webhook_url_from_secret": "URL", "channel": "ops"}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[
            (400, r#"{"id": "web.incoming_webhook.invalid.app_error", "status_code": 400}"#, Ends::Unavailable),
            (501, r#"{"id": "web.incoming_webhook.disabled.app_error", "status_code": 501}"#, Ends::Unavailable),
            (400, r#"{"id": "web.incoming_webhook.parse.app_error", "status_code": 400}"#, Ends::Refused),
            (400, r#"{"id": "s3cr3t-4f9c"}"#, Ends::Refused),
        ],
        living: None,
    },
    Channel {
        label: "googlechat",
        kind: "googlechat",
        settings: |_| json!({"webhook_url_from_secret": "URL"}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[
            (429, r#"{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}"#, Ends::Transient),
            (403, r#"{"error": {"code": 403, "status": "PERMISSION_DENIED"}}"#, Ends::Unavailable),
            (400, r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT"}}"#, Ends::Refused),
        ],
        living: None,
    },
    Channel {
        label: "ntfy",
        kind: "ntfy",
        settings: |server| json!({"url": server.url_of("ntfy"), "topic_from_secret": "TOKEN", "token_from_secret": "TOKEN"}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[
            (429, r#"{"code": 42901, "http": 429, "error": "limit reached: too many requests"}"#, Ends::Transient),
            (403, r#"{"code": 40301, "http": 403, "error": "forbidden"}"#, Ends::Unavailable),
            (507, r#"{"code": 50701, "http": 507, "error": "cannot publish to topic"}"#, Ends::Transient),
        ],
        living: None,
    },
    Channel {
        label: "pagerduty",
        kind: "pagerduty",
        settings: |server| json!({"routing_key_from_secret": "TOKEN", "api_url": server.url_of("pagerduty")}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[
            (400, r#"{"status": "invalid event", "errors": ["'payload.summary' is missing or blank"]}"#, Ends::Refused),
            (400, r#"{"status": "invalid event", "errors": ["Invalid routing key"]}"#, Ends::Unavailable),
            (429, r#"{"status": "throttle exceeded"}"#, Ends::Transient),
        ],
        living: None,
    },
    Channel {
        label: "alertmanager",
        kind: "alertmanager",
        settings: |server| json!({"url": server.url_of("alertmanager"), "token_from_secret": "TOKEN"}),
        unread: Ends::Accepted,
        huge: Ends::Accepted,
        words: &[(400, r#""start time must be before end time""#, Ends::Refused)],
        living: None,
    },
];

const TEAMS: &[(u16, &str, Ends)] = &[
    (200, "1", Ends::Accepted),
    (202, "", Ends::Accepted),
    (
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=0",
        Ends::Transient,
    ),
    (
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
        Ends::Refused,
    ),
    (
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 404 with ContextId x",
        Ends::Unavailable,
    ),
    (
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 502",
        Ends::Transient,
    ),
    (
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ???",
        Ends::Transient,
    ),
    (200, "Webhook Bad payload received by generic incoming webhook.", Ends::Refused),
];
