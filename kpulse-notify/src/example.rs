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

/// The same crash loop, of more Pods.
#[must_use]
pub fn grown() -> Notification {
    let mut notification = firing();
    notification.why = Why::Grown;
    notification.idempotency_key = format!("{}-grown", notification.report.fingerprint);
    notification.report.count = 12;
    notification.report.title = "checkout/api: 12 Pods crash-looping".to_owned();
    notification
}

/// Something that got worse.
#[must_use]
pub fn escalated() -> Notification {
    let mut notification = firing();
    notification.why = Why::Escalated;
    notification.idempotency_key = format!("{}-escalated", notification.report.fingerprint);
    let report = &mut notification.report;
    report.monitor = MonitorName::TlsCertExpiry;
    report.object = ObjectRef::new(Kind::Secret, "shop", "web-tls");
    report.members = vec![report.object.clone()];
    (report.count, report.workload, report.node) = (1, None, None);
    report.trouble = TroubleKey::object("expiry");
    report.reason = "CertificateExpiring".into();
    report.title = "Certificate shop.example.com ends in 2d".to_owned();
    report.cause = "Secret shop/web-tls · ends 24 Nov 09:14 UTC · issuer Let's Encrypt R11".to_owned();
    report.command = Some("kubectl -n shop describe secret web-tls".to_owned());
    notification
}

/// The end of the crash loop by deletion.
#[must_use]
pub fn gone() -> Notification {
    let mut notification = resolved();
    let report = &mut notification.report;
    report.title = "checkout/api is gone after 18m: Deployment deleted".to_owned();
    report.body = "Was crash-looping (CrashLoopBackOff); deleted.".to_owned();
    report.ending = Some(Ending::Gone);
    notification
}

/// A Pod that nobody runs anew.
#[must_use]
pub fn bare() -> Notification {
    let mut notification = firing();
    let report = &mut notification.report;
    report.object = ObjectRef::new(Kind::Pod, "checkout", "migrate");
    report.members = vec![report.object.clone()];
    (report.count, report.workload) = (1, None);
    report.trouble = TroubleKey::container("crash", &Name::from("migrate"));
    report.title = "checkout/migrate: crash-looping".to_owned();
    report.cause = "migrate exits 1 after 2s, 5 restarts".to_owned();
    report.command = Some("kubectl -n checkout logs migrate -c migrate --previous".to_owned());
    notification
}

/// Nodes that went silent together.
#[must_use]
pub fn nodes() -> Notification {
    let mut notification = firing();
    let report = &mut notification.report;
    report.monitor = MonitorName::NodeConditions;
    report.members = ["ip-10-0-3-17", "ip-10-0-3-18"].map(|node| ObjectRef::new(Kind::Node, "", node)).to_vec();
    report.object = ObjectRef::new(Kind::Node, "", "ip-10-0-3-17");
    (report.count, report.workload, report.node) = (2, None, None);
    report.trouble = TroubleKey::object("not_ready");
    report.reason = "NotReady".into();
    report.title = "2 Nodes NotReady: kubelet silent".to_owned();
    report.cause = "the kubelet stopped saying how its node is".to_owned();
    report.command = Some("kubectl describe node ip-10-0-3-17".to_owned());
    (report.started_at, report.fired_at) = (at("2026-11-22T03:11:00Z"), at("2026-11-22T03:16:00Z"));
    notification
}

/// A crash loop, with what the container said last.
#[must_use]
pub fn logged() -> Notification {
    let mut notification = firing();
    let report = &mut notification.report;
    report.cause = "api exits 1 after 6s, 5 restarts".to_owned();
    let log = [
        "starting api 4.2.0",
        "ERROR: connect postgres-rw:5432: connection refused",
        "  at Pool.connect (pool.go:41)",
        "exit status 1",
    ];
    report.log = log.map(str::to_owned).to_vec();
    notification
}

/// Each kind of message by its name.
#[must_use]
pub fn all() -> Vec<(&'static str, Notification)> {
    vec![
        ("firing", firing()),
        ("logged", logged()),
        ("grown", grown()),
        ("escalated", escalated()),
        ("recovered", resolved()),
        ("gone", gone()),
        ("bare", bare()),
        ("nodes", nodes()),
    ]
}

/// Messages that must fit and do no harm whatever a platform makes of them: few and many members, and every text
/// somebody else's.
#[cfg(test)]
pub(crate) fn hostile() -> Vec<Notification> {
    let texts = [
        "x".repeat(100_000),
        "&".repeat(100_000),
        "<!channel> <@U1> @here @everyone <users/all> ".repeat(400),
        "*b* _i_ ~s~ `c` ``` ||x|| [a](http://h) # > - <b>&amp;</b> \\ \" '".repeat(300),
        "\u{202e}ltr \u{2066}שלום مرحبا\u{2069} ".repeat(600),
        "👩‍👩‍👧‍👦🏳️‍🌈 é e\u{301}".repeat(500),
        "line\r\nline\n\u{0}\u{1b}[2J\u{7}".repeat(1_000),
        String::new(),
    ];
    let mut all: Vec<_> = all().into_iter().map(|(_, notification)| notification).collect();
    all.extend([1, 50, 5_000].map(crowd));
    for text in texts {
        for mut notification in [firing(), resolved()] {
            let report = &mut notification.report;
            for field in [&mut report.title, &mut report.cause, &mut report.body] {
                field.clone_from(&text);
            }
            report.log = vec![text.clone(); 9];
            report.command = report.command.is_some().then(|| text.clone());
            let hostile = || Name::from(text.as_str());
            (report.reason, report.cluster, report.node) = (hostile(), hostile(), Some(hostile()));
            report.trouble = TroubleKey { container: Some(hostile()), trouble: hostile() };
            report.workload = Some(Workload::new(hostile(), hostile()));
            report.object = ObjectRef::new(Kind::Pod, hostile(), hostile());
            report.members = vec![report.object.clone(); 20];
            report.count = 5_000;
            all.push(notification);
        }
    }
    all
}

#[cfg(test)]
fn crowd(count: usize) -> Notification {
    let mut notification = firing();
    let pod = |number| ObjectRef::new(Kind::Pod, "checkout", format!("api-7c9d5f6b8-{number:05}"));
    notification.report.members = (0..count).map(pod).collect();
    notification.report.count = count;
    notification.report.title = format!("checkout/api: {count} Pods crash-looping");
    notification
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}
