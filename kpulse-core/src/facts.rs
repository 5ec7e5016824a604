//! What kpulse reads of an object: a small struct per kind, decoded straight from the API's JSON.
//!
//! Unknown fields are skipped and odd values tolerated: a field of the wrong type counts as absent, because one
//! object that some webhook or operator wrote strangely must not blind kpulse to a whole kind.

mod autoscaler;
mod budget;
mod certificates;
mod claim;
mod condition;
mod cron_job;
mod daemon_set;
mod deployment;
mod event;
mod job;
mod lenient;
mod meta;
mod namespace;
mod node;
mod pod;
mod secret;
mod stateful_set;
mod summary;

pub use autoscaler::{AutoscalerFacts, AutoscalerSpec, AutoscalerStatus, ScaleTarget};
pub use budget::{BudgetFacts, BudgetSpec, BudgetStatus, Requirement, Selector};
pub use certificates::{Certificate, CertificateFault, Certificates};
pub use claim::{ClaimFacts, ClaimMeta, ClaimSpec, ClaimStatus};
pub use condition::{Condition, ConditionStatus};
pub use cron_job::{ActiveJob, ConcurrencyPolicy, CronJobFacts, CronJobSpec, CronJobStatus};
pub use daemon_set::{DaemonSetFacts, DaemonSetStatus};
pub use deployment::{DeploymentFacts, DeploymentSpec, DeploymentStatus};
pub use event::{EventFacts, Evidence};
pub use job::{JobFacts, JobStatus};
pub use meta::{Meta, Notes, Owner};
pub use namespace::NamespaceFacts;
pub use node::{NodeFacts, NodeSpec, NodeStatus, Taint};
pub use pod::{ContainerStatus, PodFacts, PodSpec, PodStatus, RestartPolicy, Running, State, Terminated, Waiting};
pub use secret::{SecretData, SecretFacts};
pub use stateful_set::{RollingUpdate, StatefulSetFacts, StatefulSetSpec, StatefulSetStatus, UpdateStrategy};
pub use summary::{ClaimUsage, Fill, SummaryFacts, Usage};

use crate::{Kind, ObjectRef};

/// The facts of one object, whatever its kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Facts {
    /// A Pod.
    Pod(Box<PodFacts>),
    /// A Namespace.
    Namespace(Box<NamespaceFacts>),
    /// An Event about another object.
    Event(Box<EventFacts>),
    /// A CronJob.
    CronJob(Box<CronJobFacts>),
    /// A Job.
    Job(Box<JobFacts>),
    /// A TLS Secret.
    Secret(Box<SecretFacts>),
    /// A Node.
    Node(Box<NodeFacts>),
    /// A Deployment.
    Deployment(Box<DeploymentFacts>),
    /// A StatefulSet.
    StatefulSet(Box<StatefulSetFacts>),
    /// A DaemonSet.
    DaemonSet(Box<DaemonSetFacts>),
    /// A HorizontalPodAutoscaler.
    Autoscaler(Box<AutoscalerFacts>),
    /// A PersistentVolumeClaim.
    Claim(Box<ClaimFacts>),
    /// A PodDisruptionBudget.
    Budget(Box<BudgetFacts>),
}

impl Facts {
    /// Decodes the JSON of an object of this kind.
    ///
    /// # Errors
    /// Only where `json` is not a JSON object at all; single odd fields count as absent.
    pub fn from_json(kind: Kind, json: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Pod => Self::Pod(serde_json::from_slice(json)?),
            Kind::Namespace => Self::Namespace(serde_json::from_slice(json)?),
            Kind::Event => Self::Event(serde_json::from_slice(json)?),
            Kind::CronJob => Self::CronJob(serde_json::from_slice(json)?),
            Kind::Job => Self::Job(serde_json::from_slice(json)?),
            Kind::Secret => Self::Secret(serde_json::from_slice(json)?),
            Kind::Node => Self::Node(serde_json::from_slice(json)?),
            Kind::Deployment => Self::Deployment(serde_json::from_slice(json)?),
            Kind::StatefulSet => Self::StatefulSet(serde_json::from_slice(json)?),
            Kind::DaemonSet => Self::DaemonSet(serde_json::from_slice(json)?),
            Kind::HorizontalPodAutoscaler => Self::Autoscaler(serde_json::from_slice(json)?),
            Kind::PersistentVolumeClaim => Self::Claim(serde_json::from_slice(json)?),
            Kind::Watch => return Err(serde::de::Error::custom("a watch is no object of the API")),
            Kind::PodDisruptionBudget => Self::Budget(serde_json::from_slice(json)?),
        })
    }

    /// The object's metadata.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        match self {
            Self::Pod(pod) => &pod.meta,
            Self::Namespace(namespace) => &namespace.meta,
            Self::Event(event) => &event.meta,
            Self::CronJob(cron_job) => &cron_job.meta,
            Self::Job(job) => &job.meta,
            Self::Secret(secret) => &secret.meta,
            Self::Node(node) => &node.meta,
            Self::Deployment(deployment) => &deployment.meta,
            Self::StatefulSet(set) => &set.meta,
            Self::DaemonSet(set) => &set.meta,
            Self::Autoscaler(autoscaler) => &autoscaler.meta,
            Self::Claim(claim) => &claim.metadata.meta,
            Self::Budget(budget) => &budget.meta,
        }
    }

    /// The kind of the object.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Pod(_) => Kind::Pod,
            Self::Namespace(_) => Kind::Namespace,
            Self::Event(_) => Kind::Event,
            Self::CronJob(_) => Kind::CronJob,
            Self::Job(_) => Kind::Job,
            Self::Secret(_) => Kind::Secret,
            Self::Node(_) => Kind::Node,
            Self::Deployment(_) => Kind::Deployment,
            Self::StatefulSet(_) => Kind::StatefulSet,
            Self::DaemonSet(_) => Kind::DaemonSet,
            Self::Autoscaler(_) => Kind::HorizontalPodAutoscaler,
            Self::Claim(_) => Kind::PersistentVolumeClaim,
            Self::Budget(_) => Kind::PodDisruptionBudget,
        }
    }

    /// Which object this is.
    #[must_use]
    pub fn object(&self) -> ObjectRef {
        ObjectRef { kind: self.kind(), namespace: self.meta().namespace.clone(), name: self.meta().name.clone() }
    }
}
