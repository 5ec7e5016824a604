//! A delivery lane: one task per channel that hands over one message at a time, in order.
//!
//! The lane decides nothing about what is told. It takes a message, makes one attempt, and answers with exactly one
//! receipt; what is owed after that is computed anew by whoever reads the receipts. So nothing waits in a lane for
//! longer than an attempt, and one channel never waits for another. What looks like a secret goes no further than here.

mod attempt;
mod floor;
mod health;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kpulse_core::{Name, Notification, Outcome, Receipt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::redact::redact_content;
use crate::retry::{after, next_attempt};
use crate::settings::SetupError;
use attempt::Closing;
pub(crate) use attempt::attempt;
pub use floor::{Floor, FloorKeeper};
pub use health::{Health, HealthState};

/// How soon a message for a channel in fault is asked about again. Its notifier is usually replaced before.
const FAULT_PAUSE: Duration = Duration::from_secs(30);

/// What a lane speaks through: a notifier, or the fault that keeps it from having one. It is what
/// [`ChannelSettings::notifier`](crate::settings::ChannelSettings::notifier) returns.
pub type Source = Result<Box<dyn Notifier>, SetupError>;

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One attempt.
    pub timeout: Duration,
    /// What is in flight when the lane's handle is dropped.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), grace: Duration::from_secs(3) }
    }
}

/// Why a lane did not take a message; it is handed back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotTaken {
    /// Another one waits already. Whoever keeps to one message in flight never sees this.
    #[error("a message waits already")]
    Busy(Box<Notification>),
    /// The lane's task has ended: nobody reads its receipts any more.
    #[error("the lane has ended")]
    Ended(Box<Notification>),
}

/// The way to a lane. Dropped, the lane ends once what is in flight is done or its grace is over.
#[derive(Debug)]
pub struct LaneHandle {
    name: Name,
    queue: mpsc::Sender<Order>,
    source: watch::Sender<Arc<Line>>,
    health: watch::Receiver<Health>,
    task: JoinHandle<()>,
}

impl LaneHandle {
    /// The channel's name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Hands over a message. Exactly one receipt follows, unless the lane is closed before the message's turn.
    ///
    /// # Errors
    ///
    /// When a message waits already, or the lane has ended.
    pub fn send(&self, notification: Notification) -> Result<(), NotTaken> {
        self.send_while(Floor::open(), notification)
    }

    /// Hands over a message that may go out only while the floor is open. When it closes the message is put off, also if
    /// an attempt is under way: that is broken off, and nobody knows whether it arrived.
    ///
    /// # Errors
    ///
    /// When a message waits already, or the lane has ended.
    pub fn send_while(&self, floor: Floor, notification: Notification) -> Result<(), NotTaken> {
        self.queue.try_send(Order { notification, floor }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(order) => NotTaken::Busy(Box::new(order.notification)),
            mpsc::error::TrySendError::Closed(order) => NotTaken::Ended(Box::new(order.notification)),
        })
    }

    /// Speaks through another notifier from the next message on: a secret appeared, or settings changed. Failures are
    /// forgotten; what was put off for them is for the engine to offer again.
    pub fn replace(&self, source: Source) {
        self.source.send_replace(Arc::new(Line(source)));
    }

    /// How the channel is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.borrow().clone()
    }

    /// Closes the lane and waits until it has ended: at most its grace. Receipts must still be read meanwhile, or there
    /// must be room for one.
    pub async fn close(self) {
        let Self { queue, source, task, .. } = self;
        drop((queue, source));
        if task.await.is_err() {
            tracing::error!(channel = %self.name, "delivery lane panicked");
        }
    }
}

/// A message to hand over, and while what.
#[derive(Debug)]
struct Order {
    notification: Notification,
    floor: Floor,
}

/// What a lane speaks through, as it is shared.
struct Line(Source);

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Ok(_) => f.write_str("Ready"),
            Err(fault) => write!(f, "Fault({fault})"),
        }
    }
}

/// Starts the lane of the channel `name` on the current tokio runtime.
///
/// `receipts` should have room for one receipt per lane; a lane whose receipts nobody reads any more ends.
#[must_use]
pub fn spawn(name: Name, source: Source, receipts: mpsc::Sender<Receipt>, clock: Clock, limits: Limits) -> LaneHandle {
    let (queue, waiting) = mpsc::channel(1);
    let (source, line) = watch::channel(Arc::new(Line(source)));
    let (health, shown) = watch::channel(Health::default());
    let spread = RandomState::new();
    let mut lane = Lane {
        name: name.clone(),
        waiting,
        line,
        receipts,
        clock,
        limits,
        health,
        alike: Alike::default(),
        spread,
        last: None,
    };
    lane.show_source();
    LaneHandle { name, queue, source, health: shown, task: tokio::spawn(lane.run()) }
}

struct Lane {
    name: Name,
    waiting: mpsc::Receiver<Order>,
    line: watch::Receiver<Arc<Line>>,
    receipts: mpsc::Sender<Receipt>,
    clock: Clock,
    limits: Limits,
    health: watch::Sender<Health>,
    alike: Alike,
    /// Spreads attempts of lanes and agents that failed together.
    spread: RandomState,
    /// When the last attempt began.
    last: Option<Instant>,
}

/// How many attempts in a row failed alike. A channel that was overloaded and is then unavailable starts anew with the
/// pauses of the latter.
#[derive(Debug, Default)]
struct Alike {
    failures: u32,
    unavailable: bool,
}

impl Alike {
    fn count(&mut self, error: &DeliveryError) -> u32 {
        let unavailable = matches!(error, DeliveryError::Unavailable { .. });
        self.failures = if unavailable == self.unavailable { self.failures.saturating_add(1) } else { 1 };
        self.unavailable = unavailable;
        self.failures
    }
}

impl Lane {
    async fn run(mut self) {
        loop {
            tokio::select! {
                            biased;
                            replaced = self.line.changed() => match replaced {
                                Ok(()) => self.show_source(),
                                // The handle is gone. What waits was not attempted, and is still owed.
                                Err(_) => return,
                            },
                            next = self.waiting.recv() => match next {
            Some(mut order) => {
                                    redact_content(&mut order.notification.content);
                                    if !self.wait_for_turn(&order.floor).await || !self.handle(&order).await {
                                        return;
                                    }
                                }
                                None => return,
                            },
                        }
        }
    }

    /// Waits until the channel may be spoken to again, or the floor is closed; tells whether the lane goes on. A lane that
    /// is closed meanwhile ends at once: the message was not attempted, and is still owed.
    async fn wait_for_turn(&mut self, floor: &Floor) -> bool {
        loop {
            let spacing = self.line.borrow().0.as_ref().map_or(Duration::ZERO, |notifier| notifier.spacing());
            let Some(due) = self.last.map(|last| last + spacing).filter(|due| *due > Instant::now()) else {
                return true;
            };
            tokio::select! {
                biased;
                replaced = self.line.changed() => match replaced {
                    Ok(()) => self.show_source(),
                    Err(_) => return false,
                },
                () = floor.over() => return true,
                () = sleep_until(due) => {}
            }
        }
    }

    /// Makes one attempt and gives its receipt; tells whether the lane goes on.
    async fn handle(&mut self, Order { notification, floor }: &Order) -> bool {
        let mut closing = Closing::new(self.line.clone(), self.limits.grace);
        let line = Arc::clone(&self.line.borrow());
        if floor.is_open() {
            self.last = Some(Instant::now());
        }
        let outcome = match &line.0 {
            Err(_) => Outcome::TryAgain { at: after((self.clock)(), FAULT_PAUSE), perhaps: false },
            Ok(notifier) => tokio::select! {
                biased;
                result = floor.hold(attempt(notifier.as_ref(), notification, self.limits.timeout)) => match result {
                    Some(result) => self.judge(result),
                    // No fault of the channel's.
                    None => Outcome::TryAgain { at: (self.clock)(), perhaps: true },
                },
                () = closing.over() => Outcome::TryAgain { at: (self.clock)(), perhaps: true },
            },
        };
        let receipt = Receipt { id: notification.id, channel: self.name.clone(), outcome };
        tokio::select! {
            biased;
            sent = self.receipts.send(receipt) => sent.is_ok(),
            () = closing.over() => {
                tracing::warn!(channel = %self.name, "closed before anybody took the last receipt: the message may be repeated");
                false
            }
        }
    }

    /// Decides what an attempt's result means, and shows it.
    fn judge(&mut self, result: Result<Accepted, DeliveryError>) -> Outcome {
        let now = (self.clock)();
        let error = match result {
            Ok(Accepted { message_id }) => {
                self.accept(now);
                return Outcome::Accepted { message_id };
            }
            Err(error) => error,
        };
        let failures = match error {
            DeliveryError::Refused { .. } => 0,
            _ => self.alike.count(&error),
        };
        let at = next_attempt(now, failures, &error, self.spread.hash_one((now.as_nanosecond(), failures)));
        self.health.send_modify(|health| health.fail(now, &error, at));
        if let Some(at) = at {
            tracing::warn!(channel = %self.name, failures, again = %at, %error, "message not delivered");
            match error {
                DeliveryError::Unavailable { cause } => Outcome::Paused { at, why: cause },
                DeliveryError::Transient { perhaps, .. } => Outcome::TryAgain { at, perhaps },
                DeliveryError::Refused { cause } => Outcome::Refused { why: cause },
            }
        } else {
            tracing::warn!(channel = %self.name, %error, "message refused");
            Outcome::Refused { why: error.cause().to_owned() }
        }
    }

    fn accept(&mut self, now: Timestamp) {
        self.alike = Alike::default();
        let failures = self.health.borrow().failures;
        if failures > 0 {
            tracing::info!(channel = %self.name, failures, "channel takes messages again");
        }
        self.health.send_modify(|health| health.accept(now));
    }

    /// Shows whether there is something to speak through.
    fn show_source(&mut self) {
        self.alike = Alike::default();
        let line = Arc::clone(&self.line.borrow_and_update());
        match &line.0 {
            Ok(_) => self.health.send_modify(Health::begin),
            Err(fault) => {
                tracing::warn!(channel = %self.name, %fault, "channel in fault");
                self.health.send_modify(|health| health.fault(fault));
            }
        }
    }
}

#[cfg(test)]
mod tests;
