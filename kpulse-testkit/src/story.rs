//! A story of a cluster that breaks and heals: a crash loop, a missing image, a kill for memory, and rollouts that heal
//! them; a bare Pod that fails and is deleted. It is what `kpulse demo` shows, and what tests kill the agent in.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::builders::{Death, PodBuilder, deployment, namespace, pod};
use crate::cluster::{FakeCluster, StatusError};

/// One thing that happens in the cluster.
#[derive(Debug)]
pub struct Act {
    /// When, counted from the begin of the story.
    pub at: Duration,
    /// What happens, for a person.
    pub says: &'static str,
    /// Which trouble begins with it.
    pub begins: Option<Trouble>,
    /// Which troubles end because of it.
    pub ends: Vec<Trouble>,
    steps: Vec<Step>,
}

/// A trouble of the story: told once, and ended once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trouble {
    /// Where.
    pub namespace: &'static str,
    /// The workload, or the bare Pod.
    pub name: &'static str,
    /// How it ends.
    pub ending: &'static str,
}

/// A crash loop of three Pods.
pub const CRASH: Trouble = Trouble { namespace: "checkout", name: "api", ending: "recovered" };
/// An image that is not there.
pub const IMAGE: Trouble = Trouble { namespace: "shop", name: "web", ending: "recovered" };
/// A container killed for its memory.
pub const MEMORY: Trouble = Trouble { namespace: "media", name: "thumbs", ending: "recovered" };
/// A bare Pod that fails again and again.
pub const BARE: Trouble = Trouble { namespace: "batch", name: "import", ending: "gone" };
/// Every trouble of the story.
pub const TROUBLES: [Trouble; 4] = [CRASH, IMAGE, MEMORY, BARE];

#[derive(Debug)]
enum Step {
    Apply(Value),
    /// A Pod as it is at the moment it is applied.
    Pod(Box<PodBuilder>, Life),
    DeletePod(&'static str, String),
    /// This Pod of checkout/api has a log.
    Log(String),
}

/// What checkout/api says before it fails.
const LAST_WORDS: &str = "api 2.4.1 starts\n1204 prices loaded\nconnect postgres-rw:5432: connection refused\n";

#[derive(Debug, Clone, Copy)]
enum Life {
    Runs,
    Fails(i32),
    RunsAgain(i32, Death),
    OutOfMemory(i32),
    Misses,
}

impl Act {
    /// Lets it happen now.
    ///
    /// # Errors
    /// When the API server does not take an object of the story.
    pub fn play(&self, cluster: &FakeCluster) -> Result<(), StatusError> {
        let now = cluster.now();
        for step in &self.steps {
            match step {
                Step::Apply(object) => drop(cluster.apply(object.clone())?),
                Step::Pod(pod, life) => drop(cluster.apply(life.of(pod.as_ref().clone(), now).json())?),
                Step::DeletePod(namespace, name) => drop(cluster.delete("Pod", namespace, name)?),
                Step::Log(pod) => cluster.set_log("checkout", pod, "api", true, LAST_WORDS),
            }
        }
        Ok(())
    }
}

impl Life {
    fn of(self, pod: PodBuilder, now: Timestamp) -> PodBuilder {
        match self {
            Self::Runs => pod.running(now),
            Self::Fails(restarts) => pod.ended(restarts, Death::Exit(1), now),
            Self::RunsAgain(restarts, death) => pod.running_after(restarts, death, now),
            Self::OutOfMemory(restarts) => pod.ended(restarts, Death::OutOfMemory, now),
            Self::Misses => pod.waiting(
                "ErrImagePull",
                "failed to pull image \"registry.example/web:2\": not found: manifest unknown",
            ),
        }
    }
}

/// The story, each act in its order. Names of Pods carry `round`, so that it can be played again in the same cluster.
#[must_use]
pub fn acts(round: u32) -> Vec<Act> {
    let broken = format!("b{round}");
    let healed = format!("h{round}");
    let act =
        |millis, says, steps| Act { at: Duration::from_millis(millis), says, begins: None, ends: Vec::new(), steps };
    let api = |hash: &str, life| (0..3).map(|index| of("checkout", "api", hash, index, life)).collect::<Vec<_>>();
    let import = |life| vec![Step::Pod(Box::new(pod("batch", &format!("import-{round}"))), life)];
    let away = |namespace, name: &str, replicas| -> Vec<Step> {
        (0..replicas).map(|index| Step::DeletePod(namespace, pod_name(name, &broken, index))).collect()
    };
    let everybody = ["checkout", "shop", "media", "batch", "kpulse"].map(|name| Step::Apply(namespace(name)));
    let workloads = [("checkout", "api", 3), ("shop", "web", 1), ("media", "thumbs", 1)]
        .map(|(n, name, r)| Step::Apply(deployment(n, name, r)));
    let thumbs = |hash: &str, life| vec![of("media", "thumbs", hash, 0, life)];
    let logs = (0..3).map(|index| Step::Log(pod_name("api", &broken, index)));
    let failing = api(&broken, Life::Fails(0)).into_iter().chain(logs);
    let first =
        everybody.into_iter().chain(workloads).chain(api(&broken, Life::Runs)).chain(thumbs(&broken, Life::Runs));
    vec![
        act(0, "three Pods of checkout/api start, one of media/thumbs", first.collect()),
        act(1_000, "checkout/api fails for the first time: that can happen", failing.collect()),
        act(1_200, "checkout/api is started again", api(&broken, Life::RunsAgain(1, Death::Exit(1)))),
        Act { begins: Some(CRASH), ..act(2_500, "checkout/api fails again", api(&broken, Life::Fails(1))) },
        Act {
            begins: Some(IMAGE),
            ..act(
                3_500,
                "shop/web is rolled out with an image that is not there",
                vec![of("shop", "web", &broken, 0, Life::Misses)],
            )
        },
        Act {
            begins: Some(MEMORY),
            ..act(4_500, "media/thumbs uses more memory than it may", thumbs(&broken, Life::OutOfMemory(0)))
        },
        act(4_700, "media/thumbs is started again", thumbs(&broken, Life::RunsAgain(1, Death::OutOfMemory))),
        act(5_500, "media/thumbs is killed for its memory again", thumbs(&broken, Life::OutOfMemory(1))),
        act(5_700, "a bare Pod, batch/import, starts", import(Life::Fails(0))),
        Act { begins: Some(BARE), ..act(6_500, "batch/import fails again", import(Life::Fails(1))) },
        act(7_500, "checkout/api is rolled out anew", api(&healed, Life::Runs)),
        Act {
            ends: vec![CRASH],
            ..act(8_000, "the broken Pods of checkout/api are deleted", away("checkout", "api", 3))
        },
        act(
            8_500,
            "shop/web is rolled out with an image that is there",
            vec![of("shop", "web", &healed, 0, Life::Runs)],
        ),
        Act { ends: vec![IMAGE], ..act(9_000, "the broken Pod of shop/web is deleted", away("shop", "web", 1)) },
        act(9_500, "media/thumbs is rolled out with more memory", thumbs(&healed, Life::Runs)),
        Act {
            ends: vec![MEMORY],
            ..act(10_000, "the broken Pod of media/thumbs is deleted", away("media", "thumbs", 1))
        },
        Act {
            ends: vec![BARE],
            ..act(11_000, "batch/import is deleted", vec![Step::DeletePod("batch", format!("import-{round}"))])
        },
    ]
}

fn of(namespace: &'static str, name: &'static str, hash: &str, index: u32, life: Life) -> Step {
    Step::Pod(Box::new(pod(namespace, &pod_name(name, hash, index)).of_deployment(name, hash).container(name)), life)
}

fn pod_name(name: &str, hash: &str, index: u32) -> String {
    format!("{name}-{hash}-{index}")
}
