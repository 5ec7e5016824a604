//! `alertmanager`: single alerts to an Alertmanager, which groups, silences and routes them itself.
//!
//! Rules of the platform, with the page of prometheus.io or the file of its repository that says so:
//!
//! - alerts are posted as a list to `/api/v2/alerts`: labels, annotations, `startsAt`, `endsAt` (Alertmanager: Alerts API;
//!   api/v2/openapi.yaml). Labels are the identity; names match `[a-zA-Z_][a-zA-Z0-9_]*`, and there must be one with a value;
//! - an alert ends at its `endsAt`; `startsAt` may not be after it. Clients send again what fires (Alerts API);
//! - 200 is success; 400 says what is wrong with an alert, and takes the others.
//!
//! A message is one POST with the group's members. `endsAt` lies four intervals ahead, so that alerts do not end while
//! kpulse is away for a moment; sending again what fires, once per interval, is the engine's part.

use std::borrow::Cow;
use std::path::PathBuf;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kpulse_core::settings::Span;
use kpulse_core::{AlertState, Bulletin, Content, Notification, ObjectRef, Report, Severity, Why};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::card::{card, clip};
use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::{Masked, Secrets};
use crate::settings::{Channel, SetupError, Traits, secret, worst_first};
use crate::text;

/// How many intervals ahead an alert that fires ends.
const AHEAD: i32 = 4;

/// How often what fires is sent again: an alert outlives kpulse's restart by far, and a kpulse that is gone by 12 minutes
/// at most.
const INTERVAL: Span = Span::minutes(3);

// ---- settings

/// What an `alertmanager` channel is told by the user.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where it is: `http://alertmanager.monitoring:9093`.
    pub url: Option<Masked>,
    /// The key of the secret that says where it is, with a login in it perhaps.
    pub url_from_secret: Option<String>,
    /// The key of the secret that is a bearer token.
    pub token_from_secret: Option<String>,
    /// How often what fires is sent again. What is not ends after four times as long.
    pub interval: Span,
    /// Links to put under each message.
    pub links: Links,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: None,
            url_from_secret: None,
            token_from_secret: None,
            interval: INTERVAL,
            links: Links::default(),
            ca_file: None,
        }
    }
}

// ---- setting up

impl Channel for Settings {
    fn is_default(&self) -> bool {
        false
    }

    fn traits(&self) -> Traits {
        Traits { incident: true, refresh: Some(self.interval), ..Traits::default() }
    }

    fn is_unset(&self) -> bool {
        secret::all_empty(&[self.url.as_ref().map(Masked::expose), self.url_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        let no_interval = SetupError::invalid("interval", "is no time at all", "set some minutes, like 3m");
        worst_first([
            self.endpoint(secrets).err(),
            self.token(secrets).err(),
            (self.interval == Span::ZERO).then_some(no_interval),
            self.ca_file.as_deref().and_then(|path| certificates(path).err()),
        ])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        if let Some(fault) = self.faults(secrets).into_iter().next() {
            return Err(fault);
        }
        Ok(Box::new(Alertmanager {
            endpoint: self.endpoint(secrets)?,
            token: self.token(secrets)?,
            links: self.links.clone(),
            interval: self.interval,
            clock: http.clock(),
            client: http.client(self.ca_file.as_deref())?,
        }))
    }

    fn preview(&self, notification: &Notification) -> String {
        let at = match &notification.content {
            Content::Report(report) => report.fired_at,
            Content::Bulletin(bulletin) => bulletin.at,
        };
        format!("{:#}", payload(notification, &self.links, self.interval, at))
    }
}

impl Settings {
    fn url(&self) -> Option<&Masked> {
        self.url.as_ref().filter(|url| !url.expose().is_empty())
    }

    fn endpoint(&self, secrets: &Secrets) -> Result<Endpoint, SetupError> {
        let base = match (self.url(), secret::set(self.url_from_secret.as_ref())) {
            (Some(url), None) => secret::base("url", Some(url), "")?,
            (None, Some(_)) => secret::address("url_from_secret", self.url_from_secret.as_ref(), secrets)?,
            (Some(_), Some(_)) => {
                let remedy = "keep one of them: url_from_secret if there is a login in it";
                return Err(SetupError::invalid("url", "there is url_from_secret too", remedy));
            }
            (None, None) => {
                let remedy = "set url, like http://alertmanager.monitoring:9093";
                return Err(SetupError::invalid("url", "there is no address to send to", remedy));
            }
        };
        Ok(base.join(&["api", "v2", "alerts"], &[]))
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

struct Alertmanager {
    endpoint: Endpoint,
    token: HeaderMap,
    links: Links,
    interval: Span,
    clock: Clock,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Alertmanager {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let body = payload(notification, &self.links, self.interval, (self.clock)()).to_string().into_bytes();
        self.client.post_json(&self.endpoint, self.token.clone(), body).await?.verdict()?;
        Ok(Accepted::default())
    }
}

// ---- the message

/// The longest label and annotation, in characters. Alertmanager has no limit, people do.
const LABEL: usize = 253;
const ANNOTATION: usize = 1_000;

/// The most lines of a bulletin.
const LINES: usize = 20;

/// The most alerts in one message: as many members as a report names, with room to spare.
const ALERTS: usize = 100;

/// What is sent of a message at a time: its members, each an alert.
///
/// Severity is a label, for everybody routes by it. So an alert that got worse is another one, and what it was before
/// ends with it.
#[must_use]
pub fn payload(notification: &Notification, links: &Links, interval: Span, now: Timestamp) -> Value {
    let report = match &notification.content {
        Content::Report(report) => report,
        Content::Bulletin(bulletin) => {
            return Value::Array(vec![of_bulletin(bulletin, &annotations(notification, links), interval, now)]);
        }
    };
    let end = match report.state {
        AlertState::Firing => ahead(now, interval),
        AlertState::Resolved => report.ended_at.unwrap_or(now).max(report.started_at),
    };
    let annotations = annotations(notification, links);
    let members = if report.members.is_empty() { std::slice::from_ref(&report.object) } else { &report.members };
    let mut alerts = Vec::new();
    for member in members.iter().take(ALERTS) {
        let alert = |severity, end: Timestamp| {
            let (labels, start) = (labels(report, member, severity), report.started_at.to_string());
            json!({"labels": labels, "annotations": annotations, "startsAt": start, "endsAt": end.to_string()})
        };
        alerts.push(alert(report.severity, end));
        if notification.why == Why::Escalated {
            let milder = [Severity::Info, Severity::Warning].into_iter().filter(|milder| *milder < report.severity);
            alerts.extend(milder.map(|milder| alert(milder, now.max(report.started_at))));
        }
    }
    Value::Array(alerts)
}

/// An alert by itself: a test, which ends by itself too.
fn of_bulletin(bulletin: &Bulletin, annotations: &Map<String, Value>, interval: Span, now: Timestamp) -> Value {
    let start = bulletin.started_at.min(now);
    let end = match bulletin.state {
        AlertState::Firing => ahead(now, interval),
        AlertState::Resolved => bulletin.at.max(start),
    };
    let labels = texts([
        ("alertname", bulletin.kind.as_str()),
        ("severity", bulletin.severity.as_str()),
        ("cluster", &bulletin.cluster),
    ]);
    json!({"labels": labels, "annotations": annotations, "startsAt": start.to_string(), "endsAt": end.to_string()})
}

fn ahead(now: Timestamp, interval: Span) -> Timestamp {
    let length = interval.get().checked_mul(AHEAD).unwrap_or(SignedDuration::MAX);
    now.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// What an alert is recognised by: nothing that changes while it lasts, but for the severity.
fn labels(report: &Report, member: &ObjectRef, severity: Severity) -> Map<String, Value> {
    let workload = report.workload.as_ref().map(ToString::to_string);
    texts([
        ("alertname", report.monitor.as_str()),
        ("severity", severity.as_str()),
        ("cluster", &report.cluster),
        ("namespace", &member.namespace),
        ("kind", member.kind.as_str()),
        ("name", &member.name),
        ("container", report.trouble.container.as_deref().unwrap_or_default()),
        ("workload", workload.as_deref().unwrap_or_default()),
        ("trouble", &report.trouble.trouble),
    ])
}

fn annotations(notification: &Notification, links: &Links) -> Map<String, Value> {
    let card = card(notification, links);
    let lines = card.cause.iter().chain(&card.quote).cloned().chain(card.lines.first(LINES).map(Cow::into_owned));
    let description = lines.chain(card.commands.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n");
    let report = notification.content.report();
    // Of several, it is the node of the first only.
    let node = report.filter(|report| report.count == 1).and_then(|report| report.node.as_deref());
    let mut annotations = texts([
        ("summary", notification.content.title()),
        ("reason", report.map_or("", |report| report.reason.as_str())),
        ("node", node.unwrap_or_default()),
        ("count", &report.map(|report| report.count.to_string()).unwrap_or_default()),
        ("delayed", &text::delay(notification).unwrap_or_default()),
    ]);
    annotations.insert("description".to_owned(), json!(clip(description, ANNOTATION)));
    annotations.extend(card.links.iter().map(|link| (format!("link_{}", word(&link.name)), json!(link.url))));
    annotations
}

/// What a name of an annotation may hold.
fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// Those that say something; an empty label is none.
fn texts<const COUNT: usize>(pairs: [(&str, &str); COUNT]) -> Map<String, Value> {
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), clip(text::line(value), LABEL)));
    pairs.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, json!(value))).collect()
}

#[cfg(test)]
mod tests;
