//! How much the engine remembers.

use super::Engine;

/// How much is remembered, for metrics and for tests. All of it grows with trouble, not with the cluster, but for
/// `cron_jobs`, of each of which two times are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Troubled objects, among them those that only wait for a time they name (CronJobs, certificates).
    pub objects: usize,
    /// Objects of which it is known when there is something to do if nothing more is seen.
    pub due: usize,
    /// Groups that fire, or whose end is still owed to a channel.
    pub groups: usize,
    /// Groups that channels were told of, of each channel.
    pub told: usize,
    /// Messages that wait for a channel or are on their way to it.
    pub messages: usize,
    /// What Events proved, and deletions of a short while ago.
    pub evidence: usize,
    /// Pods with a container that restarted within the window.
    pub restarts: usize,
    /// CronJobs.
    pub cron_jobs: usize,
    /// Cordoned nodes, budgets that allow nothing, and the Pods between them.
    pub drains: usize,
    /// Namespaces being deleted, and annotations of workloads and namespaces.
    pub surroundings: usize,
}

impl Engine {
    /// How much is remembered.
    #[must_use]
    pub fn remembered(&self) -> Remembered {
        let (objects, due, evidence) = self.tracker.remembered();
        Remembered {
            objects,
            due,
            groups: self.groups.len(),
            told: self.ledger.len(),
            messages: self.desk.len(),
            evidence,
            restarts: self.restarts.len(),
            cron_jobs: self.cron_runs.len(),
            drains: self.drains.len(),
            surroundings: self.surroundings.len(),
        }
    }
}
