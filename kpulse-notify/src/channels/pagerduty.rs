//! `pagerduty`: an alert by Events API v2, opened and resolved under one key.
//!
//! Rules of the platform, with the page of developer.pagerduty.com that says so:
//!
//! - `routing_key` has 32 characters, `dedup_key` at most 255, `payload.summary` 1,024; `payload.severity` is critical, error,
//!   warning or info (Events API v2: send an alert event);
//! - an event has at most 512 KB (Events API v2 overview: size limits);
//! - further triggers of a `dedup_key` are added to the open alert; a resolve ends it (Send an alert event: alert
//!   de-duplication);
//! - 202 is success, 400 an event that is none, 429 and 5xx are to be sent again; how many are too many is not published
//!   (Events API v2 overview: response codes, rate limits).

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::{AlertState, BulletinKind, Content, Notification, Severity};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::card::{Card, Link, card, outer_key};
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::markup::{self, fit};
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::{Masked, Secrets};
use crate::settings::{Channel, SetupError, Traits, secret, worst_first};
use crate::text;

/// No rate is published; two events a second are far below what is refused.
pub const SPACING: Duration = Duration::from_millis(500);

/// Where events are taken, for accounts outside the European service region.
const API: &str = "https://events.pagerduty.com";

// ---- settings

/// What a `pagerduty` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The key of the secret that is the integration's key.
    pub routing_key_from_secret: Option<String>,
    /// Where events are taken, if not at PagerDuty's own address.
    pub api_url: Option<Masked>,
    /// Links to put under each message.
    pub links: Links,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
}

// ---- setting up

impl Channel for Settings {
    fn is_default(&self) -> bool {
        false
    }

    fn traits(&self) -> Traits {
        Traits { incident: true, ..Traits::default() }
    }

    fn is_unset(&self) -> bool {
        secret::all_empty(&[self.routing_key_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        worst_first([
            self.endpoint().err(),
            self.routing_key(secrets).err(),
            self.ca_file.as_deref().and_then(|path| certificates(path).err()),
        ])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        let client = http.client(self.ca_file.as_deref())?;
        Ok(Box::new(PagerDuty {
            endpoint: self.endpoint()?,
            routing_key: self.routing_key(secrets)?,
            links: self.links.clone(),
            client,
        }))
    }

    fn preview(&self, notification: &Notification) -> String {
        format!("{:#}", payload(notification, &self.links))
    }
}

impl Settings {
    fn endpoint(&self) -> Result<Endpoint, SetupError> {
        Ok(secret::base("api_url", self.api_url.as_ref(), API)?.join(&["v2", "enqueue"], &[]))
    }

    fn routing_key(&self, secrets: &Secrets) -> Result<SecretString, SetupError> {
        secret::value("routing_key_from_secret", self.routing_key_from_secret.as_ref(), secrets)
    }
}

// ---- sending

struct PagerDuty {
    endpoint: Endpoint,
    routing_key: SecretString,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for PagerDuty {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let accepted = self.send(payload(notification, &self.links)).await?;
        if is_test(&notification.content) {
            // Nobody would ever end the alert that a test opens.
            self.send(resolve(&notification.content)).await?;
        }
        Ok(accepted)
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

impl PagerDuty {
    async fn send(&self, mut body: Value) -> Result<Accepted, DeliveryError> {
        body["routing_key"] = json!(self.routing_key.expose_secret());
        let reply = self.client.post_json(&self.endpoint, HeaderMap::new(), body.to_string().into_bytes()).await?;
        if reply.verdict().is_ok() {
            return Ok(Accepted::default());
        }
        let answer = reply.answer().await?;
        if answer.status == 400 && blames_the_key(&answer.json()) {
            let cause = "does not know the routing key: put the integration key of an Events API v2 integration into the secret";
            return Err(answer.says(DeliveryError::unavailable(cause)));
        }
        answer.verdict.map(|()| Accepted::default())
    }
}

fn is_test(content: &Content) -> bool {
    matches!(content, Content::Bulletin(bulletin) if bulletin.kind == BulletinKind::Test)
}

/// Whether an event was refused for whom it was meant: then so would be any other.
fn blames_the_key(said: &Value) -> bool {
    let errors = said["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let blames = |error: &str| error.contains("routing_key") || error.to_ascii_lowercase().contains("routing key");
    errors.iter().filter_map(Value::as_str).any(blames)
}

// ---- the message

/// The longest summary and the longest name, in characters.
const SUMMARY: usize = 1_024;
const NAME: usize = 255;

/// The most lines of a bulletin.
const LINES: usize = 20;

/// What is sent of a message, without the routing key.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    let content = &notification.content;
    if content.state() == AlertState::Resolved {
        return resolve(content);
    }
    let card = card(notification, links);
    let link = |Link { name, url }: &Link| json!({"href": url, "text": name});
    json!({
        "event_action": "trigger",
        "dedup_key": outer_key(content),
        "client": "kpulse",
        "links": card.links.iter().map(link).collect::<Vec<_>>(),
        "payload": match content {
            Content::Report(report) => json!({
                "summary": summary(content),
                "severity": severity(report.severity),
                "source": name(&report.object.to_string(), NAME),
                "component": report.workload.as_ref().map(|workload| name(&workload.to_string(), NAME)),
                "group": name(&report.object.namespace, NAME),
                "class": name(&report.reason, NAME),
                "timestamp": report.started_at.to_string(),
                "custom_details": details(&card, notification),
            }),
            Content::Bulletin(bulletin) => json!({
                "summary": summary(content),
                "severity": severity(bulletin.severity),
                "source": "kpulse",
                "class": content.source(),
                "timestamp": bulletin.started_at.to_string(),
                "custom_details": details(&card, notification),
            }),
        },
    })
}

fn resolve(content: &Content) -> Value {
    json!({"event_action": "resolve", "dedup_key": outer_key(content)})
}

fn summary(content: &Content) -> String {
    name(&format!("{} · {}", content.title(), content.cluster()), SUMMARY)
}

/// PagerDuty has `error` too, between critical and warning.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn details(card: &Card, notification: &Notification) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("cause".to_owned(), json!(card.cause.join("\n")));
    details.insert("log".to_owned(), json!(card.quote.join("\n")));
    details.insert("told".to_owned(), json!(card.lines.first(LINES).collect::<Vec<_>>().join("\n")));
    let commands: Vec<_> = card.commands.iter().map(ToString::to_string).collect();
    details.insert("command".to_owned(), json!(commands.join("\n")));
    details.extend(card.facts.iter().map(|fact| (fact.name.to_lowercase(), json!(fact.value))));
    details.insert("count".to_owned(), json!(notification.content.report().map(|report| report.count)));
    details.insert("monitor".to_owned(), json!(notification.content.source()));
    details.insert("delayed".to_owned(), json!(text::delay(notification)));
    details.insert("from".to_owned(), json!(card.footer));
    details.retain(|_, value| !value.is_null() && value != "");
    details
}

fn name(text: &str, limit: usize) -> String {
    fit(&text::line(text), limit, char::len_utf16, markup::plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn every_payload_keeps_the_platforms_rules() {
        for hostile in example::hostile() {
            let event = payload(&hostile, &example::long_links());
            assert!(event.to_string().len() <= 512_000);
            assert!((1..=255).contains(&event["dedup_key"].as_str().unwrap().chars().count()));
            if event["event_action"] == "resolve" {
                continue;
            }
            assert!((1..=1_024).contains(&event["payload"]["summary"].as_str().unwrap().chars().count()));
            assert!(!event["payload"]["source"].as_str().unwrap().is_empty());
            let severity = event["payload"]["severity"].as_str().unwrap();
            assert!(["critical", "error", "warning", "info"].contains(&severity));
        }
    }

    #[test]
    fn a_group_is_one_alert_whatever_becomes_of_it() {
        let key = |notification: &Notification| {
            payload(notification, &Links::default())["dedup_key"].as_str().unwrap().to_owned()
        };
        assert_eq!(key(&example::firing()), "bcf7c8ba1bed13f8a28219f0e1b7f3b5c6852227-prod-eu");
        assert!([example::grown(), example::resolved()].iter().all(|other| key(other) == key(&example::firing())));
    }

    #[test]
    fn only_the_routing_key_closes_the_channel() {
        let check = |said: &str| blames_the_key(&serde_json::from_str(said).unwrap());
        assert!(check(r#"{"errors": ["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#));
        assert!(check(r#"{"errors": ["Invalid routing key"]}"#));
        assert!(!check(r#"{"errors": ["'payload.summary' is missing or blank"]}"#) && !check("{}"));
    }

    #[test]
    fn every_kind_of_message_has_its_look() {
        let looks: Vec<_> =
            example::all().into_iter().map(|(name, example)| (name, payload(&example, &example::links()))).collect();
        insta::assert_json_snapshot!(looks);
    }
}
