//! Which object is meant: kinds, references, and the workload that answers for an object.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Name;

/// The kinds of object kpulse looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Kind {
    /// `v1` Pod.
    Pod,
    /// `v1` Node.
    Node,
    /// `v1` Namespace.
    Namespace,
    /// `v1` Event.
    Event,
    /// One of kpulse's own watches: what it can't see is a trouble of its own.
    Watch,
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// `batch/v1` Job.
    Job,
    /// `batch/v1` CronJob.
    CronJob,
    /// `autoscaling/v2` HorizontalPodAutoscaler.
    HorizontalPodAutoscaler,
    /// `v1` PersistentVolumeClaim.
    PersistentVolumeClaim,
    /// `policy/v1` PodDisruptionBudget.
    PodDisruptionBudget,
    /// `v1` Secret of type `kubernetes.io/tls`.
    Secret,
}

impl Kind {
    /// Every kind there is in a cluster.
    const ALL: [Self; 13] = [
        Self::Pod,
        Self::Node,
        Self::Namespace,
        Self::Event,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::CronJob,
        Self::HorizontalPodAutoscaler,
        Self::PersistentVolumeClaim,
        Self::PodDisruptionBudget,
        Self::Secret,
    ];

    /// The kind that manifests call so; nothing for kinds that kpulse does not look at.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind as manifests write it: `Pod`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::Node => "Node",
            Self::Namespace => "Namespace",
            Self::Event => "Event",
            Self::Watch => "Watch",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Secret => "Secret",
        }
    }

    /// Whether objects of this kind live in a namespace.
    #[must_use]
    pub const fn is_namespaced(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace | Self::Watch)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One object by kind, namespace and name. An object created anew under the same name has the same reference and
/// another uid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for cluster-scoped kinds.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
}

impl ObjectRef {
    /// The reference to `kind` `namespace/name`.
    pub fn new(kind: Kind, namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}

/// Written as people write it: `Pod/api-1`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// What a person changes to mend an object: the Deployment of a Pod, the CronJob of a Job. A bare object is its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Workload {
    /// Its kind, as the owner reference gives it: not only kinds that kpulse watches own Pods.
    pub kind: Name,
    /// Its name, in the namespace of the object.
    pub name: Name,
}

impl Workload {
    /// The workload `kind/name`.
    pub fn new(kind: impl Into<Name>, name: impl Into<Name>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }

    /// Whether `object` is this workload itself.
    #[must_use]
    pub fn is(&self, object: &ObjectRef) -> bool {
        self.kind == object.kind.as_str() && self.name == object.name
    }
}

impl From<&ObjectRef> for Workload {
    fn from(object: &ObjectRef) -> Self {
        Self { kind: Name::from(object.kind.as_str()), name: object.name.clone() }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}
