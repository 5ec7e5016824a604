//! `node_conditions`: nodes that are not ready, or short of disk, memory or process ids.
//!
//! A node whose kubelet died says nothing more: the node controller turns its Ready condition Unknown after a while
//! (`--node-monitor-grace-period`), and no further event comes. Not ready is therefore Ready False *or Unknown*. All
//! pressure conditions turn Unknown with it; that is not pressure, but nobody knows.

use serde::{Deserialize, Serialize};

use super::words::{first_line, minute};
use super::{Monitor, MonitorName};
use crate::Name;
use crate::facts::{Condition, ConditionStatus, NodeFacts};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- meaning

const NOT_READY: &str = "NotReady";

/// Cordoned nodes are being worked on: they are given this long, and are a warning.
const CORDONED_GRACE: Span = Span::minutes(15);

/// Taints of nodes that somebody is taking away, or has switched off. What such a node shows is no news, and it is
/// not well either.
const LEAVING: [&str; 5] = [
    // The cluster autoscaler, `cluster-autoscaler/utils/taints`.
    "ToBeDeletedByClusterAutoscaler",
    // Karpenter since v1, and before.
    "karpenter.sh/disrupted",
    "karpenter.sh/disruption",
    // Cloud controllers, for a machine that is shut down: `TaintNodeShutdown` in `k8s.io/cloud-provider/api`.
    "node.cloudprovider.kubernetes.io/shutdown",
    // Somebody has seen that the machine is off (`TaintNodeOutOfService` in `k8s.io/api/core/v1`).
    "node.kubernetes.io/out-of-service",
];

/// Conditions of the kubelet that are bad when True: their trouble, and how people say it.
const PRESSURES: [(&str, &str, &str); 3] = [
    ("DiskPressure", "disk_pressure", "short of disk space"),
    ("MemoryPressure", "memory_pressure", "short of memory"),
    ("PIDPressure", "pid_pressure", "short of process ids"),
];

// ---- settings

/// What `node_conditions` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConditions {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; critical, and a warning for cordoned nodes, if nothing is said.
    pub severity: Option<SeverityRule>,
    /// `NotReady`, and types of conditions that are bad when True. Beside the kubelet's own these may be those of
    /// other keepers of nodes: `KernelDeadlock` of the node problem detector.
    pub alert_on: Vec<Name>,
    /// How long a node may be not ready. Pressure is told at once: the kubelet has waited already.
    pub grace: Span,
}

impl Default for NodeConditions {
    fn default() -> Self {
        let pressures = PRESSURES.iter().map(|(condition, ..)| *condition);
        Self {
            enabled: true,
            severity: None,
            alert_on: pressures.chain([NOT_READY]).map(Name::from).collect(),
            grace: Span::minutes(5),
        }
    }
}

// ---- inspect

impl Monitor<NodeFacts> for NodeConditions {
    const NAME: MonitorName = MonitorName::NodeConditions;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, node: &NodeFacts, findings: &mut Findings) {
        // A node on its way out may still come back: it is gone when it is, and well when it is seen to be.
        if node.meta.deleting.is_some() || LEAVING.iter().any(|taint| node.has_taint(taint)) {
            findings.all_unknown();
            return;
        }
        for name in &self.alert_on {
            match name.as_str() {
                // Who writes the name of the condition means that it does not hold.
                NOT_READY | "Ready" => self.not_ready(node, findings),
                _ => pressure(node, name, findings),
            }
        }
    }
}

impl NodeConditions {
    fn not_ready(&self, node: &NodeFacts, findings: &mut Findings) {
        let key = TroubleKey::object("not_ready");
        let Some(ready) = node.condition("Ready") else {
            findings.unknown(key);
            return;
        };
        let cause = match ready.status {
            ConditionStatus::True => return,
            ConditionStatus::False => first_line(&ready.message),
            ConditionStatus::Unknown => silence(ready),
        };
        let grace = if node.spec.unschedulable { self.grace.max(CORDONED_GRACE) } else { self.grace };
        findings.present(Finding {
            what: "not ready".to_owned(),
            cause,
            // Unknown turns to False for a moment when a kubelet comes back: the tracker keeps the earlier time.
            since: since(ready),
            wait: grace.get(),
            ..Finding::new(key, NOT_READY, severity(node))
        });
    }
}

fn pressure(node: &NodeFacts, name: &Name, findings: &mut Findings) {
    let known = PRESSURES.iter().find(|(condition, ..)| *name == *condition);
    let key = TroubleKey::object(known.map_or(name.as_str(), |(_, trouble, _)| trouble));
    match node.condition(name) {
        Some(condition) if condition.status == ConditionStatus::True => findings.present(Finding {
            what: known.map_or_else(|| format!("in condition {name}"), |(.., what)| (*what).to_owned()),
            cause: first_line(&condition.message),
            since: since(condition),
            ..Finding::new(key, name, severity(node))
        }),
        Some(condition) if condition.status == ConditionStatus::False => {}
        _ => findings.unknown(key),
    }
}

fn severity(node: &NodeFacts) -> Severity {
    if node.spec.unschedulable { Severity::Warning } else { Severity::Critical }
}

fn since(condition: &Condition) -> Since {
    condition.last_transition_time.map_or(Since::FirstSeen, Since::At)
}

fn silence(ready: &Condition) -> String {
    match ready.last_transition_time {
        Some(at) => format!("kubelet silent since {}", minute(at)),
        None => "kubelet silent".to_owned(),
    }
}
