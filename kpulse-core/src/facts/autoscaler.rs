//! A HorizontalPodAutoscaler (`autoscaling/v2`): what it may do, and what it wants to.

use serde::Deserialize;

use super::{Condition, Meta, lenient};
use crate::Name;

/// What kpulse reads of a HorizontalPodAutoscaler.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AutoscalerFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: AutoscalerSpec,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: AutoscalerStatus,
}

/// `spec` of a HorizontalPodAutoscaler, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AutoscalerSpec {
    /// What it scales.
    #[serde(deserialize_with = "lenient::object")]
    pub scale_target_ref: ScaleTarget,
    /// The fewest Pods; the API's default is 1.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub min_replicas: Option<i64>,
    /// The most Pods.
    #[serde(deserialize_with = "lenient::number")]
    pub max_replicas: i32,
}

/// What a HorizontalPodAutoscaler scales.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ScaleTarget {
    /// Its kind: `Deployment`.
    #[serde(deserialize_with = "lenient::text")]
    pub kind: Name,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
}

/// `status` of a HorizontalPodAutoscaler, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AutoscalerStatus {
    /// How many Pods there are by its last look; absent from a new one.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub current_replicas: Option<i64>,
    /// How many it wants, within its bounds; 0 in a new one.
    #[serde(deserialize_with = "lenient::number")]
    pub desired_replicas: i32,
    /// Its conditions: ScalingActive, AbleToScale, ScalingLimited.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
}

impl AutoscalerFacts {
    /// A condition by type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        Condition::named(&self.status.conditions, kind)
    }
}
