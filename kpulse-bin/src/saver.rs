//! Saves the engine's state: at once when none was saved in the last second, else when that second is over, and the
//! larger it is the less often. Only the newest state counts.

use std::sync::Arc;
use std::time::Duration;

use kpulse_core::EngineState;
use kpulse_watch::state::{StateError, StateStore};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// A second between two saves, and one more for each of these many bytes.
const PACE: Duration = Duration::from_secs(1);
const BYTES_PER_PACE: usize = 64 << 10;
/// How long after a save that failed the next is tried.
const RETRY: Duration = Duration::from_secs(2);

/// Where states to be saved are left.
#[derive(Debug)]
pub(crate) struct Saver {
    newest: watch::Sender<Arc<EngineState>>,
    task: JoinHandle<()>,
}

impl Saver {
    /// Saves into `store`, whose version of the state is `known`.
    pub(crate) fn start(store: StateStore, known: EngineState) -> Self {
        let (newest, states) = watch::channel(Arc::new(known));
        Self { newest, task: tokio::spawn(save_all(store, states)) }
    }

    /// Saves nothing.
    pub(crate) fn idle() -> Self {
        Self { newest: watch::channel(Arc::default()).0, task: tokio::spawn(async {}) }
    }

    /// Leaves the newest state to be saved.
    pub(crate) fn offer(&self, state: EngineState) {
        self.newest.send_replace(Arc::new(state));
    }

    /// Saves what was offered last, and ends.
    pub(crate) async fn finish(self, limit: Duration) {
        drop(self.newest);
        if tokio::time::timeout(limit, self.task).await.is_err() {
            tracing::warn!("the last state was not saved in time; what was told since the last save may be told again");
        }
    }
}

async fn save_all(mut store: StateStore, mut states: watch::Receiver<Arc<EngineState>>) {
    let mut saved = text(&states.borrow());
    let mut not_before = Instant::now();
    loop {
        // An error means that nothing more will be offered; the last state may still be unsaved.
        let ended = states.changed().await.is_err();
        sleep_until(not_before).await;
        let state = states.borrow_and_update().clone();
        let newest = text(&state);
        if newest != saved {
            if save(&mut store, &newest, ended).await {
                saved = newest;
            } else {
                states.mark_changed();
            }
            let pace = PACE + PACE * u32::try_from(saved.len() / BYTES_PER_PACE).unwrap_or(u32::MAX);
            not_before = Instant::now() + pace;
        }
        if ended {
            return;
        }
    }
}

/// One save; whether it is done with.
async fn save(store: &mut StateStore, text: &str, last: bool) -> bool {
    let error = match store.save(text).await {
        Ok(()) => return true,
        Err(error) => error,
    };
    tracing::warn!(%error, "state not saved");
    match error {
        // One replica: whoever wrote is no leader but a hand or an old Pod on its way out. What it wrote is older.
        StateError::Conflict { .. } => {
            if let Err(error) = store.load().await {
                tracing::warn!(%error, "state not read again");
            }
            store.save(text).await.is_ok()
        }
        StateError::TooLarge { .. } => true,
        _ => {
            if !last {
                sleep(RETRY).await;
            }
            false
        }
    }
}

fn text(state: &EngineState) -> String {
    // Every part of the state is plain data with text keys: this does not fail.
    serde_json::to_string_pretty(state).unwrap_or_default()
}
