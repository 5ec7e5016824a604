//! Messages to look at: for `kpulse preview`, and for tests of every channel.

use jiff::Timestamp;
use kpulse_core::monitors::MonitorName;
use kpulse_core::{
    AlertState, Content, Ending, GroupKey, Kind, Name, Notification, NotificationId, ObjectRef, Report, Severity,
    TroubleKey, Why, Workload,
};

#[cfg(test)]
use crate::links::Links;
use crate::trial;

mod bulletins;

pub use bulletins::{back, digest, reminder, storm, storm_over, summary};

const CLUSTER: &str = "prod-eu";
const CAUSE: &str = "api exits 1 after 6s, 5 restarts: connect postgres-rw:5432: connection refused";
const COMMAND: &str = "kubectl -n checkout logs deploy/api -c api --previous";

/// A crash loop of a whole Deployment.
#[must_use]
pub fn firing() -> Notification {
    told(1, Why::First, crash_loop())
}

/// The end of the same crash loop.
#[must_use]
pub fn resolved() -> Notification {
    told(2, Why::Resolved, recovered())
}

/// The same crash loop, of more Pods.
#[must_use]
pub fn grown() -> Notification {
    let title = "checkout/api: 12 Pods crash-looping".to_owned();
    told(1, Why::Grown, Report { count: 12, title, ..crash_loop() })
}

/// Something that got worse.
#[must_use]
pub fn escalated() -> Notification {
    let object = ObjectRef::new(Kind::Secret, "shop", "web-tls");
    let report = Report {
        monitor: MonitorName::TlsCertExpiry,
        members: vec![object.clone()],
        object,
        trouble: TroubleKey::object("expiry"),
        reason: "CertificateExpiring".into(),
        title: "Certificate shop.example.com ends in 2d".to_owned(),
        cause: "Secret shop/web-tls · ends 24 Nov 09:14 UTC · issuer Let's Encrypt R11".to_owned(),
        command: Some("kubectl -n shop describe secret web-tls".to_owned()),
        silence: Some("kpulse silence secret/web-tls -n shop 2h".to_owned()),
        ..alone(crash_loop())
    };
    told(1, Why::Escalated, Report { node: None, ..report })
}

/// The end of the crash loop by deletion.
#[must_use]
pub fn gone() -> Notification {
    let report = Report {
        title: "checkout/api is gone after 18m: Deployment deleted".to_owned(),
        body: "Was crash-looping (CrashLoopBackOff); deleted.".to_owned(),
        ending: Some(Ending::Gone),
        ..recovered()
    };
    told(2, Why::Resolved, report)
}

/// A Pod that nobody runs anew.
#[must_use]
pub fn bare() -> Notification {
    let object = ObjectRef::new(Kind::Pod, "checkout", "migrate");
    let report = Report {
        members: vec![object.clone()],
        object,
        trouble: TroubleKey::container("crash", &Name::from("migrate")),
        title: "checkout/migrate: crash-looping".to_owned(),
        cause: "migrate exits 1 after 2s, 5 restarts".to_owned(),
        command: Some("kubectl -n checkout logs migrate -c migrate --previous".to_owned()),
        silence: Some("kpulse silence pod/migrate -n checkout 2h".to_owned()),
        ..alone(crash_loop())
    };
    told(1, Why::First, report)
}

/// Nodes that went silent together.
#[must_use]
pub fn nodes() -> Notification {
    let report = Report {
        monitor: MonitorName::NodeConditions,
        members: ["ip-10-0-3-17", "ip-10-0-3-18"].map(|node| ObjectRef::new(Kind::Node, "", node)).to_vec(),
        object: ObjectRef::new(Kind::Node, "", "ip-10-0-3-17"),
        count: 2,
        workload: None,
        node: None,
        trouble: TroubleKey::object("not_ready"),
        reason: "NotReady".into(),
        title: "2 Nodes NotReady: kubelet silent".to_owned(),
        cause: "the kubelet stopped saying how its node is".to_owned(),
        command: Some("kubectl describe node ip-10-0-3-17".to_owned()),
        silence: Some("kpulse silence node/ip-10-0-3-17 2h".to_owned()),
        started_at: at("2026-11-22T03:11:00Z"),
        fired_at: at("2026-11-22T03:16:00Z"),
        ..crash_loop()
    };
    told(1, Why::First, report)
}

/// A crash loop, with what the container said last.
#[must_use]
pub fn logged() -> Notification {
    let log = [
        "starting api 4.2.0",
        "ERROR: connect postgres-rw:5432: connection refused",
        "  at Pool.connect (pool.go:41)",
        "exit status 1",
    ];
    let cause = "api exits 1 after 6s, 5 restarts".to_owned();
    told(1, Why::First, Report { cause, log: log.map(str::to_owned).to_vec(), ..crash_loop() })
}

/// A message of these contents.
fn told(id: u64, why: Why, report: Report) -> Notification {
    let word = if why == Why::First { "firing" } else { why.as_str() };
    Notification {
        id: NotificationId(id),
        channel: "example".into(),
        why,
        idempotency_key: format!("{}-{word}", report.fingerprint),
        message_id: None,
        delayed: None,
        content: Content::Report(Box::new(report)),
    }
}

fn crash_loop() -> Report {
    let workload = Workload::new("Deployment", "api");
    let trouble = TroubleKey::container("crash", &Name::from("api"));
    let group = GroupKey {
        monitor: MonitorName::PodCrashes,
        namespace: "checkout".into(),
        workload: workload.clone(),
        trouble: trouble.clone(),
    };
    let pods = ["api-7c9d5f6b8-2xk4q", "api-7c9d5f6b8-9wv7m", "api-7c9d5f6b8-lq5zt"];
    let members: Vec<_> = pods.iter().map(|pod| ObjectRef::new(Kind::Pod, "checkout", *pod)).collect();
    Report {
        fingerprint: group.fingerprint(),
        state: AlertState::Firing,
        monitor: MonitorName::PodCrashes,
        severity: Severity::Critical,
        cluster: CLUSTER.into(),
        object: ObjectRef::new(Kind::Pod, "checkout", pods[0]),
        workload: Some(workload),
        trouble,
        node: Some("ip-10-0-3-17".into()),
        reason: "CrashLoopBackOff".into(),
        title: "checkout/api: 3 Pods crash-looping".to_owned(),
        cause: CAUSE.to_owned(),
        command: Some(COMMAND.to_owned()),
        silence: Some("kpulse silence deployment/api -n checkout 2h".to_owned()),
        body: format!("{CAUSE}\n{COMMAND}"),
        started_at: at("2026-11-22T14:02:11Z"),
        fired_at: at("2026-11-22T14:06:11Z"),
        ended_at: None,
        ending: None,
        count: members.len(),
        members,
        log: Vec::new(),
    }
}

fn recovered() -> Report {
    Report {
        state: AlertState::Resolved,
        title: "checkout/api recovered after 18m".to_owned(),
        command: None,
        silence: None,
        body: "Was crash-looping (CrashLoopBackOff); replaced, and no failure since.".to_owned(),
        ended_at: Some(at("2026-11-22T14:20:11Z")),
        ending: Some(Ending::Recovered),
        ..crash_loop()
    }
}

/// Of one object that has no workload.
fn alone(report: Report) -> Report {
    Report { count: 1, workload: None, ..report }
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
        ("reminder", reminder()),
        ("digest", digest()),
        ("summary", summary()),
        ("storm", storm()),
        ("storm over", storm_over()),
        ("back", back()),
        ("test", trial::message(&"example".into(), &CLUSTER.into(), at("2026-11-22T14:10:00Z"))),
    ]
}

/// Two links, as a user has them.
#[cfg(test)]
pub(crate) fn links() -> Links {
    let links = serde_json::json!({
        "grafana": "https://grafana.example.com/d/pods?var-namespace={namespace}&var-workload={workload}",
        "runbook": "https://wiki.example.com/runbooks/{monitor}#{reason}",
    });
    serde_json::from_value(links).unwrap_or_default()
}

/// As many and as long ones as there can be.
#[cfg(test)]
pub(crate) fn long_links() -> Links {
    let long = format!("https://grafana.example.com/explore?a=1&b=%7B{}", "x".repeat(950));
    let links: serde_json::Map<_, _> =
        (1..=5).map(|number| (format!("{number} <!here> *x* [l](u) \"&'\\"), long.clone().into())).collect();
    serde_json::from_value(links.into()).unwrap_or_default()
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
    all.extend([1, 50, 5_000].map(bulletins::crowd));
    for text in &texts {
        all.extend([firing(), resolved()].map(|notification| hostile_report(notification, text)));
        all.extend(bulletins::hostile(text));
    }
    all
}

#[cfg(test)]
fn hostile_report(mut notification: Notification, text: &str) -> Notification {
    let Some(report) = notification.content.report_mut() else { return notification };
    for field in [&mut report.title, &mut report.cause, &mut report.body] {
        text.clone_into(field);
    }
    report.log = vec![text.to_owned(); 9];
    report.command = report.command.is_some().then(|| text.to_owned());
    report.silence.clone_from(&report.command);
    let hostile = || Name::from(text);
    (report.reason, report.cluster, report.node) = (hostile(), hostile(), Some(hostile()));
    report.trouble = TroubleKey { container: Some(hostile()), trouble: hostile() };
    report.workload = Some(Workload::new(hostile(), hostile()));
    report.object = ObjectRef::new(Kind::Pod, hostile(), hostile());
    report.members = vec![report.object.clone(); 20];
    report.count = 5_000;
    notification
}

#[cfg(test)]
fn crowd(count: usize) -> Notification {
    let pod = |number| ObjectRef::new(Kind::Pod, "checkout", format!("api-7c9d5f6b8-{number:05}"));
    let title = format!("checkout/api: {count} Pods crash-looping");
    told(1, Why::First, Report { members: (0..count).map(pod).collect(), count, title, ..crash_loop() })
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}
