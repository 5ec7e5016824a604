//! `daemonset_unscheduled`: DaemonSets that do not run on all the nodes they should.
//!
//! Nodes whose kubelet fell silent are not among those: the controller takes them out of the number it wants, so a
//! dead node does not make its DaemonSets look broken.

use serde::{Deserialize, Serialize};

use super::{Monitor, MonitorName};
use crate::facts::DaemonSetFacts;
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- meaning

/// Some nodes have no Pod at all.
const NOT_SCHEDULED: &str = "NotScheduled";
/// Every node has its Pod, but some are not ready.
const NOT_READY: &str = "NotReady";

// ---- settings

/// What `daemonset_unscheduled` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DaemonSetUnscheduled {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How long Pods may be missing or not ready; while it rolls, without any node changing over.
    pub threshold: Span,
}

impl Default for DaemonSetUnscheduled {
    fn default() -> Self {
        Self { enabled: true, severity: None, threshold: Span::minutes(10) }
    }
}

// ---- inspect

impl Monitor<DaemonSetFacts> for DaemonSetUnscheduled {
    const NAME: MonitorName = MonitorName::DaemonsetUnscheduled;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, set: &DaemonSetFacts, findings: &mut Findings) {
        let key = TroubleKey::object("unscheduled");
        let status = &set.status;
        if set.meta.deleting.is_some() {
            findings.all_unknown();
            return;
        }
        let (Some(desired), Some(ready), false) =
            (status.desired_number_scheduled, status.number_ready, set.is_outdated())
        else {
            findings.unknown(key);
            return;
        };
        if desired == ready {
            return;
        }
        let current = status.current_number_scheduled.unwrap_or(desired);
        let (reason, missing) = match desired.saturating_sub(current) {
            missing @ 1.. => (NOT_SCHEDULED, format!(", {missing} without its Pod")),
            _ => (NOT_READY, String::new()),
        };
        findings.present(Finding {
            what: "not ready on all its nodes".to_owned(),
            cause: format!("ready on {ready} of {desired} nodes{missing}"),
            since: Since::FirstSeen,
            progress: rolling(set, desired, current),
            wait: self.threshold.get(),
            ..Finding::new(key, reason, Severity::Warning)
        });
    }
}

/// How many nodes have the new revision, while some have an old one. A node that just joined has no Pod of either:
/// it does not make the set roll, or in a cluster that grows and shrinks all day nothing would ever be due.
fn rolling(set: &DaemonSetFacts, desired: i64, current: i64) -> Option<i64> {
    let updated = set.status.updated_number_scheduled.unwrap_or_default();
    (updated < desired.min(current)).then_some(updated)
}
