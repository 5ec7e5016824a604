//! An Event: evidence about another object, never a verdict on it.

use jiff::Timestamp;
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
    /// `Normal` or `Warning`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Name,
    /// How often it was written; 0 where it is counted as a series.
    #[serde(deserialize_with = "lenient::number")]
    pub count: i32,
    /// When it was last written, in the old way.
    #[serde(deserialize_with = "lenient::time")]
    pub last_timestamp: Option<Timestamp>,
    /// When it was first written, in the new way.
    #[serde(deserialize_with = "lenient::time")]
    pub event_time: Option<Timestamp>,
    /// Its repeats, in the new way.
    #[serde(deserialize_with = "lenient::object")]
    pub series: Series,
    /// What it is about.
    #[serde(deserialize_with = "lenient::object")]
    pub involved_object: Involved,
}

/// The repeats of an Event.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Series {
    /// How often it was written.
    #[serde(deserialize_with = "lenient::number")]
    pub count: i32,
    /// When it was last written.
    #[serde(deserialize_with = "lenient::time")]
    pub last_observed_time: Option<Timestamp>,
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
    /// When it was last written.
    #[must_use]
    pub fn last_seen(&self) -> Option<Timestamp> {
        let times = [self.series.last_observed_time, self.last_timestamp, self.event_time];
        times.into_iter().flatten().max().or(self.meta.created)
    }

    /// How often it was written.
    #[must_use]
    pub fn occurrences(&self) -> i64 {
        i64::from(self.count.max(self.series.count).max(1))
    }

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
