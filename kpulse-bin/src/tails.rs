//! Between the loop and the lanes: a message about a crash waits a moment for what the container said last. Everything
//! else passes by, and nothing else waits.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kpulse_core::monitors::PodCrashes;
use kpulse_core::{Name, Notification, ObjectRef, Report};
use kpulse_watch::logs;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

/// How long a message waits at most, its turn included.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many logs are fetched at a time: they come from kubelets that may be in trouble themselves.
const AT_ONCE: usize = 4;

/// Fetches logs, one for each group however many channels are told of it.
pub(crate) struct Tails {
    client: kube::Client,
    /// None are fetched if it is 0.
    lines: u32,
    turns: Arc<Semaphore>,
    ready: mpsc::Sender<Notification>,
}

impl fmt::Debug for Tails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tails").field("lines", &self.lines).field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Tails {
    /// Those of `client`'s cluster. Messages come out at `ready` once their log is there, or does not come.
    pub(crate) fn new(client: kube::Client, settings: &PodCrashes, ready: mpsc::Sender<Notification>) -> Self {
        let lines = if settings.include_recent_logs { settings.max_log_lines } else { 0 };
        Self { client, lines, turns: Arc::new(Semaphore::new(AT_ONCE)), ready }
    }

    /// Takes the messages that a log says more of, and gives back the others.
    pub(crate) fn take(&self, owed: Vec<Notification>) -> Vec<Notification> {
        let mut others = Vec::new();
        let mut waiting: BTreeMap<(ObjectRef, Name), Vec<Notification>> = BTreeMap::new();
        for notification in owed {
            match notification.content.report().and_then(Report::log_source).filter(|_| self.lines > 0) {
                Some((pod, container)) => {
                    let source = (pod.clone(), container.clone());
                    waiting.entry(source).or_default().push(notification);
                }
                None => others.push(notification),
            }
        }
        for ((pod, container), notifications) in waiting {
            tokio::spawn(self.attach(pod, container, notifications));
        }
        others
    }

    fn attach(&self, pod: ObjectRef, container: Name, told: Vec<Notification>) -> impl Future<Output = ()> + 'static {
        let (client, lines, ready) = (self.client.clone(), self.lines, self.ready.clone());
        let turns = Arc::clone(&self.turns);
        let fetch = async move {
            let _turn = turns.acquire_owned().await.ok()?;
            logs::tail(&client, &pod.namespace, &pod.name, &container, lines).await
        };
        async move {
            // A message must come out, whatever happens: its channel waits for the receipt.
            let fetched = AssertUnwindSafe(timeout(PATIENCE, fetch)).catch_unwind().await;
            let tail = fetched.ok().and_then(Result::ok).flatten();
            let log: Vec<String> = tail.iter().flat_map(|tail| tail.text.lines()).map(str::to_owned).collect();
            for mut notification in told {
                if let Some(report) = notification.content.report_mut() {
                    report.log.clone_from(&log);
                }
                if ready.send(notification).await.is_err() {
                    return;
                }
            }
        }
    }
}
