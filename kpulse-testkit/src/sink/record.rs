//! What arrived: one request, its answer, and the bounded log of them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::likeness::Likeness;
use super::mask;
use super::render::{self, Rendered};

/// The platform a request was meant for: the first segment of its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// kpulse's own JSON.
    Webhook,
    /// Slack, by incoming webhook or API.
    Slack,
    /// Discord.
    Discord,
    /// Microsoft Teams, by Workflow or connector.
    Teams,
    /// PagerDuty Events v2.
    PagerDuty,
    /// Telegram's Bot API.
    Telegram,
    /// Mattermost, by incoming webhook or API.
    Mattermost,
    /// Google Chat.
    GoogleChat,
    /// ntfy.
    Ntfy,
    /// Alertmanager API v2.
    Alertmanager,
    /// Any other first segment, as it was written.
    Other(String),
}

impl Kind {
    /// The path segment that names this kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Teams => "teams",
            Self::PagerDuty => "pagerduty",
            Self::Telegram => "telegram",
            Self::Mattermost => "mattermost",
            Self::GoogleChat => "googlechat",
            Self::Ntfy => "ntfy",
            Self::Alertmanager => "alertmanager",
            Self::Other(name) => name,
        }
    }

    /// The kind a path is for; `None` for a path without a first segment.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let first = path.split('/').find(|segment| !segment.is_empty())?;
        Some(Self::from(first))
    }
}

impl From<&str> for Kind {
    fn from(name: &str) -> Self {
        match name {
            "webhook" => Self::Webhook,
            "slack" => Self::Slack,
            "discord" => Self::Discord,
            "teams" => Self::Teams,
            "pagerduty" => Self::PagerDuty,
            "telegram" => Self::Telegram,
            "mattermost" => Self::Mattermost,
            "googlechat" => Self::GoogleChat,
            "ntfy" => Self::Ntfy,
            "alertmanager" => Self::Alertmanager,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<&Self> for Kind {
    fn from(kind: &Self) -> Self {
        kind.clone()
    }
}

impl FromStr for Kind {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(Self::from(name))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the sender was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As the platform answers on success.
    Accepted(StatusCode),
    /// As a script said. Also a scripted 200, for a platform may refuse with one (`"ok": false`).
    Scripted(StatusCode),
    /// Nothing yet: the request is being held.
    Held,
    /// Nothing: the sender left while its request was held.
    Abandoned,
    /// Nothing: the connection was cut.
    Cut,
    /// 413, and the body was not kept.
    TooLarge,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(status) => write!(f, "accepted with {}", status.as_u16()),
            Self::Scripted(status) => write!(f, "answered {}, as scripted", status.as_u16()),
            Self::Held => f.write_str("held, no answer yet"),
            Self::Abandoned => f.write_str("no answer, the sender left"),
            Self::Cut => f.write_str("no answer, connection cut"),
            Self::TooLarge => f.write_str("answered 413, body over 1 MiB"),
        }
    }
}

/// A request before it has its place in the log.
pub(super) struct Arrival {
    pub(super) kind: Kind,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// One request as it reached the sink, and what it was answered.
#[derive(Clone)]
pub struct Message {
    /// Counts from 1 and is never used twice, not even after a clear.
    pub id: u64,
    /// The platform it was meant for.
    pub kind: Kind,
    /// POST, PUT or PATCH; at `/heartbeat` GET.
    pub method: Method,
    /// The whole path, with the kind's segment.
    pub path: String,
    /// What followed the `?`.
    pub query: Option<String>,
    /// Every header, unmasked.
    pub headers: HeaderMap,
    /// The body as sent; empty if it was too large.
    pub body: Bytes,
    /// When it arrived, by the wall clock.
    pub at: Timestamp,
    /// When it arrived, by tokio's clock, which a test can pause.
    pub arrived: Instant,
    /// What the sender was answered.
    pub answer: Answer,
    revision: u64,
    /// Made when the page asks for it: a test asks for thousands of messages and for no page.
    likeness: OnceLock<Likeness>,
}

impl Message {
    /// Whether it was answered as the platform answers on success. Scripted answers are not, whatever their status.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self.answer, Answer::Accepted(_))
    }

    /// The body as JSON, if it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text; bytes that are not UTF-8 become `�`.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The whole message as a person would read it, without markup: several lines, of several paragraphs.
    #[must_use]
    pub fn told(&self) -> String {
        self.rendered().plain()
    }

    /// The message on one line: kind, what it says, and the answer if it was not accepted.
    #[must_use]
    pub fn line(&self) -> String {
        let said = self.rendered().line();
        if self.accepted() {
            format!("{} · {said}", self.kind)
        } else {
            format!("{} · {said} [{}]", self.kind, self.answer)
        }
    }

    pub(super) fn rendered(&self) -> Rendered {
        render::render(self)
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// What it is compared with others by.
    pub(super) fn likeness(&self) -> &Likeness {
        self.likeness.get_or_init(|| {
            let rendered = self.rendered();
            Likeness::of(&rendered.plain(), rendered.state)
        })
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("kind", &self.kind.as_str())
            .field("method", &self.method)
            .field("path", &mask::path(&self.path))
            .field("answer", &self.answer)
            .field("body", &self.text())
            .finish_non_exhaustive()
    }
}

/// Holds the last messages, oldest first. Each change has a revision, so that a reader can ask for what is new to it.
pub(super) struct Log {
    messages: VecDeque<Arc<Message>>,
    capacity: usize,
    last_id: u64,
    revision: u64,
    cleared: u64,
    dropped: u64,
}

impl Log {
    pub(super) fn new(capacity: usize) -> Self {
        Self { messages: VecDeque::new(), capacity, last_id: 0, revision: 0, cleared: 0, dropped: 0 }
    }

    pub(super) fn push(&mut self, arrival: Arrival, answer: Answer) -> Arc<Message> {
        if self.messages.len() == self.capacity {
            self.messages.pop_front();
            self.dropped += 1;
        }
        self.last_id += 1;
        self.revision += 1;
        let message = Arc::new(Message {
            id: self.last_id,
            kind: arrival.kind,
            method: arrival.method,
            path: arrival.path,
            query: arrival.query,
            headers: arrival.headers,
            body: arrival.body,
            at: Timestamp::now(),
            arrived: Instant::now(),
            answer,
            revision: self.revision,
            likeness: OnceLock::new(),
        });
        self.messages.push_back(Arc::clone(&message));
        message
    }

    /// Changes the answer of a message that may have been dropped meanwhile; returns the log's revision.
    pub(super) fn settle(&mut self, id: u64, answer: Answer) -> u64 {
        if let Ok(index) = self.messages.binary_search_by_key(&id, |message| message.id)
            && let Some(message) = self.messages.get_mut(index)
        {
            self.revision += 1;
            let message = Arc::make_mut(message);
            message.answer = answer;
            message.revision = self.revision;
        }
        self.revision
    }

    /// Forgets all messages; returns the log's revision.
    pub(super) fn clear(&mut self) -> u64 {
        self.messages.clear();
        self.dropped = 0;
        self.revision += 1;
        self.cleared = self.revision;
        self.revision
    }

    /// What is new to a reader who has seen up to `revision`, in the order of change.
    pub(super) fn since(&self, revision: u64) -> Vec<Arc<Message>> {
        let mut new: Vec<_> = self.messages.iter().filter(|message| message.revision > revision).cloned().collect();
        new.sort_unstable_by_key(|message| message.revision);
        new
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> + ExactSizeIterator {
        self.messages.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision of the last clear; 0 if there was none.
    pub(super) fn cleared(&self) -> u64 {
        self.cleared
    }
}
