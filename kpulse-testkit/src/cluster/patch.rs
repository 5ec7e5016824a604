//! The four kinds of patch, and what each makes of an object.
//!
//! A strategic patch and a server-side apply merge lists by the key Kubernetes gives them ([`merge_keys`]).
//! Field ownership is not kept: an apply takes what it names and removes nothing.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::object::map_mut;
use super::resources::Resource;
use super::status::StatusError;

pub(crate) const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, \
     application/strategic-merge-patch+json, application/apply-patch+yaml";

/// One patch, read but not yet put on anything.
#[derive(Debug)]
pub(crate) enum Patch {
    Merge(Value),
    Strategic(Value),
    Json(json_patch::Patch),
    Apply(Value),
}

impl Patch {
    pub(crate) fn parse(content_type: &str, body: &[u8]) -> Result<Self, StatusError> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            MERGE => read_json(body).and_then(a_map).map(Self::Merge),
            STRATEGIC => read_json(body).and_then(a_map).map(Self::Strategic),
            JSON => read_json(body).map(Self::Json),
            APPLY => read_object(body).and_then(a_map).map(Self::Apply),
            _ => Err(StatusError::unsupported_media_type(ACCEPTED)),
        }
    }

    /// Only an apply makes what is not there.
    pub(crate) fn creates(&self) -> bool {
        matches!(self, Self::Apply(_))
    }

    pub(crate) fn onto(&self, object: &mut Value, row: &Resource, name: &str) -> Result<(), StatusError> {
        match self {
            Self::Merge(patch) => json_patch::merge(object, patch),
            Self::Strategic(patch) | Self::Apply(patch) => merge_maps(map_mut(object), map_of(patch)),
            Self::Json(patch) => json_patch::patch(object, patch)
                .map_err(|error| StatusError::invalid(row, name, "patch", &error.to_string()))?,
        }
        Ok(())
    }
}

/// A whole object, in JSON or YAML.
pub(crate) fn read_object(body: &[u8]) -> Result<Value, StatusError> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let text = String::from_utf8_lossy(body);
    serde_saphyr::from_str(&text).map_err(|error| StatusError::bad_request(format!("error decoding the body: {error}")))
}

fn read_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, StatusError> {
    serde_json::from_slice(body).map_err(|error| StatusError::bad_request(format!("error decoding patch: {error}")))
}

fn a_map(patch: Value) -> Result<Value, StatusError> {
    if patch.is_object() { Ok(patch) } else { Err(StatusError::bad_request("the patch is no object")) }
}

fn map_of(value: &Value) -> Cow<'_, Map<String, Value>> {
    match value {
        Value::Object(map) => Cow::Borrowed(map),
        _ => Cow::Owned(Map::new()),
    }
}

/// Which field tells the items of such a list apart; none for a list that is replaced as a whole.
fn merge_keys(list: &str) -> &'static [&'static str] {
    match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "secrets" => &["name"],
        "addresses" | "conditions" => &["type"],
        "hostAliases" => &["ip"],
        "ownerReferences" => &["uid"],
        "ports" => &["containerPort", "port"],
        "taints" => &["key"],
        "topologySpreadConstraints" => &["topologyKey"],
        "volumeDevices" => &["devicePath"],
        "volumeMounts" => &["mountPath"],
        _ => &[],
    }
}

#[expect(clippy::needless_pass_by_value, reason = "borrowed or empty, never copied")]
fn merge_maps(target: &mut Map<String, Value>, patch: Cow<'_, Map<String, Value>>) {
    if directive(&patch) == Some("replace") {
        target.clear();
    }
    if let Some(Value::Array(kept)) = patch.get("$retainKeys") {
        target.retain(|key, _| kept.iter().any(|k| k == key));
    }
    for (key, change) in patch.iter() {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            remove_items(target.get_mut(list), change);
        } else if !key.starts_with('$') {
            merge_field(target, key, change);
        }
    }
}

fn merge_field(target: &mut Map<String, Value>, key: &str, change: &Value) {
    match change {
        Value::Null => {
            target.remove(key);
        }
        Value::Object(map) if directive(map) == Some("delete") => {
            target.remove(key);
        }
        Value::Object(map) => {
            let slot = target.entry(key).or_insert_with(|| Value::Object(Map::new()));
            merge_maps(map_mut(slot), Cow::Borrowed(map));
        }
        Value::Array(items) => {
            let merged = merge_lists(key, target.get(key).and_then(Value::as_array), items);
            target.insert(key.to_owned(), Value::Array(merged));
        }
        _ => {
            target.insert(key.to_owned(), change.clone());
        }
    }
}

fn merge_lists(list: &str, current: Option<&Vec<Value>>, patch: &[Value]) -> Vec<Value> {
    if list == "finalizers" {
        let mut all = current.cloned().unwrap_or_default();
        let added: Vec<_> = patch.iter().filter(|item| !all.contains(item)).cloned().collect();
        all.extend(added);
        return all;
    }
    let replaces = patch.iter().any(|item| item.as_object().and_then(directive) == Some("replace"));
    let merge_key = merge_keys(list).iter().find(|key| patch.iter().all(|item| item.get(**key).is_some()));
    let (Some(merge_key), false) = (merge_key, replaces) else {
        return patch.iter().filter(|item| item.get("$patch").is_none()).map(cleaned).collect();
    };
    let mut merged = current.cloned().unwrap_or_default();
    for item in patch {
        let place = merged.iter().position(|old| old.get(*merge_key) == item.get(*merge_key));
        let deletes = item.as_object().and_then(directive) == Some("delete");
        match place {
            Some(place) if deletes => {
                merged.remove(place);
            }
            Some(place) => merge_maps(map_mut(&mut merged[place]), map_of(item)),
            None if deletes => {}
            None => merged.push(cleaned(item)),
        }
    }
    merged
}

/// Without nulls and directives, as if merged onto nothing.
fn cleaned(item: &Value) -> Value {
    let Value::Object(map) = item else { return item.clone() };
    let mut clean = Map::new();
    merge_maps(&mut clean, Cow::Borrowed(map));
    Value::Object(clean)
}

fn directive(map: &Map<String, Value>) -> Option<&str> {
    map.get("$patch").and_then(Value::as_str)
}

fn remove_items(list: Option<&mut Value>, unwanted: &Value) {
    if let (Some(Value::Array(items)), Value::Array(unwanted)) = (list, unwanted) {
        items.retain(|item| !unwanted.contains(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resources::Catalogue;
    use serde_json::json;

    #[track_caller]
    fn check(content_type: &str, object: Value, patch: &Value, expect: &Value) {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("Pod").unwrap());
        let mut patched = object;
        let patch = Patch::parse(content_type, patch.to_string().as_bytes()).unwrap();
        patch.onto(&mut patched, row, "web-1").unwrap();
        assert_eq!(&patched, expect);
    }

    #[test]
    fn a_merge_patch_removes_what_is_null_and_replaces_lists() {
        check(
            MERGE,
            json!({"a": 1, "b": {"c": 2}}),
            &json!({"a": null, "b": {"d": 3}}),
            &json!({"b": {"c": 2, "d": 3}}),
        );
        check(
            MERGE,
            json!({"conditions": [{"type": "A"}]}),
            &json!({"conditions": [{"type": "B"}]}),
            &json!({"conditions": [{"type": "B"}]}),
        );
    }

    #[test]
    fn a_json_patch_is_a_list_of_steps() {
        let steps = json!([
            {"op": "test", "path": "/a", "value": 1},
            {"op": "replace", "path": "/a", "value": 2},
            {"op": "add", "path": "/b", "value": [1]},
            {"op": "add", "path": "/b/-", "value": 2},
        ]);
        check(JSON, json!({"a": 1}), &steps, &json!({"a": 2, "b": [1, 2]}));
    }

    #[test]
    fn a_failed_test_step_is_422() {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("Pod").unwrap());
        let patch = Patch::parse(JSON, br#"[{"op":"test","path":"/a","value":1}]"#).unwrap();
        assert_eq!(patch.onto(&mut json!({"a": 2}), row, "web-1").unwrap_err().code, 422);
    }

    #[test]
    fn an_unknown_content_type_is_415() {
        assert_eq!(Patch::parse("application/json", b"{}").unwrap_err().code, 415);
    }

    #[test]
    fn lists_with_a_key_merge_by_it() {
        for content_type in [STRATEGIC, APPLY] {
            check(
                content_type,
                json!({"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]}),
                &json!({"conditions": [{"type": "B", "status": "False"}, {"type": "C"}]}),
                &json!({"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "False"}, {"type": "C"}]}),
            );
            check(content_type, json!({"args": ["a", "b"]}), &json!({"args": ["c"]}), &json!({"args": ["c"]}));
        }
    }

    #[test]
    fn strategic_directives_are_followed_and_not_stored() {
        check(
            STRATEGIC,
            json!({"env": [{"name": "A"}, {"name": "B"}]}),
            &json!({"$setElementOrder/env": [{"name": "B"}], "env": [{"$patch": "delete", "name": "A"}]}),
            &json!({"env": [{"name": "B"}]}),
        );
        check(
            STRATEGIC,
            json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}),
            &json!({"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}),
            &json!({"strategy": {"type": "Recreate"}}),
        );
        check(
            STRATEGIC,
            json!({"finalizers": ["a", "b"]}),
            &json!({"$deleteFromPrimitiveList/finalizers": ["a"]}),
            &json!({"finalizers": ["b"]}),
        );
        check(
            STRATEGIC,
            json!({"labels": {"a": "1"}}),
            &json!({"labels": {"$patch": "replace", "b": "2"}}),
            &json!({"labels": {"b": "2"}}),
        );
    }

    #[test]
    fn an_apply_may_be_yaml() {
        let patch = Patch::parse(APPLY, b"data:\n  a: \"1\"\n").unwrap();
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("ConfigMap").unwrap());
        let mut object = json!({});
        patch.onto(&mut object, row, "x").unwrap();
        assert_eq!(object, json!({"data": {"a": "1"}}));
    }
}
