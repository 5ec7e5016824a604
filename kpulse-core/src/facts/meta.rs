//! What every object has: its name, its owner, and what its author tells kpulse by annotation.

use jiff::Timestamp;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use super::lenient;
use crate::{Name, Severity};

/// `metadata`, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    /// The object's name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
    /// Its namespace; empty for cluster-scoped kinds.
    #[serde(deserialize_with = "lenient::text")]
    pub namespace: Name,
    /// What distinguishes it from an earlier object of the same name.
    #[serde(deserialize_with = "lenient::text")]
    pub uid: Name,
    /// When it was created, by the API server's clock.
    #[serde(rename = "creationTimestamp", deserialize_with = "lenient::time")]
    pub created: Option<Timestamp>,
    /// Set once somebody asked for its deletion: what it shows from then on is no trouble.
    #[serde(rename = "deletionTimestamp", deserialize_with = "lenient::time")]
    pub deleting: Option<Timestamp>,
    /// Counts the changes of its spec.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub generation: Option<i64>,
    /// Who must agree before it is gone.
    #[serde(deserialize_with = "lenient::texts")]
    pub finalizers: Vec<Name>,
    /// Its labels, in the order sent.
    #[serde(deserialize_with = "lenient::pairs")]
    pub labels: Vec<(String, String)>,
    /// What its author tells kpulse.
    #[serde(rename = "annotations", deserialize_with = "notes")]
    pub notes: Notes,
    /// Who controls it.
    #[serde(rename = "ownerReferences", deserialize_with = "controller")]
    pub owner: Option<Owner>,
}

impl Meta {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Whether a status that is about the generation `observed` is older than the spec.
    pub(crate) fn is_ahead_of(&self, observed: Option<i64>) -> bool {
        self.generation.is_some_and(|generation| observed.unwrap_or_default() < generation)
    }
}

/// The controlling owner of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// The owner's kind: `ReplicaSet`.
    #[serde(deserialize_with = "lenient::text")]
    pub kind: Name,
    /// The owner's name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
    #[serde(deserialize_with = "lenient::flag")]
    controller: bool,
}

fn controller<'de, D: Deserializer<'de>>(owners: D) -> Result<Option<Owner>, D::Error> {
    let owners: Vec<Owner> = lenient::list(owners)?;
    Ok(owners.into_iter().find(|owner| owner.controller && !owner.name.is_empty()))
}

/// The `kpulse.io/` annotations of an object. Other annotations are not kept: they are large and not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// `kpulse.io/ignore`: `"true"`, or a list of monitors.
    pub ignore: Option<Name>,
    /// `kpulse.io/max-severity`: whatever is wrong with it, it is no worse than this.
    pub max_severity: Option<Severity>,
    /// `kpulse.io/silence`: until when nothing of it is to be told, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Name>,
}

impl Notes {
    /// Whether there is nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the object's author asked that this monitor leave it alone.
    #[must_use]
    pub fn ignores(&self, monitor: &str) -> bool {
        self.ignore.as_deref().is_some_and(|value| {
            value.split(',').map(str::trim).any(|word| word == monitor || word.eq_ignore_ascii_case("true"))
        })
    }
}

fn notes<'de, D: Deserializer<'de>>(annotations: D) -> Result<Notes, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Known {
        #[serde(rename = "kpulse.io/ignore", deserialize_with = "lenient::text_opt")]
        ignore: Option<Name>,
        #[serde(rename = "kpulse.io/max-severity", deserialize_with = "lenient::text_opt")]
        max_severity: Option<Name>,
        #[serde(rename = "kpulse.io/silence", deserialize_with = "lenient::text_opt")]
        silence: Option<Name>,
    }
    let Known { ignore, max_severity, silence } = lenient::object(annotations)?;
    Ok(Notes { ignore, max_severity: max_severity.as_deref().and_then(Severity::named), silence })
}
