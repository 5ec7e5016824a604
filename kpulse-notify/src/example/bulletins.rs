//! Messages that tell several troubles, or something about kpulse itself.

use kpulse_core::{
    AlertState, Bulletin, BulletinKind, BulletinLine, Content, Fingerprint, Notification, NotificationId, Severity, Why,
};

use super::{CLUSTER, at};

/// The minor troubles of ten minutes.
#[must_use]
pub fn digest() -> Notification {
    let lines = vec![
        firing(Severity::Warning, "shop/web rollout stuck: 2 of 5 updated", "2026-11-22T13:54:00Z"),
        firing(Severity::Warning, "batch/report: 3 Jobs in a row failed", "2026-11-22T14:01:00Z"),
        ended("mail/relay restarts stopped", "2026-11-22T13:40:00Z", "2026-11-22T14:05:00Z"),
    ];
    let bulletin = Bulletin {
        severity: Severity::Warning,
        title: "Digest 14:00–14:10: 2 new, 1 ended".to_owned(),
        lines,
        ..bulletin(BulletinKind::Digest)
    };
    told(Why::First, bulletin)
}

/// Many troubles at once.
#[must_use]
pub fn storm() -> Notification {
    let lines = vec![
        firing(Severity::Critical, "checkout: 14 workloads ImagePullBackOff", "2026-11-22T14:01:10Z"),
        firing(Severity::Critical, "shop: 9 workloads ImagePullBackOff", "2026-11-22T14:01:20Z"),
        firing(Severity::Critical, "batch: 3 workloads ErrImagePull", "2026-11-22T14:01:50Z"),
    ];
    let bulletin = Bulletin {
        title: "26 workloads broke within a minute: 23 ImagePullBackOff".to_owned(),
        lead: "Told as one message, kept up to date. What gets worse is told by itself.".to_owned(),
        lines,
        ..bulletin(BulletinKind::Storm)
    };
    told(Why::First, bulletin)
}

/// The end of them.
#[must_use]
pub fn storm_over() -> Notification {
    let lines = vec![
        ended("checkout: 14 workloads recovered", "2026-11-22T14:01:10Z", "2026-11-22T14:09:00Z"),
        ended("shop: 9 workloads recovered", "2026-11-22T14:01:20Z", "2026-11-22T14:09:30Z"),
        ended("batch: 3 workloads recovered", "2026-11-22T14:01:50Z", "2026-11-22T14:10:00Z"),
    ];
    let bulletin = Bulletin {
        state: AlertState::Resolved,
        title: "All 26 workloads recovered after 9m".to_owned(),
        lines,
        ..bulletin(BulletinKind::Storm)
    };
    told(Why::Resolved, bulletin)
}

/// What was broken before kpulse came.
#[must_use]
pub fn summary() -> Notification {
    let lines = vec![
        firing(Severity::Critical, "checkout/api: 12 Pods crash-looping", "2026-11-22T14:02:11Z"),
        firing(Severity::Critical, "Node ip-10-0-3-17 NotReady: kubelet silent", "2026-11-22T03:11:00Z"),
        firing(Severity::Warning, "shop/web rollout stuck: 2 of 5 updated", "2026-11-21T09:20:00Z"),
        firing(Severity::Warning, "Certificate shop.example.com ends in 13d", "2026-11-20T09:14:00Z"),
    ];
    let bulletin = Bulletin {
        title: "16 troubles were here before kpulse".to_owned(),
        lead: "The worst of what is broken already. What breaks from now on is told by itself.".to_owned(),
        lines,
        more: 12,
        hints: vec!["kpulse silence deployment/api -n checkout 2h".to_owned(), "kpulse status".to_owned()],
        ..bulletin(BulletinKind::Summary)
    };
    told(Why::First, bulletin)
}

/// What people know of and is still broken.
#[must_use]
pub fn reminder() -> Notification {
    let lines = vec![
        firing(Severity::Critical, "checkout/api: 12 Pods crash-looping", "2026-11-22T10:02:11Z"),
        firing(Severity::Critical, "Node ip-10-0-3-17 NotReady: kubelet silent", "2026-11-22T03:11:00Z"),
    ];
    let bulletin = Bulletin {
        title: "Still broken: checkout/api and 1 more".to_owned(),
        lines,
        hints: vec!["kpulse silence deployment/api -n checkout 2h".to_owned()],
        ..bulletin(BulletinKind::Reminder)
    };
    told(Why::First, bulletin)
}

/// The channel can be reached again.
#[must_use]
pub fn back() -> Notification {
    let lines = vec![firing(Severity::Critical, "checkout/api: 12 Pods crash-looping", "2026-11-22T11:02:11Z")];
    let bulletin = Bulletin {
        title: "Back after 3h; still true: 1 trouble".to_owned(),
        lead: "This channel could not be reached since 11:10 UTC: it answered 403 Forbidden.".to_owned(),
        lines,
        ..bulletin(BulletinKind::Back)
    };
    told(Why::First, bulletin)
}

fn told(why: Why, bulletin: Bulletin) -> Notification {
    Notification {
        id: NotificationId(3),
        channel: "example".into(),
        why,
        idempotency_key: format!("{}-{}", bulletin.fingerprint, why.as_str()),
        message_id: None,
        delayed: None,
        content: Content::Bulletin(Box::new(bulletin)),
    }
}

fn bulletin(kind: BulletinKind) -> Bulletin {
    Bulletin {
        kind,
        fingerprint: Fingerprint::of(&format!("{CLUSTER}|{}", kind.as_str())),
        state: AlertState::Firing,
        severity: Severity::Critical,
        cluster: CLUSTER.into(),
        title: String::new(),
        lead: String::new(),
        lines: Vec::new(),
        more: 0,
        covers: Vec::new(),
        hints: Vec::new(),
        started_at: at("2026-11-22T14:00:00Z"),
        at: at("2026-11-22T14:10:00Z"),
    }
}

fn firing(severity: Severity, text: &str, since: &str) -> BulletinLine {
    BulletinLine { state: AlertState::Firing, severity, text: text.to_owned(), since: at(since), ended_at: None }
}

fn ended(text: &str, since: &str, until: &str) -> BulletinLine {
    BulletinLine { state: AlertState::Resolved, ended_at: Some(at(until)), ..firing(Severity::Warning, text, since) }
}

/// So many lines.
#[cfg(test)]
pub(super) fn crowd(count: usize) -> Notification {
    let line = |number| firing(Severity::Warning, &format!("shop/web-{number} rollout stuck"), "2026-11-22T13:54:00Z");
    told(Why::First, Bulletin { lines: (0..count).map(line).collect(), more: count, ..bulletin(BulletinKind::Digest) })
}

/// Every text somebody else's.
#[cfg(test)]
pub(super) fn hostile(text: &str) -> impl Iterator<Item = Notification> {
    let line = firing(Severity::Critical, text, "2026-11-22T13:54:00Z");
    let bulletin = Bulletin {
        cluster: text.into(),
        title: text.to_owned(),
        lead: text.to_owned(),
        lines: vec![line; 60],
        hints: vec![text.to_owned(); 9],
        ..bulletin(BulletinKind::Storm)
    };
    let kinds = [BulletinKind::Digest, BulletinKind::Storm, BulletinKind::Test];
    kinds.into_iter().map(move |kind| told(Why::First, Bulletin { kind, ..bulletin.clone() }))
}
