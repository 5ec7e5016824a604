//! How the sink answers: as the platform does, or as a test has scripted.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::record::{Answer, Kind};

/// How one request is answered.
#[derive(Clone, Debug, Default)]
pub enum Behaviour {
    /// As the platform answers on success.
    #[default]
    Accept,
    /// With this status, these headers and this body. A 200 whose body is a refusal is written so.
    Status {
        /// The status.
        code: StatusCode,
        /// Headers in addition to the length.
        headers: HeaderMap,
        /// The body.
        body: Bytes,
    },
    /// 429 with a `Retry-After` header and, where the platform has one, its own word for it in the body
    /// (Telegram's `parameters.retry_after`, Discord's `retry_after`).
    RetryAfter(RetryAfter),
    /// No answer until [`EchoSink::release`](super::EchoSink::release) or the sender leaves. Released, it is accepted.
    Hang,
    /// The connection is reset without a response. In process there is none: a 502 whose body fails stands for it.
    Reset,
    /// The platform's answer of success, its head at once and then one byte per `pause`. An empty body ends after one pause.
    SlowBody {
        /// The time before each byte.
        pause: Duration,
    },
    /// 307 to this address, which asks the sender to repeat its POST there.
    Redirect(String),
    /// 200 with 64 MiB of body.
    OversizedReply,
}

/// When the sender may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this many seconds.
    Seconds(u64),
    /// At this time, sent as an HTTP date: whole seconds.
    Date(Timestamp),
}

impl RetryAfter {
    /// The header's value.
    pub(super) fn header(self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(at) => at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        }
    }

    /// Seconds from now, for bodies that say so.
    pub(super) fn seconds(self) -> u64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Date(at) => u64::try_from(at.as_second() - Timestamp::now().as_second()).unwrap_or(0),
        }
    }
}

impl From<u64> for RetryAfter {
    fn from(seconds: u64) -> Self {
        Self::Seconds(seconds)
    }
}

impl From<Timestamp> for RetryAfter {
    fn from(at: Timestamp) -> Self {
        Self::Date(at)
    }
}

impl Behaviour {
    /// This status with an empty body.
    ///
    /// # Panics
    ///
    /// When `code` is not a status (100 to 999).
    #[must_use]
    #[track_caller]
    pub fn status(code: u16) -> Self {
        Self::reply(code, "")
    }

    /// This status with this body.
    ///
    /// # Panics
    ///
    /// When `code` is not a status (100 to 999).
    #[must_use]
    #[track_caller]
    pub fn reply(code: u16, body: impl Into<Bytes>) -> Self {
        let Ok(code) = StatusCode::from_u16(code) else { panic!("{code} is not an HTTP status (100 to 999)") };
        Self::Status { code, headers: HeaderMap::new(), body: body.into() }
    }

    /// The same with one more header; only a [`Behaviour::Status`] carries headers, others stay as they are.
    ///
    /// # Panics
    ///
    /// When `value` cannot stand in a header.
    #[must_use]
    #[track_caller]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let Ok(value) = HeaderValue::from_str(value) else { panic!("{value:?} cannot stand in a header") };
        if let Self::Status { headers, .. } = &mut self {
            headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    /// 429 with `Retry-After`: seconds, or a time for an HTTP date.
    #[must_use]
    pub fn retry_after(when: impl Into<RetryAfter>) -> Self {
        Self::RetryAfter(when.into())
    }

    /// What the log says of a request answered so, where the platform's success is `success`.
    pub(super) fn answer(&self, success: StatusCode) -> Answer {
        match self {
            Self::Accept => Answer::Accepted(success),
            Self::Status { code, .. } => Answer::Scripted(*code),
            Self::RetryAfter(_) => Answer::Scripted(StatusCode::TOO_MANY_REQUESTS),
            Self::Hang => Answer::Held,
            Self::Reset => Answer::Cut,
            Self::SlowBody { .. } => Answer::Scripted(success),
            Self::Redirect(_) => Answer::Scripted(StatusCode::TEMPORARY_REDIRECT),
            Self::OversizedReply => Answer::Scripted(StatusCode::OK),
        }
    }
}

/// Holds what each kind is to be answered next, and the requests that wait to be let go.
#[derive(Default)]
pub(super) struct Scripts {
    next: HashMap<Kind, VecDeque<Behaviour>>,
    lasting: HashMap<Kind, Behaviour>,
    held: HashMap<Kind, Vec<oneshot::Sender<()>>>,
}

impl Scripts {
    pub(super) fn queue(&mut self, kind: Kind, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.next.entry(kind).or_default().extend(behaviours);
    }

    pub(super) fn last(&mut self, kind: Kind, behaviour: Behaviour) {
        self.lasting.insert(kind, behaviour);
    }

    /// What the next request of this kind gets: what is queued, else what lasts, else success.
    pub(super) fn take(&mut self, kind: &Kind) -> Behaviour {
        let queued = self.next.get_mut(kind).and_then(VecDeque::pop_front);
        queued.or_else(|| self.lasting.get(kind).cloned()).unwrap_or_default()
    }

    pub(super) fn hold(&mut self, kind: Kind) -> oneshot::Receiver<()> {
        let (release, held) = oneshot::channel();
        let waiting = self.held.entry(kind).or_default();
        waiting.retain(|request| !request.is_closed());
        waiting.push(release);
        held
    }

    pub(super) fn release(&mut self, kind: &Kind) -> Vec<oneshot::Sender<()>> {
        self.held.remove(kind).unwrap_or_default()
    }

    pub(super) fn heal(&mut self) -> Vec<oneshot::Sender<()>> {
        self.next.clear();
        self.lasting.clear();
        self.held.drain().flat_map(|(_kind, requests)| requests).collect()
    }
}
