//! `pvc_pending`: claims that wait for a volume which does not come.
//!
//! A claim may well be Pending for ever: with binding mode WaitForFirstConsumer nothing is done for it until a Pod
//! needs it. The mode stands in the storage class, which is not read; the claim itself tells in these ways that it
//! is its turn (`syncUnboundClaim` in `pkg/controller/volume/persistentvolume`):
//!
//! - it has a provisioner annotation: the volume controller asked that provisioner for a volume;
//! - it has a selected-node annotation: the scheduler placed a Pod that needs it, and waits for the volume;
//! - it has no class at all, or names its volume: such claims are bound as soon as there is a volume for them.
//!
//! # Limits
//!
//! A claim of a class that does not exist, or whose volumes are made by hand, shows none of these and is passed over; it
//! may wait for its first consumer. The Pod that needs it is told by `pod_crashes` as unschedulable.

use serde::{Deserialize, Serialize};

use super::{Monitor, MonitorName};
use crate::facts::ClaimFacts;
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- meaning

/// A provisioner was asked; the volume controller's Event for it has the same name.
const PROVISIONING: &str = "ExternalProvisioning";
/// No volume fits, or not the one it names; the volume controller's Event for it has the same name.
const NO_VOLUME: &str = "FailedBinding";

// ---- settings

/// What `pvc_pending` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PvcPending {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How long a claim may wait for its volume.
    pub threshold: Span,
}

impl Default for PvcPending {
    fn default() -> Self {
        Self { enabled: true, severity: None, threshold: Span::minutes(10) }
    }
}

// ---- inspect

impl Monitor<ClaimFacts> for PvcPending {
    const NAME: MonitorName = MonitorName::PvcPending;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, claim: &ClaimFacts, findings: &mut Findings) {
        let key = TroubleKey::object("pending");
        let pending = match claim.status.phase.as_str() {
            "Bound" => return,
            "Pending" if claim.metadata.meta.deleting.is_none() => wait_of(claim),
            _ => None,
        };
        let Some((reason, cause, since)) = pending else {
            findings.unknown(key);
            return;
        };
        findings.present(Finding {
            what: "without its volume".to_owned(),
            cause,
            since,
            wait: self.threshold.get(),
            ..Finding::new(key, reason, Severity::Warning)
        });
    }
}

/// What a Pending claim waits for, and since when; nothing if that may be its first consumer. When its turn came is
/// not said: a volume's name is set moments before the claim is Bound, on claims of any age. Only one without a class
/// never waited for anything else.
fn wait_of(claim: &ClaimFacts) -> Option<(&'static str, String, Since)> {
    let metadata = &claim.metadata;
    if let Some(volume) = &claim.spec.volume_name {
        return Some((NO_VOLUME, format!("volume {volume} is not there, or not for this claim"), Since::FirstSeen));
    }
    let Some(class) = claim.class() else {
        let created = metadata.meta.created.map_or(Since::FirstSeen, Since::At);
        return Some((NO_VOLUME, "it has no storage class, and no volume fits".to_owned(), created));
    };
    let asked = match (&metadata.provisioner, &metadata.selected_node) {
        (Some(provisioner), Some(node)) => format!("{provisioner} has made no volume of class {class} for node {node}"),
        (Some(provisioner), None) => format!("{provisioner} has made no volume of class {class}"),
        (None, Some(node)) => format!("no volume of class {class} for node {node}"),
        (None, None) => return None,
    };
    Some((PROVISIONING, asked, Since::FirstSeen))
}
