//! What only kubelets know: how full the disks of their nodes and the volumes of their Pods are.
//!
//! [`survey`] goes around all nodes once in an interval, each at its own time, a few at once, and sends each summary as
//! an observation. A kubelet that cannot be read changes nothing: no observation comes of it. How many there are, and
//! why, is sent as [`KubeletSight`] after the first round, and then when it changes; nodes that are not ready do not
//! count, for they are told of as such.
//!
//! The nodes are listed anew for each round: one request (in pages) is simpler than to follow a watch that others
//! follow already, needs no memory beside names and addresses, and what it may miss in between does no harm. A node that
//! came waits for the next round; one that went is not believed any more by whom the summary is sent to.
//!
//! # Rights
//!
//! `get` on `nodes/stats` for the kubelets themselves; on `nodes/proxy` by way of the API server, which also reaches
//! `exec` and is therefore never the default. `list` on `nodes`: where that is missing, nothing is tried.

mod line;
mod nodes;
mod sight;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures::StreamExt;
use kpulse_core::{KubeletSight, Observation};
use kube::Client;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

pub use self::line::Kubelets;
use self::nodes::Node;
use self::sight::Missed;

/// So many kubelets are read at the same time.
const AT_ONCE: usize = 4;
/// The same where somebody waits for it.
const AT_ONCE_HURRIED: usize = 16;
/// With so many read in vain and none read, the others are not tried.
const IN_VAIN: usize = 16;
/// The first round is quicker, so that what is broken already is known soon after a start.
const FIRST_ROUND: Duration = Duration::from_secs(60);
/// However short the user wants it: kubelets themselves look no more often than that (`housekeeping-interval`).
const SHORTEST_ROUND: Duration = Duration::from_secs(10);
/// How long after nodes could not be listed that is tried again.
const LIST_RETRY: Duration = Duration::from_secs(30);

/// How kubelets are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KubeletSettings {
    /// Believe whoever answers at a node's address: whoever does is shown the token of this ServiceAccount.
    pub insecure_tls: bool,
    /// Ask by way of the API server, which the right `nodes/proxy` is needed for.
    pub via_api_server: bool,
}

/// Goes around the kubelets until the receiver of what they say is dropped.
pub async fn survey(client: Client, kubelets: Kubelets, interval: Duration, out: mpsc::Sender<Observation>) {
    let closed = out.clone();
    let surveyor = Surveyor { client, kubelets, interval: interval.max(SHORTEST_ROUND), out, told: None };
    tokio::select! {
        () = closed.closed() => {}
        Err(ReceiverGone) = Box::pin(surveyor.run()) => {}
    }
}

/// Reads every kubelet once, within this time, for whoever does not stay; and says which could not be read.
pub async fn read_once(client: &Client, kubelets: &Kubelets, limit: Duration, out: mpsc::Sender<Observation>) {
    let nodes = match nodes::list(client).await {
        Ok(nodes) => nodes,
        Err(fault) => {
            let sight = fault.sight(&KubeletSight::default());
            // Who went away does not want to know that either.
            out.send(Observation::KubeletSight(sight)).await.ok();
            return;
        }
    };
    let mut missed: Missed = nodes.iter().map(|node| (node.name.clone(), late(limit))).collect();
    let begun = Instant::now();
    let reads = nodes.iter().filter(|node| !node.is_unready);
    let reads = reads.map(|node| async move { (&node.name, kubelets.read(node).await) });
    let mut reads = futures::stream::iter(reads).buffer_unordered(AT_ONCE_HURRIED);
    let (mut in_vain, mut read_any) = (0, false);
    while let Ok(Some((name, read))) = timeout_at(begun + limit, reads.next()).await {
        match read {
            Ok(summary) => {
                read_any = true;
                missed.remove(name);
                if out.send(Observation::Surveyed(Box::new(summary))).await.is_err() {
                    return;
                }
            }
            Err(fault) => {
                in_vain += 1;
                missed.insert(name.clone(), fault.to_string());
                // What holds for all of these will hold for the others.
                if in_vain >= IN_VAIN && !read_any {
                    let untried = missed.values_mut().filter(|cause| **cause == late(limit));
                    untried.for_each(|cause| *cause = fault.to_string());
                    break;
                }
            }
        }
    }
    out.send(Observation::KubeletSight(sight::sight(&nodes, &missed))).await.ok();
}

fn late(limit: Duration) -> String {
    format!("not read within {} s", limit.as_secs())
}

/// Nobody wants to know any more.
struct ReceiverGone;

struct Surveyor {
    client: Client,
    kubelets: Kubelets,
    interval: Duration,
    out: mpsc::Sender<Observation>,
    told: Option<KubeletSight>,
}

impl Surveyor {
    async fn run(mut self) -> Result<(), ReceiverGone> {
        let mut round = self.interval.min(FIRST_ROUND);
        let mut missed = None;
        loop {
            let begun = Instant::now();
            match nodes::list(&self.client).await {
                Ok(nodes) => {
                    // Said now, when it is known which of the nodes that did not answer are still there and ready.
                    if let Some(missed) = missed.take() {
                        self.tell(sight::sight(&nodes, &missed)).await?;
                    }
                    missed = Some(self.go_around(nodes, begun, round).await?);
                    sleep_until(begun + round).await;
                    round = self.interval;
                }
                Err(fault) => {
                    let told = self.told.clone().unwrap_or_default();
                    self.tell(fault.sight(&told)).await?;
                    sleep(LIST_RETRY).await;
                }
            }
        }
    }

    /// Reads every node once, each at its own time of the round. Tells which could not be read.
    async fn go_around(&self, mut nodes: Vec<Node>, begun: Instant, round: Duration) -> Result<Missed, ReceiverGone> {
        nodes.sort_by_key(|node| node.place_in(round));
        let mut missed = Missed::new();
        let kubelets = self.kubelets.clone();
        let reads = nodes.into_iter().map(|node| {
            let kubelets = &kubelets;
            async move {
                sleep_until(begun + node.place_in(round)).await;
                let read = kubelets.read(&node).await;
                (node.name, read)
            }
        });
        let mut reads = futures::stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some((name, read)) = reads.next().await {
            match read {
                Ok(summary) => self.send(Observation::Surveyed(Box::new(summary))).await?,
                Err(fault) => {
                    tracing::debug!(node = %name, %fault, "kubelet not read");
                    missed.insert(name, fault.to_string());
                }
            }
        }
        Ok(missed)
    }

    /// Says how many can be read, where that differs from what was said before.
    async fn tell(&mut self, sight: KubeletSight) -> Result<(), ReceiverGone> {
        let words = |sight: &KubeletSight| (sight.unreadable, sight.refused, sight.why.clone());
        let says_the_same = |told: &KubeletSight| words(told) == words(&sight);
        if self.told.as_ref().is_some_and(says_the_same) {
            return Ok(());
        }
        self.told = Some(sight.clone());
        self.send(Observation::KubeletSight(sight)).await
    }

    async fn send(&self, observation: Observation) -> Result<(), ReceiverGone> {
        self.out.send(observation).await.map_err(|_| ReceiverGone)
    }
}
