//! A Pod: its containers' last words and its conditions.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::Deserializer;

use super::{Condition, Meta, lenient};
use crate::Name;

/// What kpulse reads of a Pod.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PodFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: PodSpec,
    /// What the kubelet and the scheduler say.
    #[serde(deserialize_with = "lenient::object")]
    pub status: PodStatus,
}

/// `spec` of a Pod, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// The node it is bound to.
    #[serde(deserialize_with = "lenient::text_opt")]
    pub node_name: Option<Name>,
    /// What the kubelet does with a container that ended.
    #[serde(deserialize_with = "lenient::text")]
    pub restart_policy: RestartPolicy,
    /// Main containers that have a restart policy of their own (Kubernetes 1.34).
    #[serde(deserialize_with = "own_policies")]
    pub containers: Vec<OwnPolicy>,
    /// Init containers that have a restart policy of their own: `Always` makes a sidecar.
    #[serde(deserialize_with = "own_policies")]
    pub init_containers: Vec<OwnPolicy>,
}

/// A container whose restart policy is not its Pod's.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OwnPolicy {
    /// The container's name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
    #[serde(deserialize_with = "lenient::text_opt")]
    restart_policy: Option<RestartPolicy>,
}

fn own_policies<'de, D: Deserializer<'de>>(containers: D) -> Result<Vec<OwnPolicy>, D::Error> {
    let mut own: Vec<OwnPolicy> = lenient::list(containers)?;
    own.retain(|container| container.restart_policy.is_some());
    Ok(own)
}

/// What the kubelet does with a container that ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Starts it again, whatever its exit code. The API's default.
    #[default]
    Always,
    /// Starts it again if it failed.
    OnFailure,
    /// Leaves it.
    Never,
}

impl From<&str> for RestartPolicy {
    fn from(text: &str) -> Self {
        match text {
            "OnFailure" => Self::OnFailure,
            "Never" => Self::Never,
            _ => Self::Always,
        }
    }
}

/// `status` of a Pod, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    #[serde(deserialize_with = "lenient::text")]
    pub phase: Name,
    /// Why the whole Pod is as it is: `Evicted`.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Name,
    /// The same in a sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: String,
    /// The node that preemption is clearing for it.
    #[serde(deserialize_with = "lenient::text_opt")]
    pub nominated_node_name: Option<Name>,
    /// When the kubelet first saw it.
    #[serde(deserialize_with = "lenient::time")]
    pub start_time: Option<Timestamp>,
    /// Its conditions.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
    /// Init containers and sidecars.
    #[serde(deserialize_with = "lenient::list")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Main containers.
    #[serde(deserialize_with = "lenient::list")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Ephemeral containers (`kubectl debug`).
    #[serde(deserialize_with = "lenient::list")]
    pub ephemeral_container_statuses: Vec<ContainerStatus>,
}

/// What the kubelet says of one container.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContainerStatus {
    /// The container's name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
    /// How often it was started again; the first run is number 0.
    #[serde(deserialize_with = "lenient::number")]
    pub restart_count: i32,
    /// What it does now.
    #[serde(deserialize_with = "lenient::object")]
    pub state: State,
    /// How its run before that ended.
    #[serde(deserialize_with = "lenient::object")]
    pub last_state: State,
}

/// What a container does: at most one of the three is set; none means waiting without a reason.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct State {
    /// It is not running yet.
    #[serde(deserialize_with = "lenient::object_opt")]
    pub waiting: Option<Waiting>,
    /// It runs.
    #[serde(deserialize_with = "lenient::object_opt")]
    pub running: Option<Running>,
    /// It ended.
    #[serde(deserialize_with = "lenient::object_opt")]
    pub terminated: Option<Terminated>,
}

/// A container that is not running yet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// What it waits for: `ContainerCreating`, or what went wrong: `ErrImagePull`.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Name,
    /// The same in a sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: String,
}

/// A container that runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Running {
    /// Since when.
    #[serde(deserialize_with = "lenient::time")]
    pub started_at: Option<Timestamp>,
}

/// A run that ended.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Terminated {
    /// 0 is success.
    #[serde(deserialize_with = "lenient::number")]
    pub exit_code: i32,
    /// Why: `Error`, `Completed`, `OOMKilled`, `StartError`.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Name,
    /// What the program left in its termination log.
    #[serde(deserialize_with = "lenient::text")]
    pub message: String,
    /// When the run began; not known for a container that could not be started.
    #[serde(deserialize_with = "lenient::time")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "lenient::time")]
    pub finished_at: Option<Timestamp>,
}

impl Terminated {
    /// Whether the run failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.exit_code != 0
    }

    /// How long the run was; nothing where its begin or end is not known.
    #[must_use]
    pub fn lasted(&self) -> Option<SignedDuration> {
        Some(self.finished_at?.duration_since(self.started_at?))
    }
}

impl PodFacts {
    /// A condition by type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        Condition::named(&self.status.conditions, kind)
    }

    /// All containers' statuses: init, sidecar, main and ephemeral.
    pub fn containers(&self) -> impl Iterator<Item = &ContainerStatus> {
        let status = &self.status;
        status
            .init_container_statuses
            .iter()
            .chain(&status.container_statuses)
            .chain(&status.ephemeral_container_statuses)
    }

    /// The restart policy that holds for one container: its own, else the Pod's. An init container that is no
    /// sidecar is started again after a failure only; an ephemeral one never is.
    #[must_use]
    pub fn restart_policy(&self, container: &str) -> RestartPolicy {
        let named = |own: &&OwnPolicy| own.name == container;
        let own = self.spec.containers.iter().chain(&self.spec.init_containers).find(named);
        if let Some(policy) = own.and_then(|own| own.restart_policy) {
            return policy;
        }
        let is = |status: &&ContainerStatus| status.name == container;
        if self.status.ephemeral_container_statuses.iter().any(|status| is(&status)) {
            return RestartPolicy::Never;
        }
        match self.spec.restart_policy {
            RestartPolicy::Always if self.status.init_container_statuses.iter().any(|status| is(&status)) => {
                RestartPolicy::OnFailure
            }
            policy => policy,
        }
    }
}
