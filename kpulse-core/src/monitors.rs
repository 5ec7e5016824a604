//! The monitors: what is looked for. Each is a pure function of one object's facts, in a file of its own with the
//! same sections: what it means, its settings, `inspect`, tests.

pub(crate) mod blindness;
mod cronjob_missed;
mod daemonset_unscheduled;
mod fullness;
mod hpa_at_max;
mod job_failed;
mod node_conditions;
mod node_disk;
mod pdb_blocked;
mod pod_crashes;
mod pod_restarts;
mod pod_stuck_terminating;
mod pvc_pending;
mod pvc_usage;
mod rollout_stuck;
mod tls_cert_expiry;
mod warning_events;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cronjob_missed::CronjobMissed;
pub use daemonset_unscheduled::DaemonSetUnscheduled;
pub use hpa_at_max::HpaAtMax;
pub use job_failed::{JobFailed, JobOutcome, outcome};
pub use node_conditions::NodeConditions;
pub use node_disk::NodeDisk;
pub(crate) use pdb_blocked::Drains;
pub use pdb_blocked::PdbBlocked;
pub(crate) use pod_crashes::LOST;
pub use pod_crashes::PodCrashes;
pub use pod_restarts::PodRestarts;
pub(crate) use pod_restarts::RestartMemory;
pub use pod_stuck_terminating::PodStuckTerminating;
pub use pvc_pending::PvcPending;
pub use pvc_usage::PvcUsage;
pub use rollout_stuck::RolloutStuck;
pub use tls_cert_expiry::TlsCertExpiry;
pub use warning_events::{WarningEvents, subject_of};

use crate::ObjectRef;
use crate::Resource;
use crate::facts::{Facts, SummaryFacts};
use crate::finding::Findings;
use crate::settings::{Monitors, SeverityRule, Span};

/// The name of a monitor, as configuration and messages write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MonitorName {
    /// Containers and Pods that fail or do not start.
    PodCrashes,
    /// Containers that are started again and again.
    PodRestarts,
    /// Warning Events, told as they are.
    WarningEvents,
    /// CronJobs whose runs are not started.
    CronjobMissed,
    /// DaemonSets that do not run on all the nodes they should.
    DaemonsetUnscheduled,
    /// HorizontalPodAutoscalers at their maximum, or without metrics.
    HpaAtMax,
    /// Jobs that gave up.
    JobFailed,
    /// Nodes that are not ready or under pressure.
    NodeConditions,
    /// Nodes whose disks are nearly full.
    NodeDisk,
    /// Drains that a PodDisruptionBudget holds up.
    PdbBlocked,
    /// Pods that are still there long after their grace period.
    PodStuckTerminating,
    /// Claims that wait for a volume which does not come.
    PvcPending,
    /// Claims whose volumes are nearly full.
    PvcUsage,
    /// Deployments and StatefulSets that do not get the Pods that were asked for.
    RolloutStuck,
    /// Certificates that end soon.
    TlsCertExpiry,
    /// What kpulse itself is not able to see. Always on, and no setting of `monitors:`.
    Blindness,
}

impl MonitorName {
    /// Every monitor that users set.
    pub const ALL: [Self; 15] = [
        Self::PodCrashes,
        Self::PodRestarts,
        Self::WarningEvents,
        Self::CronjobMissed,
        Self::DaemonsetUnscheduled,
        Self::HpaAtMax,
        Self::JobFailed,
        Self::NodeConditions,
        Self::NodeDisk,
        Self::PdbBlocked,
        Self::PodStuckTerminating,
        Self::PvcPending,
        Self::PvcUsage,
        Self::RolloutStuck,
        Self::TlsCertExpiry,
    ];

    /// The name as configuration and messages write it: `pod_crashes`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PodCrashes => "pod_crashes",
            Self::PodRestarts => "pod_restarts",
            Self::WarningEvents => "warning_events",
            Self::CronjobMissed => "cronjob_missed",
            Self::DaemonsetUnscheduled => "daemonset_unscheduled",
            Self::HpaAtMax => "hpa_at_max",
            Self::JobFailed => "job_failed",
            Self::NodeConditions => "node_conditions",
            Self::NodeDisk => "node_disk",
            Self::PdbBlocked => "pdb_blocked",
            Self::PodStuckTerminating => "pod_stuck_terminating",
            Self::PvcPending => "pvc_pending",
            Self::PvcUsage => "pvc_usage",
            Self::RolloutStuck => "rollout_stuck",
            Self::TlsCertExpiry => "tls_cert_expiry",
            Self::Blindness => "blindness",
        }
    }
}

impl MonitorName {
    /// Whether the monitor looks at this resource, or needs it to know what became of its objects.
    #[must_use]
    pub fn reads(self, resource: Resource) -> bool {
        let reads_pods =
            matches!(self, Self::PodCrashes | Self::PodRestarts | Self::PodStuckTerminating | Self::PdbBlocked);
        match resource {
            Resource::Namespaces => self != Self::Blindness,
            Resource::Pods => reads_pods,
            // They answer for Pods.
            Resource::Deployments | Resource::StatefulSets => reads_pods || self == Self::RolloutStuck,
            Resource::DaemonSets => reads_pods || self == Self::DaemonsetUnscheduled,
            Resource::Jobs => reads_pods || self == Self::JobFailed,
            Resource::CronJobs => reads_pods || matches!(self, Self::JobFailed | Self::CronjobMissed),
            Resource::Nodes => matches!(self, Self::NodeConditions | Self::NodeDisk | Self::PdbBlocked),
            Resource::HorizontalPodAutoscalers => self == Self::HpaAtMax,
            Resource::PersistentVolumeClaims => matches!(self, Self::PvcPending | Self::PvcUsage),
            Resource::PodDisruptionBudgets => self == Self::PdbBlocked,
            Resource::TlsSecrets => self == Self::TlsCertExpiry,
            Resource::WarningEvents => self == Self::WarningEvents,
            Resource::FailedMountEvents
            | Resource::FailedAttachEvents
            | Resource::ScaleUpEvents
            | Resource::NominatedEvents => self == Self::PodCrashes,
        }
    }

    /// Whether the monitor reads what kubelets say of disks and volumes.
    #[must_use]
    pub fn reads_kubelets(self) -> bool {
        matches!(self, Self::NodeDisk | Self::PvcUsage)
    }
}

impl fmt::Display for MonitorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Looks at the facts of one kind of object and says what is wrong with it. The implementor is the monitor's settings.
pub trait Monitor<F> {
    /// The monitor's name.
    const NAME: MonitorName;

    /// Whether the user wants it.
    fn enabled(&self) -> bool;

    /// How bad its troubles are, where the user does not want its own judgement.
    fn severity(&self) -> Option<&SeverityRule>;

    /// Says what is wrong with this object, and from when that counts.
    fn inspect(&self, facts: &F, findings: &mut Findings);
}

/// Looks at what a kubelet's summary tells of other objects, and says what is wrong with each of those it speaks of. One
/// that is not mentioned is unknown; one mentioned without findings was seen to be well. The implementor is the
/// monitor's settings.
pub trait Survey {
    /// The monitor's name.
    const NAME: MonitorName;

    /// Whether the user wants it.
    fn enabled(&self) -> bool;

    /// How bad its troubles are, where the user does not want its own judgement.
    fn severity(&self) -> Option<&SeverityRule>;

    /// Says what is wrong with each object that the summary speaks of.
    fn inspect(&self, summary: &SummaryFacts) -> impl Iterator<Item = (ObjectRef, Findings)>;
}

impl Monitors {
    /// Has every enabled monitor for this kind look at the object, and hands over what each says.
    pub fn inspect(&self, facts: &Facts, mut say: impl FnMut(MonitorName, Findings)) {
        match facts {
            Facts::Pod(pod) => {
                look(&self.pod_crashes, &**pod, &mut say);
                look(&self.pod_stuck_terminating, &**pod, &mut say);
            }
            Facts::Node(node) => look(&self.node_conditions, &**node, &mut say),
            Facts::Deployment(deployment) => look(&self.rollout_stuck, &**deployment, &mut say),
            Facts::StatefulSet(set) => look(&self.rollout_stuck, &**set, &mut say),
            Facts::DaemonSet(set) => look(&self.daemonset_unscheduled, &**set, &mut say),
            Facts::Autoscaler(autoscaler) => look(&self.hpa_at_max, &**autoscaler, &mut say),
            Facts::Claim(claim) => look(&self.pvc_pending, &**claim, &mut say),
            Facts::Secret(secret) => look(&self.tls_cert_expiry, &**secret, &mut say),
            Facts::CronJob(cron_job) => look(&self.cronjob_missed, &**cron_job, &mut say),
            Facts::Job(job) => look(&self.job_failed, &**job, &mut say),
            Facts::Event(event) => look(&self.warning_events, &**event, &mut say),
            Facts::Namespace(_) | Facts::Budget(_) => {}
        }
    }

    /// Has every enabled survey look at a summary, and hands over what each says of which object.
    pub fn survey(&self, summary: &SummaryFacts, mut say: impl FnMut(ObjectRef, MonitorName, Findings)) {
        survey(&self.node_disk, summary, &mut say);
        survey(&self.pvc_usage, summary, &mut say);
    }

    /// Whether any monitor that is wanted looks at this resource, or needs it to know what became of its objects.
    #[must_use]
    pub fn need(&self, resource: Resource) -> bool {
        let is_among_warnings = matches!(resource, Resource::FailedMountEvents | Resource::FailedAttachEvents);
        if is_among_warnings && self.warning_events.enabled {
            return false;
        }
        MonitorName::ALL.into_iter().any(|monitor| self.enabled(monitor) && monitor.reads(resource))
            || resource == Resource::Namespaces
    }

    /// How often kubelets are asked; nothing where nobody wants to know.
    #[must_use]
    pub fn survey_interval(&self) -> Option<Span> {
        let of_disks = self.node_disk.enabled.then_some(self.node_disk.interval);
        let of_claims = self.pvc_usage.enabled.then_some(self.pvc_usage.interval);
        of_disks.into_iter().chain(of_claims).min()
    }

    /// Whether the user wants this monitor.
    #[must_use]
    pub fn enabled(&self, monitor: MonitorName) -> bool {
        match monitor {
            MonitorName::PodCrashes => self.pod_crashes.enabled,
            MonitorName::PodRestarts => self.pod_restarts.enabled,
            MonitorName::WarningEvents => self.warning_events.enabled,
            MonitorName::CronjobMissed => self.cronjob_missed.enabled,
            MonitorName::DaemonsetUnscheduled => self.daemonset_unscheduled.enabled,
            MonitorName::HpaAtMax => self.hpa_at_max.enabled,
            MonitorName::JobFailed => self.job_failed.enabled,
            MonitorName::NodeConditions => self.node_conditions.enabled,
            MonitorName::NodeDisk => self.node_disk.enabled,
            MonitorName::PdbBlocked => self.pdb_blocked.enabled,
            MonitorName::PodStuckTerminating => self.pod_stuck_terminating.enabled,
            MonitorName::PvcPending => self.pvc_pending.enabled,
            MonitorName::PvcUsage => self.pvc_usage.enabled,
            MonitorName::RolloutStuck => self.rollout_stuck.enabled,
            MonitorName::TlsCertExpiry => self.tls_cert_expiry.enabled,
            MonitorName::Blindness => true,
        }
    }
}

fn look<F, M: Monitor<F>>(monitor: &M, facts: &F, say: &mut impl FnMut(MonitorName, Findings)) {
    if monitor.enabled() {
        let mut findings = Findings::default();
        monitor.inspect(facts, &mut findings);
        judge(monitor.severity(), &mut findings);
        say(M::NAME, findings);
    }
}

fn survey<S: Survey>(monitor: &S, summary: &SummaryFacts, say: &mut impl FnMut(ObjectRef, MonitorName, Findings)) {
    if monitor.enabled() {
        for (object, mut findings) in monitor.inspect(summary) {
            judge(monitor.severity(), &mut findings);
            say(object, S::NAME, findings);
        }
    }
}

/// Lets the user's judgement of how bad it is stand above the monitor's.
fn judge(rule: Option<&SeverityRule>, findings: &mut Findings) {
    let Some(rule) = rule else { return };
    for finding in &mut findings.present {
        finding.severity = rule.severity_of(&finding.reason).unwrap_or(finding.severity);
        for stage in &mut finding.stages {
            stage.severity = rule.severity_of(&stage.reason).unwrap_or(stage.severity);
        }
    }
}
