//! A Deployment: how far its rollout is.

use serde::Deserialize;

use super::{Condition, Meta, lenient};

/// What kpulse reads of a Deployment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DeploymentFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: DeploymentSpec,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: DeploymentStatus,
}

/// `spec` of a Deployment, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentSpec {
    /// How many Pods were asked for; the API's default is 1.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub replicas: Option<i64>,
    /// Whether somebody halted its rollouts.
    #[serde(deserialize_with = "lenient::flag")]
    pub paused: bool,
    /// After how many seconds without progress the controller says so; the API's default is 600.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub progress_deadline_seconds: Option<i64>,
}

/// `status` of a Deployment, as far as kpulse uses it. A count of 0 is absent from the API's JSON.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DeploymentStatus {
    /// Which generation of the spec this status is about.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub observed_generation: Option<i64>,
    /// Pods of all revisions, without those that terminate.
    #[serde(deserialize_with = "lenient::number")]
    pub replicas: i32,
    /// Pods of the revision asked for.
    #[serde(deserialize_with = "lenient::number")]
    pub updated_replicas: i32,
    /// Pods that are ready and have been for `minReadySeconds`.
    #[serde(deserialize_with = "lenient::number")]
    pub available_replicas: i32,
    /// Its conditions: Progressing and Available.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
}

impl DeploymentFacts {
    /// A condition by type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        Condition::named(&self.status.conditions, kind)
    }

    /// How many Pods were asked for.
    #[must_use]
    pub fn desired(&self) -> i64 {
        self.spec.replicas.unwrap_or(1)
    }

    /// Whether the status is older than the spec, and so says nothing of it.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.meta.is_ahead_of(self.status.observed_generation)
    }
}
