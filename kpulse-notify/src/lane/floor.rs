//! Who has the floor: of several agents one may speak, and only for as long as it surely is the one.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Whether a message may still go out. It goes with the message: one that was handed over while the floor was open does
/// not go out once that floor is closed, and an attempt under way is broken off. A clone is the same floor.
#[derive(Debug, Clone)]
pub struct Floor(Option<watch::Receiver<Instant>>);

/// Keeps a floor open. Dropped, the floor is closed for good.
#[derive(Debug)]
pub struct FloorKeeper(watch::Sender<Instant>);

impl FloorKeeper {
    /// Keeps the floor open until then, and no longer.
    pub fn extend(&self, until: Instant) {
        self.0.send_replace(until);
    }
}

impl Floor {
    /// A floor that nobody else wants: always open.
    #[must_use]
    pub const fn open() -> Self {
        Self(None)
    }

    /// A floor that closes at this time, unless its keeper extends it.
    #[must_use]
    pub fn until(at: Instant) -> (FloorKeeper, Self) {
        let (keeper, until) = watch::channel(at);
        (FloorKeeper(keeper), Self(Some(until)))
    }

    /// A floor that somebody else has.
    #[must_use]
    pub fn closed() -> Self {
        Self::until(Instant::now()).1
    }

    /// Whether it is open at this moment. The clock is asked: a timer may be late, above all in a process that was paused.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.as_ref().is_none_or(|until| until.has_changed().is_ok() && Instant::now() < *until.borrow())
    }

    /// Returns once it is closed.
    pub async fn over(&self) {
        let Some(mut until) = self.0.clone() else { return std::future::pending().await };
        while self.is_open() {
            let at = *until.borrow_and_update();
            tokio::select! {
                // Extended, or closed for good: both are seen above.
                _ = until.changed() => {}
                () = sleep_until(at) => {}
            }
        }
    }

    /// Has something done while the floor is open; nothing if it closes first. It is looked at before every step, so that
    /// not one more byte is sent by a process that wakes up too late.
    pub(super) async fn hold<T>(&self, deed: impl Future<Output = T>) -> Option<T> {
        let (mut deed, mut over) = (pin!(deed), pin!(self.over()));
        poll_fn(|context| {
            if !self.is_open() || over.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            deed.as_mut().poll(context).map(Some)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, sleep};

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn it_closes_at_its_time_unless_it_is_extended() {
        let start = Instant::now();
        let (keeper, floor) = Floor::until(start + seconds(9));
        sleep(seconds(8)).await;
        assert!(floor.is_open());
        keeper.extend(start + seconds(11));
        floor.over().await;
        assert_eq!(start.elapsed(), seconds(11));
        assert!(!floor.is_open());
        keeper.extend(start + seconds(20));
        assert!(floor.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn without_its_keeper_it_is_closed_for_good() {
        let (keeper, floor) = Floor::until(Instant::now() + seconds(9));
        let other = floor.clone();
        tokio::spawn(async move {
            sleep(seconds(1)).await;
            drop(keeper);
        });
        let start = Instant::now();
        other.over().await;
        assert_eq!((start.elapsed(), floor.is_open()), (seconds(1), false));
        assert!(!Floor::closed().is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_is_broken_off_when_it_closes() {
        let (_keeper, floor) = Floor::until(Instant::now() + seconds(9));
        assert_eq!(floor.hold(async { sleep(seconds(5)).await }).await, Some(()));
        assert_eq!(floor.hold(async { sleep(seconds(5)).await }).await, None);
        assert_eq!(floor.hold(async { unreachable!("not even begun") }).await, None::<()>);
        assert_eq!(Floor::open().hold(async { sleep(seconds(3600)).await }).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_wakes_up_too_late_takes_not_one_more_step() {
        let (_keeper, floor) = Floor::until(Instant::now() + seconds(9));
        let steps = std::cell::Cell::new(0);
        let deed = poll_fn(|context| {
            steps.set(steps.get() + 1);
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let mut deed = pin!(floor.hold(deed));
        assert!(futures::poll!(deed.as_mut()).is_pending());
        // The clock goes on, and no timer has fired yet.
        advance(seconds(20)).await;
        assert_eq!(futures::poll!(deed.as_mut()), Poll::Ready(None));
        assert_eq!(steps.get(), 1);
    }
}
