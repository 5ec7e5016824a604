//! The end of the line: one message to one channel, and what the channel did with it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;

/// Speaks to one channel. It makes one attempt and says how it ended; when to try again is decided elsewhere.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hands a message to the channel.
    ///
    /// May be given up at any await point: whoever calls it puts a limit on its time. The message may have arrived all
    /// the same, and is then sent again with the same idempotency key.
    ///
    /// # Errors
    ///
    /// Whatever is not known to have been accepted. No error's text holds a secret, nor more of an address than its host.
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError>;

    /// How long the channel is left alone between two messages: its platform's published rate, if it has one.
    fn spacing(&self) -> Duration {
        Duration::ZERO
    }
}

/// The channel has the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// What the channel calls the message, where it can be edited or answered later.
    pub message_id: Option<String>,
}

/// Why a channel does not have a message. Whether and when to try again is in the type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It may well be taken in a moment: a timeout, a reset, an overloaded or restarting server.
    #[error("{cause}")]
    Transient {
        /// What happened.
        cause: String,
        /// The channel asked to be left alone for this long.
        retry_after: Option<Duration>,
        /// Whether it may have the message all the same: there was no answer in time, or it broke off.
        perhaps: bool,
    },
    /// This message will never be taken; others may be.
    #[error("{cause}")]
    Refused {
        /// What happened.
        cause: String,
    },
    /// No message is taken here until somebody mends the channel: a token revoked, an address moved.
    #[error("{cause}")]
    Unavailable {
        /// What happened.
        cause: String,
    },
}

impl DeliveryError {
    /// A transient error after which the channel did not ask for any pause.
    pub(crate) fn transient(cause: impl Into<String>) -> Self {
        Self::Transient { cause: cause.into(), retry_after: None, perhaps: false }
    }

    /// A transient error after which nobody knows whether the channel has the message.
    pub(crate) fn unanswered(cause: impl Into<String>) -> Self {
        Self::Transient { cause: cause.into(), retry_after: None, perhaps: true }
    }

    /// A message that will never be taken.
    pub(crate) fn refused(cause: impl Into<String>) -> Self {
        Self::Refused { cause: cause.into() }
    }

    /// A channel that somebody must mend.
    pub(crate) fn unavailable(cause: impl Into<String>) -> Self {
        Self::Unavailable { cause: cause.into() }
    }

    /// The same error with the pause that the platform's own words ask for; of two, the longer one.
    pub(crate) fn pausing(mut self, pause: Option<Duration>) -> Self {
        if let Self::Transient { retry_after, .. } = &mut self {
            *retry_after = (*retry_after).max(pause);
        }
        self
    }

    /// What happened.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::Transient { cause, .. } | Self::Refused { cause } | Self::Unavailable { cause } => cause,
        }
    }

    /// The same error, saying where: `hooks.example.com answered 503`.
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        let (Self::Transient { cause, .. } | Self::Refused { cause } | Self::Unavailable { cause }) = &mut self;
        *cause = format!("{place} {cause}");
        self
    }
}
