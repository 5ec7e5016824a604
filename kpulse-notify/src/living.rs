//! One living message per group, where a platform's messages can be edited.
//!
//! The message always says what is true now. But an edit notifies nobody and forgets what stood there, so some changes
//! are also said below it.

use kpulse_core::Why;

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
        Why::First => Aside::Nothing,
        Why::Grown => Aside::History,
        Why::Resolved => Aside::Word,
        _ => Aside::Loud,
    }
}
