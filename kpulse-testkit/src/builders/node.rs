//! Nodes: what their kubelets say, and what their keepers have in mind for them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::time;

/// A Node that has been ready since this time.
#[must_use]
pub fn node(name: &str, since: Timestamp) -> NodeBuilder {
    NodeBuilder {
        name: name.to_owned(),
        created: since,
        ready: ("True", since),
        heartbeat: since,
        pressure: None,
        cordoned: false,
        taints: Vec::new(),
    }
}

/// Builds the JSON of a Node.
#[derive(Debug, Clone)]
pub struct NodeBuilder {
    name: String,
    created: Timestamp,
    ready: (&'static str, Timestamp),
    heartbeat: Timestamp,
    pressure: Option<(&'static str, Timestamp)>,
    cordoned: bool,
    taints: Vec<String>,
}

impl NodeBuilder {
    /// Its kubelet says since this time that it is not ready.
    #[must_use]
    pub fn not_ready(mut self, since: Timestamp) -> Self {
        self.ready = ("False", since);
        self
    }

    /// The node controller has not heard of its kubelet since this time.
    #[must_use]
    pub fn silent(mut self, since: Timestamp) -> Self {
        self.ready = ("Unknown", since);
        self
    }

    /// It has been short of something since this time: `DiskPressure`.
    #[must_use]
    pub fn short_of(mut self, pressure: &'static str, since: Timestamp) -> Self {
        self.pressure = Some((pressure, since));
        self
    }

    /// Its kubelet spoke at this time, and nothing has changed.
    #[must_use]
    pub fn heartbeat(mut self, at: Timestamp) -> Self {
        self.heartbeat = at;
        self
    }

    /// Somebody wants no new Pods on it.
    #[must_use]
    pub fn cordoned(mut self) -> Self {
        self.cordoned = true;
        self.tainted("node.kubernetes.io/unschedulable")
    }

    /// Adds a taint: `ToBeDeletedByClusterAutoscaler`.
    #[must_use]
    pub fn tainted(mut self, key: &str) -> Self {
        self.taints.push(key.to_owned());
        self
    }

    /// The Node as the API server shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut conditions: Vec<Value> =
            ["MemoryPressure", "DiskPressure", "PIDPressure"].iter().map(|kind| self.pressure(kind)).collect();
        let (ready, since) = self.ready;
        let (reason, message) = match ready {
            "True" => ("KubeletReady", "kubelet is posting ready status"),
            "False" => ("KubeletNotReady", "container runtime network not ready: cni plugin not initialized"),
            _ => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
        };
        conditions.push(self.condition("Ready", ready, reason, message, since));
        let taints: Vec<Value> = self.taints.iter().map(|key| json!({ "key": key, "effect": "NoSchedule" })).collect();
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": self.name, "uid": self.name, "creationTimestamp": time(self.created) },
            "spec": { "unschedulable": self.cordoned, "taints": taints },
            "status": { "conditions": conditions },
        })
    }

    /// What the node controller does to all conditions when the kubelet falls silent, it does to pressure too.
    fn pressure(&self, kind: &'static str) -> Value {
        match (self.ready, self.pressure) {
            (("Unknown", since), _) => {
                self.condition(kind, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", since)
            }
            (_, Some((short, since))) if short == kind => {
                self.condition(kind, "True", &format!("KubeletHas{kind}"), "kubelet has it", since)
            }
            _ => self.condition(kind, "False", &format!("KubeletHasNo{kind}"), "kubelet has enough", self.created),
        }
    }

    fn condition(&self, kind: &str, status: &str, reason: &str, message: &str, since: Timestamp) -> Value {
        json!({ "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": time(self.heartbeat), "lastTransitionTime": time(since) })
    }
}
