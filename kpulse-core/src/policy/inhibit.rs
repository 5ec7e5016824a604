//! Inhibition: what is explained by something else is not told by itself, but counted there. A trouble that is not
//! due yet explains as well.

use crate::monitors::{LOST, MonitorName};
use crate::tracker::{Presence, Subject};
use crate::{AlertKey, Kind, Name, ObjectRef, TroubleKey, Workload};

/// Whether alerts of this monitor are ever explained by something else.
pub(crate) fn can_be_explained(monitor: MonitorName) -> bool {
    matches!(
        monitor,
        MonitorName::PodCrashes
            | MonitorName::PodRestarts
            | MonitorName::PodStuckTerminating
            | MonitorName::RolloutStuck
            | MonitorName::DaemonsetUnscheduled
            | MonitorName::WarningEvents
    )
}

/// What explains an alert, if anything does: troubles of Pods by their node, shortfalls of workloads by nodes and by
/// Pods that fail, bursts of restarts by crashes, and Events by whatever else is wrong with their object.
pub(crate) fn explained_by(presence: &Presence, key: &AlertKey, subject: &Subject) -> Option<AlertKey> {
    match key.monitor {
        MonitorName::PodCrashes | MonitorName::PodStuckTerminating => by_node(presence, key, subject.node.as_ref()?),
        MonitorName::PodRestarts => {
            let node = subject.node.as_ref().and_then(|node| by_node(presence, key, node));
            node.or_else(|| by_crash(presence, &key.object, &own(key, subject)))
        }
        MonitorName::RolloutStuck | MonitorName::DaemonsetUnscheduled => {
            let workload = Workload::from(&key.object);
            by_lost_pods(presence, &key.object, &workload).or_else(|| by_crash(presence, &key.object, &workload))
        }
        MonitorName::WarningEvents => by_anything(presence, key, &own(key, subject)),
        _ => None,
    }
}

/// The workload that an alert's object belongs to; an Event belongs to the object it is about.
fn own(key: &AlertKey, subject: &Subject) -> Workload {
    subject.workload.clone().unwrap_or_else(|| Workload::from(&key.object))
}

/// Evictions are explained by a node that is short of something, all else by one that is not ready.
fn by_node(presence: &Presence, key: &AlertKey, node: &Name) -> Option<AlertKey> {
    let evicted = &*key.trouble.trouble == "evicted";
    node_trouble(presence, node, |trouble| if evicted { trouble.ends_with("pressure") } else { trouble == "not_ready" })
}

fn node_trouble(presence: &Presence, node: &Name, is: impl Fn(&str) -> bool) -> Option<AlertKey> {
    let node = ObjectRef::new(Kind::Node, "", node);
    first(presence, &node, |monitor, trouble| monitor == MonitorName::NodeConditions && is(trouble))
}

fn by_crash(presence: &Presence, object: &ObjectRef, workload: &Workload) -> Option<AlertKey> {
    let failing = |monitor, trouble: &str| monitor == MonitorName::PodCrashes && trouble != LOST;
    presence.of_workload(&object.namespace, workload).find_map(|(other, _)| first(presence, other, failing))
}

/// Pods that a dead node left behind are missing from their workload.
fn by_lost_pods(presence: &Presence, object: &ObjectRef, workload: &Workload) -> Option<AlertKey> {
    presence.of_workload(&object.namespace, workload).find_map(|(_, shown)| {
        let node = shown.node.as_ref().filter(|_| shown.has(MonitorName::PodCrashes, |_| true))?;
        node_trouble(presence, node, |trouble| trouble == "not_ready")
    })
}

/// An Event is explained by any trouble of its object, or of the workload of its object.
fn by_anything(presence: &Presence, key: &AlertKey, about: &Workload) -> Option<AlertKey> {
    // Events about nodes are in some namespace, nodes in none.
    let namespace = &if about.kind == Kind::Node.as_str() { Name::default() } else { key.object.namespace.clone() };
    let others = |monitor, trouble: &str| monitor != MonitorName::WarningEvents && trouble != LOST;
    let of = |workload: &Workload| {
        presence.of_workload(namespace, workload).find_map(|(other, _)| first(presence, other, others))
    };
    let object = Kind::named(&about.kind).map(|kind| ObjectRef::new(kind, namespace, &about.name));
    let owner = object.and_then(|object| presence.of(&object)?.workload.clone());
    of(about).or_else(|| of(&owner?))
}

/// The first trouble of an object that is so.
fn first(presence: &Presence, object: &ObjectRef, is: impl Fn(MonitorName, &str) -> bool) -> Option<AlertKey> {
    let troubles = &presence.of(object)?.troubles;
    let (monitor, trouble): &(MonitorName, TroubleKey) =
        troubles.iter().find(|(monitor, trouble)| is(*monitor, &trouble.trouble))?;
    Some(AlertKey { object: object.clone(), monitor: *monitor, trouble: trouble.clone() })
}
