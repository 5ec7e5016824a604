//! `teams`: an Adaptive Card by a Workflows webhook, or a MessageCard by a connector's.
//!
//! Rules of the platform, with the page of Microsoft's documentation that says so:
//!
//! - a card comes as the attachment of a `message` (Create incoming webhooks with Workflows); what is posted is at most
//!   28 KB (Format cards in Microsoft Teams: Adaptive Cards in incoming webhooks);
//! - a TextBlock and a FactSet read a part of Markdown, a RichTextBlock none (Text features in Adaptive Cards);
//! - a MessageCard needs `summary` or `text`, and its texts read Markdown (Legacy actionable message card reference);
//! - four requests a second, 60 in 30 seconds; above that a connector answers 200, and only its text says 429 (Create
//!   incoming webhooks: rate limiting for connectors). Other failures come the same way; success is `1`, or 202 from a
//!   workflow.

mod adaptive;
mod legacy;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use kpulse_core::Notification;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::card::card;
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates, judge};
use crate::links::Links;
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::Secrets;
use crate::settings::{Channel, SetupError, secret, worst_first};

/// 60 requests in 30 seconds (Create incoming webhooks: rate limiting for connectors).
pub const SPACING: Duration = Duration::from_millis(500);

// ---- settings

/// What a `teams` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The key of the secret that is the webhook's address.
    pub webhook_url_from_secret: Option<String>,
    /// Which card is sent.
    pub format: Format,
    /// Links to put under each message.
    pub links: Links,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether it takes what no route matches.
    pub default: bool,
}

/// The cards that Teams knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// What workflows post.
    #[default]
    AdaptiveCard,
    /// What the connectors took that Microsoft is retiring.
    MessageCard,
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
        Ok(Box::new(Teams {
            endpoint: self.endpoint(secrets)?,
            format: self.format,
            links: self.links.clone(),
            client,
        }))
    }

    fn preview(&self, notification: &Notification) -> String {
        format!("{:#}", payload(notification, &self.links, self.format))
    }
}

impl Settings {
    fn endpoint(&self, secrets: &Secrets) -> Result<Endpoint, SetupError> {
        secret::address("webhook_url_from_secret", self.webhook_url_from_secret.as_ref(), secrets)
    }
}

// ---- sending

struct Teams {
    endpoint: Endpoint,
    format: Format,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Teams {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let body = payload(notification, &self.links, self.format).to_string().into_bytes();
        let answer = self.client.post_json(&self.endpoint, HeaderMap::new(), body).await?.answer().await?;
        answer.verdict.clone()?;
        refusal(&answer.body).map_or(Ok(Accepted::default()), |error| Err(answer.says(error)))
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

/// What an answer of success says that is none: `… endpoint returned HTTP error 429 with ContextId …`.
fn refusal(text: &str) -> Option<DeliveryError> {
    if let Some((_, rest)) = text.split_once("returned HTTP error ") {
        let digits: String = rest.chars().take(3).collect();
        let status = digits.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
        // Teams gives no time in its text, so none is needed here.
        let error = status.and_then(|status| judge(status, None, Timestamp::UNIX_EPOCH).err());
        return Some(error.unwrap_or_else(|| DeliveryError::transient("says in a 200 that it failed")));
    }
    let failed = ["message delivery failed", "Bad payload received", "Summary or Text is required"];
    failed.iter().any(|words| text.contains(words)).then(|| DeliveryError::refused("says in a 200 that it failed"))
}

// ---- the message

/// What is sent of a message.
#[must_use]
pub fn payload(notification: &Notification, links: &Links, format: Format) -> Value {
    match format {
        Format::AdaptiveCard => adaptive::payload(&card(notification, links)),
        Format::MessageCard => legacy::payload(&card(notification, links)),
    }
}

/// What of Markdown Teams reads, made to mean nothing by a backslash.
const fn markdown(c: char) -> Option<&'static str> {
    match c {
        '\\' => Some("\\\\"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '~' => Some("\\~"),
        '`' => Some("\\`"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '#' => Some("\\#"),
        '<' => Some("\\<"),
        '>' => Some("\\>"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
