//! Which nodes there are, and where their kubelets listen.

use std::time::Duration;

use kpulse_core::{KubeletSight, Name};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::access::may;
use crate::pages;
use crate::session::Jitter;

/// Where kubelets listen that do not say.
const KUBELET_PORT: u16 = 10_250;

/// A node, as far as its kubelet is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: Name,
    /// Its first InternalIP.
    pub(super) address: Option<String>,
    pub(super) port: u16,
    /// Whether it is known not to be ready: whoever looks at nodes tells that, and its kubelet need not answer.
    pub(super) is_unready: bool,
}

impl Node {
    /// When in a round it is its turn: anywhere among all nodes, and the same in each round.
    pub(super) fn place_in(&self, round: Duration) -> Duration {
        round.mul_f64(Jitter::new(Some(0), &self.name).fraction())
    }
}

/// Why nodes cannot be listed.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoNodes {
    /// We may not. Asking again soon is no use.
    #[error("may not list nodes; grant `list` on nodes, or turn off node_disk and pvc_usage")]
    Refused,
    /// It did not work this time.
    #[error("cannot list nodes: {0}")]
    Failed(String),
}

impl NoNodes {
    /// What is said of that, where so much was seen before.
    pub(super) fn sight(&self, before: &KubeletSight) -> KubeletSight {
        KubeletSight { refused: matches!(self, Self::Refused), why: self.to_string(), ..*before }
    }
}

/// All nodes. Whether that is allowed is asked first: who has rights in single namespaces only is not to be refused
/// again and again.
pub(super) async fn list(client: &Client) -> Result<Vec<Node>, NoNodes> {
    if let Ok(false) = may(client, "list", "", "nodes", None).await {
        return Err(NoNodes::Refused);
    }
    let mut nodes = Vec::new();
    let listed = pages::each(client, "/api/v1/nodes", None, |item| nodes.extend(node(item))).await;
    listed.map_err(NoNodes::Failed).map(|()| nodes)
}

/// One node; nothing if it has no name.
fn node(json: &RawValue) -> Option<Node> {
    #[derive(Deserialize)]
    struct Item {
        metadata: Meta,
        #[serde(default)]
        status: Status,
    }
    #[derive(Deserialize)]
    struct Meta {
        name: Name,
    }
    // The rest of the status, names of images above all, is passed over.
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Status {
        addresses: Value,
        conditions: Value,
        daemon_endpoints: Value,
    }
    let Item { metadata, status } = serde_json::from_str(json.get()).ok()?;
    let mut addresses = of_type(&status.addresses, "InternalIP").filter_map(|address| address.get("address")?.as_str());
    let address = addresses.find(|address| !address.is_empty());
    let ready = of_type(&status.conditions, "Ready").find_map(|ready| ready.get("status")?.as_str());
    let port = status.daemon_endpoints.pointer("/kubeletEndpoint/Port").and_then(Value::as_u64);
    let port = port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    Some(Node {
        name: metadata.name,
        address: address.map(str::to_owned),
        port: port.unwrap_or(KUBELET_PORT),
        is_unready: ready.is_some_and(|status| status != "True"),
    })
}

/// The entries of a list that are of this type.
fn of_type<'a>(list: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a Value> {
    let entries = list.as_array().into_iter().flatten();
    entries.filter(move |entry| entry.get("type").and_then(Value::as_str) == Some(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expect: Option<(&str, Option<&str>, u16)>) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        let found = node(raw);
        let found = found.as_ref().map(|node| (node.name.as_str(), node.address.as_deref(), node.port));
        assert_eq!(found, expect, "{json}");
    }

    #[test]
    fn a_kubelet_is_found_by_its_nodes_status() {
        check(
            r#"{"metadata": {"name": "a"}, "status": {
                "addresses": [{"type": "Hostname", "address": "a"}, {"type": "InternalIP", "address": "10.0.0.1"},
                              {"type": "InternalIP", "address": "fd00::1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": 10350}}, "images": [{"names": ["x"]}]}}"#,
            Some(("a", Some("10.0.0.1"), 10_350)),
        );
        check(r#"{"metadata": {"name": "a"}}"#, Some(("a", None, 10_250)));
        for odd in ["null", "7", "\"x\"", "[1, {}]", "{\"kubeletEndpoint\": {\"Port\": 0}}"] {
            let status = format!(r#"{{"addresses": {odd}, "conditions": {odd}, "daemonEndpoints": {odd}}}"#);
            check(&format!(r#"{{"metadata": {{"name": "a"}}, "status": {status}}}"#), Some(("a", None, 10_250)));
        }
        check("{}", None);
        check("7", None);
    }

    #[test]
    fn a_node_is_unready_if_it_says_so() {
        for (status, expect) in [("True", false), ("False", true), ("Unknown", true)] {
            let conditions = format!(r#"[{{"type": "DiskPressure"}}, {{"type": "Ready", "status": "{status}"}}]"#);
            let json = format!(r#"{{"metadata": {{"name": "a"}}, "status": {{"conditions": {conditions}}}}}"#);
            assert_eq!(node(serde_json::from_str(&json).unwrap()).map(|node| node.is_unready), Some(expect));
        }
    }

    #[test]
    fn each_node_has_its_own_place_in_the_round_and_keeps_it() {
        let round = Duration::from_secs(600);
        let place = |number: u32| {
            let name = Name::from(format!("ip-10-0-0-{number}.eu-west-1.compute.internal"));
            Node { name, address: None, port: 1, is_unready: false }.place_in(round)
        };
        let mut minutes = [0; 10];
        for number in 0..1000 {
            assert_eq!(place(number), place(number));
            minutes[usize::try_from(place(number).as_secs() / 60).unwrap().min(9)] += 1;
        }
        assert!(minutes.iter().all(|count| (60..140).contains(count)), "{minutes:?}");
    }
}
