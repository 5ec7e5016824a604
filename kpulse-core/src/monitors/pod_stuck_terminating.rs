//! `pod_stuck_terminating`: Pods that are still there long after their grace period: their kubelet does not answer, a
//! process cannot be killed, a volume not be unmounted, or a finalizer is not removed.

use serde::{Deserialize, Serialize};

use super::{Monitor, MonitorName};
use crate::facts::PodFacts;
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- settings

/// What `pod_stuck_terminating` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PodStuckTerminating {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How long a Pod may outlive its grace period.
    pub threshold: Span,
}

impl Default for PodStuckTerminating {
    fn default() -> Self {
        Self { enabled: true, severity: None, threshold: Span::minutes(10) }
    }
}

// ---- inspect

impl Monitor<PodFacts> for PodStuckTerminating {
    const NAME: MonitorName = MonitorName::PodStuckTerminating;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    /// `deletionTimestamp` is when the grace period ends, not when the deletion was asked for: it may be hours ahead.
    fn inspect(&self, pod: &PodFacts, findings: &mut Findings) {
        let Some(grace_ends) = pod.meta.deleting else { return };
        findings.present(Finding {
            what: "stuck terminating".to_owned(),
            cause: cause(pod),
            since: Since::NotBefore(grace_ends),
            wait: self.threshold.get(),
            ..Finding::new(TroubleKey::object("terminating"), "Terminating", Severity::Warning)
        });
    }
}

fn cause(pod: &PodFacts) -> String {
    let finalizers = &pod.meta.finalizers;
    match &pod.spec.node_name {
        _ if !finalizers.is_empty() => {
            let names: Vec<&str> = finalizers.iter().map(crate::Name::as_str).collect();
            format!("waits for finalizers: {}", names.join(", "))
        }
        Some(node) => format!("node {node} has not confirmed that its containers ended"),
        None => "nobody has confirmed its deletion".to_owned(),
    }
}
