//! Objects as a real cluster shows them, in few words.
//!
//! ```
//! use jiff::Timestamp;
//! use kpulse_testkit::builders::{Death, pod};
//!
//! let now: Timestamp = "2026-11-22T17:00:00Z".parse()?;
//! let crashed = pod("shop", "api").of_deployment("api", "7d9c5b6f4").crash_looping(7, now).json();
//! assert_eq!(crashed["status"]["containerStatuses"][0]["restartCount"], 7);
//! # Ok::<(), jiff::Error>(())
//! ```

mod autoscaler;
mod batch;
mod claim;
mod node;
mod workload;

pub use autoscaler::autoscaler;
pub use batch::{CronJobBuilder, JobBuilder, cron_job, job};
pub use claim::{bound_claim, pending_claim};
pub use node::{NodeBuilder, node};
pub use workload::{WorkloadBuilder, daemon_set, rollout, stateful_set};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A Pod with one container, created just now and bound to a node.
#[must_use]
pub fn pod(namespace: &str, name: &str) -> PodBuilder {
    PodBuilder {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        container: "main".to_owned(),
        node: Some("worker-1".to_owned()),
        restart_policy: "Always",
        created: None,
        owner: None,
        uid: None,
        labels: json!({}),
        annotations: json!({}),
        scheduled: Scheduled::Yes,
        life: Life::Creating,
        ready: true,
        lost: false,
        deleting: None,
        disrupted: None,
    }
}

/// How a container's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// With this exit code.
    Exit(i32),
    /// Killed for its memory.
    OutOfMemory,
}

/// Builds the JSON of a Pod.
#[derive(Debug, Clone)]
pub struct PodBuilder {
    namespace: String,
    name: String,
    container: String,
    node: Option<String>,
    restart_policy: &'static str,
    created: Option<Timestamp>,
    owner: Option<(String, String)>,
    uid: Option<String>,
    labels: Value,
    annotations: Value,
    scheduled: Scheduled,
    life: Life,
    ready: bool,
    lost: bool,
    deleting: Option<Timestamp>,
    disrupted: Option<String>,
}

#[derive(Debug, Clone)]
enum Scheduled {
    Yes,
    No { since: Timestamp, message: String },
}

#[derive(Debug, Clone)]
enum Life {
    Creating,
    Waiting { reason: String, message: String, restarts: i32, last: Option<Run> },
    Running { since: Timestamp, restarts: i32, last: Option<Run> },
    Ended { run: Run, restarts: i32, last: Option<Run> },
    Evicted { message: String },
}

#[derive(Debug, Clone, Copy)]
struct Run {
    death: Death,
    started: Timestamp,
    finished: Timestamp,
}

impl PodBuilder {
    /// Names its container; `main` otherwise.
    #[must_use]
    pub fn container(mut self, name: &str) -> Self {
        name.clone_into(&mut self.container);
        self
    }

    /// Makes it a Pod of a Deployment: of the ReplicaSet `NAME-HASH`, with the label that Deployments give.
    #[must_use]
    pub fn of_deployment(mut self, name: &str, hash: &str) -> Self {
        self.owner = Some(("ReplicaSet".to_owned(), format!("{name}-{hash}")));
        self.labels = json!({ "app": name, "pod-template-hash": hash });
        self
    }

    /// Makes it a Pod of this owner: `StatefulSet`, `DaemonSet`, `Job`.
    #[must_use]
    pub fn of(mut self, kind: &str, name: &str) -> Self {
        self.owner = Some((kind.to_owned(), name.to_owned()));
        self
    }

    /// When it was created; the API server's clock otherwise.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = Some(at);
        self
    }

    /// Its uid; the API server gives one otherwise.
    #[must_use]
    pub fn uid(mut self, uid: &str) -> Self {
        self.uid = Some(uid.to_owned());
        self
    }

    /// `Always`, `OnFailure` or `Never`.
    #[must_use]
    pub fn restart_policy(mut self, policy: &'static str) -> Self {
        self.restart_policy = policy;
        self
    }

    /// The node it is bound to.
    #[must_use]
    pub fn node(mut self, name: &str) -> Self {
        self.node = Some(name.to_owned());
        self
    }

    /// Adds an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations[key] = json!(value);
        self
    }

    /// Runs and is ready, since this time, for the first time.
    #[must_use]
    pub fn running(mut self, since: Timestamp) -> Self {
        self.life = Life::Running { since, restarts: 0, last: None };
        self
    }

    /// Runs again after `restarts` restarts; its run before ended as said.
    #[must_use]
    pub fn running_after(mut self, restarts: i32, death: Death, since: Timestamp) -> Self {
        let run = Run { death, started: before(since, 2), finished: since };
        self.life = Life::Running { since, restarts, last: Some(run) };
        self
    }

    /// Its run ended now after two seconds, the run before too; the kubelet shows `terminated` and waits.
    #[must_use]
    pub fn crash_looping(self, restarts: i32, now: Timestamp) -> Self {
        self.ended(restarts, Death::Exit(1), now)
    }

    /// Its run number `restarts` ended now, after two seconds.
    #[must_use]
    pub fn ended(mut self, restarts: i32, death: Death, now: Timestamp) -> Self {
        let run = Run { death, started: before(now, 2), finished: now };
        let last = (restarts > 0).then(|| Run { death, started: before(now, 6), finished: before(now, 4) });
        self.life = Life::Ended { run, restarts, last };
        self
    }

    /// Waits for something, or for ever: `ErrImagePull`, `CreateContainerConfigError`.
    #[must_use]
    pub fn waiting(mut self, reason: &str, message: &str) -> Self {
        self.life = Life::Waiting { reason: reason.to_owned(), message: message.to_owned(), restarts: 0, last: None };
        self
    }

    /// No node will take it, since this time.
    #[must_use]
    pub fn unschedulable(mut self, since: Timestamp, message: &str) -> Self {
        self.node = None;
        self.scheduled = Scheduled::No { since, message: message.to_owned() };
        self
    }

    /// Its node threw it out.
    #[must_use]
    pub fn evicted(mut self, message: &str) -> Self {
        self.life = Life::Evicted { message: message.to_owned() };
        self
    }

    /// Its readiness probe fails.
    #[must_use]
    pub fn unready(mut self) -> Self {
        self.ready = false;
        self
    }

    /// Its node is dead: the node controller says that it is not ready, its containers are as the kubelet last saw them.
    #[must_use]
    pub fn lost(mut self) -> Self {
        self.lost = true;
        self
    }

    /// Somebody deleted it; its grace period ends at this time.
    #[must_use]
    pub fn deleting(mut self, grace_ends: Timestamp) -> Self {
        self.deleting = Some(grace_ends);
        self
    }

    /// It is being thrown out for this reason: `EvictionByEvictionAPI` in a drain, `DeletionByTaintManager`.
    #[must_use]
    pub fn disrupted(mut self, reason: &str) -> Self {
        self.disrupted = Some(reason.to_owned());
        self
    }

    /// The Pod as the API server shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut metadata = json!({
            "namespace": self.namespace, "name": self.name, "labels": self.labels, "annotations": self.annotations,
        });
        if let Some(created) = self.created {
            metadata["creationTimestamp"] = time(created);
        }
        if let Some(uid) = &self.uid {
            metadata["uid"] = json!(uid);
        }
        if let Some(grace_ends) = self.deleting {
            metadata["deletionTimestamp"] = time(grace_ends);
        }
        if let Some((kind, name)) = &self.owner {
            metadata["ownerReferences"] =
                json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true }]);
        }
        let mut spec = json!({
            "restartPolicy": self.restart_policy,
            "containers": [{ "name": self.container, "image": format!("registry.example/{}:1", self.container) }],
        });
        if let Some(node) = &self.node {
            spec["nodeName"] = json!(node);
        }
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": self.status() })
    }

    fn status(&self) -> Value {
        if let Scheduled::No { since, message } = &self.scheduled {
            let condition = json!({ "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": message, "lastTransitionTime": time(*since) });
            return json!({ "phase": "Pending", "conditions": [condition] });
        }
        let (phase, started) = match &self.life {
            Life::Creating => ("Pending", false),
            Life::Waiting { restarts, .. } => (if *restarts > 0 { "Running" } else { "Pending" }, true),
            Life::Running { .. } => ("Running", true),
            // The kubelet starts nothing again in a Pod that is to go.
            Life::Ended { run, .. } if self.restart_policy == "Never" || self.deleting.is_some() => {
                (if run.death == Death::Exit(0) { "Succeeded" } else { "Failed" }, true)
            }
            Life::Ended { .. } => ("Running", true),
            Life::Evicted { message } => {
                return json!({ "phase": "Failed", "reason": "Evicted", "message": message });
            }
        };
        let ready = self.ready && matches!(self.life, Life::Running { .. });
        let condition =
            |kind: &str, holds: bool| json!({ "type": kind, "status": if holds { "True" } else { "False" } });
        let mut conditions = vec![
            condition("PodScheduled", true),
            condition("PodReadyToStartContainers", started),
            condition("ContainersReady", ready),
            condition("Ready", ready && !self.lost),
        ];
        if let Some(reason) = &self.disrupted {
            conditions.push(json!({ "type": "DisruptionTarget", "status": "True", "reason": reason }));
        }
        json!({ "phase": phase, "conditions": conditions, "containerStatuses": [self.container_status(ready)] })
    }

    fn container_status(&self, ready: bool) -> Value {
        let waiting = |reason: &str, message: &str| json!({ "waiting": { "reason": reason, "message": message } });
        let (state, restarts, last) = match &self.life {
            Life::Creating | Life::Evicted { .. } => (waiting("ContainerCreating", ""), 0, None),
            Life::Waiting { reason, message, restarts, last } => (waiting(reason, message), *restarts, *last),
            Life::Running { since, restarts, last } => {
                (json!({ "running": { "startedAt": time(*since) } }), *restarts, *last)
            }
            Life::Ended { run, restarts, last } => (run.json(), *restarts, *last),
        };
        json!({
            "name": self.container, "ready": ready, "restartCount": restarts,
            "state": state, "lastState": last.map_or_else(|| json!({}), |run| run.json()),
        })
    }
}

impl Run {
    fn json(self) -> Value {
        let (code, reason) = match self.death {
            Death::Exit(0) => (0, "Completed"),
            Death::Exit(code) => (code, "Error"),
            Death::OutOfMemory => (137, "OOMKilled"),
        };
        json!({ "terminated": { "exitCode": code, "reason": reason,
            "startedAt": time(self.started), "finishedAt": time(self.finished) } })
    }
}

/// A time as the API writes it: whole seconds.
fn time(at: Timestamp) -> Value {
    json!(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn before(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

/// A Deployment that wants `replicas` Pods.
#[must_use]
pub fn deployment(namespace: &str, name: &str, replicas: i32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "namespace": namespace, "name": name },
        "spec": { "replicas": replicas, "selector": { "matchLabels": { "app": name } } },
        "status": { "replicas": replicas },
    })
}

/// A Namespace.
#[must_use]
pub fn namespace(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name }, "status": { "phase": "Active" } })
}
