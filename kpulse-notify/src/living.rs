//! One living message per group, where a platform's messages can be edited.
//!
//! The message always says what is true now. But an edit notifies nobody and forgets what stood there, so some changes
//! are also said below it.

use kpulse_core::{Notification, Why};

use crate::notifier::DeliveryError;

/// What is said besides the edited message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aside {
    /// Nothing: the message is the same as before.
    Nothing,
    /// A line for whoever reads back, where it disturbs nobody.
    History,
    /// A line for those who followed it.
    Word,
    /// A line for everybody: somebody may have to get up.
    Loud,
}

/// What is said besides the edited message when it changes for this reason.
pub(crate) const fn aside(why: Why) -> Aside {
    match why {
        Why::First | Why::Updated | Why::Refreshed => Aside::Nothing,
        Why::Grown => Aside::History,
        Why::Resolved => Aside::Word,
        _ => Aside::Loud,
    }
}

/// Decides what became of a message by the line besides it. The line is part of the message, so a passing failure repeats
/// both; one that is refused for good leaves the edit standing.
pub(crate) fn with_aside<T>(notification: &Notification, said: Result<T, DeliveryError>) -> Result<(), DeliveryError> {
    match said {
        Ok(_) => Ok(()),
        Err(error @ DeliveryError::Transient { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(channel = %notification.channel, %error, "the message is edited, the line besides it refused");
            Ok(())
        }
    }
}
