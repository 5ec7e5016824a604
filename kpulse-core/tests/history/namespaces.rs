//! Namespaces that are watched one by one.

use kpulse_core::{Observation, Resource, Scope};
use serde_json::{Value, json};

use crate::play::{Play, second};

fn warning(namespace: &str, at: i64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "FailedCreate", "message": "no quota",
        "metadata": { "namespace": namespace, "name": format!("api.{at}"), "uid": format!("{namespace}-{at}") },
        "involvedObject": { "kind": "ReplicaSet", "namespace": namespace, "name": "api" },
        "count": 1, "lastTimestamp": second(at).to_string(),
    })
}

#[test]
fn the_list_of_one_namespace_is_no_news_because_another_one_is_live() {
    let mut play = Play::begin_at(second(0));
    let scope = |namespace: &str| Scope { resource: Resource::WarningEvents, namespace: Some(namespace.into()) };
    play.see(Observation::ListingBegun(Scope::cluster(Resource::WarningEvents)));
    play.see(Observation::Opened(vec![scope("blog"), scope("shop")]));
    for namespace in ["blog", "shop"] {
        play.see(Observation::ListingBegun(scope(namespace)));
        play.apply(&warning(namespace, -600));
        play.see(Observation::Listed(scope(namespace)));
    }
    play.tell();
    assert!(play.told.is_empty(), "{:?}", play.told);
    play.apply(&warning("shop", -5));
    play.tell();
    assert_eq!(play.told.len(), 1, "it came while shop was watched");
}
