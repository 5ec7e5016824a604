//! Where the time comes from.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time. A test hands in one that it moves itself.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock on the wall.
#[must_use]
pub fn wall_clock() -> Clock {
    Arc::new(Timestamp::now)
}
