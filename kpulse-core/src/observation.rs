//! What is told to the core about the cluster: objects seen, and whether they can be seen at all.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::facts::{Facts, SummaryFacts};
use crate::{Kind, Name, ObjectRef};

/// One collection of objects that is watched by one watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Resource {
    /// Pods.
    Pods,
    /// Namespaces.
    Namespaces,
    /// Deployments.
    Deployments,
    /// StatefulSets.
    StatefulSets,
    /// DaemonSets.
    DaemonSets,
    /// Jobs.
    Jobs,
    /// CronJobs.
    CronJobs,
    /// Nodes.
    Nodes,
    /// HorizontalPodAutoscalers.
    HorizontalPodAutoscalers,
    /// PersistentVolumeClaims.
    PersistentVolumeClaims,
    /// PodDisruptionBudgets.
    PodDisruptionBudgets,
    /// Secrets of type `kubernetes.io/tls`.
    TlsSecrets,
    /// Events that warn.
    WarningEvents,
    /// Events that say a volume could not be mounted.
    FailedMountEvents,
    /// Events that say a volume could not be attached.
    FailedAttachEvents,
    /// Events of the cluster autoscaler that say a node is being made for a Pod.
    ScaleUpEvents,
    /// Events of Karpenter that say a node is being made for a Pod.
    NominatedEvents,
}

impl Resource {
    /// Every resource that is watched.
    pub const ALL: [Self; 17] = [
        Self::Namespaces,
        Self::Deployments,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::CronJobs,
        Self::Jobs,
        Self::Nodes,
        Self::HorizontalPodAutoscalers,
        Self::PersistentVolumeClaims,
        Self::PodDisruptionBudgets,
        Self::Pods,
        Self::TlsSecrets,
        Self::WarningEvents,
        Self::FailedMountEvents,
        Self::FailedAttachEvents,
        Self::ScaleUpEvents,
        Self::NominatedEvents,
    ];

    /// The kind of its objects.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Pods => Kind::Pod,
            Self::Namespaces => Kind::Namespace,
            Self::Deployments => Kind::Deployment,
            Self::StatefulSets => Kind::StatefulSet,
            Self::DaemonSets => Kind::DaemonSet,
            Self::Jobs => Kind::Job,
            Self::CronJobs => Kind::CronJob,
            Self::Nodes => Kind::Node,
            Self::HorizontalPodAutoscalers => Kind::HorizontalPodAutoscaler,
            Self::PersistentVolumeClaims => Kind::PersistentVolumeClaim,
            Self::PodDisruptionBudgets => Kind::PodDisruptionBudget,
            Self::TlsSecrets => Kind::Secret,
            Self::WarningEvents
            | Self::FailedMountEvents
            | Self::FailedAttachEvents
            | Self::ScaleUpEvents
            | Self::NominatedEvents => Kind::Event,
        }
    }

    /// The API group and version, as in a manifest.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self.kind() {
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => "apps/v1",
            Kind::Job | Kind::CronJob => "batch/v1",
            Kind::HorizontalPodAutoscaler => "autoscaling/v2",
            Kind::PodDisruptionBudget => "policy/v1",
            _ => "v1",
        }
    }

    /// The resource's name in API paths and in RBAC rules.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Namespaces => "namespaces",
            Self::Deployments => "deployments",
            Self::StatefulSets => "statefulsets",
            Self::DaemonSets => "daemonsets",
            Self::Jobs => "jobs",
            Self::CronJobs => "cronjobs",
            Self::Nodes => "nodes",
            Self::HorizontalPodAutoscalers => "horizontalpodautoscalers",
            Self::PersistentVolumeClaims => "persistentvolumeclaims",
            Self::PodDisruptionBudgets => "poddisruptionbudgets",
            Self::TlsSecrets => "secrets",
            Self::WarningEvents
            | Self::FailedMountEvents
            | Self::FailedAttachEvents
            | Self::ScaleUpEvents
            | Self::NominatedEvents => "events",
        }
    }

    /// The field selector that narrows the watch, if any.
    #[must_use]
    pub const fn field_selector(self) -> Option<&'static str> {
        match self {
            Self::TlsSecrets => Some("type=kubernetes.io/tls"),
            Self::WarningEvents => Some("type=Warning"),
            Self::FailedMountEvents => Some("reason=FailedMount"),
            Self::FailedAttachEvents => Some("reason=FailedAttachVolume"),
            Self::ScaleUpEvents => Some("reason=TriggeredScaleUp"),
            Self::NominatedEvents => Some("reason=Nominated"),
            _ => None,
        }
    }
}

/// What one watch sees: a resource in the whole cluster or in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// What is watched.
    pub resource: Resource,
    /// Where; the whole cluster if nothing is said.
    pub namespace: Option<Name>,
}

impl Scope {
    /// The resource in the whole cluster.
    #[must_use]
    pub const fn cluster(resource: Resource) -> Self {
        Self { resource, namespace: None }
    }

    /// Whether an object is seen by this watch.
    #[must_use]
    pub fn covers(&self, object: &ObjectRef) -> bool {
        object.kind == self.resource.kind()
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == object.namespace)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.resource.plural())?;
        if let Some(selector) = self.resource.field_selector() {
            write!(f, " ({selector})")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}

/// Why a watch sees nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blindness {
    /// The API server does not let us (403), or does not have the resource (404): asking again soon is no use.
    Refused(String),
    /// The API server cannot be reached, is overloaded, or the watch went silent.
    Away(String),
}

/// How many of the kubelets can be read. Said when that changes: what cannot be read is unknown, and neither well nor
/// in trouble.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeletSight {
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of their kubelets could not be read when they were last asked.
    pub unreadable: usize,
    /// Whether we may not even ask which nodes there are: none of them can be read.
    pub refused: bool,
    /// Why, of most of them, and what to do; empty where all can be read.
    pub why: String,
}

/// One thing seen of the cluster.
#[derive(Debug, Clone)]
pub enum Observation {
    /// These watches were opened; the cluster is known once each has listed or was refused.
    Opened(Vec<Scope>),
    /// An object is as given: it was listed, created or changed.
    Applied(Facts),
    /// An object was seen to be deleted.
    Deleted {
        /// Which object.
        object: ObjectRef,
        /// Which object of that name.
        uid: Name,
    },
    /// The watch lists its objects anew; until it is done nothing is known of those not seen again.
    ListingBegun(Scope),
    /// The listing is complete: what was there before and was not in it is gone.
    Listed(Scope),
    /// The watch sees nothing for now.
    SightLost(Scope, Blindness),
    /// A kubelet's summary was read.
    Surveyed(Box<SummaryFacts>),
    /// A round over all kubelets is done: how many can be read. Said after the first round, and when that changes.
    KubeletSight(KubeletSight),
    /// How far the API server's clock is ahead of this machine's. Said when it was measured anew.
    ClockOffset(SignedDuration),
    /// Whether a changed configuration could not be taken over, and why; nothing once one was.
    ConfigRefused(Option<String>),
}
