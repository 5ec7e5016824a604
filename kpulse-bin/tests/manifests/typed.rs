//! Manifests held against the types of the Kubernetes API: what a type does not have would be ignored by a cluster, or
//! refused.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Has each document be one that its type takes whole. Kinds that come with an operator have no type.
#[track_caller]
pub(crate) fn check(documents: &[Value]) {
    for document in documents {
        let name = format!("{} {}", document["kind"], document["metadata"]["name"]);
        let lost = match document["kind"].as_str().unwrap() {
            "ClusterRole" => lost::<ClusterRole>(document),
            "ClusterRoleBinding" => lost::<ClusterRoleBinding>(document),
            "ConfigMap" => lost::<ConfigMap>(document),
            "Deployment" => lost::<Deployment>(document),
            "Job" => lost::<Job>(document),
            "Namespace" => lost::<Namespace>(document),
            "NetworkPolicy" => lost::<NetworkPolicy>(document),
            "PodDisruptionBudget" => lost::<PodDisruptionBudget>(document),
            "Role" => lost::<Role>(document),
            "RoleBinding" => lost::<RoleBinding>(document),
            "Secret" => lost::<Secret>(document),
            "Service" => lost::<Service>(document),
            "ServiceAccount" => lost::<ServiceAccount>(document),
            "ServiceMonitor" | "PrometheusRule" => continue,
            other => panic!("no type for {other}"),
        };
        assert_eq!(lost, Ok(Vec::new()), "{name}");
    }
}

/// What the type does not take: fields it does not know.
fn lost<T: DeserializeOwned + Serialize>(document: &Value) -> Result<Vec<String>, String> {
    let typed: T = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
    let taken = serde_json::to_value(typed).map_err(|error| error.to_string())?;
    let mut lost = Vec::new();
    compare("", document, &taken, &mut lost);
    Ok(lost)
}

fn compare(path: &str, written: &Value, taken: &Value, lost: &mut Vec<String>) {
    match (written, taken) {
        (Value::Object(written), Value::Object(taken)) => {
            for (key, value) in written {
                let path = format!("{path}.{key}");
                match taken.get(key) {
                    Some(taken) => compare(&path, value, taken, lost),
                    None => lost.push(path),
                }
            }
        }
        (Value::Array(written), Value::Array(taken)) if written.len() == taken.len() => {
            for (place, (written, taken)) in written.iter().zip(taken).enumerate() {
                compare(&format!("{path}[{place}]"), written, taken, lost);
            }
        }
        (written, taken) if written == taken => {}
        _ => lost.push(format!("{path}: {written} became {taken}")),
    }
}

#[test]
fn what_a_type_does_not_have_is_found() {
    let role = |rule: Value| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": [rule]});
    assert_eq!(lost::<Role>(&role(json!({"verbs": ["get"], "resources": ["pods"]}))), Ok(Vec::new()));
    let unknown = lost::<Role>(&role(json!({"verbs": ["get"], "resourses": ["pods"]})));
    assert_eq!(unknown, Ok(vec![".rules[0].resourses".to_owned()]));
    assert!(lost::<Role>(&role(json!({"verbs": "get"}))).is_err());
}
