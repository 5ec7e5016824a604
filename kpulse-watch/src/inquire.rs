//! What the engine asks once in a while and no watch tells.

use kpulse_core::facts::Facts;
use kpulse_core::{Inquiry, Kind, Observation};
use kube::Client;
use tokio::sync::mpsc;

use crate::pages;

/// Answers inquiries one after the other, until nobody asks or wants to know any more. What is found is sent as if a
/// watch had seen it; what cannot be found is asked for again by the engine, and only logged here.
pub async fn answer(client: Client, mut inquiries: mpsc::Receiver<Inquiry>, out: mpsc::Sender<Observation>) {
    while let Some(Inquiry::PodsOn(node)) = inquiries.recv().await {
        let mut found = Vec::new();
        let selector = format!("spec.nodeName={node}");
        let listed = pages::each(&client, "/api/v1/pods", Some(&selector), |pod| {
            found.extend(Facts::from_json(Kind::Pod, pod.get().as_bytes()).ok());
        });
        if let Err(error) = listed.await {
            tracing::warn!(%node, error, "the Pods on a cordoned node cannot be listed");
        }
        for pod in found {
            if out.send(Observation::Applied(pod)).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::cluster::FakeCluster;
    use serde_json::json;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pods_on_one_node_are_found_and_a_failure_ends_nothing() {
        let cluster = FakeCluster::new();
        for (name, node) in [("a", "worker-1"), ("b", "worker-2"), ("c", "worker-1")] {
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": name},
                "spec": {"nodeName": node}});
            cluster.apply(pod).unwrap();
        }
        let client = Client::new(cluster.service(), "default");
        let (ask, inquiries) = mpsc::channel(4);
        let (out, mut seen) = mpsc::channel(16);
        let answering = tokio::spawn(answer(client, inquiries, out));
        cluster.inject(kpulse_testkit::cluster::Fault::status(500).on("list", "pods").times(1));
        ask.send(Inquiry::PodsOn("worker-2".into())).await.unwrap();
        ask.send(Inquiry::PodsOn("worker-1".into())).await.unwrap();
        drop(ask);
        answering.await.unwrap();
        let mut names = Vec::new();
        while let Some(Observation::Applied(pod)) = seen.recv().await {
            names.push(pod.meta().name.to_string());
        }
        assert_eq!(names, ["a", "c"]);
    }
}
