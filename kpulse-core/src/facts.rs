//! What kpulse reads of an object: a small struct per kind, decoded straight from the API's JSON.
//!
//! Unknown fields are skipped and odd values tolerated: a field of the wrong type counts as absent, because one
//! object that some webhook or operator wrote strangely must not blind kpulse to a whole kind.

mod certificates;
mod cron_job;
mod event;
mod job;
mod lenient;
mod meta;
mod namespace;
mod pod;
mod secret;
mod workload;

pub use certificates::{Certificate, CertificateFault, Certificates};
pub use cron_job::{ActiveJob, ConcurrencyPolicy, CronJobFacts, CronJobSpec, CronJobStatus};
pub use event::{EventFacts, Evidence};
pub use job::{JobFacts, JobStatus};
pub use meta::{Meta, Notes, Owner};
pub use namespace::NamespaceFacts;
pub use pod::{
    Condition, ConditionStatus, ContainerStatus, PodFacts, PodSpec, PodStatus, RestartPolicy, Running, State,
    Terminated, Waiting,
};
pub use secret::{SecretData, SecretFacts};
pub use workload::WorkloadFacts;

use crate::{Kind, ObjectRef};

/// The facts of one object, whatever its kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Facts {
    /// A Pod.
    Pod(Box<PodFacts>),
    /// A Namespace.
    Namespace(NamespaceFacts),
    /// An Event about another object.
    Event(Box<EventFacts>),
    /// A CronJob.
    CronJob(Box<CronJobFacts>),
    /// A Job.
    Job(Box<JobFacts>),
    /// A TLS Secret.
    Secret(Box<SecretFacts>),
    /// A Deployment, StatefulSet or DaemonSet.
    Workload(WorkloadFacts),
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
            Kind::Node | Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => {
                Self::Workload(WorkloadFacts { kind, ..serde_json::from_slice(json)? })
            }
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
            Self::Workload(workload) => &workload.meta,
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
            Self::Workload(workload) => workload.kind,
        }
    }

    /// Which object this is.
    #[must_use]
    pub fn object(&self) -> ObjectRef {
        ObjectRef { kind: self.kind(), namespace: self.meta().namespace.clone(), name: self.meta().name.clone() }
    }
}
