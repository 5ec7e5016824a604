//! What a write does to an object: names, uids, generations, preconditions, finalizers.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::object::{Key, Object, map_mut, metadata_mut, metadata_text};
use super::patch::Patch;
use super::resources::Resource;
use super::status::StatusError;
use super::store::Store;

/// The most bytes a ConfigMap or Secret may hold.
const LARGEST_DATA: usize = 1024 * 1024;

/// Which half of an object a request writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All but the status, for kinds with a status subresource.
    Main,
    /// The status alone.
    Status,
    /// Everything: the hand of the test.
    Whole,
}

/// What a deletion is asked to heed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deletion {
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    /// The object is only marked, for that many seconds.
    pub(crate) grace: Option<u64>,
}

/// What a deletion came to.
#[derive(Debug)]
pub(crate) enum Deleted {
    Gone(Arc<Object>),
    /// Marked, and waiting for finalizers or for its grace period.
    Marked(Arc<Object>),
}

/// Writes to the objects of one kind, at one moment.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) row: &'a Resource,
    pub(crate) table: usize,
    pub(crate) now: Timestamp,
    pub(crate) dry_run: bool,
}

impl Writer<'_> {
    pub(crate) fn current(&self, key: &Key) -> Result<Arc<Object>, StatusError> {
        self.store.get(self.table, key).ok_or_else(|| StatusError::not_found(self.row, &key.name))
    }

    /// Makes a new object. With [`Part::Whole`] the given status, uid and times are kept.
    pub(crate) fn create(&mut self, mut object: Value, part: Part) -> Result<Arc<Object>, StatusError> {
        let key = self.name_new(&mut object)?;
        if self.store.get(self.table, &key).is_some() {
            return Err(StatusError::already_exists(self.row, &key.name));
        }
        if part != Part::Whole {
            if !metadata_text(&object, "resourceVersion").is_empty() {
                return Err(StatusError::bad_request("resourceVersion should not be set on objects to be created"));
            }
            let metadata = metadata_mut(&mut object);
            for field in ["uid", "creationTimestamp", "deletionTimestamp", "generation", "selfLink"] {
                metadata.remove(field);
            }
            self.reset_status(&mut object);
        }
        self.stamp_new(&mut object);
        self.put(object)
    }

    /// Creates or replaces, as the hand of the test: a uid of its own makes it a new object in the old one's place.
    pub(crate) fn apply(&mut self, object: Value) -> Result<Arc<Object>, StatusError> {
        let key = Key {
            namespace: metadata_text(&object, "namespace").to_owned(),
            name: metadata_text(&object, "name").to_owned(),
        };
        let Some(old) = self.store.get(self.table, &key) else {
            return self.create(object, Part::Whole);
        };
        let uid = metadata_text(&object, "uid");
        if !uid.is_empty() && uid != old.uid {
            self.store.remove(self.table, self.row, &key);
            return self.create(object, Part::Whole);
        }
        self.replace(&old, object, Part::Whole)
    }

    /// Puts a whole new state in the old one's place, if the preconditions it carries hold.
    pub(crate) fn update(&mut self, key: &Key, object: Value, part: Part) -> Result<Arc<Object>, StatusError> {
        let old = self.current(key)?;
        self.check_written(&old, &object)?;
        self.replace(&old, object, part)
    }

    /// Puts a patch on the object; an apply makes it where it is missing.
    pub(crate) fn patch(&mut self, key: &Key, patch: &Patch, part: Part) -> Result<Arc<Object>, StatusError> {
        let Some(old) = self.store.get(self.table, key) else {
            return self.create_by_patch(key, patch, part);
        };
        let mut object = old.value(self.row);
        patch.onto(&mut object, self.row, &key.name)?;
        self.check_written(&old, &object)?;
        self.replace(&old, object, part)
    }

    fn create_by_patch(&mut self, key: &Key, patch: &Patch, part: Part) -> Result<Arc<Object>, StatusError> {
        if !patch.creates() || part == Part::Status {
            return Err(StatusError::not_found(self.row, &key.name));
        }
        let mut object = json!({});
        patch.onto(&mut object, self.row, &key.name)?;
        if !metadata_text(&object, "uid").is_empty() {
            return Err(StatusError::conflict(self.row, &key.name, "uid mismatch: the object does not exist"));
        }
        let metadata = metadata_mut(&mut object);
        metadata.insert("name".to_owned(), json!(key.name));
        if self.row.namespaced {
            metadata.insert("namespace".to_owned(), json!(key.namespace));
        }
        self.create(object, part)
    }

    /// Marks or removes, heeding preconditions and finalizers.
    pub(crate) fn delete(&mut self, key: &Key, deletion: &Deletion) -> Result<Deleted, StatusError> {
        let old = self.current(key)?;
        if let Some(uid) = deletion.uid.as_ref().filter(|uid| **uid != old.uid) {
            return Err(StatusError::conflict(
                self.row,
                &key.name,
                &format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", old.uid),
            ));
        }
        if let Some(asked) = deletion.resource_version.as_ref().filter(|asked| **asked != old.revision.to_string()) {
            let why = format!(
                "Precondition failed: ResourceVersion in precondition: {asked}, ResourceVersion in object meta: {}",
                old.revision
            );
            return Err(StatusError::conflict(self.row, &key.name, &why));
        }
        let mut object = old.value(self.row);
        let grace = deletion.grace.unwrap_or(0);
        if grace == 0 && !has_finalizers(&object) {
            return Ok(Deleted::Gone(self.remove(&old)));
        }
        if !metadata_text(&object, "deletionTimestamp").is_empty() {
            return Ok(Deleted::Marked(old));
        }
        let seconds = i64::try_from(grace).unwrap_or(i64::MAX);
        let at = Timestamp::from_second(self.now.as_second().saturating_add(seconds)).unwrap_or(self.now);
        let metadata = metadata_mut(&mut object);
        metadata.insert("deletionTimestamp".to_owned(), json!(seconds_text(at)));
        metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
        bump_generation(metadata);
        Ok(Deleted::Marked(self.put(object)?))
    }

    /// Takes the object away at once, whatever holds it.
    pub(crate) fn remove(&mut self, object: &Arc<Object>) -> Arc<Object> {
        if self.dry_run {
            return Arc::clone(object);
        }
        self.store.remove(self.table, self.row, &object.key).unwrap_or_else(|| Arc::clone(object))
    }

    fn replace(&mut self, old: &Arc<Object>, mut object: Value, part: Part) -> Result<Arc<Object>, StatusError> {
        let before = old.value(self.row);
        if part == Part::Status {
            let status = map_mut(&mut object).remove("status");
            object = before.clone();
            set_or_remove(map_mut(&mut object), "status", status);
        } else if part == Part::Main && self.row.status {
            set_or_remove(map_mut(&mut object), "status", before.get("status").cloned());
        }
        self.keep_identity(&before, &mut object, part);
        if part != Part::Status && is_new_generation(&before, &object) {
            bump_generation(metadata_mut(&mut object));
        }
        let writable = metadata_mut(&mut object);
        writable.insert("resourceVersion".to_owned(), before["metadata"]["resourceVersion"].clone());
        if object == before {
            return Ok(Arc::clone(old));
        }
        let marked = !metadata_text(&object, "deletionTimestamp").is_empty();
        // The last finalizer lets go; a Pod's grace period is ended by whoever deletes it for good.
        if marked && has_finalizers(&before) && !has_finalizers(&object) && part != Part::Whole {
            return Ok(self.remove(old));
        }
        self.put(object)
    }

    /// What a write cannot change comes from the stored object.
    fn keep_identity(&self, before: &Value, object: &mut Value, part: Part) {
        let old = before.get("metadata").and_then(Value::as_object);
        map_mut(object).insert("apiVersion".to_owned(), json!(self.row.api_version()));
        map_mut(object).insert("kind".to_owned(), json!(self.row.kind));
        let metadata = metadata_mut(object);
        metadata.remove("managedFields");
        for field in ["name", "namespace", "uid", "creationTimestamp", "generation", "generateName"] {
            let given = metadata.contains_key(field);
            if part == Part::Whole && given && field != "name" && field != "namespace" {
                continue;
            }
            set_or_remove(metadata, field, old.and_then(|old| old.get(field)).cloned());
        }
        if part != Part::Whole {
            for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
                set_or_remove(metadata, field, old.and_then(|old| old.get(field)).cloned());
            }
        }
    }

    /// The name, uid and revision a write carries must be the stored object's.
    fn check_written(&self, old: &Object, object: &Value) -> Result<(), StatusError> {
        let name = &old.key.name;
        let written = metadata_text(object, "name");
        if !written.is_empty() && written != name {
            return Err(StatusError::bad_request(format!(
                "the name of the object ({written}) does not match the name on the URL ({name})"
            )));
        }
        let uid = metadata_text(object, "uid");
        if !uid.is_empty() && uid != old.uid {
            let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", old.uid);
            return Err(StatusError::conflict(self.row, name, &why));
        }
        let revision = metadata_text(object, "resourceVersion");
        if !revision.is_empty() && revision != old.revision.to_string() {
            return Err(StatusError::modified(self.row, name));
        }
        Ok(())
    }

    /// Settles name and namespace, from `generateName` if need be.
    fn name_new(&mut self, object: &mut Value) -> Result<Key, StatusError> {
        let mut name = metadata_text(object, "name").to_owned();
        if name.is_empty() {
            let prefix = metadata_text(object, "generateName").to_owned();
            if prefix.is_empty() {
                let why = "Required value: name or generateName is required";
                return Err(StatusError::invalid(self.row, "", "metadata.name", why));
            }
            name = format!("{prefix}{}", suffix(self.store.count_up()));
        }
        if !is_object_name(&name) {
            let why = format!("Invalid value: \"{name}\": a lowercase RFC 1123 subdomain is expected");
            return Err(StatusError::invalid(self.row, &name, "metadata.name", &why));
        }
        let metadata = metadata_mut(object);
        metadata.insert("name".to_owned(), json!(name));
        if !self.row.namespaced {
            metadata.remove("namespace");
            return Ok(Key { namespace: String::new(), name });
        }
        let namespace = metadata.entry("namespace").or_insert_with(|| json!("default"));
        Ok(Key { namespace: namespace.as_str().unwrap_or_default().to_owned(), name })
    }

    fn stamp_new(&mut self, object: &mut Value) {
        let number = self.store.count_up();
        let created = seconds_text(self.now);
        map_mut(object).insert("apiVersion".to_owned(), json!(self.row.api_version()));
        map_mut(object).insert("kind".to_owned(), json!(self.row.kind));
        let counts_generations = object.get("spec").is_some();
        let metadata = metadata_mut(object);
        metadata.remove("managedFields");
        metadata.entry("uid").or_insert_with(|| json!(format!("00000000-0000-4000-8000-{number:012x}")));
        metadata.entry("creationTimestamp").or_insert_with(|| json!(created));
        if counts_generations {
            metadata.entry("generation").or_insert_with(|| json!(1));
        }
    }

    /// A client's word on the status of a new object does not count.
    fn reset_status(&self, object: &mut Value) {
        if !self.row.status {
            return;
        }
        let status = match self.row.kind {
            "Pod" | "PersistentVolumeClaim" | "PersistentVolume" => Some(json!({ "phase": "Pending" })),
            "Namespace" => Some(json!({ "phase": "Active" })),
            _ => None,
        };
        set_or_remove(map_mut(object), "status", status);
    }

    fn put(&mut self, object: Value) -> Result<Arc<Object>, StatusError> {
        self.check_size(&object)?;
        Ok(if self.dry_run {
            self.store.preview(self.row, object)
        } else {
            self.store.put(self.table, self.row, object)
        })
    }

    /// ConfigMaps and Secrets are limited, as in a real cluster: programs that keep state in them must know.
    fn check_size(&self, object: &Value) -> Result<(), StatusError> {
        if !self.row.group.is_empty() || !matches!(self.row.kind, "ConfigMap" | "Secret") {
            return Ok(());
        }
        let values = ["data", "binaryData"].into_iter().filter_map(|part| object.get(part)?.as_object());
        let size: usize = values.flatten().filter_map(|(_, value)| value.as_str()).map(str::len).sum();
        if size <= LARGEST_DATA {
            return Ok(());
        }
        let why = format!("Too long: may not be more than {LARGEST_DATA} bytes");
        Err(StatusError::invalid(self.row, metadata_text(object, "name"), "data", &why))
    }
}

fn set_or_remove(map: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    match value {
        Some(value) => map.insert(field.to_owned(), value),
        None => map.remove(field),
    };
}

fn has_finalizers(object: &Value) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|all| !all.is_empty())
}

/// A changed spec is a new generation, unless the writer set the generation itself.
fn is_new_generation(before: &Value, object: &Value) -> bool {
    before.get("spec") != object.get("spec") && before["metadata"]["generation"] == object["metadata"]["generation"]
}

fn bump_generation(metadata: &mut Map<String, Value>) {
    if let Some(generation) = metadata.get("generation").and_then(Value::as_u64) {
        metadata.insert("generation".to_owned(), json!(generation + 1));
    }
}

/// Five letters as the API server picks them, but counted, so that runs repeat exactly.
fn suffix(mut number: u64) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut letters = [ALPHABET[0]; 5];
    for letter in letters.iter_mut().rev() {
        let place = usize::try_from(number % 27).unwrap_or_default();
        *letter = ALPHABET[place];
        number /= 27;
    }
    letters.iter().copied().map(char::from).collect()
}

fn is_object_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    name.len() <= 253
        && name.chars().all(allowed)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Kubernetes writes times of objects to the second.
pub(crate) fn seconds_text(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_suffixes_do_not_repeat() {
        let all: std::collections::HashSet<_> = (0..1000).map(suffix).collect();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn names() {
        for name in ["web-1", "node-a.example.com", "0"] {
            assert!(is_object_name(name), "{name}");
        }
        for name in ["", "Web", "a/b", "-a", "a-", "a b", "a_b"] {
            assert!(!is_object_name(name), "{name}");
        }
    }
}
