//! `telegram`: a message by a bot, edited as the group changes.
//!
//! Rules of the platform, with the page that says so:
//!
//! - a text has at most 4,096 characters after its entities are read (Bot API: sendMessage, editMessageText);
//! - in HTML `<`, `>` and `&` are written as entities, and only some tags are known (Bot API: HTML style);
//! - one message a second to a chat, 20 a minute to a group (Bots FAQ: My bot is hitting limits);
//! - 429 says `parameters.retry_after` in seconds, and a group that became a supergroup `parameters.migrate_to_chat_id`
//!   (Bot API: ResponseParameters). The token is part of the address.

mod chat_id;
mod message;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
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
pub use chat_id::ChatId;
pub use message::payload;
use words::Failure;

/// One message a second to a person (Bots FAQ).
pub const SPACING: Duration = Duration::from_secs(1);

/// 20 messages a minute to a group (Bots FAQ).
pub const GROUP_SPACING: Duration = Duration::from_secs(3);

/// Where Telegram's API is.
const API: &str = "https://api.telegram.org";

// ---- settings

/// What a `telegram` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The key of the secret that is the bot's token.
    pub bot_token_from_secret: Option<String>,
    /// Where the bot writes: a number, or a channel's `@name`.
    pub chat_id: Option<ChatId>,
    /// The topic within a group that has them.
    pub topic_id: Option<i64>,
    /// Where the API is, if not at Telegram's own address.
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

    fn traits(&self) -> Traits {
        Traits { edits: true, ..Traits::default() }
    }

    fn is_unset(&self) -> bool {
        secret::all_empty(&[self.bot_token_from_secret.as_deref()])
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        worst_first([
            self.chat().err(),
            secret::base("api_url", self.api_url.as_ref(), API).err(),
            self.ca_file.as_deref().and_then(|path| certificates(path).err()),
            self.bot(secrets).err(),
        ])
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        let client = http.client(self.ca_file.as_deref())?;
        let (chat, bot) = (self.chat()?, self.bot(secrets)?);
        Ok(Box::new(Telegram { bot, chat, topic: self.topic_id, links: self.links.clone(), client }))
    }

    fn preview(&self, notification: &Notification) -> String {
        format!("{:#}", payload(notification, &self.links))
    }
}

impl Settings {
    fn chat(&self) -> Result<ChatId, SetupError> {
        self.chat_id.clone().filter(|chat| !chat.is_empty()).ok_or_else(|| {
            let remedy = "set the number of a chat, like -1001234567890, or the @name of a channel";
            SetupError::invalid("chat_id", "the bot does not know where to write", remedy)
        })
    }

    /// The bot's own address, with its token.
    fn bot(&self, secrets: &Secrets) -> Result<Endpoint, SetupError> {
        let token = secret::value("bot_token_from_secret", self.bot_token_from_secret.as_ref(), secrets)?;
        let api = secret::base("api_url", self.api_url.as_ref(), API)?;
        Ok(api.join(&[&format!("bot{}", token.expose_secret())], &[]))
    }
}

// ---- sending

struct Telegram {
    bot: Endpoint,
    chat: ChatId,
    topic: Option<i64>,
    links: Links,
    client: HttpClient,
}

/// Where a message stands. A number says nothing in another chat.
struct Posted {
    chat: ChatId,
    number: i64,
}

impl Posted {
    fn read(message_id: &str) -> Option<Self> {
        let (chat, number) = message_id.rsplit_once('/')?;
        Some(Self { chat: ChatId::from(chat), number: number.parse().ok()? }).filter(|posted| !posted.chat.is_empty())
    }

    fn message_id(&self) -> String {
        format!("{}/{}", self.chat, self.number)
    }
}

#[async_trait]
impl Notifier for Telegram {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let Some(posted) = notification.message_id.as_deref().and_then(Posted::read) else {
            return self.post(payload(notification, &self.links)).await;
        };
        match self.edit(notification, &posted).await {
            Err(Failure::Lost) => return self.post(payload(notification, &self.links)).await,
            edited => edited?,
        }
        if matches!(aside(notification.why), Aside::Word | Aside::Loud) {
            self.say_aside(notification, &posted).await?;
        }
        Ok(Accepted { message_id: Some(posted.message_id()) })
    }

    fn spacing(&self) -> Duration {
        if self.chat.is_group() { GROUP_SPACING } else { SPACING }
    }
}

impl Telegram {
    async fn post(&self, mut body: Value) -> Result<Accepted, DeliveryError> {
        body["chat_id"] = json!(self.chat);
        if let Some(topic) = self.topic {
            body["message_thread_id"] = json!(topic);
        }
        let said = self.call("sendMessage", body).await?;
        let posted = said["result"]["message_id"].as_i64().map(|number| Posted { chat: self.chat.clone(), number });
        Ok(Accepted { message_id: posted.map(|posted| posted.message_id()) })
    }

    async fn edit(&self, notification: &Notification, posted: &Posted) -> Result<(), Failure> {
        let mut body = payload(notification, &self.links);
        body["chat_id"] = json!(posted.chat);
        body["message_id"] = json!(posted.number);
        match self.call("editMessageText", body).await {
            Err(Failure::Same) => Ok(()),
            called => called.map(|_| ()),
        }
    }

    /// An edit notifies nobody: an answer to the message does.
    async fn say_aside(&self, notification: &Notification, posted: &Posted) -> Result<(), DeliveryError> {
        let mut body = message::aside(&headline(notification));
        body["chat_id"] = json!(posted.chat);
        body["reply_parameters"] = json!({"message_id": posted.number, "allow_sending_without_reply": true});
        with_aside(notification, self.call("sendMessage", body).await.map_err(DeliveryError::from))
    }

    async fn call(&self, method: &str, body: Value) -> Result<Value, Failure> {
        let to = self.bot.join(&[method], &[]);
        let body = body.to_string().into_bytes();
        let answer = self.client.post_json(&to, HeaderMap::new(), body).await?.answer().await?;
        let said = answer.json();
        match said["ok"].as_bool() {
            Some(true) if answer.verdict.is_ok() => Ok(said),
            Some(false) => Err(words::failure(&said, answer.verdict.clone()).at(|error| answer.says(error))),
            _ => {
                answer.verdict.clone()?;
                Err(answer.says(DeliveryError::transient("answered 200, but not as Telegram does")).into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
