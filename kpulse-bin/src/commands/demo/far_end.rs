//! Who is told in a demo: the sink on the stage, and one that stays, by every kind of channel that is spoken over HTTP.

use serde_json::{Map, Value, json};

/// The channel to the sink on the stage, where there are others.
pub(super) const STAGE: &str = "stage";

/// Kinds that need an address and nothing else.
const BY_ADDRESS: [(&str, &str); 5] = [
    ("slack", "SLACK_WEBHOOK_URL"),
    ("discord", "DISCORD_WEBHOOK_URL"),
    ("teams", "TEAMS_WEBHOOK_URL"),
    ("mattermost", "MATTERMOST_WEBHOOK_URL"),
    ("googlechat", "GOOGLECHAT_WEBHOOK_URL"),
];

/// What the configuration says of channels, and the secrets that it names.
#[derive(Debug)]
pub(super) struct FarEnd {
    pub(super) channels: Map<String, Value>,
    /// What routes call them.
    pub(super) names: Vec<String>,
    pub(super) secrets: Vec<(&'static str, String)>,
}

impl FarEnd {
    /// `stage` is the address of a webhook, `sink` that of an echo sink's page.
    pub(super) fn new(stage: &str, sink: Option<&str>) -> Self {
        let Some(sink) = sink.map(|sink| sink.trim_end_matches('/')) else {
            let channels = Map::from_iter([("webhook".to_owned(), json!({"url": stage}))]);
            return Self { channels, names: vec!["webhook".to_owned()], secrets: Vec::new() };
        };
        let at = |kind: &str| format!("{sink}/{kind}");
        let mut channels = Map::new();
        let mut secrets =
            vec![("TELEGRAM_BOT_TOKEN", "1:sink".to_owned()), ("PAGERDUTY_ROUTING_KEY", "sink".to_owned())];
        for (kind, key) in BY_ADDRESS {
            channels.insert(kind.to_owned(), json!({"webhook_url_from_secret": key}));
            secrets.push((key, at(kind)));
        }
        let others = [
            (
                "telegram",
                json!({"bot_token_from_secret": "TELEGRAM_BOT_TOKEN", "chat_id": -1001, "api_url": at("telegram")}),
            ),
            ("ntfy", json!({"url": at("ntfy"), "topic": "kpulse"})),
            ("pagerduty", json!({"routing_key_from_secret": "PAGERDUTY_ROUTING_KEY", "api_url": at("pagerduty")})),
            ("alertmanager", json!({"url": at("alertmanager")})),
        ];
        channels.extend(others.map(|(kind, settings)| (kind.to_owned(), settings)));
        let mut names: Vec<String> = channels.keys().cloned().collect();
        names.extend([STAGE.to_owned(), "webhook".to_owned()]);
        channels.insert("webhook".to_owned(), json!({STAGE: {"url": stage}, "webhook": {"url": at("webhook")}}));
        Self { channels, names, secrets }
    }
}

#[cfg(test)]
mod tests {
    use kpulse_notify::ChannelSettings;

    use super::*;

    #[test]
    fn a_sink_is_told_by_every_kind_but_mail_and_the_log() {
        let far_end = FarEnd::new("http://127.0.0.1:1/webhook", Some("http://127.0.0.1:2/"));
        for kind in ChannelSettings::KINDS.iter().filter(|kind| !["email", "stdout"].contains(kind)) {
            assert!(far_end.channels.contains_key(*kind), "{kind}");
            assert!(far_end.names.iter().any(|name| name == kind), "{kind}");
        }
        assert_eq!(far_end.channels["webhook"]["webhook"]["url"], "http://127.0.0.1:2/webhook");
    }
}
