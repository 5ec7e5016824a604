//! `ntfy`: a push notification, by ntfy.sh or one's own server.
//!
//! Rules of the platform, with the page of its documentation that says so:
//!
//! - a message has at most 4,096 bytes; a longer one becomes a file (Publishing: limitations);
//! - priorities are 1 to 5; tags that name an emoji stand before the title, others below the text (Publishing: message
//!   priority, tags & emojis). The title has its sign already, so no tag here names one;
//! - a topic needs no login, so its name is as good as a password (Publishing);
//! - a visitor has 60 requests at once and then one every five seconds (Publishing: limitations). Storms are held down
//!   before they come here, so a message a second stays within that.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::card::{Card, Link, Tone, card};
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::markup::{self, fit, fit_lines};
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::{Masked, Secrets};
use crate::settings::{Channel, SetupError, secret, worst_first};

/// 60 at once and then one in five seconds (Publishing: limitations), spread a little.
pub const SPACING: Duration = Duration::from_secs(1);

/// Where most topics are.
const PUBLIC: &str = "https://ntfy.sh";

// ---- settings

/// What an `ntfy` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The server, if not ntfy.sh.
    pub url: Option<Masked>,
    /// The topic, on a server where that is no secret.
    pub topic: Option<Masked>,
    /// The key of the secret that is the topic.
    pub topic_from_secret: Option<String>,
    /// The key of the secret that is an access token.
    pub token_from_secret: Option<String>,
    /// What a tap on the notification opens.
    pub click: Option<Masked>,
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
        secret::all_empty(&[self.topic.as_ref().map(Masked::expose), self.topic_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        worst_first([
            secret::base("url", self.url.as_ref(), PUBLIC).err(),
            self.topic(secrets).err(),
            self.token(secrets).err(),
            self.ca_file.as_deref().and_then(|path| certificates(path).err()),
        ])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        Ok(Box::new(Ntfy {
            server: secret::base("url", self.url.as_ref(), PUBLIC)?,
            topic: self.topic(secrets)?,
            token: self.token(secrets)?,
            links: self.links.clone(),
            click: self.click.clone().filter(|click| !click.expose().is_empty()),
            client: http.client(self.ca_file.as_deref())?,
        }))
    }

    fn preview(&self, notification: &Notification) -> String {
        format!("{:#}", payload(notification, &self.links))
    }
}

impl Settings {
    fn topic(&self, secrets: &Secrets) -> Result<SecretString, SetupError> {
        let open = self.topic.as_ref().map(Masked::expose).filter(|topic| !topic.is_empty());
        match (open, secret::set(self.topic_from_secret.as_ref())) {
            (Some(topic), None) => Ok(topic.into()),
            (None, Some(_)) => secret::value("topic_from_secret", self.topic_from_secret.as_ref(), secrets),
            (Some(_), Some(_)) => Err(SetupError::invalid(
                "topic",
                "there is topic_from_secret too",
                "keep one of them: topic_from_secret if whoever knows the topic can read it",
            )),
            (None, None) => Err(SetupError::invalid(
                "topic",
                "there is no topic to send to",
                "set topic_from_secret, or topic on a server of your own",
            )),
        }
    }

    fn token(&self, secrets: &Secrets) -> Result<HeaderMap, SetupError> {
        if secret::set(self.token_from_secret.as_ref()).is_none() {
            return Ok(HeaderMap::new());
        }
        let token = secret::value("token_from_secret", self.token_from_secret.as_ref(), secrets)?;
        secret::bearer("token_from_secret", &token)
    }
}

// ---- sending

struct Ntfy {
    server: Endpoint,
    topic: SecretString,
    token: HeaderMap,
    links: Links,
    click: Option<Masked>,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Ntfy {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let mut body = payload(notification, &self.links);
        body["topic"] = json!(self.topic.expose_secret());
        if let Some(click) = &self.click {
            body["click"] = json!(click.expose());
        }
        let body = body.to_string().into_bytes();
        self.client.post_json(&self.server, self.token.clone(), body).await?.verdict()?;
        Ok(Accepted::default())
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

// ---- the message

/// The longest title and message, in bytes.
const TITLE: usize = 300;
const MESSAGE: usize = 4_096;

/// The most buttons (Publishing: action buttons).
const ACTIONS: usize = 3;

/// The longest list of what a bulletin tells, in bytes: what stands around it fits besides.
const LINES: usize = 2_400;

/// What is sent of a message, without the topic.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    let card = card(notification, links);
    let open = |Link { name, url }: &Link| json!({"action": "view", "label": name, "url": url});
    json!({
        "title": fit(&card.headline, TITLE, char::len_utf8, markup::plain),
        "message": fit(&text(&card), MESSAGE, char::len_utf8, markup::plain),
        "priority": priority(card.tone),
        "tags": [notification.content.source()],
        "actions": card.links.iter().take(ACTIONS).map(open).collect::<Vec<_>>(),
    })
}

const fn priority(tone: Tone) -> u8 {
    match tone {
        Tone::Critical => 5,
        Tone::Warning => 4,
        Tone::Info | Tone::Resolved => 3,
    }
}

/// Plain text: phones show it as it is.
fn text(card: &Card) -> String {
    let quote = card.quote.iter().map(|line| format!("> {line}"));
    let facts = card.facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value));
    let told = fit_lines(&card.lines, LINES, char::len_utf8, markup::plain);
    let above = card.cause.iter().cloned().chain(quote).chain(Some(told).filter(|told| !told.is_empty()));
    let lines = above.chain(card.commands.iter().map(ToString::to_string)).chain(facts);
    lines.chain([card.footer.clone()]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use crate::settings::Problem;

    #[test]
    fn every_payload_keeps_the_platforms_rules() {
        for hostile in example::hostile() {
            let payload = payload(&hostile, &example::long_links());
            assert!((1..=4_096).contains(&payload["message"].as_str().unwrap().len()));
            assert!((1..=5).contains(&payload["priority"].as_u64().unwrap()));
        }
    }

    #[test]
    fn a_topic_is_needed_once() {
        let secrets: Secrets = [("TOPIC", "s3cr3t")].into_iter().collect();
        let check = |json: &str, expect: &[&str]| {
            let settings: Settings = serde_json::from_str(json).unwrap();
            let problems: Vec<Problem> = settings.faults(&secrets).into_iter().map(Problem::from).collect();
            let found: Vec<_> = problems.iter().map(|problem| format!("{}: {}", problem.key, problem.fault)).collect();
            assert_eq!(found, expect, "{json}");
        };
        check(r#"{"topic": "kpulse"}"#, &[]);
        check(r#"{"topic_from_secret": "TOPIC", "url": "https://ntfy.example.com"}"#, &[]);
        check("{}", &["topic: there is no topic to send to"]);
        check(r#"{"topic": "x", "topic_from_secret": "TOPIC"}"#, &["topic: there is topic_from_secret too"]);
        check(r#"{"topic": "x", "token_from_secret": "NOPE"}"#, &["token_from_secret: secret NOPE is missing"]);
        let unset = |json: &str| serde_json::from_str::<Settings>(json).unwrap().is_unset();
        assert!(unset(r#"{"topic": ""}"#) && unset(r#"{"topic_from_secret": ""}"#));
        assert!(
            !unset("{}") && !unset(r#"{"topic": "", "topic_from_secret": "TOPIC"}"#) && !unset(r#"{"topic": "x"}"#)
        );
    }

    #[test]
    fn every_kind_of_message_has_its_look() {
        let looks: Vec<_> =
            example::all().into_iter().map(|(name, example)| (name, payload(&example, &example::links()))).collect();
        insta::assert_json_snapshot!(looks);
    }
}
