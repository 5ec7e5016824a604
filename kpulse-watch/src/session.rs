//! One watch that never ends: it lists, follows, loses sight, says so, and begins again.
//!
//! Everything that can go wrong is decided in [`sight`], which is pure; here is the driver: it polls kube's watcher,
//! waits, and sends on. kube's watcher recovers from most faults by itself, but without a pause, without a word, and
//! from some not at all, so no error passes without a wait of ours, and where its state cannot be trusted it is dropped
//! and a new one lists.

mod backoff;
mod fault;
mod permission;
mod sight;
mod signs;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{Stream, StreamExt};
use kpulse_core::{Observation, Scope};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

pub(crate) use self::backoff::{Backoff, Jitter};
use self::fault::Fault;
use self::sight::Sight;
pub use self::signs::Signs;
use crate::lean::{Lean, decoding};
use crate::wire::{Limits, Wire};

/// A streaming list that was begun this often and never completed is not worth another try.
const STREAMING_TRIES: u32 = 3;

/// How a watch behaves. The defaults suit a cluster of any size.
#[derive(Debug, Clone)]
pub struct SessionSettings {
    /// Objects in a page of a list; one page at a time is held in memory.
    pub page_size: u32,
    /// How long the server is asked to keep a watch open, about: it is the longest time that a connection can be dead
    /// unnoticed.
    pub watch_timeout: Duration,
    /// At least this lies between the starts of two watches, even if every one of them ends at once.
    pub watch_spacing: Duration,
    /// With no byte for this long, not even a bookmark, sight is lost. Must be longer than two watches.
    pub silence: Duration,
    /// With no answer for this long a request has failed. An overloaded server holds requests for up to a minute.
    pub answer_timeout: Duration,
    /// A streaming list in which nothing comes for this long is given up for pages.
    pub streaming_patience: Duration,
    /// A watch that is interrupted for less than this resumes where it was, and nothing is said.
    pub patience: Duration,
    /// The first wait after a failure, at most; it doubles.
    pub retry_first: Duration,
    /// The longest wait after a failure.
    pub retry_at_most: Duration,
    /// The first wait after a refusal (403, 404), at most; it doubles. Somebody may be granting the right just now.
    pub refused_retry_first: Duration,
    /// The longest wait after a refusal.
    pub refused_retry_at_most: Duration,
    /// Between the starts of two sessions.
    pub stagger: Duration,
    /// Makes the jitter repeat itself, for tests.
    pub seed: Option<u64>,
    /// Shared by all sessions with these settings.
    pub lists: Lists,
    /// When each of the sessions with these settings last heard anything.
    pub signs: Signs,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            page_size: 250,
            watch_timeout: Duration::from_secs(120),
            watch_spacing: Duration::from_secs(1),
            silence: Duration::from_secs(300),
            answer_timeout: Duration::from_secs(75),
            streaming_patience: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            retry_first: Duration::from_secs(1),
            retry_at_most: Duration::from_secs(60),
            refused_retry_first: Duration::from_secs(15),
            refused_retry_at_most: Duration::from_secs(300),
            stagger: Duration::from_millis(20),
            seed: None,
            lists: Lists::default(),
            signs: Signs::default(),
        }
    }
}

/// What sessions share about listing: how many may list at once, and whether the server streams lists.
/// A clone is the same one.
#[derive(Debug, Clone)]
pub struct Lists {
    permits: Arc<Semaphore>,
    streaming: Arc<AtomicBool>,
}

impl Lists {
    /// At most this many sessions list at the same time, by streaming where the server can.
    #[must_use]
    pub fn at_most(sessions: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(sessions)), streaming: Arc::new(AtomicBool::new(true)) }
    }

    /// The same, in pages even where the server could stream.
    #[must_use]
    pub fn paged(self) -> Self {
        self.streaming.store(false, Ordering::Relaxed);
        self
    }
}

/// Three at a time: each holds a page, and each costs the server a read of everything.
impl Default for Lists {
    fn default() -> Self {
        Self::at_most(3)
    }
}

/// Opens all these watches. [`Observation::Opened`] is the first thing sent.
///
/// Where some are of single namespaces, rights are expected in these only: a watch of the whole cluster begins once the
/// API server says that it is allowed, and is told as refused until then.
///
/// The sessions end when the receiver is dropped, or when the set is: whoever awaits the set learns of one that
/// panicked.
pub async fn watch_all(
    client: &Client,
    scopes: Vec<Scope>,
    out: mpsc::Sender<Observation>,
    settings: &SessionSettings,
) -> JoinSet<()> {
    let mut sessions = JoinSet::new();
    if out.send(Observation::Opened(scopes.clone())).await.is_err() {
        return sessions;
    }
    let by_namespace = scopes.iter().any(|scope| scope.namespace.is_some());
    for (place, scope) in (0..).zip(scopes) {
        let (client, out, settings) = (client.clone(), out.clone(), settings.clone());
        sessions.spawn(async move {
            sleep(settings.stagger * place).await;
            if by_namespace && scope.namespace.is_none() {
                permission::granted(&client, &scope, &out, &settings).await;
            }
            watch(client, scope, out, settings).await;
        });
    }
    sessions
}

/// Watches one scope until the receiver of what it sees is dropped.
pub async fn watch(client: Client, scope: Scope, out: mpsc::Sender<Observation>, settings: SessionSettings) {
    let closed = out.clone();
    let session = Session::new(&client, scope, out, settings);
    let _followed = session.settings.signs.follow(&session.scope, &session.wire);
    tokio::select! {
        () = closed.closed() => {}
        Err(ReceiverGone) = Box::pin(session.run()) => {}
    }
}

/// Nobody wants to know any more.
struct ReceiverGone;

struct Session {
    client: Client,
    wire: Wire,
    scope: Scope,
    out: mpsc::Sender<Observation>,
    settings: SessionSettings,
    sight: Sight,
    watch_timeout: Duration,
    streaming: bool,
}

impl Session {
    fn new(client: &Client, scope: Scope, out: mpsc::Sender<Observation>, settings: SessionSettings) -> Self {
        let limits = Limits { spacing: settings.watch_spacing, answer: settings.answer_timeout };
        let (client, wire) = Wire::tap(client, limits);
        let mut jitter = Jitter::new(settings.seed, &scope);
        let watch_timeout = jitter.about(settings.watch_timeout);
        let sight = Sight::new(scope.clone(), &settings, jitter);
        Self { client, wire, scope, out, settings, sight, watch_timeout, streaming: true }
    }

    async fn run(mut self) -> Result<std::convert::Infallible, ReceiverGone> {
        loop {
            self.look().await?;
        }
    }

    /// Follows one watcher until it has to be replaced by a new one.
    async fn look(&mut self) -> Result<(), ReceiverGone> {
        let lists = self.settings.lists.clone();
        let mut permit = lists.permits.acquire().await.ok();
        self.streaming &= lists.streaming.load(Ordering::Relaxed);
        let api = self.api();
        let mut events = Box::pin(decoding(self.scope.resource.kind(), watcher(api, self.config())));
        self.wire.renew();
        loop {
            match self.next(&mut events).await {
                Ok(event) => {
                    match event {
                        Event::Init if permit.is_none() => permit = lists.permits.acquire().await.ok(),
                        Event::InitDone => drop(permit.take()),
                        _ => {}
                    }
                    for observation in self.sight.event(event, Instant::now()) {
                        self.out.send(observation).await.map_err(|_| ReceiverGone)?;
                    }
                    self.wire.excuse_silence();
                }
                Err(Fault::NoStreaming) if self.streaming => {
                    tracing::info!(scope = %self.scope, "no streaming lists here; listing in pages");
                    self.streaming = false;
                    return Ok(());
                }
                Err(fault) => {
                    drop(permit.take());
                    if self.suffer(fault).await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The next event, or what went wrong instead.
    async fn next(
        &mut self,
        events: &mut (impl Stream<Item = watcher::Result<Event<Lean>>> + Unpin),
    ) -> Result<Event<Lean>, Fault> {
        let probing = self.streaming && !self.sight.is_live();
        if probing && self.sight.begun() >= STREAMING_TRIES {
            return Err(Fault::NoStreaming);
        }
        tokio::select! {
            biased;
            event = events.next() => match event {
                Some(Ok(event)) => Ok(event),
                Some(Err(error)) => {
                    let fault = Fault::of(&error, probing);
                    if fault == Fault::NoStreaming {
                        self.settings.lists.streaming.store(false, Ordering::Relaxed);
                    }
                    Err(fault)
                }
                None => Err(Fault::failed("the watch ended")),
            },
            () = self.wire.silence(self.settings.silence) => {
                Err(Fault::Silent(format!("nothing came for {} s, not even a bookmark", self.settings.silence.as_secs())))
            }
            () = self.wire.answered_for(self.settings.streaming_patience), if probing => Err(Fault::NoStreaming),
        }
    }

    /// Says what is to be said of a fault and waits; true if a new watcher must begin.
    async fn suffer(&mut self, fault: Fault) -> Result<bool, ReceiverGone> {
        tracing::debug!(scope = %self.scope, ?fault, "watch disturbed");
        let setback = self.sight.fault(fault, Instant::now(), self.wire.last_sign(), self.wire.retry_after());
        if let Some(told) = setback.told {
            tracing::debug!(scope = %self.scope, ?told, "sight lost");
            self.out.send(told).await.map_err(|_| ReceiverGone)?;
        }
        sleep(setback.wait).await;
        self.wire.excuse_silence();
        Ok(setback.renew)
    }

    fn api(&self) -> Api<Lean> {
        let resource = &self.scope.resource;
        match &self.scope.namespace {
            Some(namespace) if resource.kind().is_namespaced() => {
                Api::namespaced_with(self.client.clone(), namespace, resource)
            }
            _ => Api::all_with(self.client.clone(), resource),
        }
    }

    fn config(&self) -> watcher::Config {
        let seconds = u32::try_from(self.watch_timeout.as_secs()).unwrap_or(u32::MAX);
        let config = watcher::Config::default().timeout(seconds).page_size(self.settings.page_size);
        let config = if self.streaming { config.streaming_lists() } else { config };
        match self.scope.resource.field_selector() {
            Some(selector) => config.fields(selector),
            None => config,
        }
    }
}
