//! A StatefulSet: how far its rollout is. It has no conditions at all.

use serde::Deserialize;

use super::{Meta, lenient};
use crate::Name;

/// What kpulse reads of a StatefulSet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct StatefulSetFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: StatefulSetSpec,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: StatefulSetStatus,
}

/// `spec` of a StatefulSet, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StatefulSetSpec {
    /// How many Pods were asked for; the API's default is 1.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub replicas: Option<i64>,
    /// How a new revision is rolled out.
    #[serde(deserialize_with = "lenient::object")]
    pub update_strategy: UpdateStrategy,
}

/// How a new revision of a StatefulSet is rolled out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UpdateStrategy {
    /// `RollingUpdate`, or `OnDelete`: a Pod is replaced when somebody deletes it.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Name,
    /// The bounds of a rolling update.
    #[serde(deserialize_with = "lenient::object")]
    pub rolling_update: RollingUpdate,
}

/// The bounds of a rolling update.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RollingUpdate {
    /// Pods with a lower ordinal stay at the old revision; 0 holds back none.
    #[serde(deserialize_with = "lenient::number")]
    pub partition: i32,
}

/// `status` of a StatefulSet, as far as kpulse uses it. A count of 0 is mostly absent from the API's JSON.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StatefulSetStatus {
    /// Which generation of the spec this status is about.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub observed_generation: Option<i64>,
    /// Pods that are ready.
    #[serde(deserialize_with = "lenient::number")]
    pub ready_replicas: i32,
    /// The revision that is rolled out completely.
    #[serde(deserialize_with = "lenient::text")]
    pub current_revision: Name,
    /// The revision asked for; another one than the current while it rolls.
    #[serde(deserialize_with = "lenient::text")]
    pub update_revision: Name,
}

impl StatefulSetFacts {
    /// How many Pods were asked for.
    #[must_use]
    pub fn desired(&self) -> i64 {
        self.spec.replicas.unwrap_or(1)
    }

    /// Whether a new revision is not rolled out completely.
    #[must_use]
    pub fn is_rolling(&self) -> bool {
        self.status.current_revision != self.status.update_revision
    }

    /// Whether the status is older than the spec, and so says nothing of it.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.meta.is_ahead_of(self.status.observed_generation)
    }
}
