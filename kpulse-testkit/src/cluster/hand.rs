//! The hand of the test on what is in the cluster.

use serde_json::Value;

use super::object::{Key, metadata_mut, metadata_text};
use super::patch::Patch;
use super::query::Query;
use super::resources::Row;
use super::selectors::Selection;
use super::status::StatusError;
use super::writes::{Part, Writer};
use super::{FakeCluster, list, lock, objects};

/// The hand of the test on objects: no HTTP, no access rules, no faults. Kinds may be named as `Pod`, `pods` or
/// `deployments.apps`; the namespace of what lives outside namespaces is empty.
impl FakeCluster {
    /// Makes the object, or puts it in the place of the one of its name, status included. A uid, creation time and
    /// generation it carries are kept; another uid than before makes it a new object in the old one's place. What
    /// is stored already changes nothing. Gives the object as stored.
    ///
    /// # Errors
    ///
    /// For a kind the cluster does not know, and an object without a valid name.
    pub fn apply(&self, object: Value) -> Result<Value, StatusError> {
        let said = |field: &str| object[field].as_str().unwrap_or_default();
        let (api_version, kind) = (said("apiVersion"), said("kind"));
        let catalogue = &self.inner.catalogue;
        let row = if api_version.is_empty() { catalogue.by_name(kind) } else { catalogue.by_kind(api_version, kind) };
        let row = row.ok_or_else(|| unknown_kind(&format!("{api_version} {kind}")))?;
        let mut object = object;
        let resource = catalogue.row(row);
        if resource.namespaced && metadata_text(&object, "namespace").is_empty() {
            metadata_mut(&mut object).insert("namespace".to_owned(), "default".into());
        }
        Ok(self.write(row, |writer| writer.apply(object))?.value(resource))
    }

    /// Merges a JSON merge patch into an object, status included. Gives the object as stored.
    ///
    /// # Errors
    ///
    /// For an unknown kind or object.
    pub fn patch(&self, kind: &str, namespace: &str, name: &str, merge: Value) -> Result<Value, StatusError> {
        let row = self.row(kind)?;
        let patch = Patch::Merge(merge);
        let patched = self.write(row, |writer| writer.patch(&key(namespace, name), &patch, Part::Whole))?;
        Ok(patched.value(self.inner.catalogue.row(row)))
    }

    /// Takes an object away at once, whatever finalizers it has. A Namespace takes along what lives in it. Gives
    /// its last state, with the revision of the deletion.
    ///
    /// # Errors
    ///
    /// For an unknown kind or object.
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) -> Result<Value, StatusError> {
        let row = self.row(kind)?;
        let resource = self.inner.catalogue.row(row);
        let removed = self.write(row, |writer| {
            let object = writer.current(&key(namespace, name))?;
            if resource.kind == "Namespace" {
                objects::empty_namespace(&self.inner, writer.store, name);
            }
            Ok(writer.remove(&object))
        })?;
        Ok(removed.value(resource))
    }

    /// The object, if the kind is known and the object there.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let row = self.row(kind).ok()?;
        let object = lock(&self.inner.store).get(self.inner.catalogue.table(row), &key(namespace, name))?;
        Some(object.value(self.inner.catalogue.row(row)))
    }

    /// All objects of a kind, by namespace and name; none for an unknown kind.
    pub fn list(&self, kind: &str) -> Vec<Value> {
        let Ok(row) = self.row(kind) else { return Vec::new() };
        let table = self.inner.catalogue.table(row);
        let page = list::page(&lock(&self.inner.store), table, &Selection::default(), &Query::default());
        let objects = page.map(|page| page.items).unwrap_or_default();
        objects.iter().map(|object| object.value(self.inner.catalogue.row(row))).collect()
    }

    /// The revision of the latest change in the cluster.
    pub fn resource_version(&self) -> u64 {
        lock(&self.inner.store).revision
    }

    /// Sets what `GET …/pods/{name}/log` answers for one container; `previous` is the run before the present one.
    pub fn set_log(&self, namespace: &str, pod: &str, container: &str, previous: bool, text: impl Into<String>) {
        lock(&self.inner.kubelets).set_log(key(namespace, pod), container, previous, text.into());
    }

    /// Sets what `GET …/nodes/{name}/proxy/stats/summary` answers. A node without one cannot be reached: 503.
    pub fn set_summary(&self, node: &str, summary: Value) {
        lock(&self.inner.kubelets).set_summary(node, summary);
    }

    /// Makes a node's kubelet unreachable.
    pub fn clear_summary(&self, node: &str) {
        lock(&self.inner.kubelets).clear_summary(node);
    }
}

impl FakeCluster {
    fn row(&self, kind: &str) -> Result<Row, StatusError> {
        self.inner.catalogue.by_name(kind).ok_or_else(|| unknown_kind(kind))
    }

    fn write<T>(
        &self,
        row: Row,
        write: impl FnOnce(&mut Writer<'_>) -> Result<T, StatusError>,
    ) -> Result<T, StatusError> {
        let mut store = lock(&self.inner.store);
        let mut writer = Writer {
            store: &mut store,
            row: self.inner.catalogue.row(row),
            table: self.inner.catalogue.table(row),
            now: self.inner.clock.now(),
            dry_run: false,
        };
        write(&mut writer)
    }
}

fn unknown_kind(kind: &str) -> StatusError {
    StatusError::bad_request(format!(
        "no kind \"{kind}\" in this cluster; give the ClusterSettings an extra resource for it"
    ))
}

fn key(namespace: &str, name: &str) -> Key {
    Key { namespace: namespace.to_owned(), name: name.to_owned() }
}
