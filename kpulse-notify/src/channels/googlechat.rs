//! `googlechat`: a card by webhook, every message of a group in one thread.
//!
//! Rules of the platform, with the page of Google's documentation that says so:
//!
//! - a message has at most 32,000 bytes, with its cards (Method: spaces.messages.create);
//! - messages with the same `thread.threadKey` are one thread, if `messageReplyOption` says so (Build a Google Chat app as
//!   a webhook: start or reply to a message thread);
//! - a `requestId` that was used returns the message of that time (Method: spaces.messages.create);
//! - `text` reads marks and mentions, `<users/all>` too; a card's texts read some HTML (Format messages; Cards v2:
//!   formatting text);
//! - one request a second goes to a space (Usage limits).

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, card, outer_key};
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::markup::{self, fit, fit_lines};
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::Secrets;
use crate::settings::{Channel, SetupError, secret, worst_first};

/// One request a second (Usage limits: per-space quotas).
pub const SPACING: Duration = Duration::from_secs(1);

/// The longest key that is sent in an address.
const KEY: usize = 200;

// ---- settings

/// What a `googlechat` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The key of the secret that is the webhook's address.
    pub webhook_url_from_secret: Option<String>,
    /// Links to put under each message.
    pub links: Links,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether it takes what no route matches.
    pub default: bool,
}

// ---- setting up

impl Channel for Settings {
    fn is_default(&self) -> bool {
        self.default
    }

    fn is_unset(&self) -> bool {
        secret::all_empty(&[self.webhook_url_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        worst_first([self.endpoint(secrets).err(), self.ca_file.as_deref().and_then(|path| certificates(path).err())])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        let client = http.client(self.ca_file.as_deref())?;
        Ok(Box::new(GoogleChat { endpoint: self.endpoint(secrets)?, links: self.links.clone(), client }))
    }

    fn preview(&self, notification: &Notification) -> String {
        format!("{:#}", payload(notification, &self.links))
    }
}

impl Settings {
    fn endpoint(&self, secrets: &Secrets) -> Result<Endpoint, SetupError> {
        secret::address("webhook_url_from_secret", self.webhook_url_from_secret.as_ref(), secrets)
    }
}

// ---- sending

struct GoogleChat {
    endpoint: Endpoint,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for GoogleChat {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let mut query = vec![("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")];
        let key = notification.idempotency_key.as_str();
        if key.len() <= KEY {
            query.push(("requestId", key));
        }
        let to = self.endpoint.join(&[], &query);
        let body = payload(notification, &self.links).to_string().into_bytes();
        // The status says all; what the answer says besides, the thread's name, is ours already.
        self.client.post_json(&to, HeaderMap::new(), body).await?.verdict()?;
        Ok(Accepted::default())
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

// ---- the message

/// The longest line and quote, in bytes as they are written: all of a message stays below 32,000.
const LINE: usize = 1_200;
const CAUSE: usize = 6_000;
const QUOTE: usize = 6_000;
const LINES: usize = 8_000;

/// What is sent of a message.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    let card = card(notification, links);
    json!({
        "text": fit(&card.headline, LINE, char::len_utf8, defused),
        "thread": {"threadKey": outer_key(&notification.content)},
        "cardsV2": [{"cardId": "kpulse", "card": {"sections": [{"widgets": widgets(&card)}]}}],
    })
}

fn widgets(card: &Card) -> Vec<Value> {
    let cause = html(&card.cause.join("\n"), CAUSE);
    let mut paragraphs = vec![format!("{}\n{cause}", colour(card)).trim_end().to_owned()];
    if !card.quote.is_empty() {
        paragraphs.push(format!("<code>{}</code>", html(&card.quote.join("\n"), QUOTE)));
    }
    let told = fit_lines(&card.lines, LINES, char::len_utf8, markup::html);
    let commands = card.commands.iter().map(command).collect::<Vec<_>>().join("\n");
    paragraphs.extend([told, commands].into_iter().filter(|part| !part.is_empty()));
    let paragraph = |text: String| json!({"textParagraph": {"text": text}});
    let mut widgets: Vec<_> = paragraphs.into_iter().map(paragraph).collect();
    let fact = |Fact { name, value }: &Fact| json!({"decoratedText": {"topLabel": name, "text": html(value, LINE), "wrapText": true}});
    widgets.extend(card.facts.iter().map(fact));
    if !card.links.is_empty() {
        let open = |Link { name, url }: &Link| json!({"text": name, "onClick": {"openLink": {"url": url}}});
        widgets.push(json!({"buttonList": {"buttons": card.links.iter().map(open).collect::<Vec<_>>()}}));
    }
    widgets.push(json!({"textParagraph": {"text": format!("<i>{}</i>", html(&card.footer, LINE))}}));
    widgets
}

fn command(Command { label, text }: &Command) -> String {
    let label = label.map_or_else(String::new, |label| format!("{label} "));
    format!("{label}<code>{}</code>", html(text, LINE))
}

/// A card has no coloured edge: a word has its colour.
fn colour(card: &Card) -> String {
    format!("<font color=\"{}\"><b>{}</b></font>", card.tone.hex(), card.tone.word())
}

fn html(text: &str, limit: usize) -> String {
    fit(text, limit, char::len_utf8, markup::html)
}

/// No mention, which begins with `<`: a space of no width follows it.
const fn defused(c: char) -> Option<&'static str> {
    match c {
        '<' => Some("<\u{200b}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn every_payload_keeps_the_platforms_rules() {
        for hostile in example::hostile() {
            let payload = payload(&hostile, &example::long_links());
            let size = payload.to_string().len();
            assert!(size <= 32_000, "{size}");
            assert!(payload["thread"]["threadKey"].as_str().unwrap().chars().count() <= 4_000);
            assert!(!payload["text"].as_str().unwrap().contains("<users/"));
        }
    }

    #[test]
    fn the_messages_of_a_group_have_one_thread_in_each_cluster() {
        let key = |notification: &Notification| payload(notification, &Links::default())["thread"]["threadKey"].clone();
        assert_eq!(key(&example::firing()), key(&example::resolved()));
        let mut elsewhere = example::firing();
        elsewhere.content.report_mut().unwrap().cluster = "prod-us".into();
        assert_ne!(key(&example::firing()), key(&elsewhere));
    }

    #[test]
    fn every_kind_of_message_has_its_look() {
        let looks: Vec<_> =
            example::all().into_iter().map(|(name, example)| (name, payload(&example, &example::links()))).collect();
        insta::assert_json_snapshot!(looks);
    }
}
