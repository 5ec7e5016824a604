//! `mattermost`: a message attachment by incoming webhook.
//!
//! Rules of the platform, with the page of its documentation that says so:
//!
//! - a post has at most 16,383 characters (Message formatting: message length); older servers refuse attachments of more
//!   than 7,900 in all, so none is sent;
//! - an attachment needs `fallback`, and its texts read Markdown and mention people (Message attachments);
//! - a webhook is answered `ok`, or with an error's `id`: one that was deleted gives 400, where others give 404
//!   (Incoming webhooks);
//! - ten requests a second where the server limits them at all (Rate limiting configuration settings).

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, card};
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::markup::{self, fit, fit_lines, whole};
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::Secrets;
use crate::settings::{Channel, SetupError, secret, worst_first};

/// Ten requests a second (Rate limiting configuration settings).
pub const SPACING: Duration = Duration::from_millis(100);

// ---- settings

/// What a `mattermost` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The key of the secret that is the incoming webhook's address.
    pub webhook_url_from_secret: Option<String>,
    /// Where to write, if not where the webhook does by itself.
    pub channel: Option<String>,
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
        let channel = secret::set(self.channel.as_ref()).map(str::to_owned);
        Ok(Box::new(Mattermost { endpoint: self.endpoint(secrets)?, channel, links: self.links.clone(), client }))
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

struct Mattermost {
    endpoint: Endpoint,
    channel: Option<String>,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Mattermost {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let mut body = payload(notification, &self.links);
        if let Some(channel) = &self.channel {
            body["channel"] = json!(channel);
        }
        let reply = self.client.post_json(&self.endpoint, HeaderMap::new(), body.to_string().into_bytes()).await?;
        if reply.verdict().is_ok() {
            return Ok(Accepted::default());
        }
        let answer = reply.answer().await?;
        let said = answer.json();
        match closed(said["id"].as_str().unwrap_or_default()) {
            Some(error) => Err(answer.says(error)),
            None => answer.verdict.map(|()| Accepted::default()),
        }
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

/// Ids of errors that somebody must mend, whatever their status.
fn closed(id: &str) -> Option<DeliveryError> {
    let remedy = match id.strip_prefix("web.incoming_webhook.")?.strip_suffix(".app_error")? {
        "invalid" => "says that there is no such webhook: make a new one and put its address into the secret",
        "disabled" => "says that webhooks are switched off: ask the server's administrators",
        "channel" | "channel_locked" | "permissions" => "says that the webhook may not post there: check the channel",
        _ => return None,
    };
    Some(DeliveryError::unavailable(remedy))
}

// ---- the message

/// The longest text and value, in characters as they are written: all of a message stays below 7,900.
const TEXT: usize = 4_000;
const QUOTE: usize = 1_500;
const LINES: usize = 1_000;
const LINKS: usize = 1_100;
const VALUE: usize = 400;
const LINE: usize = 500;

/// What is sent of a message.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    let card = card(notification, links);
    json!({
        "attachments": [{
            "fallback": fit(&card.headline, LINE, char::len_utf16, defused),
            "color": card.tone.hex(),
            "title": fit(&card.headline, LINE, char::len_utf16, defused),
            "text": text(&card),
            "fields": card.facts.iter().map(field).collect::<Vec<_>>(),
            "footer": fit(&card.footer, LINE, char::len_utf16, markup::plain),
        }],
    })
}

/// The cause, what the container said, what a bulletin tells, and what to copy: only the first is cut for the others.
fn text(card: &Card) -> String {
    let code = |text: &str, limit| fit(text, limit, char::len_utf16, markup::code);
    let quote = (!card.quote.is_empty()).then(|| format!("```\n{}\n```", code(&card.quote.join("\n"), QUOTE)));
    let told = fit_lines(&card.lines, LINES, char::len_utf16, marked);
    let command = |Command { label, text }: &Command| {
        let label = label.map_or_else(String::new, |label| format!("{label} "));
        format!("{label}`{}`", code(text, VALUE))
    };
    let commands = card.commands.iter().map(command).collect::<Vec<_>>().join("\n");
    let link = |Link { name, url }: &Link| format!("[{}]({url})", fit(name, VALUE, char::len_utf16, marked));
    let links = whole(card.links.iter().map(link), LINKS, " · ");
    let below: Vec<_> = quote.into_iter().chain([told, commands, links]).filter(|part| !part.is_empty()).collect();
    let taken: usize = below.iter().map(|part| part.encode_utf16().count() + 2).sum();
    let cause = fit(&card.cause.join("\n"), TEXT - taken, char::len_utf16, marked);
    let parts = std::iter::once(cause).chain(below).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

fn field(Fact { name, value }: &Fact) -> Value {
    let is_short = value.chars().count() <= 40;
    json!({"title": name, "value": fit(value, VALUE, char::len_utf16, marked), "short": is_short})
}

/// Titles read no Markdown, but notifications do mention.
const fn defused(c: char) -> Option<&'static str> {
    match c {
        '@' => Some("@\u{200b}"),
        _ => None,
    }
}

/// In Markdown, where a backslash takes a mark's meaning, and a space of no width a mention's.
const fn marked(c: char) -> Option<&'static str> {
    Some(match c {
        '\\' => "\\\\",
        '*' => "\\*",
        '_' => "\\_",
        '~' => "\\~",
        '`' => "\\`",
        '[' => "\\[",
        ']' => "\\]",
        '<' => "\\<",
        '>' => "\\>",
        '#' => "\\#",
        '|' => "\\|",
        '!' => "\\!",
        c => return defused(c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn every_payload_keeps_the_platforms_rules() {
        for hostile in example::hostile() {
            let payload = payload(&hostile, &example::long_links());
            let length = payload.to_string().encode_utf16().count();
            let attachment = &payload["attachments"][0];
            assert!(attachment["text"].as_str().unwrap().encode_utf16().count() <= TEXT);
            assert!(!attachment["fallback"].as_str().unwrap().is_empty());
            // JSON's own marks count too: twice each backslash.
            let doubled = payload.to_string().matches("\\\\").count();
            assert!(length - doubled <= 7_900, "{length}");
        }
    }

    #[test]
    fn marks_and_mentions_of_others_mean_nothing() {
        let mut hostile = example::firing();
        let report = hostile.content.report_mut().unwrap();
        (report.title, report.cause) = ("@all *x*".to_owned(), "@here [a](http://h) `c`".to_owned());
        let attachment = &payload(&hostile, &Links::default())["attachments"][0];
        assert_eq!(attachment["title"], "🔴 @\u{200b}all *x* · prod-eu");
        let text = attachment["text"].as_str().unwrap();
        assert!(text.starts_with("@\u{200b}here \\[a\\](http://h) \\`c\\`\n\n`kubectl"), "{text}");
    }

    #[test]
    fn every_kind_of_message_has_its_look() {
        let looks: Vec<_> =
            example::all().into_iter().map(|(name, example)| (name, payload(&example, &example::links()))).collect();
        insta::assert_json_snapshot!(looks);
    }
}
