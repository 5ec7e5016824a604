//! A Node: its conditions, and what its keepers have in mind for it.

use serde::Deserialize;

use super::{Condition, ConditionStatus, Meta, lenient};
use crate::Name;

/// What kpulse reads of a Node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// Whether Pods may be placed on it.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: NodeSpec,
    /// What its kubelet says, or the node controller when that is silent.
    #[serde(deserialize_with = "lenient::object")]
    pub status: NodeStatus,
}

/// `spec` of a Node, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeSpec {
    /// Cordoned: somebody wants no new Pods on it.
    #[serde(deserialize_with = "lenient::flag")]
    pub unschedulable: bool,
    /// Its taints. Autoscalers and cloud controllers say by them that a node is on its way out.
    #[serde(deserialize_with = "lenient::list")]
    pub taints: Vec<Taint>,
}

/// A taint of a Node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Taint {
    /// Its key: `karpenter.sh/disrupted`.
    #[serde(deserialize_with = "lenient::text")]
    pub key: Name,
}

/// `status` of a Node, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    /// Its conditions. All of them turn Unknown when the kubelet falls silent.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
}

impl NodeFacts {
    /// Whether its kubelet works. One that does not say yet counts as ready: nothing is known against it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.condition("Ready").is_none_or(|ready| ready.status == ConditionStatus::True)
    }

    /// A condition by type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        Condition::named(&self.status.conditions, kind)
    }

    /// Whether it has a taint with this key.
    #[must_use]
    pub fn has_taint(&self, key: &str) -> bool {
        self.spec.taints.iter().any(|taint| taint.key == key)
    }
}
