//! HorizontalPodAutoscalers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::time;

/// The HorizontalPodAutoscaler of a Deployment of its own name, which may have `limits.0` to `limits.1` Pods, has as
/// many as it wants and has read its metrics since `since`.
#[must_use]
pub fn autoscaler(namespace: &str, name: &str, limits: (i32, i32), wants: i32, since: Timestamp) -> Value {
    let (min, max) = limits;
    let condition = |kind: &str, status: bool, reason: &str| {
        json!({ "type": kind, "status": if status { "True" } else { "False" }, "reason": reason, "message": "",
            "lastTransitionTime": time(since) })
    };
    let limited = if wants >= max { "TooManyReplicas" } else { "DesiredWithinRange" };
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": { "namespace": namespace, "name": name, "uid": name },
        "spec": { "minReplicas": min, "maxReplicas": max,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name } },
        "status": { "currentReplicas": wants, "desiredReplicas": wants, "conditions": [
            condition("AbleToScale", true, "ReadyForNewScale"),
            condition("ScalingActive", true, "ValidMetricFound"),
            condition("ScalingLimited", wants >= max, limited),
        ] },
    })
}
