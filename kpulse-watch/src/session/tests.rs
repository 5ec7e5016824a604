//! Sessions against an API server in this process, on virtual time.

mod lists;
mod outages;
mod refusals;
mod watches;

use std::time::Duration;

use kpulse_core::{Blindness, Observation, Resource, Scope};
use kpulse_testkit::cluster::FakeCluster;
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Lists, SessionSettings, watch_all};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// What sessions tell, one short line for each observation.
struct Eyes {
    seen: mpsc::Receiver<Observation>,
    _sessions: JoinSet<()>,
}

fn streaming() -> SessionSettings {
    SessionSettings { seed: Some(7), ..SessionSettings::default() }
}

fn paged() -> SessionSettings {
    SessionSettings { lists: Lists::default().paged(), ..streaming() }
}

fn client(cluster: &FakeCluster) -> Client {
    Client::new(cluster.service(), "default")
}

async fn open(cluster: &FakeCluster, scopes: &[Scope], settings: SessionSettings) -> Eyes {
    let (out, seen) = mpsc::channel(1000);
    let sessions = watch_all(&client(cluster), scopes.to_vec(), out, &settings).await;
    let mut eyes = Eyes { seen, _sessions: sessions };
    assert_eq!(eyes.next().await, format!("opened {}", scopes.len()));
    eyes
}

/// Watches the Pods, and waits until they are listed.
async fn pods(cluster: &FakeCluster, settings: SessionSettings) -> Eyes {
    let mut eyes = open(cluster, &[Scope::cluster(Resource::Pods)], settings).await;
    eyes.until("listed pods").await;
    eyes
}

impl Eyes {
    /// The next observation, however long it takes up to an hour.
    async fn next(&mut self) -> String {
        match timeout(60 * MINUTE, self.seen.recv()).await {
            Ok(Some(observation)) => line(&observation),
            Ok(None) => "the end".to_owned(),
            Err(_) => "nothing for an hour".to_owned(),
        }
    }

    /// Everything up to this line, without it.
    async fn until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.next().await;
            if line == last {
                return lines;
            }
            assert!(line != "nothing for an hour", "no {last:?} after {lines:?}");
            lines.push(line);
        }
    }

    /// Everything that is seen in this time.
    async fn during(&mut self, time: Duration) -> Vec<String> {
        tokio::time::sleep(time).await;
        let mut lines = Vec::new();
        while let Ok(observation) = self.seen.try_recv() {
            lines.push(line(&observation));
        }
        lines
    }
}

fn line(observation: &Observation) -> String {
    match observation {
        Observation::Opened(scopes) => format!("opened {}", scopes.len()),
        Observation::Applied(facts) => facts.meta().name.to_string(),
        Observation::Deleted { object, uid } => format!("deleted {} {uid}", object.name),
        Observation::ListingBegun(scope) => format!("listing {scope}"),
        Observation::Listed(scope) => format!("listed {scope}"),
        Observation::SightLost(scope, Blindness::Refused(why)) => format!("refused {scope}: {why}"),
        Observation::SightLost(scope, Blindness::Away(why)) => format!("away {scope}: {why}"),
        _ => "of something that no session sees".to_owned(),
    }
}

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "namespace": "shop", "name": name, "uid": format!("uid-of-{name}") },
        "status": { "phase": "Running" },
    })
}

fn cluster_of(pods: &[&str]) -> FakeCluster {
    let cluster = FakeCluster::new();
    for name in pods {
        cluster.apply(pod(name)).unwrap();
    }
    cluster
}
