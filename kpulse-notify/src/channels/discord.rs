//! `discord`: an embed by webhook, edited as the group changes.
//!
//! Rules of the platform, with the page of its developer documentation that says so:
//!
//! - an embed's title has at most 256 characters, its description 4,096, its footer 2,048; it has at most 25 fields, a
//!   name of 256 and a value of 1,024 characters each; all of these together 6,000 (Message resource: embed limits);
//! - `?wait=true` answers with the message, whose id PATCH takes (Webhook resource: execute, edit webhook message);
//! - nobody is notified who is not in `allowed_mentions` (Message resource: allowed mentions);
//! - 429 says `retry_after` in seconds with a fraction (Rate limits). Limits are not published but sent in headers: five
//!   messages in two seconds for a webhook;
//! - a webhook that answers 404 is not to be used again (Rate limits: invalid requests). The JSON code tells an unknown
//!   message (10008) from an unknown webhook (10015) (Opcodes and status codes).

mod message;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;

use crate::card::headline;
use crate::endpoint::Endpoint;
use crate::http::{Answer, Http, HttpClient, certificates};
use crate::links::Links;
use crate::living::{Aside, aside, with_aside};
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::retry_after;
use crate::secrets::Secrets;
use crate::settings::{Channel, SetupError, Traits, secret, worst_first};
pub use message::payload;

/// Five messages in two seconds, by the headers Discord sends with every answer (Rate limits).
pub const SPACING: Duration = Duration::from_millis(400);

/// How long the id of a message that was taken is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The code of a message that is not there (Opcodes and status codes).
const UNKNOWN_MESSAGE: u64 = 10_008;

// ---- settings

/// What a `discord` channel is told by the user.
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

    fn traits(&self) -> Traits {
        Traits { edits: true, ..Traits::default() }
    }

    fn is_unset(&self) -> bool {
        secret::all_empty(&[self.webhook_url_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        worst_first([self.endpoint(secrets).err(), self.ca_file.as_deref().and_then(|path| certificates(path).err())])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        let client = http.client(self.ca_file.as_deref())?;
        Ok(Box::new(Discord { endpoint: self.endpoint(secrets)?, links: self.links.clone(), client }))
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

struct Discord {
    endpoint: Endpoint,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Discord {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let body = payload(notification, &self.links);
        let Some(posted) = notification.message_id.as_deref().filter(|id| is_id(id)) else {
            return self.post(body).await;
        };
        if !self.edit(posted, &body).await? {
            return self.post(body).await;
        }
        if matches!(aside(notification.why), Aside::Word | Aside::Loud) {
            // An edit notifies nobody, and a webhook cannot answer a message: a line below is all there is.
            self.say_aside(notification).await?;
        }
        Ok(Accepted { message_id: Some(posted.to_owned()) })
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

/// Whether it is what Discord calls a message: digits.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Discord {
    /// Posts, and learns the message's id if it comes soon: the message is there without it too.
    async fn post(&self, body: Value) -> Result<Accepted, DeliveryError> {
        let to = self.endpoint.join(&[], &[("wait", "true")]);
        let reply = self.client.post_json(&to, HeaderMap::new(), body.to_string().into_bytes()).await?;
        if reply.verdict().is_err() {
            return Err(refusal(&reply.answer().await?));
        }
        let said = match timeout(PATIENCE, reply.answer()).await {
            Ok(Ok(answer)) => answer.json(),
            _ => Value::Null,
        };
        Ok(Accepted { message_id: said["id"].as_str().filter(|id| is_id(id)).map(str::to_owned) })
    }

    /// Replaces a message; tells whether it was still there.
    async fn edit(&self, posted: &str, body: &Value) -> Result<bool, DeliveryError> {
        let to = self.endpoint.join(&["messages", posted], &[]);
        let reply = self.client.send_json(Method::PATCH, &to, HeaderMap::new(), body.to_string().into_bytes()).await?;
        if reply.verdict().is_ok() {
            return Ok(true);
        }
        let answer = reply.answer().await?;
        match answer.json()["code"].as_u64() {
            Some(UNKNOWN_MESSAGE) if answer.status == 404 => Ok(false),
            _ => Err(refusal(&answer)),
        }
    }

    /// Says below what nobody is notified of by the edit.
    async fn say_aside(&self, notification: &Notification) -> Result<(), DeliveryError> {
        with_aside(notification, self.post(message::aside(&headline(notification))).await)
    }
}

/// What an answer means that is no success.
fn refusal(answer: &Answer) -> DeliveryError {
    let error = answer.verdict.clone().err().unwrap_or_else(|| DeliveryError::transient("changed its mind"));
    error.pausing(retry_after::seconds(&answer.json()["retry_after"]))
}

#[cfg(test)]
mod tests;
