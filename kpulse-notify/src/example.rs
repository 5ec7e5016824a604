//! Messages to try a channel with: for `kpulse preview`, and for tests of every channel.

use jiff::Timestamp;
use kpulse_core::monitors::MonitorName;
use kpulse_core::{
    AlertState, Ending, GroupKey, Kind, Name, Notification, NotificationId, ObjectRef, Report, Severity, TroubleKey,
    Why, Workload,
};

const CAUSE: &str = "api exits 1 after 6s, 5 restarts: connect postgres-rw:5432: connection refused";
const COMMAND: &str = "kubectl -n checkout logs deploy/api -c api --previous";

/// A crash loop of a whole Deployment.
#[must_use]
pub fn firing() -> Notification {
    let workload = Workload::new("Deployment", "api");
    let trouble = TroubleKey::container("crash", &Name::from("api"));
    let group = GroupKey {
        monitor: MonitorName::PodCrashes,
        namespace: "checkout".into(),
        workload: workload.clone(),
        trouble: trouble.clone(),
    };
    let fingerprint = group.fingerprint();
    let pods = ["api-7c9d5f6b8-2xk4q", "api-7c9d5f6b8-9wv7m", "api-7c9d5f6b8-lq5zt"];
    let members: Vec<_> = pods.iter().map(|pod| ObjectRef::new(Kind::Pod, "checkout", *pod)).collect();
    Notification {
        id: NotificationId(1),
        channel: "example".into(),
        why: Why::First,
        idempotency_key: format!("{fingerprint}-firing"),
        message_id: None,
        delayed: None,
        report: Report {
            fingerprint,
            state: AlertState::Firing,
            monitor: MonitorName::PodCrashes,
            severity: Severity::Critical,
            cluster: "prod-eu".into(),
            object: ObjectRef::new(Kind::Pod, "checkout", pods[0]),
            workload: Some(workload),
            trouble,
            node: Some("ip-10-0-3-17".into()),
            reason: "CrashLoopBackOff".into(),
            title: "checkout/api: 3 Pods crash-looping".to_owned(),
            cause: CAUSE.to_owned(),
            command: Some(COMMAND.to_owned()),
            body: format!("{CAUSE}\n{COMMAND}"),
            started_at: at("2026-11-22T14:02:11Z"),
            fired_at: at("2026-11-22T14:06:11Z"),
            ended_at: None,
            ending: None,
            count: members.len(),
            members,
            log: Vec::new(),
        },
    }
}

/// The end of the same crash loop.
#[must_use]
pub fn resolved() -> Notification {
    let mut notification = firing();
    notification.id = NotificationId(2);
    notification.why = Why::Resolved;
    notification.idempotency_key = format!("{}-resolved", notification.report.fingerprint);
    let report = &mut notification.report;
    report.state = AlertState::Resolved;
    report.title = "checkout/api recovered after 18m".to_owned();
    report.command = None;
    report.body = "Was crash-looping (CrashLoopBackOff); replaced, and no failure since.".to_owned();
    report.ended_at = Some(at("2026-11-22T14:20:11Z"));
    report.ending = Some(Ending::Recovered);
    notification
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}
