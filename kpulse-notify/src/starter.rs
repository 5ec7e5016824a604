//! What it takes to begin with a kind of channel: the questions that `kpulse init` asks, and no more. Everything else
//! has a default.

/// One thing to know before messages can go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The setting that the answer is for. That of a secret names its key.
    pub setting: &'static str,
    /// What is asked for, for a person.
    pub asks: &'static str,
    /// The key by which the answer is kept among the secrets; nothing where it is none.
    pub secret: Option<&'static str>,
    /// Whether it may be left empty.
    pub optional: bool,
    /// Whether several answers may be given, with commas between.
    pub several: bool,
}

const fn setting(setting: &'static str, asks: &'static str) -> Question {
    Question { setting, asks, secret: None, optional: false, several: false }
}

const fn secret(setting: &'static str, key: &'static str, asks: &'static str) -> Question {
    Question { secret: Some(key), ..self::setting(setting, asks) }
}

const fn optional(question: Question) -> Question {
    Question { optional: true, ..question }
}

/// The questions of a kind of channel; none for a kind that there is not, or that needs nothing.
#[must_use]
pub fn questions(kind: &str) -> &'static [Question] {
    const SLACK: &[Question] =
        &[secret("webhook_url_from_secret", "SLACK_WEBHOOK_URL", "The address of an incoming webhook")];
    const DISCORD: &[Question] =
        &[secret("webhook_url_from_secret", "DISCORD_WEBHOOK_URL", "The address of the channel's webhook")];
    const TEAMS: &[Question] =
        &[secret("webhook_url_from_secret", "TEAMS_WEBHOOK_URL", "The address of a Workflows webhook")];
    const MATTERMOST: &[Question] =
        &[secret("webhook_url_from_secret", "MATTERMOST_WEBHOOK_URL", "The address of an incoming webhook")];
    const GOOGLECHAT: &[Question] =
        &[secret("webhook_url_from_secret", "GOOGLECHAT_WEBHOOK_URL", "The address of the space's webhook")];
    const WEBHOOK: &[Question] = &[secret("url_from_secret", "WEBHOOK_URL", "The address that takes JSON")];
    const TELEGRAM: &[Question] = &[
        secret("bot_token_from_secret", "TELEGRAM_BOT_TOKEN", "The bot's token, from @BotFather"),
        setting("chat_id", "The chat's number, or a channel's @name"),
    ];
    const NTFY: &[Question] = &[
        optional(setting("url", "The server, if it is not ntfy.sh")),
        secret("topic_from_secret", "NTFY_TOPIC", "The topic: on ntfy.sh whoever knows it can read it"),
    ];
    const EMAIL: &[Question] = &[
        setting("smtp_host", "The mail server"),
        setting("from", "Who the mail is from: kpulse@example.com"),
        Question { several: true, ..setting("to", "Who it goes to; several with commas between") },
        optional(secret("user_from_secret", "SMTP_USER", "The name to log in with; empty for a relay without a login")),
        optional(secret("pass_from_secret", "SMTP_PASS", "The password to log in with")),
    ];
    const PAGERDUTY: &[Question] = &[secret(
        "routing_key_from_secret",
        "PAGERDUTY_ROUTING_KEY",
        "The integration key of an Events API v2 service",
    )];
    const ALERTMANAGER: &[Question] = &[setting("url", "Its address: http://alertmanager.monitoring:9093")];
    match kind {
        "slack" => SLACK,
        "discord" => DISCORD,
        "teams" => TEAMS,
        "mattermost" => MATTERMOST,
        "googlechat" => GOOGLECHAT,
        "webhook" => WEBHOOK,
        "telegram" => TELEGRAM,
        "ntfy" => NTFY,
        "email" => EMAIL,
        "pagerduty" => PAGERDUTY,
        "alertmanager" => ALERTMANAGER,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{ChannelSettings, Channels, Secrets};

    fn answer(question: &Question) -> Value {
        let text = match question.setting {
            name if name.contains("url") => "https://example.com/hook",
            "chat_id" => "-1001234567890",
            "smtp_host" => "localhost",
            "from" | "to" => "ops@example.com",
            _ => "0123456789abcdef0123456789abcdef",
        };
        if question.several { json!([text]) } else { json!(text) }
    }

    #[test]
    fn whoever_answers_has_a_channel_that_can_be_set_up() {
        for kind in ChannelSettings::KINDS {
            for with_optional in [true, false] {
                let asked = questions(kind).iter().filter(|question| with_optional || !question.optional);
                let (mut block, mut secrets) = (json!({}), Vec::new());
                for question in asked {
                    block[question.setting] = question.secret.map_or_else(|| answer(question), Value::from);
                    secrets.extend(question.secret.map(|key| (key, answer(question).as_str().unwrap().to_owned())));
                }
                let channels: Channels = serde_json::from_value(json!({ *kind: block })).unwrap();
                let secrets: Secrets = secrets.into_iter().collect();
                let (_, settings) = channels.iter().next().unwrap_or_else(|| panic!("{kind}"));
                assert_eq!(settings.problems(&secrets), [], "{kind}");
            }
        }
    }
}
