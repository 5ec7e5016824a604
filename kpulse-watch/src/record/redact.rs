//! What of an object may be written to a file that people hand around.

use serde_json::{Map, Value};

/// What of a container is never kept: its value often is a password, and no monitor reads it.
const PRIVATE_FIELDS: [&str; 3] = ["args", "command", "httpHeaders"];

/// Where `kubectl apply` keeps a copy of everything that was applied, values and all.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes out what is private: everything of a Secret but its type and `tls.crt`; the values of environment variables,
/// commands, arguments and probe headers, wherever a Pod's template stands; and copies of them in annotations.
/// `metadata.managedFields` goes too unless it is wanted.
pub(crate) fn redact(object: &mut Value, keep_managed_fields: bool) {
    if object["kind"] == "Secret" {
        redact_secret(object);
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        if !keep_managed_fields {
            metadata.remove("managedFields");
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    if let Some(spec) = object.get_mut("spec") {
        redact_containers(spec);
    }
}

fn redact_secret(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else { return };
    let certificate = fields.get_mut("data").and_then(Value::as_object_mut).and_then(|data| data.remove("tls.crt"));
    // What is not known to be harmless is not kept.
    fields.retain(|field, _| matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "type" | "immutable"));
    if let Some(certificate) = certificate {
        fields.insert("data".to_owned(), Value::Object(Map::from_iter([("tls.crt".to_owned(), certificate)])));
    }
}

fn redact_containers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(redact_containers),
        Value::Object(fields) => {
            fields.retain(|field, _| !PRIVATE_FIELDS.contains(&field.as_str()));
            for variable in fields.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(variable) = variable.as_object_mut() {
                    variable.remove("value");
                }
            }
            // A template's own annotations can hold the same copies as an object's.
            if let Some(annotations) = fields.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations.remove(LAST_APPLIED);
            }
            fields.values_mut().for_each(redact_containers);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(mut object: Value, expect: &Value) {
        redact(&mut object, false);
        assert_eq!(object, *expect);
    }

    #[test]
    fn of_a_secret_only_its_certificate_is_kept() {
        check(
            json!({ "kind": "Secret", "type": "kubernetes.io/tls", "metadata": { "name": "web" },
                "data": { "tls.crt": "c", "tls.key": "k", "ca.crt": "a", "password": "p" },
                "stringData": { "tls.key": "k" }, "anything": "else" }),
            &json!({ "kind": "Secret", "type": "kubernetes.io/tls", "metadata": { "name": "web" },
                "data": { "tls.crt": "c" } }),
        );
        check(json!({ "kind": "Secret", "data": "k" }), &json!({ "kind": "Secret" }));
        check(json!({ "kind": "Secret", "data": { "tls.key": "k" } }), &json!({ "kind": "Secret" }));
    }

    #[test]
    fn the_values_of_environment_variables_are_not_kept_however_deep() {
        let from = json!({ "name": "B", "valueFrom": { "secretKeyRef": { "name": "s", "key": "value" } } });
        let pod =
            |env: Value| json!({ "containers": [{ "name": "c", "env": env }], "initContainers": [{ "env": env }] });
        let before = pod(json!([{ "name": "A", "value": "hunter2" }, from]));
        let after = pod(json!([{ "name": "A" }, from]));
        check(json!({ "kind": "Pod", "spec": before }), &json!({ "kind": "Pod", "spec": after }));
        let cron_job = |pod: &Value| json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": pod } } } } });
        check(cron_job(&before), &cron_job(&after));
    }

    #[test]
    fn commands_arguments_and_headers_are_not_kept() {
        check(
            json!({ "spec": { "containers": [{ "name": "c", "command": ["sh"], "args": ["--password=hunter2"],
                "livenessProbe": { "httpGet": { "path": "/", "httpHeaders": [{ "name": "Authorization" }] } } }] } }),
            &json!({ "spec": { "containers": [{ "name": "c", "livenessProbe": { "httpGet": { "path": "/" } } }] } }),
        );
    }

    #[test]
    fn copies_of_what_was_applied_are_not_kept() {
        let annotations = |with: bool| {
            let copy = with.then(|| (LAST_APPLIED.to_owned(), json!("hunter2")));
            Value::Object(copy.into_iter().chain([("kpulse.io/ignore".to_owned(), json!("true"))]).collect())
        };
        let object = |with| {
            json!({ "metadata": { "annotations": annotations(with) },
                "spec": { "template": { "metadata": { "annotations": annotations(with) } } } })
        };
        check(object(true), &object(false));
    }

    #[test]
    fn managed_fields_are_kept_only_if_wanted() {
        let object = json!({ "metadata": { "name": "a", "managedFields": [{}] } });
        check(object.clone(), &json!({ "metadata": { "name": "a" } }));
        let mut kept = object.clone();
        redact(&mut kept, true);
        assert_eq!(kept, object);
    }

    #[test]
    fn statuses_are_kept_as_they_are() {
        let object =
            json!({ "kind": "Pod", "status": { "message": "env", "containerStatuses": [{ "command": "x" }] } });
        check(object.clone(), &object);
        for odd in [json!(7), json!({ "metadata": 7, "spec": [7] })] {
            check(odd.clone(), &odd);
        }
    }
}
