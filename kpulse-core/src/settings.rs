//! What the user decides. Read by kpulse-bin from file and environment; plain values here.

mod duration;
mod glob;
mod severity_rule;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use duration::{Span, SpanError};
pub use glob::Glob;
pub use severity_rule::SeverityRule;

use crate::monitors::{
    CronjobMissed, DaemonSetUnscheduled, HpaAtMax, JobFailed, NodeConditions, NodeDisk, PdbBlocked, PodCrashes,
    PodRestarts, PodStuckTerminating, PvcPending, PvcUsage, RolloutStuck, TlsCertExpiry, WarningEvents,
};
use crate::{Name, Resource, policy::Route};

/// Everything the core is told by its user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The cluster's name, said in each message.
    pub cluster: Name,
    /// Which namespaces are looked at.
    pub namespaces: Namespaces,
    /// What is looked for.
    pub monitors: Monitors,
    /// When something may be said again.
    pub dedupe: Dedupe,
    /// Whether endings are told.
    pub resolution: Resolution,
    /// Who is told what; the first match wins.
    pub routing: Vec<Route>,
    /// Every channel there is, in the order of the configuration.
    pub channels: Vec<Name>,
    /// The channel for what no route matches; the first one if nothing is said.
    pub default_channel: Option<Name>,
}

impl Settings {
    /// What is to be watched for the monitors that are wanted.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        Resource::ALL.into_iter().filter(|resource| self.monitors.need(*resource))
    }

    /// The channel for what no route matches.
    #[must_use]
    pub fn default_channel(&self) -> Option<&Name> {
        self.default_channel.as_ref().or_else(|| self.channels.first())
    }
}

/// Which namespaces are looked at. Cluster-scoped objects are always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Namespaces {
    /// Names or globs; an empty list means all.
    pub include: Vec<Glob>,
    /// Names or globs; wins over `include`.
    pub exclude: Vec<Glob>,
    /// Labels that the namespace must have, each with a value or glob; none fits all.
    pub selector: BTreeMap<String, Glob>,
}

impl Default for Namespaces {
    fn default() -> Self {
        let globs = |names: &[&str]| names.iter().map(|name| Glob::new(*name)).collect();
        Self {
            include: globs(&["*"]),
            exclude: globs(&["kube-system", "kube-public", "kpulse"]),
            selector: BTreeMap::new(),
        }
    }
}

impl Namespaces {
    /// Whether the selector says anything, and fits these labels.
    #[must_use]
    pub fn selects(&self, labels: &[(String, String)]) -> bool {
        let fits =
            |(key, wanted): (&String, &Glob)| labels.iter().any(|(label, value)| label == key && wanted.matches(value));
        !self.selector.is_empty() && self.selector.iter().all(fits)
    }

    /// Whether a namespace is looked at as far as its name goes; the empty name stands for cluster-scoped objects, which always are.
    #[must_use]
    pub fn watches(&self, namespace: &str) -> bool {
        namespace.is_empty()
            || (self.include.is_empty() || self.include.iter().any(|glob| glob.matches(namespace)))
                && !self.exclude.iter().any(|glob| glob.matches(namespace))
    }
}

/// What is looked for, a block for each monitor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Monitors {
    /// Containers and Pods that fail or do not start.
    pub pod_crashes: PodCrashes,
    /// Containers that are started again and again.
    pub pod_restarts: PodRestarts,
    /// Warning Events, told as they are.
    pub warning_events: WarningEvents,
    /// CronJobs whose runs are not started.
    pub cronjob_missed: CronjobMissed,
    /// DaemonSets that do not run on all the nodes they should.
    pub daemonset_unscheduled: DaemonSetUnscheduled,
    /// HorizontalPodAutoscalers at their maximum, or without metrics.
    pub hpa_at_max: HpaAtMax,
    /// Jobs that gave up.
    pub job_failed: JobFailed,
    /// Nodes that are not ready or under pressure.
    pub node_conditions: NodeConditions,
    /// Nodes whose disks are nearly full.
    pub node_disk: NodeDisk,
    /// Drains that a PodDisruptionBudget holds up.
    pub pdb_blocked: PdbBlocked,
    /// Pods that are still there long after their grace period.
    pub pod_stuck_terminating: PodStuckTerminating,
    /// Claims that wait for a volume which does not come.
    pub pvc_pending: PvcPending,
    /// Claims whose volumes are nearly full.
    pub pvc_usage: PvcUsage,
    /// Deployments and StatefulSets that do not get the Pods that were asked for.
    pub rollout_stuck: RolloutStuck,
    /// Certificates that end soon.
    pub tls_cert_expiry: TlsCertExpiry,
}

/// When something may be said again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dedupe {
    /// A trouble that comes back within this time of its end must stay away longer before it is over again.
    pub window: Span,
    /// Whether minor troubles are gathered before they are told.
    pub digest: Digest,
}

impl Default for Dedupe {
    fn default() -> Self {
        Self { window: Span::minutes(30), digest: Digest::default() }
    }
}

/// Whether minor troubles are gathered before they are told. Not yet: each is told by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Digest {
    /// Must be false for now.
    pub enabled: bool,
}

/// Whether endings are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resolution {
    /// Off: only troubles are told, never their ends.
    pub enabled: bool,
}

impl Default for Resolution {
    fn default() -> Self {
        Self { enabled: true }
    }
}
