//! Takes what channels send and shows what arrived.
//!
//! An [`EchoSink`] stands at the far end of the line: it answers as Slack, Discord, Teams, PagerDuty and the others do, and
//! remembers each request. It is used in three ways:
//!
//! - **in a test, in process**: [`EchoSink::router`] is an axum `Router`, called as a tower service; nothing sleeps, so it
//!   works under tokio's paused clock;
//! - **in a test, over TCP**: [`EchoSink::serve`] listens and hands out URLs for a channel's configuration;
//! - **as a program**: `echo-sink` serves the same router to people, who open `/` and see each message as a reader would.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use kpulse_testkit::sink::{Behaviour, EchoSink};
//! use std::time::Duration;
//!
//! let sink = EchoSink::new();
//! sink.script("slack", [Behaviour::status(503), Behaviour::retry_after(2)]); // then accepts again
//!
//! let server = sink.serve("127.0.0.1:0").await.unwrap();
//! let url = server.url_of("slack"); // into the channel's configuration
//! # assert!(url.ends_with("/slack"));
//! // … the channel sends …
//! let accepted = sink.wait_for(|message| message.accepted(), Duration::from_millis(1)).await;
//! # assert!(accepted.is_err());
//! server.stop().await;
//! # });
//! ```
//!
//! # Attempts and accepted messages
//!
//! Everything that reached the sink is recorded, with what was answered ([`Message::answer`]). A test that asks whether the
//! channel was told counts [`EchoSink::accepted`]; a test of retries counts [`EchoSink::messages`].
//!
//! # Memory
//!
//! Bodies over 1 MiB are refused with 413, and the oldest of 1,000 messages makes room for the next; [`EchoSink::dropped`]
//! says how many went that way.

mod behaviour;
mod likeness;
mod mask;
mod page;
mod raw;
mod record;
mod render;
mod reply;
mod routes;
mod serve;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use tokio::net::ToSocketAddrs;
use tokio::sync::{oneshot, watch};

pub use behaviour::{Behaviour, RetryAfter};
pub use record::{Answer, Kind, Message};
pub use serve::Serving;

use behaviour::Scripts;
use record::{Arrival, Log};

/// The most messages that are remembered.
pub const CAPACITY: usize = 1_000;

/// The largest body that is taken, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Holds what arrived and how to answer what comes next. A clone is another handle to the same sink.
#[derive(Clone)]
pub struct EchoSink {
    shared: Arc<Shared>,
}

struct Shared {
    /// Names this run of the sink in the ids of events, so that a browser notices a restart.
    run: String,
    desk: Mutex<Desk>,
    /// The log's revision; whoever waits for a message waits for this to move.
    revision: watch::Sender<u64>,
}

/// What one lock guards: an arrival takes its behaviour and its place in the log at once, so no test sees one without the other.
struct Desk {
    log: Log,
    scripts: Scripts,
}

/// A request that has its place in the log and now gets its answer.
struct Admitted {
    message: Arc<Message>,
    behaviour: Behaviour,
    /// Resolves when a held request is let go; `None` unless the behaviour is to hang.
    held: Option<oneshot::Receiver<()>>,
}

/// What one look at the log finds, for a page or a reply.
struct Snapshot {
    /// Oldest first.
    messages: Vec<Arc<Message>>,
    dropped: u64,
    /// Where an event stream goes on from here.
    event_id: String,
}

/// What was waited for did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("not seen within {within:?}; what arrived:{arrived}")]
pub struct NotSeen {
    /// How long was waited.
    pub within: Duration,
    arrived: String,
}

impl EchoSink {
    /// An empty sink that accepts everything.
    #[must_use]
    pub fn new() -> Self {
        let desk = Desk { log: Log::new(CAPACITY), scripts: Scripts::default() };
        let run = format!("{:x}", Timestamp::now().as_nanosecond());
        Self { shared: Arc::new(Shared { run, desk: Mutex::new(desk), revision: watch::Sender::new(0) }) }
    }

    /// The page, its JSON endpoints and every channel's wire format, as a tower service.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Listens on `addr` (port 0 picks a free one) until the handle is stopped or dropped.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn serve(&self, addr: impl ToSocketAddrs) -> std::io::Result<Serving> {
        Serving::start(self.clone(), addr).await
    }

    /// Every attempt that is remembered, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Arc<Message>> {
        self.desk().log.iter().cloned().collect()
    }

    /// The attempts of one kind, oldest first.
    #[must_use]
    pub fn messages_of(&self, kind: impl Into<Kind>) -> Vec<Arc<Message>> {
        let kind = kind.into();
        self.desk().log.iter().filter(|message| message.kind == kind).cloned().collect()
    }

    /// What was answered as the platform answers on success, oldest first.
    #[must_use]
    pub fn accepted(&self) -> Vec<Arc<Message>> {
        self.desk().log.iter().filter(|message| message.accepted()).cloned().collect()
    }

    /// How many attempts are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.desk().log.len()
    }

    /// How many attempts made room for later ones since the sink was made or cleared.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.desk().log.dropped()
    }

    /// Forgets all messages. Scripts and requests being held stay as they are.
    pub fn clear(&self) {
        let revision = self.desk().log.clear();
        self.shared.revision.send_replace(revision);
    }

    /// The first message, of those already here or still to come, for which `wanted` holds.
    ///
    /// A message is judged again when its answer changes: a held request that is let go becomes an accepted one.
    ///
    /// # Errors
    ///
    /// [`NotSeen`] after `within` of tokio's time, naming what did arrive.
    pub async fn wait_for(
        &self,
        mut wanted: impl FnMut(&Message) -> bool,
        within: Duration,
    ) -> Result<Arc<Message>, NotSeen> {
        self.wait(within, |log| log.iter().find(|message| wanted(message)).cloned()).await
    }

    /// All messages, as soon as there are `count` for which `wanted` holds; only those are returned, oldest first.
    ///
    /// # Errors
    ///
    /// [`NotSeen`] after `within` of tokio's time, naming what did arrive.
    pub async fn wait_for_count(
        &self,
        count: usize,
        mut wanted: impl FnMut(&Message) -> bool,
        within: Duration,
    ) -> Result<Vec<Arc<Message>>, NotSeen> {
        let enough = |log: &Log| {
            let found: Vec<_> = log.iter().filter(|message| wanted(message)).cloned().collect();
            (found.len() >= count).then_some(found)
        };
        self.wait(within, enough).await
    }

    /// The oldest message with an id over `id`, as soon as there is one: to read on from the last one known. Start with 0.
    pub async fn next_after(&self, id: u64) -> Arc<Message> {
        self.look(|log| log.iter().find(|message| message.id > id).cloned()).await
    }

    async fn wait<T>(&self, within: Duration, look: impl FnMut(&Log) -> Option<T>) -> Result<T, NotSeen> {
        let found = tokio::time::timeout(within, self.look(look)).await;
        found.map_err(|_elapsed| NotSeen { within, arrived: self.summary() })
    }

    /// What `look` finds in the log, at once or after one of its changes.
    async fn look<T>(&self, mut look: impl FnMut(&Log) -> Option<T>) -> T {
        let mut revision = self.shared.revision.subscribe();
        loop {
            revision.mark_unchanged();
            let found = look(&self.desk().log);
            if let Some(found) = found {
                return found;
            }
            if revision.changed().await.is_err() {
                // The sender lives in `self`, so this is never reached; waiting on is the honest answer.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Answers the next requests of `kind` with `behaviours`, one each, after those already queued; then as before.
    pub fn script(&self, kind: impl Into<Kind>, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.desk().scripts.queue(kind.into(), behaviours);
    }

    /// Answers the next `count` requests of `kind` with `behaviour`, after those already queued; then as before.
    pub fn script_times(&self, kind: impl Into<Kind>, count: usize, behaviour: Behaviour) {
        self.script(kind, std::iter::repeat_n(behaviour, count));
    }

    /// Answers requests of `kind` with `behaviour` from now on, whenever nothing is queued by [`EchoSink::script`].
    pub fn from_now_on(&self, kind: impl Into<Kind>, behaviour: Behaviour) {
        self.desk().scripts.last(kind.into(), behaviour);
    }

    /// Lets the held requests of `kind` go on and be accepted; says how many there were.
    pub fn release(&self, kind: impl Into<Kind>) -> usize {
        let held = self.desk().scripts.release(&kind.into());
        held.into_iter().filter_map(|request| request.send(()).ok()).count()
    }

    /// Everything is accepted again: scripts are forgotten, held requests let go.
    pub fn heal(&self) {
        let held = self.desk().scripts.heal();
        for request in held {
            // A sender that has left meanwhile needs no answer.
            request.send(()).ok();
        }
    }

    /// Gives a request its place in the log and takes its behaviour from the script.
    fn admit(&self, arrival: Arrival) -> Admitted {
        let mut desk = self.desk();
        let behaviour = desk.scripts.take(&arrival.kind);
        let held = matches!(behaviour, Behaviour::Hang).then(|| desk.scripts.hold(arrival.kind.clone()));
        let answer = behaviour.answer(reply::status(&arrival));
        let message = desk.log.push(arrival, answer);
        let revision = desk.log.revision();
        drop(desk);
        self.shared.revision.send_replace(revision);
        Admitted { message, behaviour, held }
    }

    /// Records a request whose body was too large to keep.
    fn refuse(&self, arrival: Arrival) {
        let mut desk = self.desk();
        desk.log.push(arrival, Answer::TooLarge);
        let revision = desk.log.revision();
        drop(desk);
        self.shared.revision.send_replace(revision);
    }

    /// Says how a held request ended.
    fn settle(&self, id: u64, answer: Answer) {
        let revision = self.desk().log.settle(id, answer);
        self.shared.revision.send_replace(revision);
    }

    fn snapshot(&self) -> Snapshot {
        let desk = self.desk();
        let messages = desk.log.iter().cloned().collect();
        Snapshot { messages, dropped: desk.log.dropped(), event_id: self.event_id(desk.log.revision()) }
    }

    fn event_id(&self, revision: u64) -> String {
        format!("{}-{revision}", self.shared.run)
    }

    /// The revision an event's id names; `None` if it is of another run.
    fn revision_of(&self, event_id: &str) -> Option<u64> {
        let (run, revision) = event_id.split_once('-')?;
        if run == self.shared.run { revision.parse().ok() } else { None }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A test that panicked while it looked left nothing half done.
        self.shared.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn summary(&self) -> String {
        let messages = self.messages();
        if messages.is_empty() {
            return " nothing".to_owned();
        }
        messages.iter().map(|message| format!("\n  {}", message.line())).collect()
    }
}

impl Default for EchoSink {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EchoSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoSink").field("messages", &self.count()).field("dropped", &self.dropped()).finish()
    }
}
