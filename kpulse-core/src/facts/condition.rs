//! Conditions: what a controller or a kubelet says holds of an object, and since when.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient;
use crate::Name;

/// A condition of an object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    /// Its type: `PodScheduled`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Name,
    /// Whether it holds.
    #[serde(deserialize_with = "lenient::text")]
    pub status: ConditionStatus,
    /// Why, in a word.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Name,
    /// Why, in a sentence.
    #[serde(deserialize_with = "lenient::text")]
    pub message: String,
    /// Since when the status is as it is.
    #[serde(deserialize_with = "lenient::time")]
    pub last_transition_time: Option<Timestamp>,
    /// When reason or message last changed; Deployments only.
    #[serde(deserialize_with = "lenient::time")]
    pub last_update_time: Option<Timestamp>,
}

impl Condition {
    /// The condition of this type.
    pub(crate) fn named<'a>(conditions: &'a [Self], kind: &str) -> Option<&'a Self> {
        conditions.iter().find(|condition| condition.kind == kind)
    }
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody knows, as when a kubelet fell silent.
    #[default]
    Unknown,
}

impl From<&str> for ConditionStatus {
    fn from(text: &str) -> Self {
        match text {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }
}
