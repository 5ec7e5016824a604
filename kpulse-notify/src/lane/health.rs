//! How a channel is doing, for pages and metrics.

use jiff::Timestamp;
use serde::Serialize;

use crate::notifier::DeliveryError;
use crate::settings::SetupError;

/// How a channel is doing. No text in it holds a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// In one word.
    pub state: HealthState,
    /// When it last accepted a message.
    pub last_accepted_at: Option<Timestamp>,
    /// Why it last did not, or what its fault is; kept after it does again.
    pub last_error: Option<String>,
    /// When that was; nothing for a fault.
    pub last_error_at: Option<Timestamp>,
    /// How many attempts in a row failed. A message that was refused is its own fault, not the channel's.
    pub failures: u32,
    /// Not tried before.
    pub next_attempt_at: Option<Timestamp>,
}

/// How a channel is doing, in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// Nothing is known to be wrong.
    #[default]
    Ok,
    /// The last attempt failed.
    Failing,
    /// It cannot be set up: a secret is missing, or a setting cannot be.
    Fault,
}

impl HealthState {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Fault => "fault",
        }
    }
}

impl Health {
    pub(super) fn accept(&mut self, now: Timestamp) {
        self.begin();
        self.last_accepted_at = Some(now);
    }

    /// `again` is when the next attempt is made; nothing for a message that was refused.
    pub(super) fn fail(&mut self, now: Timestamp, error: &DeliveryError, again: Option<Timestamp>) {
        self.last_error = Some(error.to_string());
        self.last_error_at = Some(now);
        if again.is_some() {
            self.state = HealthState::Failing;
            self.failures = self.failures.saturating_add(1);
            self.next_attempt_at = again;
        }
    }

    pub(super) fn fault(&mut self, fault: &SetupError) {
        self.begin();
        self.state = HealthState::Fault;
        self.last_error = Some(fault.to_string());
        self.last_error_at = None;
    }

    pub(super) fn begin(&mut self) {
        self.state = HealthState::Ok;
        self.failures = 0;
        self.next_attempt_at = None;
    }
}
