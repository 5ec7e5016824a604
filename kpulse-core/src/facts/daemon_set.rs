//! A DaemonSet: on how many nodes it should run, and on how many it does.

use serde::Deserialize;

use super::{Meta, lenient};

/// What kpulse reads of a DaemonSet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct DaemonSetFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: DaemonSetStatus,
}

/// `status` of a DaemonSet, as far as kpulse uses it. All counts are of nodes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DaemonSetStatus {
    /// Which generation of the spec this status is about.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub observed_generation: Option<i64>,
    /// Those that should have a Pod. Nodes whose kubelet fell silent are not among them.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub desired_number_scheduled: Option<i64>,
    /// Of those, the ones that have one, of whatever revision.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub current_number_scheduled: Option<i64>,
    /// Of those, the ones that have one of the revision asked for; 0 is absent from the API's JSON.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub updated_number_scheduled: Option<i64>,
    /// Of those, the ones whose Pod is ready.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub number_ready: Option<i64>,
}

impl DaemonSetFacts {
    /// Whether the status is older than the spec, and so says nothing of it.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.meta.is_ahead_of(self.status.observed_generation)
    }
}
