//! A group in words: what, where and how bad in one line, then why, then what to do.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::group::{Face, Group, Left};
use crate::ledger::Told;
use crate::notification::{AlertState, Why};
use crate::settings::Span;
use crate::{Ending, GroupKey, Kind, Name, ObjectRef, Report};

/// How many members a message names.
const NAMED: usize = 20;
/// How many copies of a certificate its cause line names.
const COPIES: usize = 5;

/// The state of a group as one channel is told of it. A resolve carries the severity and count of its firing.
pub(super) fn report(
    group: &Group,
    why: Why,
    members: &BTreeSet<ObjectRef>,
    told: Option<&Told>,
    cluster: &Name,
    now: Timestamp,
) -> Report {
    let resolved = why == Why::Resolved;
    let left = group.ended.or(group.left).filter(|_| resolved);
    let known = told.filter(|told| resolved || told.uncertain);
    let named = known.map_or(members, |told| &told.members);
    let count = known.map_or(members.len(), |told| told.count);
    let face = &group.face;
    let command = command(&group.key, face);
    let cause = cause(face, named);
    let (title, body) = match left {
        Some(left) => resolve_words(group, left),
        None if resolved => resolve_words(group, Left { ending: Ending::Unwatched, at: now, replaced: false }),
        None => (firing_title(group, count), [cause.as_str(), command.as_str()].join("\n").trim().to_owned()),
    };
    Report {
        fingerprint: group.key.fingerprint(),
        state: if resolved { AlertState::Resolved } else { AlertState::Firing },
        monitor: group.key.monitor,
        severity: known.map_or(face.severity, |told| told.severity),
        cluster: cluster.clone(),
        object: face.object.clone(),
        workload: (!face.is_bare).then(|| group.key.workload.clone()),
        trouble: group.key.trouble.clone(),
        node: face.node.clone(),
        reason: face.reason.clone(),
        title,
        cause,
        command: (!resolved).then_some(command),
        body,
        started_at: group.started_at,
        fired_at: group.fired_at,
        ended_at: left.map(|left| left.at),
        ending: left.map(|left| left.ending),
        count,
        members: named.iter().take(NAMED).cloned().collect(),
        log: Vec::new(),
    }
}

/// `checkout/api`, or what people call it: where to look, as short as it can be said.
fn place(group: &Group) -> String {
    let GroupKey { namespace, workload, .. } = &group.key;
    match &group.face.title_name {
        Some(name) => name.clone(),
        None if namespace.is_empty() => workload.to_string(),
        None => format!("{namespace}/{}", workload.name),
    }
}

/// Why; and for what goes by a name of its own also where it is: `Secret shop/web-tls (+3 copies: blog/web-tls, …)`.
fn cause(face: &Face, members: &BTreeSet<ObjectRef>) -> String {
    if face.title_name.is_none() {
        return face.cause.clone();
    }
    let place = |object: &ObjectRef| format!("{}/{}", object.namespace, object.name);
    // A channel hears of the objects routed to it, whichever speaks for the group.
    let first = members.get(&face.object).or(members.first()).unwrap_or(&face.object);
    let others: Vec<String> = members.iter().filter(|object| *object != first).take(COPIES).map(place).collect();
    let copies = match members.len().saturating_sub(1) {
        0 => String::new(),
        1 => format!(" (+1 copy: {})", others.join(", ")),
        count if count > COPIES => format!(" (+{count} copies: {}, …)", others.join(", ")),
        count => format!(" (+{count} copies: {})", others.join(", ")),
    };
    format!("{} {}{copies} · {}", first.kind, place(first), face.cause)
}

fn firing_title(group: &Group, count: usize) -> String {
    let (place, what) = (place(group), &group.face.what);
    let kind = group.face.object.kind;
    match count {
        _ if group.face.title_name.is_some() => format!("{place} {what}"),
        _ if group.face.is_bare || kind == Kind::Event => format!("{place}: {what}"),
        1 => format!("{place}: 1 {kind} {what}"),
        _ => format!("{place}: {count} {kind}s {what}"),
    }
}

fn resolve_words(group: &Group, left: Left) -> (String, String) {
    let place = place(group);
    let named = group.face.title_name.is_some();
    let lasted = span(left.at.duration_since(group.started_at));
    let owner = &group.key.workload.kind;
    let why = match left {
        Left { ending: Ending::Recovered, replaced: true, .. } => "replaced, and no failure since",
        Left { ending: Ending::Recovered, .. } if named => "it is well again",
        Left { ending: Ending::Recovered, .. } => "it runs well again",
        Left { ending: Ending::Gone, .. } => "deleted",
        Left { ending: Ending::Unwatched, .. } => "kpulse was told not to look at it any more",
    };
    let title = match left.ending {
        Ending::Recovered => format!("{place} recovered after {lasted}"),
        Ending::Gone => format!("{place} is gone after {lasted}: {owner} deleted"),
        Ending::Unwatched => format!("{place} is no longer watched"),
    };
    let was = if named { "Told before:" } else { "Was" };
    (title, format!("{was} {} ({}); {why}.", group.face.what, group.face.reason))
}

/// One command to copy: what shows most of this trouble.
fn command(key: &GroupKey, face: &Face) -> String {
    let ObjectRef { kind, namespace, name: pod } = &face.object;
    if *kind == Kind::Secret {
        return format!(
            "kubectl -n {namespace} get secret {pod} -o jsonpath='{{.data.tls\\.crt}}' | base64 -d | openssl x509 -noout -text"
        );
    }
    let Some(container) = key.trouble.container.as_ref().filter(|_| key.trouble.trouble == "crash") else {
        return format!("kubectl -n {namespace} describe {} {pod}", kind.as_str().to_lowercase());
    };
    let target = match key.workload.kind.as_str() {
        "Deployment" if !face.is_bare => format!("deploy/{}", key.workload.name),
        "StatefulSet" if !face.is_bare => format!("sts/{}", key.workload.name),
        "DaemonSet" if !face.is_bare => format!("ds/{}", key.workload.name),
        _ => pod.to_string(),
    };
    format!("kubectl -n {namespace} logs {target} -c {container} --previous")
}

/// A duration for people: seconds below a minute, minutes below an hour, and so on.
fn span(length: SignedDuration) -> Span {
    let seconds = length.as_secs().max(0);
    Span::seconds(match seconds {
        0..60 => seconds,
        60..3_600 => seconds / 60 * 60,
        3_600..86_400 => seconds / 300 * 300,
        _ => seconds / 3_600 * 3_600,
    })
}
