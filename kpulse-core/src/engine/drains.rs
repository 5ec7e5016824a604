//! Drains that are held up: what is remembered of nodes and budgets, and what is asked of the cluster.

use jiff::Timestamp;

use super::Engine;
use crate::facts::Facts;
use crate::monitors::{MonitorName, PdbBlocked};
use crate::{Name, ObjectRef};

/// Something the engine must know and is not told by watches. What is found is observed as if a watch had seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// The Pods that are bound to this node.
    PodsOn(Name),
}

impl Engine {
    /// What must be asked of the API server now. Nothing, in a cluster where no drain is held up.
    pub fn inquiries(&mut self, now: Timestamp) -> Vec<Inquiry> {
        let monitor = &self.settings.monitors.pdb_blocked;
        if !monitor.enabled {
            return Vec::new();
        }
        self.drains.ask(now, monitor.threshold.get()).into_iter().map(Inquiry::PodsOn).collect()
    }

    pub(super) fn next_inquiry(&self) -> Option<Timestamp> {
        let monitor = &self.settings.monitors.pdb_blocked;
        self.drains.next_due(monitor.threshold.get()).filter(|_| monitor.enabled)
    }

    pub(super) fn see_drain(&mut self, now: Timestamp, object: &ObjectRef, facts: &Facts) {
        match facts {
            Facts::Node(node) => self.drains.see_node(now, node),
            Facts::Budget(budget) => self.drains.see_budget(now, object, budget),
            Facts::Pod(pod) if self.drains.see_pod(object, pod) => {}
            _ => return,
        }
        if matches!(facts, Facts::Budget(_)) {
            self.judge_budget(now, object);
        }
        self.judge_drains(now);
    }

    /// Says anew of every budget that allows nothing whether it holds up a drain.
    pub(super) fn judge_drains(&mut self, now: Timestamp) {
        for budget in PdbBlocked::budgets(&self.drains) {
            self.judge_budget(now, &budget);
        }
    }

    fn judge_budget(&mut self, now: Timestamp, budget: &ObjectRef) {
        let monitor = &self.settings.monitors.pdb_blocked;
        if monitor.enabled && !self.surroundings.is_terminating(&budget.namespace) {
            let findings = monitor.inspect(budget, &self.drains);
            self.tracker.report(now, budget, MonitorName::PdbBlocked, findings);
        }
    }
}
