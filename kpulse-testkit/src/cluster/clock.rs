//! The cluster's time of day, on tokio's clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A start, and what passed since: virtual where the test paused the clock.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Timestamp,
    started: Instant,
}

impl Clock {
    pub(crate) fn starting_at(epoch: Option<Timestamp>) -> Self {
        Self { epoch: epoch.unwrap_or_else(Timestamp::now), started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed: Duration = self.started.elapsed();
        SignedDuration::try_from(passed)
            .ok()
            .and_then(|passed| self.epoch.checked_add(passed).ok())
            .unwrap_or(Timestamp::MAX)
    }
}
