//! A group in words: what, where and how bad in one line, then why, then what to do.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::unseen;
use crate::group::{Face, Group, Left};
use crate::ledger::Told;
use crate::monitors::blindness;
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
    aside: Option<String>,
) -> Report {
    let resolved = why == Why::Resolved;
    let left = group.ended.or(group.left).filter(|_| resolved);
    let known = told.filter(|told| resolved || told.uncertain);
    let named = known.map_or(members, |told| &told.members);
    let count = known.map_or(members.len(), |told| told.count);
    let face = &group.face;
    let command = command(&group.key, face);
    let cause =
        [cause(group, named)].into_iter().chain(aside.clone().filter(|_| !resolved)).collect::<Vec<_>>().join("\n");
    let cause = cause.trim().to_owned();
    let subject = subject(group, named, count);
    let (title, body) = match left {
        Some(left) => resolve_words(group, &subject, left),
        None if resolved => {
            resolve_words(group, &subject, Left { ending: Ending::Unwatched, at: now, replaced: false })
        }
        None => (firing_title(group, &subject, count), [&*cause, &*command].join("\n").trim().to_owned()),
    };
    let body = aside.filter(|_| resolved).map_or(body.clone(), |aside| format!("{body}\n{aside}"));
    Report {
        fingerprint: group.fingerprint.clone(),
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
        command: Some(command).filter(|command| !resolved && !command.is_empty()),
        silence: silence(group).filter(|_| !resolved),
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
fn subject(group: &Group, named: &BTreeSet<ObjectRef>, count: usize) -> String {
    let GroupKey { namespace, workload, .. } = &group.key;
    let first = named.first().unwrap_or(&group.face.object);
    match (&group.face.title_name, first.kind) {
        (Some(name), _) => name.clone(),
        (None, Kind::Watch) => unseen::names(named),
        (None, Kind::Node) if count > 1 => format!("{count} Nodes"),
        (None, Kind::Node) => format!("Node {}", first.name),
        (None, _) if namespace.is_empty() => workload.to_string(),
        (None, _) => format!("{namespace}/{}", workload.name),
    }
}

/// Why; and for what goes by a name of its own also where it is: `Secret shop/web-tls (+3 copies: blog/web-tls, …)`.
fn cause(group: &Group, members: &BTreeSet<ObjectRef>) -> String {
    let face = &group.face;
    if face.object.kind == Kind::Watch {
        return unseen::causes(group.members.values().map(|member| &member.alert));
    }
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

/// A group in one line, for a message about several.
pub(super) fn line(group: &Group, members: &BTreeSet<ObjectRef>, told: Option<&Told>, resolved: bool) -> String {
    let known = told.filter(|told| resolved || told.uncertain);
    let (named, count) = known.map_or((members, members.len()), |told| (&told.members, told.count));
    let subject = subject(group, named, count);
    match group.ended.or(group.left).filter(|_| resolved) {
        Some(left) => resolve_words(group, &subject, left).0,
        None => firing_title(group, &subject, count),
    }
}

fn firing_title(group: &Group, subject: &str, count: usize) -> String {
    let Face { object, title_name, .. } = &group.face;
    let what = what(group, count);
    match object.kind {
        Kind::Watch if *group.key.trouble.trouble == *blindness::AWAY => {
            let since = group.started_at.to_zoned(TimeZone::UTC).strftime("%H:%M");
            format!("kpulse {what} since {since} UTC: {subject}")
        }
        Kind::Watch => format!("kpulse {what} {subject}"),
        Kind::Node => format!("{subject} {what}"),
        _ if title_name.is_some() => format!("{subject} {what}"),
        _ => format!("{subject}: {what}"),
    }
}

/// What is wrong, and how many have it: `12 Pods crash-looping`.
pub(super) fn what(group: &Group, count: usize) -> String {
    let Face { what, object, is_bare, title_name, .. } = &group.face;
    let names_itself = matches!(object.kind, Kind::Node | Kind::Event | Kind::Watch);
    match (object.kind, count) {
        _ if *is_bare || title_name.is_some() || names_itself => what.clone(),
        (kind, 1) => format!("1 {kind} {what}"),
        (kind, count) => format!("{count} {kind}s {what}"),
    }
}

fn blindness_over(group: &Group, subject: &str, lasted: &str) -> String {
    match &*group.key.trouble.trouble {
        blindness::AWAY => format!("kpulse sees again, blind for {lasted}"),
        blindness::REFUSING => format!("kpulse reaches {subject} again, after {lasted}"),
        blindness::CLOCK => format!("the clocks agree again, after {lasted}"),
        blindness::CONFIG => format!("kpulse goes by its configuration again, after {lasted}"),
        _ => format!("kpulse sees {subject} again, after {lasted}"),
    }
}

fn resolve_words(group: &Group, subject: &str, left: Left) -> (String, String) {
    let Face { what, reason, object, .. } = &group.face;
    let lasted = span(left.at.duration_since(group.started_at));
    let owner = &group.key.workload.kind;
    let is_program = matches!(object.kind, Kind::Pod);
    let why = match left {
        Left { ending: Ending::Recovered, replaced: true, .. } => "replaced, and no failure since",
        Left { ending: Ending::Recovered, .. } if is_program => "it runs well again",
        Left { ending: Ending::Recovered, .. } => "it is well again",
        Left { ending: Ending::Gone, .. } => "deleted",
        Left { ending: Ending::Unwatched, .. } => "kpulse was told not to look at it any more",
    };
    let title = match left.ending {
        Ending::Recovered if object.kind == Kind::Watch => blindness_over(group, subject, &lasted.to_string()),
        Ending::Recovered => format!("{subject} recovered after {lasted}"),
        Ending::Gone => format!("{subject} is gone after {lasted}: {owner} deleted"),
        Ending::Unwatched => format!("{subject} is no longer watched"),
    };
    (title, format!("Told before: {what} ({reason}); {why}."))
}

/// One command to copy: what shows most of this trouble.
fn command(key: &GroupKey, face: &Face) -> String {
    let ObjectRef { kind, namespace, name: pod } = &face.object;
    if *kind == Kind::Secret {
        return format!(
            "kubectl -n {namespace} get secret {pod} -o jsonpath='{{.data.tls\\.crt}}' | base64 -d | openssl x509 -noout -text"
        );
    }
    if *kind == Kind::Watch {
        return String::new();
    }
    if namespace.is_empty() {
        return format!("kubectl describe {} {pod}", kind.as_str().to_lowercase());
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

/// One command to copy that silences the workload; nothing for what kpulse says of itself.
fn silence(group: &Group) -> Option<String> {
    let Face { object, is_bare, .. } = &group.face;
    let GroupKey { workload, .. } = &group.key;
    let of_workload = !is_bare && Kind::named(&workload.kind).is_some();
    let target = match object.kind {
        Kind::Watch | Kind::Event => return None,
        _ if of_workload => workload.to_string().to_lowercase(),
        kind => format!("{}/{}", kind.as_str(), object.name).to_lowercase(),
    };
    let namespace = &object.namespace;
    let place = if namespace.is_empty() { String::new() } else { format!(" -n {namespace}") };
    Some(format!("kpulse silence {target}{place} 2h"))
}

/// A duration for people: seconds below a minute, minutes below an hour, and so on.
pub(super) fn span(length: SignedDuration) -> Span {
    let seconds = length.as_secs().max(0);
    Span::seconds(match seconds {
        0..60 => seconds,
        60..3_600 => seconds / 60 * 60,
        3_600..86_400 => seconds / 300 * 300,
        _ => seconds / 3_600 * 3_600,
    })
}
