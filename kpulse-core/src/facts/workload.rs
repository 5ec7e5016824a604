//! A workload's metadata: whether it is there, and what its author tells kpulse.

use serde::Deserialize;

use super::{Meta, lenient};
use crate::Kind;

/// What kpulse reads of a Deployment, StatefulSet or DaemonSet.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct WorkloadFacts {
    /// Which kind of workload.
    #[serde(skip)]
    pub kind: Kind,
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
}

impl Default for WorkloadFacts {
    fn default() -> Self {
        Self { kind: Kind::Deployment, meta: Meta::default() }
    }
}
