//! PersistentVolumeClaims.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::time;

/// A claim for which a provisioner was asked for a volume, created at this time.
#[must_use]
pub fn pending_claim(namespace: &str, name: &str, provisioner: &str, created: Timestamp) -> Value {
    claim(namespace, name, provisioner, created, "Pending", None)
}

/// The same claim with its volume.
#[must_use]
pub fn bound_claim(namespace: &str, name: &str, provisioner: &str, created: Timestamp) -> Value {
    claim(namespace, name, provisioner, created, "Bound", Some(&format!("pvc-{name}")))
}

fn claim(
    namespace: &str,
    name: &str,
    provisioner: &str,
    created: Timestamp,
    phase: &str,
    volume: Option<&str>,
) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": { "namespace": namespace, "name": name, "uid": name, "creationTimestamp": time(created),
            "annotations": { "volume.kubernetes.io/storage-provisioner": provisioner } },
        "spec": { "storageClassName": "fast", "volumeName": volume, "accessModes": ["ReadWriteOnce"],
            "resources": { "requests": { "storage": "8Gi" } } },
        "status": { "phase": phase },
    })
}
