//! A Namespace: what holds for everything in it.

use serde::Deserialize;

use super::{Meta, lenient};

/// What kpulse reads of a Namespace.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NamespaceFacts {
    /// Its metadata; annotations on it hold for everything in it.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
}

impl NamespaceFacts {
    /// Whether it is being deleted with everything in it: what fails in it now is no trouble.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.meta.deleting.is_some()
    }
}
