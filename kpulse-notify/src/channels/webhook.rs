//! `webhook`: each message as JSON to an address of one's own, signed if wanted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use jiff::Timestamp;
use kpulse_core::{AlertState, Bulletin, BulletinKind, Content, Ending, Notification, Report};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, EndpointError};
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::{Masked, Secrets};
use crate::settings::{Channel, SetupError};
use crate::text;

/// The header with the body's HMAC-SHA256 in hexadecimal digits, after `sha256=`.
pub const SIGNATURE: &str = "x-kpulse-signature";

/// The header by which a receiver recognises a repeat.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

// ---- settings

/// What a `webhook` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where to send.
    pub url: Option<Masked>,
    /// The key of the secret that says where to send.
    pub url_from_secret: Option<String>,
    /// Headers to send, in order; `$KEY` in a value stands for a secret.
    #[serde(deserialize_with = "headers::in_order", serialize_with = "headers::to_map")]
    pub headers: Vec<(String, Masked)>,
    /// The key of the secret by which bodies are signed.
    pub secret_from_secret: Option<String>,
    /// Links to put under each message.
    pub links: Links,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether it takes what no route matches.
    pub default: bool,
}

mod headers;

// ---- setting up

impl Channel for Settings {
    fn is_default(&self) -> bool {
        self.default
    }

    fn is_unset(&self) -> bool {
        let empty_url = self.url.as_ref().is_some_and(|url| url.expose().is_empty());
        let empty_key = self.url_from_secret.as_deref() == Some("");
        (empty_url || empty_key) && self.url().is_none() && self.url_key().is_none()
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        let mut faults: Vec<_> = self.endpoint(secrets).err().into_iter().collect();
        faults.extend(self.header_map(secrets).err().unwrap_or_default());
        faults.extend(self.signing_key(secrets).err());
        faults.extend(self.ca_file.as_deref().and_then(|path| certificates(path).err()));
        // What somebody must mend comes before what may mend itself.
        faults.sort_by_key(|fault| matches!(fault, SetupError::MissingSecret { .. }));
        faults
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        if let Some(fault) = self.faults(secrets).into_iter().next() {
            return Err(fault);
        }
        Ok(Box::new(Webhook {
            endpoint: self.endpoint(secrets)?,
            headers: self.header_map(secrets).unwrap_or_default(),
            signing_key: self.signing_key(secrets)?,
            links: self.links.clone(),
            client: http.client(self.ca_file.as_deref())?,
        }))
    }

    fn preview(&self, notification: &Notification) -> String {
        serde_json::to_string_pretty(&body(notification, &self.links)).unwrap_or_else(|error| error.to_string())
    }
}

impl Settings {
    fn url(&self) -> Option<&str> {
        self.url.as_ref().map(Masked::expose).filter(|url| !url.is_empty())
    }

    fn url_key(&self) -> Option<&str> {
        self.url_from_secret.as_deref().filter(|key| !key.is_empty())
    }

    fn endpoint(&self, secrets: &Secrets) -> Result<Endpoint, SetupError> {
        match (self.url(), self.url_key()) {
            (Some(url), None) => Endpoint::parse(url).map_err(|error| {
                SetupError::invalid("url", error.to_string(), "write it like https://example.com/alerts")
            }),
            (None, Some(key)) => {
                let url = secrets.get(key).map_err(|missing| SetupError::missing("url_from_secret", missing))?;
                Endpoint::parse(url.expose_secret()).map_err(|error: EndpointError| {
                    let fault = format!("the value of secret {key} {error}");
                    SetupError::invalid("url_from_secret", fault, "put one like https://example.com/alerts there")
                })
            }
            (Some(_), Some(_)) => Err(SetupError::invalid(
                "url",
                "there is url_from_secret too",
                "keep one of them: url_from_secret if the address is a secret",
            )),
            (None, None) => Err(SetupError::invalid(
                "url",
                "there is no address to send to",
                "set url, or url_from_secret if the address is a secret",
            )),
        }
    }

    fn header_map(&self, secrets: &Secrets) -> Result<HeaderMap, Vec<SetupError>> {
        let (mut headers, mut faults) = (HeaderMap::new(), Vec::new());
        for (name, value) in &self.headers {
            match headers::read(name, value, secrets) {
                Ok((name, value)) => {
                    headers.insert(name, value);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(headers) } else { Err(faults) }
    }

    fn signing_key(&self, secrets: &Secrets) -> Result<Option<hmac::Key>, SetupError> {
        let Some(key) = self.secret_from_secret.as_deref().filter(|key| !key.is_empty()) else { return Ok(None) };
        let secret = secrets.get(key).map_err(|missing| SetupError::missing("secret_from_secret", missing))?;
        if secret.expose_secret().is_empty() {
            let fault = format!("the value of secret {key} is empty");
            return Err(SetupError::invalid("secret_from_secret", fault, "put a long random text there"));
        }
        Ok(Some(hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())))
    }
}

// ---- sending

struct Webhook {
    endpoint: Endpoint,
    headers: HeaderMap,
    signing_key: Option<hmac::Key>,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Webhook {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let body = serde_json::to_vec(&body(notification, &self.links))
            .map_err(|error| DeliveryError::Refused { cause: format!("cannot be written as JSON: {error}") })?;
        let mut headers = self.headers.clone();
        if let Ok(key) = HeaderValue::from_str(&notification.idempotency_key) {
            headers.insert(HeaderName::from_static(IDEMPOTENCY_KEY), key);
        }
        if let Some(signature) = self.signing_key.as_ref().and_then(|key| signature(key, &body)) {
            headers.insert(HeaderName::from_static(SIGNATURE), signature);
        }
        // The status alone decides: an answer whose body is slow or huge has been given all the same.
        self.client.post_json(&self.endpoint, headers, body).await?.verdict()?;
        Ok(Accepted::default())
    }
}

fn signature(key: &hmac::Key, body: &[u8]) -> Option<HeaderValue> {
    let hex: String = hmac::sign(key, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("sha256={hex}")).ok()
}

// ---- the message

/// The JSON body. The first ten keys are the earlier program's and are never null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Body<'a> {
    monitor: &'static str,
    severity: &'static str,
    state: &'static str,
    cluster: &'a str,
    namespace: &'a str,
    /// The kind in lower case and the name: `pod/api-1`.
    object: String,
    reason: &'a str,
    title: &'a str,
    /// Cause, the log's first error line and a few more after `> ` each, and a command to copy.
    body: Cow<'a, str>,
    fired_at: String,
    fingerprint: &'a str,
    kind: &'static str,
    name: &'a str,
    container: Option<&'a str>,
    /// `Deployment/api`.
    workload: Option<String>,
    node: Option<&'a str>,
    trouble: &'a str,
    started_at: String,
    ended_at: Option<String>,
    ending: Option<&'static str>,
    count: usize,
    /// `Pod/api-1`.
    members: Vec<String>,
    /// The last lines of the failed container's log; empty where there is none.
    log: &'a [String],
    /// Of a digest and its like, what it tells; other messages have no such key.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<Line<'a>>>,
    /// Addresses by name, if there are any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    links: BTreeMap<String, String>,
}

/// One of the troubles that a digest and its like tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line<'a> {
    state: &'static str,
    severity: &'static str,
    text: &'a str,
    started_at: String,
    ended_at: Option<String>,
}

/// The most lines of a bulletin; `count` says how many there are.
const LINES: usize = 200;

/// The namespace of a test message, as in the earlier program.
const TEST: &str = "kpulse";

/// What is sent of a message.
#[must_use]
pub fn body<'a>(notification: &'a Notification, links: &Links) -> Body<'a> {
    let links = links.of(notification).into_iter().map(|link| (link.name, link.url)).collect();
    match &notification.content {
        Content::Report(report) => Body { links, ..of_report(&notification.content, report) },
        Content::Bulletin(bulletin) => Body { links, ..of_bulletin(&notification.content, bulletin) },
    }
}

fn of_report<'a>(content: &'a Content, report: &'a Report) -> Body<'a> {
    Body {
        monitor: report.monitor.as_str(),
        severity: report.severity.as_str(),
        state: state(report.state),
        cluster: &report.cluster,
        namespace: &report.object.namespace,
        object: format!("{}/{}", report.object.kind.as_str().to_lowercase(), report.object.name),
        reason: &report.reason,
        title: &report.title,
        body: text::body(content),
        fired_at: seconds(report.fired_at),
        fingerprint: report.fingerprint.as_str(),
        kind: report.object.kind.as_str(),
        name: &report.object.name,
        container: report.trouble.container.as_deref(),
        workload: report.workload.as_ref().map(ToString::to_string),
        node: report.node.as_deref(),
        trouble: &report.trouble.trouble,
        started_at: seconds(report.started_at),
        ended_at: report.ended_at.map(seconds),
        ending: report.ending.map(Ending::as_str),
        count: report.count,
        members: report.members.iter().map(ToString::to_string).collect(),
        log: &report.log,
        lines: None,
        links: BTreeMap::new(),
    }
}

/// It speaks of no object: what would name one is empty, or null where it may be.
fn of_bulletin<'a>(content: &'a Content, bulletin: &'a Bulletin) -> Body<'a> {
    let line = |line: &'a kpulse_core::BulletinLine| Line {
        state: state(line.state),
        severity: line.severity.as_str(),
        text: &line.text,
        started_at: seconds(line.since),
        ended_at: line.ended_at.map(seconds),
    };
    let is_over = bulletin.state == AlertState::Resolved;
    Body {
        monitor: bulletin.kind.as_str(),
        severity: bulletin.severity.as_str(),
        state: state(bulletin.state),
        cluster: &bulletin.cluster,
        namespace: if bulletin.kind == BulletinKind::Test { TEST } else { "" },
        object: String::new(),
        reason: "",
        title: &bulletin.title,
        body: text::body(content),
        fired_at: seconds(bulletin.at),
        fingerprint: bulletin.fingerprint.as_str(),
        kind: "",
        name: "",
        container: None,
        workload: None,
        node: None,
        trouble: "",
        started_at: seconds(bulletin.started_at),
        ended_at: is_over.then(|| seconds(bulletin.at)),
        ending: None,
        count: bulletin.lines.len() + bulletin.more,
        members: Vec::new(),
        log: &[],
        lines: Some(bulletin.lines.iter().take(LINES).map(line).collect()),
        links: BTreeMap::new(),
    }
}

const fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
    }
}

/// RFC 3339 in UTC, whole seconds.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
