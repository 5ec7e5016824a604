//! A small cluster whose objects are in random states.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kpulse_core::Resource;
use kpulse_testkit::builders::{
    Death, bound_claim, daemon_set, job, namespace, node, pending_claim, pod, rollout, stateful_set,
};
use serde_json::{Value, json};

use crate::play::second;

/// Who there is: a namespace, two Pods of a Deployment, one of its own, and a few of each other kind.
pub(crate) const WHO: [(Resource, &str); 15] = [
    (Resource::Namespaces, "shop"),
    (Resource::Pods, "api-1-a"),
    (Resource::Pods, "api-1-b"),
    (Resource::Pods, "bare"),
    (Resource::Deployments, "api"),
    (Resource::Deployments, "web"),
    (Resource::StatefulSets, "db"),
    (Resource::DaemonSets, "agent"),
    (Resource::Nodes, "worker-1"),
    (Resource::Nodes, "worker-2"),
    (Resource::Nodes, "worker-3"),
    (Resource::Jobs, "import"),
    (Resource::Jobs, "export"),
    (Resource::PersistentVolumeClaims, "data"),
    (Resource::PersistentVolumeClaims, "cache"),
];

/// No kind of object has more states than this.
pub(crate) const STATES: usize = 14;

/// An object as it is, and whether a look at it tells all about it: where something about it cannot be known now, what
/// was told before stays.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) json: Value,
    pub(crate) tells_all: bool,
}

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct World {
    objects: BTreeMap<usize, Seen>,
    /// How often each was created.
    lives: BTreeMap<usize, u32>,
}

impl World {
    /// Puts an object into a state; one that was deleted, or is to be another of its name, is created anew.
    pub(crate) fn set(&mut self, who: usize, state: usize, anew: bool, now: Timestamp) -> &Value {
        let life = self.lives.entry(who).or_default();
        if anew || !self.objects.contains_key(&who) {
            *life += 1;
        }
        let (resource, name) = WHO[who];
        let (mut json, tells_all) = match resource {
            Resource::Pods => pod_in(state, name, now),
            Resource::Namespaces => (namespace(name), true),
            Resource::Nodes => node_in(state, name, now),
            Resource::Jobs => job_in(state, name, now),
            Resource::PersistentVolumeClaims => claim_in(state, name, now),
            _ => workload_in(resource, state, name, now),
        };
        // Whoever answers for them wants them left alone, or some of what is wrong with them.
        match (resource, state % 7) {
            (Resource::Namespaces | Resource::Deployments, 5) => json["metadata"]["annotations"] = ignore("true"),
            (Resource::Namespaces | Resource::Pods, 6) => json["metadata"]["annotations"] = ignore("pod_crashes"),
            _ => {}
        }
        json["metadata"]["uid"] = format!("{name}-{life}").into();
        self.objects.insert(who, Seen { json, tells_all });
        &self.objects[&who].json
    }

    pub(crate) fn delete(&mut self, who: usize) -> Option<Value> {
        self.objects.remove(&who).map(|seen| seen.json)
    }

    pub(crate) fn of(&self, resource: Resource) -> impl DoubleEndedIterator<Item = &Value> {
        self.objects.iter().filter(move |(who, _)| WHO[**who].0 == resource).map(|(_, seen)| &seen.json)
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Seen> {
        self.objects.values()
    }
}

fn ignore(monitors: &str) -> Value {
    json!({ "kpulse.io/ignore": monitors })
}

fn pod_in(state: usize, name: &str, now: Timestamp) -> (Value, bool) {
    let pod = pod("shop", name).created(second(-3_600));
    let pod = if name == "bare" { pod } else { pod.of_deployment("api", "1") };
    let crash = Death::Exit(1);
    let (pod, tells_all) = match state {
        0 => (pod.running(now), true),
        1 => (pod.running(now).unready(), true),
        // While a container is being created nobody knows how it would run.
        2 => (pod, false),
        3 => (pod.waiting("ContainerCreating", ""), false),
        4 => (pod.ended(0, crash, now), true),
        5 => (pod.ended(4, crash, now), true),
        6 => (pod.running_after(5, crash, now), true),
        7 => (pod.running_after(1, Death::OutOfMemory, now), true),
        8 => (pod.waiting("ErrImagePull", "not found"), false),
        9 => (pod.waiting("CreateContainerConfigError", "secret not found"), false),
        10 => (pod.unschedulable(now, "0/3 nodes are available"), true),
        11 => (pod.evicted("The node was low on resource: memory."), true),
        12 => (pod.restart_policy("Never").ended(0, Death::Exit(0), now), true),
        _ => (pod.running(now).deleting(now + SignedDuration::from_secs(30)), false),
    };
    (pod.json(), tells_all)
}

fn workload_in(resource: Resource, state: usize, name: &str, now: Timestamp) -> (Value, bool) {
    let then = second(-3_600);
    let workload = match resource {
        Resource::StatefulSets => stateful_set("shop", name, 3, then),
        Resource::DaemonSets => daemon_set("shop", name, 3, then),
        _ => rollout("shop", name, 3, then),
    };
    match state % 5 {
        0 => (workload.json(), true),
        1 => (workload.rolling(2, 3, 1, 2, now).json(), true),
        2 => (workload.rolling(2, 3, 3, 1, now).json(), true),
        3 => (workload.rolling(2, 3, 1, 2, then).deadline_exceeded(now).json(), true),
        // The controller has not looked at it yet.
        _ => (workload.changed(3).json(), false),
    }
}

fn node_in(state: usize, name: &str, now: Timestamp) -> (Value, bool) {
    let node = node(name, second(-3_600));
    let (node, tells_all) = match state % 7 {
        0 => (node, true),
        1 => (node.cordoned(), true),
        2 => (node.not_ready(now), true),
        3 => (node.short_of("DiskPressure", now), true),
        4 => (node.short_of("MemoryPressure", now).cordoned(), true),
        // Whether it is under pressure nobody knows.
        5 => (node.silent(now), false),
        _ => (node.silent(now).tainted("ToBeDeletedByClusterAutoscaler"), false),
    };
    (node.json(), tells_all)
}

fn job_in(state: usize, name: &str, now: Timestamp) -> (Value, bool) {
    let job = job("shop", name, second(-3_600));
    let job = match state % 3 {
        0 => job,
        1 => job.failed(now),
        _ => job.failed_pods(2).complete(now),
    };
    (job.json(), true)
}

fn claim_in(state: usize, name: &str, now: Timestamp) -> (Value, bool) {
    let claim = if matches!(state % 2, 0) { bound_claim } else { pending_claim };
    (claim("shop", name, "ebs.csi.example.com", now), true)
}
