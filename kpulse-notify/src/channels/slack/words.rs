//! Slack's words for what went wrong. Only words that stand here are repeated.

use crate::notifier::DeliveryError;

/// Why a call of the API failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The message that was to be edited cannot be edited any more.
    Lost,
    Other(DeliveryError),
}

impl Failure {
    pub(super) fn at(self, place: impl FnOnce(DeliveryError) -> DeliveryError) -> Self {
        match self {
            Self::Lost => Self::Lost,
            Self::Other(error) => Self::Other(place(error)),
        }
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for DeliveryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost => Self::refused("says that the message cannot be edited any more"),
            Failure::Other(error) => error,
        }
    }
}

/// Words for which the message to edit is lost (chat.update).
const LOST: [&str; 3] = ["message_not_found", "cant_update_message", "edit_window_closed"];

/// Words after which the same may succeed (Web API errors).
const PASSING: [&str; 9] = [
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "service_unavailable",
    "internal_error",
    "fatal_error",
    "request_timeout",
    "rollup_error",
    "team_added_to_org",
];

/// Words for which somebody must do something, and what.
const CLOSED: [(&str, &str); 27] = [
    ("access_denied", TOKEN),
    ("account_inactive", TOKEN),
    ("invalid_auth", TOKEN),
    ("invalid_token", WEBHOOK),
    ("missing_scope", "give the app the scope chat:write and install it again"),
    ("no_permission", TOKEN),
    ("not_allowed_token_type", "use the bot's token: it begins with xoxb-"),
    ("not_authed", TOKEN),
    ("org_login_required", "wait until the workspace has been moved"),
    ("token_expired", TOKEN),
    ("token_revoked", TOKEN),
    ("two_factor_setup_required", TOKEN),
    ("team_access_not_granted", TOKEN),
    ("ekm_access_denied", "ask the workspace's administrators"),
    ("enterprise_is_restricted", "ask the workspace's administrators"),
    ("channel_not_found", "check the channel, and invite the bot into it"),
    ("is_archived", "unarchive the channel, or name another"),
    ("channel_is_archived", "unarchive the channel, or make a webhook for another"),
    ("not_in_channel", "invite the bot into the channel"),
    ("restricted_action", "ask the workspace's administrators who may post there"),
    ("posting_to_general_channel_denied", "choose another channel than the general one"),
    ("action_prohibited", "ask the workspace's administrators about webhooks"),
    ("no_active_hooks", WEBHOOK),
    ("no_service", WEBHOOK),
    ("no_service_id", WEBHOOK),
    ("no_team", WEBHOOK),
    ("team_disabled", WEBHOOK),
];

const TOKEN: &str = "install the app again and put its new bot token into the secret";
const WEBHOOK: &str = "make a new incoming webhook and put its address into the secret";

/// Words for which this message will never be taken.
const REFUSED: [&str; 14] = [
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_attachments",
    "invalid_arguments",
    "invalid_json",
    "invalid_payload",
    "json_not_object",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "too_many_attachments",
    "markdown_text_conflict",
    "metadata_too_large",
    "missing_text_or_fallback_or_attachments",
];

/// What a word in the API's `error` means. One that is not known is this message's trouble, so that it holds up no other.
pub(super) fn of_api(word: &str) -> Failure {
    if LOST.contains(&word) {
        return Failure::Lost;
    }
    Failure::Other(known(word).unwrap_or_else(|| DeliveryError::refused("answered ok: false with an unknown error")))
}

/// What the text that a webhook answers means; nothing for one that is not known: then the status says it.
pub(super) fn of_webhook(text: &str) -> Option<DeliveryError> {
    known(text)
}

fn known(word: &str) -> Option<DeliveryError> {
    if let Some(word) = PASSING.iter().find(|known| **known == word) {
        return Some(DeliveryError::transient(format!("says {word}")));
    }
    if let Some((word, remedy)) = CLOSED.iter().find(|(known, _)| *known == word) {
        return Some(DeliveryError::unavailable(format!("says {word}: {remedy}")));
    }
    REFUSED.iter().find(|known| **known == word).map(|word| DeliveryError::refused(format!("says {word}")))
}
