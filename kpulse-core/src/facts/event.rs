//! An Event: evidence about another object, never a verdict on it.

use serde::Deserialize;

use super::{Meta, lenient};
use crate::Name;

/// What kpulse reads of an Event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EventFacts {
    /// The Event's own metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// Why it was written: `FailedMount`.
    #[serde(deserialize_with = "lenient::text")]
    pub reason: Name,
    /// What it says.
    #[serde(deserialize_with = "lenient::text")]
    pub message: String,
    /// What it is about.
    #[serde(deserialize_with = "lenient::object")]
    pub involved_object: Involved,
}

/// The object an Event is about.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Involved {
    /// Its kind.
    #[serde(deserialize_with = "lenient::text")]
    pub kind: Name,
    /// Its namespace.
    #[serde(deserialize_with = "lenient::text")]
    pub namespace: Name,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
    /// Its uid: an Event about an earlier object of the same name is no evidence.
    #[serde(deserialize_with = "lenient::text")]
    pub uid: Name,
}

/// What an Event proves about the Pod it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// A volume could not be mounted or attached (FailedMount, FailedAttachVolume).
    MountFailed,
    /// A node is being made for it (TriggeredScaleUp of the cluster autoscaler, Nominated of Karpenter).
    NodeComing,
}

impl EventFacts {
    /// What this Event proves, if anything.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        match self.reason.as_str() {
            "FailedMount" | "FailedAttachVolume" => Some(Evidence::MountFailed),
            "TriggeredScaleUp" | "Nominated" => Some(Evidence::NodeComing),
            _ => None,
        }
    }
}
