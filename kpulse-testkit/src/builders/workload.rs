//! Deployments, StatefulSets and DaemonSets, and how far they have rolled out.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::time;

/// A Deployment that wants `replicas` Pods and has them since this time.
#[must_use]
pub fn rollout(namespace: &str, name: &str, replicas: i32, since: Timestamp) -> WorkloadBuilder {
    WorkloadBuilder::new("Deployment", namespace, name, replicas, since)
}

/// A StatefulSet that wants `replicas` Pods and has them since this time.
#[must_use]
pub fn stateful_set(namespace: &str, name: &str, replicas: i32, since: Timestamp) -> WorkloadBuilder {
    WorkloadBuilder::new("StatefulSet", namespace, name, replicas, since)
}

/// A DaemonSet that is to run on so many nodes and does since this time.
#[must_use]
pub fn daemon_set(namespace: &str, name: &str, nodes: i32, since: Timestamp) -> WorkloadBuilder {
    WorkloadBuilder::new("DaemonSet", namespace, name, nodes, since)
}

/// Builds the JSON of a workload.
#[derive(Debug, Clone)]
pub struct WorkloadBuilder {
    kind: &'static str,
    namespace: String,
    name: String,
    created: Timestamp,
    desired: i32,
    /// Pods of the revision asked for, of those of any.
    updated: i32,
    pods: i32,
    ready: i32,
    generation: i64,
    observed: i64,
    progressing: (&'static str, Timestamp),
    available: Timestamp,
}

impl WorkloadBuilder {
    fn new(kind: &'static str, namespace: &str, name: &str, desired: i32, since: Timestamp) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            created: since,
            desired,
            updated: desired,
            pods: desired,
            ready: desired,
            generation: 1,
            observed: 1,
            progressing: ("NewReplicaSetAvailable", since),
            available: since,
        }
    }

    /// Its spec was changed so often; the controller has seen the changes before the last.
    #[must_use]
    pub fn changed(mut self, generation: i64) -> Self {
        self.generation = generation;
        self.observed = generation - 1;
        self
    }

    /// The controller has seen the spec of this generation, and moved on at this time: of `pods` there are, so many
    /// are of the new revision and so many are ready.
    #[must_use]
    pub fn rolling(mut self, generation: i64, pods: i32, updated: i32, ready: i32, at: Timestamp) -> Self {
        (self.generation, self.observed) = (generation, generation);
        (self.pods, self.updated, self.ready) = (pods, updated, ready);
        let done = updated == self.desired && pods == self.desired && ready == self.desired;
        self.progressing = (if done { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" }, at);
        self
    }

    /// The controller gave up at this time: no progress for `progressDeadlineSeconds`. Deployments only.
    #[must_use]
    pub fn deadline_exceeded(mut self, at: Timestamp) -> Self {
        self.progressing = ("ProgressDeadlineExceeded", at);
        self
    }

    /// The workload as the API server shows it: a count of 0 is left out.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut status = match self.kind {
            "DaemonSet" => json!({
                "desiredNumberScheduled": self.desired, "currentNumberScheduled": self.pods, "numberMisscheduled": 0,
                "numberReady": self.ready, "updatedNumberScheduled": self.updated, "numberAvailable": self.ready,
            }),
            "StatefulSet" => json!({
                "replicas": self.pods, "updatedReplicas": self.updated, "readyReplicas": self.ready,
                "availableReplicas": self.ready, "updateRevision": format!("{}-{}", self.name, self.observed),
                "currentRevision": format!("{}-{}", self.name, if self.is_rolling() { self.observed - 1 } else { self.observed }),
            }),
            _ => json!({
                "replicas": self.pods, "updatedReplicas": self.updated, "readyReplicas": self.ready,
                "availableReplicas": self.ready, "conditions": self.conditions(),
            }),
        };
        if let Some(counts) = status.as_object_mut() {
            counts.retain(|key, count| {
                *count != json!(0) || matches!(key.as_str(), "numberReady" | "numberMisscheduled")
            });
        }
        status["observedGeneration"] = json!(self.observed);
        let mut spec = json!({ "selector": { "matchLabels": { "app": self.name } } });
        if self.kind == "DaemonSet" {
            status["desiredNumberScheduled"] = json!(self.desired);
            status["currentNumberScheduled"] = json!(self.pods);
        } else {
            spec["replicas"] = json!(self.desired);
        }
        json!({
            "apiVersion": "apps/v1", "kind": self.kind,
            "metadata": { "namespace": self.namespace, "name": self.name, "uid": format!("{}-{}", self.kind, self.name),
                "generation": self.generation, "creationTimestamp": time(self.created) },
            "spec": spec, "status": status,
        })
    }

    fn is_rolling(&self) -> bool {
        self.updated < self.desired || self.ready < self.desired && self.observed > 1
    }

    fn conditions(&self) -> Value {
        let (reason, at) = self.progressing;
        let gave_up = reason == "ProgressDeadlineExceeded";
        json!([
            { "type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
              "lastUpdateTime": time(self.available), "lastTransitionTime": time(self.available) },
            { "type": "Progressing", "status": if gave_up { "False" } else { "True" }, "reason": reason,
              "lastUpdateTime": time(at), "lastTransitionTime": time(if gave_up { at } else { self.created }) },
        ])
    }
}
