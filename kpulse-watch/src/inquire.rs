//! What the engine asks once in a while and no watch tells.

use kpulse_core::facts::Facts;
use kpulse_core::{Inquiry, Kind, Name, Observation};
use kube::Client;
use tokio::sync::mpsc;

use crate::pages;

/// Answers inquiries one after the other, until nobody asks or wants to know any more. What is found is sent as if a
/// watch had seen it; what cannot be found is asked for again by the engine, and only logged here. Asked are the named
/// namespaces, or the whole cluster.
pub async fn answer(
    client: Client,
    named: Option<Vec<Name>>,
    mut inquiries: mpsc::Receiver<Inquiry>,
    out: mpsc::Sender<Observation>,
) {
    let within = |namespace: &Name| format!("/api/v1/namespaces/{namespace}/pods");
    let paths = named.map_or_else(|| vec!["/api/v1/pods".to_owned()], |named| named.iter().map(within).collect());
    while let Some(Inquiry::PodsOn(node)) = inquiries.recv().await {
        let mut found = Vec::new();
        let selector = format!("spec.nodeName={node}");
        for path in &paths {
            let listed = pages::each(&client, path, Some(&selector), |pod| {
                found.extend(Facts::from_json(Kind::Pod, pod.get().as_bytes()).ok());
            });
            if let Err(error) = listed.await {
                tracing::warn!(%node, path, error, "the Pods on a cordoned node cannot be listed");
            }
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
    use kpulse_testkit::cluster::{Denial, FakeCluster};
    use serde_json::json;

    use super::*;

    fn cluster() -> FakeCluster {
        let cluster = FakeCluster::new();
        for (name, node) in [("a", "worker-1"), ("b", "worker-2"), ("c", "worker-1")] {
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": name},
                "spec": {"nodeName": node}});
            cluster.apply(pod).unwrap();
        }
        cluster
    }

    #[tokio::test(start_paused = true)]
    async fn only_named_namespaces_are_asked() {
        let cluster = cluster();
        cluster.forbid(Denial::of("list", "pods").cluster_wide());
        let (ask, inquiries) = mpsc::channel(1);
        let (out, mut seen) = mpsc::channel(16);
        ask.send(Inquiry::PodsOn("worker-2".into())).await.unwrap();
        drop(ask);
        let named = vec!["blog".into(), "shop".into()];
        answer(Client::new(cluster.service(), "default"), Some(named), inquiries, out).await;
        assert!(matches!(seen.recv().await, Some(Observation::Applied(pod)) if *pod.meta().name == *"b"));
        let asked: Vec<String> = cluster.requests().into_iter().map(|request| request.namespace).collect();
        assert_eq!(asked, ["blog", "shop"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pods_on_one_node_are_found_and_a_failure_ends_nothing() {
        let cluster = cluster();
        let client = Client::new(cluster.service(), "default");
        let (ask, inquiries) = mpsc::channel(4);
        let (out, mut seen) = mpsc::channel(16);
        let answering = tokio::spawn(answer(client, None, inquiries, out));
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
