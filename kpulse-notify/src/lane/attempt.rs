//! One attempt: bounded in time, its panics contained.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kpulse_core::Notification;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::Line;
use crate::notifier::{Accepted, DeliveryError, Notifier};

/// Makes one attempt. One that takes too long is given up, and one that panics is one that failed.
pub(crate) async fn attempt(
    notifier: &dyn Notifier,
    notification: &Notification,
    limit: Duration,
) -> Result<Accepted, DeliveryError> {
    let delivery = AssertUnwindSafe(notifier.deliver(notification)).catch_unwind();
    match timeout(limit, delivery).await {
        Ok(Ok(result)) => result,
        // What the panic says is on standard error already, and may hold anything.
        Ok(Err(_)) => Err(DeliveryError::unanswered("this channel's code panicked: a bug in kpulse")),
        Err(_) => Err(DeliveryError::unanswered(format!("not done within {limit:?}"))),
    }
}

/// Knows when a lane whose handle was dropped must end.
pub(super) struct Closing {
    line: watch::Receiver<Arc<Line>>,
    grace: Duration,
    deadline: Option<Instant>,
}

impl Closing {
    pub(super) fn new(line: watch::Receiver<Arc<Line>>, grace: Duration) -> Self {
        Self { line, grace, deadline: None }
    }

    /// Resolves when the grace after the handle's drop has passed. May be asked again, also after it was given up.
    pub(super) async fn over(&mut self) {
        let deadline = match self.deadline {
            Some(deadline) => deadline,
            None => {
                // A replaced notifier is not the end: what is in flight goes on with the old one.
                while self.line.changed().await.is_ok() {}
                *self.deadline.insert(Instant::now() + self.grace)
            }
        };
        sleep_until(deadline).await;
    }
}
