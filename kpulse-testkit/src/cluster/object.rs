//! One stored object: its JSON, and the little of it that is asked about often.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::events::{core_event, events_view};
use super::resources::Resource;

/// Where an object stands. Sorts as lists do: by namespace, then name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// An object as serialised bytes, since a parsed one takes five times the room: 100,000 Pods must fit.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) key: Key,
    pub(crate) uid: String,
    pub(crate) revision: u64,
    pub(crate) labels: Vec<(String, String)>,
    fields: Vec<(&'static str, String)>,
    /// Without `apiVersion` and `kind`, as in a list's items.
    json: Bytes,
}

impl Object {
    /// Takes what is written, in the row's form, stamps the revision on it, and drops `apiVersion` and `kind`.
    pub(crate) fn new(mut value: Value, row: &Resource, revision: u64) -> Self {
        if row.is_events_view() {
            value = core_event(value);
        }
        let fields =
            row.fields.iter().map(|path| (*path, text_at(&value, path))).filter(|(_, text)| !text.is_empty()).collect();
        if let Value::Object(object) = &mut value {
            object.remove("apiVersion");
            object.remove("kind");
        }
        let metadata = metadata_mut(&mut value);
        metadata.insert("resourceVersion".to_owned(), Value::String(revision.to_string()));
        let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let labels = metadata.get("labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())));
        Self {
            key: Key { namespace: text("namespace"), name: text("name") },
            uid: text("uid"),
            revision,
            labels: labels.collect(),
            fields,
            json: exact_bytes(&value),
        }
    }

    /// The value of a selectable field; empty where absent.
    pub(crate) fn field(&self, path: &str) -> &str {
        match path {
            "metadata.name" => &self.key.name,
            "metadata.namespace" => &self.key.namespace,
            _ => self.fields.iter().find(|(field, _)| *field == path).map_or("", |(_, value)| value),
        }
    }

    pub(crate) fn json(&self) -> &Bytes {
        &self.json
    }

    /// Parsed, as it is kept: without `apiVersion` and `kind`.
    pub(crate) fn bare(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// Parsed, whole, in the row's form.
    pub(crate) fn value(&self, row: &Resource) -> Value {
        let mut value = if row.is_events_view() { events_view(self.bare()) } else { self.bare() };
        if let Value::Object(object) = &mut value {
            object.insert("apiVersion".to_owned(), Value::String(row.api_version()));
            object.insert("kind".to_owned(), Value::String(row.kind.to_owned()));
        }
        value
    }
}

/// Without the spare room a growing text has: with 100,000 objects it is a third of all.
fn exact_bytes(value: &Value) -> Bytes {
    let mut text = value.to_string().into_bytes();
    text.shrink_to_fit();
    Bytes::from(text)
}

/// The object's metadata; made where it is missing or no map.
pub(crate) fn metadata_mut(value: &mut Value) -> &mut Map<String, Value> {
    map_mut(map_mut(value).entry("metadata").or_insert_with(|| Value::Object(Map::new())))
}

/// The value as a map, made one if it is none.
pub(crate) fn map_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made a map above"),
    }
}

/// A string in the object's metadata; empty where absent.
pub(crate) fn metadata_text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get("metadata").and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or_default()
}

fn text_at(value: &Value, path: &str) -> String {
    let found = path.split('.').try_fold(value, |value, step| value.get(step));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
