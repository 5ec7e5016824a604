//! A PersistentVolumeClaim: whether it has its volume, and how far the search for one is.

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::Value;

use super::{Meta, lenient};
use crate::Name;

/// What kpulse reads of a PersistentVolumeClaim.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClaimFacts {
    /// Its metadata, with the annotations that tell how far the search is.
    #[serde(rename = "metadata", deserialize_with = "claim_meta")]
    pub metadata: ClaimMeta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: ClaimSpec,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: ClaimStatus,
}

/// Metadata of a claim.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClaimMeta {
    /// What every object has.
    pub meta: Meta,
    /// `volume.kubernetes.io/selected-node`: the scheduler wants the volume for a Pod on this node. Claims of a class
    /// with binding mode WaitForFirstConsumer have none while no Pod needs them.
    pub selected_node: Option<Name>,
    /// `volume.kubernetes.io/storage-provisioner` (before Kubernetes 1.23 `volume.beta.kubernetes.io/…`): the volume
    /// controller has asked this provisioner for a volume.
    pub provisioner: Option<Name>,
    /// `volume.beta.kubernetes.io/storage-class`: wins over the spec's class.
    pub legacy_class: Option<Name>,
}

/// Reads the metadata twice: annotations are not part of [`Meta`], because no other kind needs them. Claims are few.
fn claim_meta<'de, D: Deserializer<'de>>(metadata: D) -> Result<ClaimMeta, D::Error> {
    let metadata = Value::deserialize(metadata)?;
    let annotation = |key: &str| {
        let text = metadata.get("annotations")?.get(key)?.as_str()?;
        (!text.is_empty()).then(|| Name::from(text))
    };
    Ok(ClaimMeta {
        selected_node: annotation("volume.kubernetes.io/selected-node"),
        provisioner: annotation("volume.kubernetes.io/storage-provisioner")
            .or_else(|| annotation("volume.beta.kubernetes.io/storage-provisioner")),
        legacy_class: annotation("volume.beta.kubernetes.io/storage-class"),
        meta: Meta::deserialize(&metadata).unwrap_or_default(),
    })
}

/// `spec` of a claim, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClaimSpec {
    /// The class its volume is to be of; absent or empty where only a volume made by hand will do.
    #[serde(deserialize_with = "lenient::text_opt")]
    pub storage_class_name: Option<Name>,
    /// The volume it has, or waits for.
    #[serde(deserialize_with = "lenient::text_opt")]
    pub volume_name: Option<Name>,
}

/// `status` of a claim, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClaimStatus {
    /// `Pending`, `Bound` or `Lost`.
    #[serde(deserialize_with = "lenient::text")]
    pub phase: Name,
}

impl ClaimFacts {
    /// The class its volume is to be of.
    #[must_use]
    pub fn class(&self) -> Option<&Name> {
        self.metadata.legacy_class.as_ref().or(self.spec.storage_class_name.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(json: &str) -> ClaimFacts {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn annotations_are_read_beside_what_every_object_has() {
        let claim = decode(
            r#"{"metadata":{"name":"data","namespace":"shop","uid":"u","annotations":{
                "volume.kubernetes.io/selected-node":"worker-1","volume.beta.kubernetes.io/storage-provisioner":"ebs",
                "kpulse.io/ignore":"true"}},
                "spec":{"storageClassName":"gp3"},"status":{"phase":"Pending"}}"#,
        );
        assert_eq!(claim.metadata.meta.name, "data");
        assert!(claim.metadata.meta.notes.ignores("pvc_pending"));
        assert_eq!(claim.metadata.selected_node.as_deref(), Some("worker-1"));
        assert_eq!(claim.metadata.provisioner.as_deref(), Some("ebs"));
        assert_eq!(claim.class().map(Name::as_str), Some("gp3"));
    }

    #[test]
    fn the_old_class_annotation_wins_and_odd_values_are_absent() {
        let legacy = r#"{"metadata":{"annotations":{"volume.beta.kubernetes.io/storage-class":"old"}},
            "spec":{"storageClassName":"new"}}"#;
        assert_eq!(decode(legacy).class().map(Name::as_str), Some("old"));
        for odd in [
            r#"{"metadata":null}"#,
            r#"{"metadata":7,"spec":[],"status":"x"}"#,
            r#"{"metadata":{"annotations":["x"]},"spec":{"storageClassName":""}}"#,
            r#"{"metadata":{"annotations":{"volume.kubernetes.io/selected-node":1}}}"#,
        ] {
            let claim = decode(odd);
            assert_eq!((claim.class(), &claim.metadata.selected_node), (None, &None), "{odd}");
        }
    }
}
