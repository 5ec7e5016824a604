//! `slack`: Block Kit by incoming webhook, or by a bot that edits its message and answers in its thread.
//!
//! Rules of the platform, with the page of docs.slack.dev that says so:
//!
//! - a message has at most 50 blocks (Blocks); a header 150 characters of plain text (Header block); a section 3,000
//!   characters, and 10 fields of 2,000 (Section block); a context 10 elements (Context block);
//! - `text` is cut after 40,000 characters, and is what notifications show where there are blocks (chat.postMessage);
//! - `&`, `<` and `>` are written as entities; `<!…>` and `<@…>` are mentions (Formatting message text). Plain text
//!   objects mean nothing by their words;
//! - one message a second goes to a channel, by webhook or bot; more are answered 429 with `Retry-After` (Rate limits);
//! - the API answers 200 with `ok: false` and a word (Using the Slack Web API); webhooks answer 4xx with a word (Sending
//!   messages using incoming webhooks).

mod message;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::card::headline;
use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::links::Links;
use crate::living::{Aside, aside, with_aside};
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::{Masked, Secrets};
use crate::settings::{Channel, SetupError, Traits, secret, worst_first};
pub use message::payload;

/// Slack takes one message a second for a channel (Rate limits: posting messages).
pub const SPACING: Duration = Duration::from_secs(1);

/// Where Slack's API is.
const API: &str = "https://slack.com/api";

// ---- settings

/// What a `slack` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The key of the secret that is the incoming webhook's address.
    pub webhook_url_from_secret: Option<String>,
    /// The key of the secret that is a bot's token, instead of a webhook.
    pub bot_token_from_secret: Option<String>,
    /// Where the bot writes: a channel's id, or its name.
    pub channel: Option<String>,
    /// Where the API is, if not at Slack's own address.
    pub api_url: Option<Masked>,
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

    /// A bot does; what a webhook posted cannot be edited.
    fn traits(&self) -> Traits {
        Traits { edits: secret::set(self.bot_token_from_secret.as_ref()).is_some(), ..Traits::default() }
    }

    fn is_unset(&self) -> bool {
        secret::all_empty(&[self.webhook_url_from_secret.as_deref(), self.bot_token_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        worst_first([
            self.way(secrets).err(),
            secret::base("api_url", self.api_url.as_ref(), API).err(),
            self.ca_file.as_deref().and_then(|path| certificates(path).err()),
        ])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        let client = http.client(self.ca_file.as_deref())?;
        Ok(match self.way(secrets)? {
            Way::Webhook(endpoint) => Box::new(Webhook { endpoint, links: self.links.clone(), client }),
            Way::Bot(bot) => Box::new(Speaker { bot, links: self.links.clone(), client }),
        })
    }

    fn preview(&self, notification: &Notification) -> String {
        format!("{:#}", payload(notification, &self.links))
    }
}

/// The two ways to speak to Slack.
enum Way {
    Webhook(Endpoint),
    Bot(Bot),
}

struct Bot {
    api: Endpoint,
    token: HeaderMap,
    channel: String,
}

impl Settings {
    fn way(&self, secrets: &Secrets) -> Result<Way, SetupError> {
        let webhook = secret::set(self.webhook_url_from_secret.as_ref());
        let bot = secret::set(self.bot_token_from_secret.as_ref());
        match (webhook, bot, secret::set(self.channel.as_ref())) {
            (Some(_), Some(_), _) => Err(SetupError::invalid(
                "webhook_url_from_secret",
                "there is bot_token_from_secret too",
                "keep one of them: the bot edits its messages, the webhook needs fewer rights",
            )),
            (Some(_), None, Some(_)) => Err(SetupError::invalid(
                "channel",
                "an incoming webhook has its own channel",
                "leave it out, or use bot_token_from_secret",
            )),
            (None, Some(_), None) => Err(SetupError::invalid(
                "channel",
                "the bot does not know where to write",
                "set the channel's id or name, like C0123456789 or #alerts",
            )),
            (None, Some(_), Some(channel)) => {
                let token = secret::value("bot_token_from_secret", self.bot_token_from_secret.as_ref(), secrets)?;
                let token = secret::bearer("bot_token_from_secret", &token)?;
                let api = secret::base("api_url", self.api_url.as_ref(), API)?;
                Ok(Way::Bot(Bot { api, token, channel: channel.to_owned() }))
            }
            (_, None, _) => secret::address("webhook_url_from_secret", self.webhook_url_from_secret.as_ref(), secrets)
                .map(Way::Webhook),
        }
    }
}

// ---- sending

/// Posts; what was posted cannot be edited.
struct Webhook {
    endpoint: Endpoint,
    links: Links,
    client: HttpClient,
}

#[async_trait]
impl Notifier for Webhook {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let body = payload(notification, &self.links).to_string().into_bytes();
        let reply = self.client.post_json(&self.endpoint, HeaderMap::new(), body).await?;
        if reply.verdict().is_ok() {
            return Ok(Accepted::default());
        }
        let answer = reply.answer().await?;
        match (&answer.verdict, words::of_webhook(answer.body.trim())) {
            // The status knows for how long.
            (Err(DeliveryError::Transient { .. }), _) | (_, None) => answer.verdict.map(|()| Accepted::default()),
            (_, Some(error)) => Err(answer.says(error)),
        }
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

/// Posts, edits and answers as a bot.
struct Speaker {
    bot: Bot,
    links: Links,
    client: HttpClient,
}

/// Where a message stands: as long as it lives, also when the settings name another channel by then.
struct Posted {
    channel: String,
    ts: String,
}

impl Posted {
    fn read(message_id: &str) -> Option<Self> {
        let (channel, ts) = message_id.split_once('/')?;
        Some(Self { channel: channel.to_owned(), ts: ts.to_owned() })
    }

    fn of(said: &Value) -> Option<Self> {
        Some(Self { channel: said["channel"].as_str()?.to_owned(), ts: said["ts"].as_str()?.to_owned() })
    }

    fn message_id(&self) -> String {
        format!("{}/{}", self.channel, self.ts)
    }
}

#[async_trait]
impl Notifier for Speaker {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let Some(posted) = notification.message_id.as_deref().and_then(Posted::read) else {
            return self.post(notification).await;
        };
        match self.edit(notification, &posted).await {
            Err(words::Failure::Lost) => return self.post(notification).await,
            edited => edited?,
        };
        self.say_aside(notification, &posted).await?;
        Ok(Accepted { message_id: Some(posted.message_id()) })
    }

    fn spacing(&self) -> Duration {
        SPACING
    }
}

impl Speaker {
    async fn post(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let said = self.call("chat.postMessage", message::post(notification, &self.links, &self.bot.channel)).await?;
        Ok(Accepted { message_id: Posted::of(&said).map(|posted| posted.message_id()) })
    }

    async fn edit(&self, notification: &Notification, posted: &Posted) -> Result<(), words::Failure> {
        let mut body = message::post(notification, &self.links, &posted.channel);
        body["ts"] = json!(posted.ts);
        self.call("chat.update", body).await.map(|_| ())
    }

    /// Says in the thread what the edit does not.
    async fn say_aside(&self, notification: &Notification, posted: &Posted) -> Result<(), DeliveryError> {
        let loud = match aside(notification.why) {
            Aside::Nothing => return Ok(()),
            Aside::History | Aside::Word => false,
            Aside::Loud => true,
        };
        let reply = message::reply(&headline(notification), &posted.channel, &posted.ts, loud);
        with_aside(notification, self.call("chat.postMessage", reply).await.map_err(DeliveryError::from))
    }

    async fn call(&self, method: &str, body: Value) -> Result<Value, words::Failure> {
        let to = self.bot.api.join(&[method], &[]);
        let reply = self.client.post_json(&to, self.bot.token.clone(), body.to_string().into_bytes()).await?;
        let answer = reply.answer().await?;
        answer.verdict.clone()?;
        let said = answer.json();
        match (said["ok"].as_bool(), said["error"].as_str()) {
            (Some(true), _) => Ok(said),
            (Some(false), Some(word)) => Err(words::of_api(word).at(|error| answer.says(error))),
            _ => Err(answer.says(DeliveryError::transient("answered 200, but not as Slack does")).into()),
        }
    }
}

#[cfg(test)]
mod tests;
