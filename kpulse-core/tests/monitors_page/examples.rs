//! What the engine says of one example for each monitor: the messages of the page.

use base64ct::{Base64, Encoding};
use jiff::SignedDuration;
use kpulse_core::monitors::MonitorName;
use kpulse_core::{AlertState, Blindness, KubeletSight, Notification, Observation, Resource, Scope};
use kpulse_testkit::builders::{
    Death, autoscaler, bound_claim, cron_job, daemon_set, job, node, pending_claim, pod, rollout,
};
use serde_json::{Value, json};

use crate::play::{Play, second};

/// What was said of an example.
pub(crate) struct Said {
    /// The messages, one after the other.
    pub(crate) text: String,
    /// How bad it was.
    pub(crate) severities: Vec<&'static str>,
    /// Whether its end was told.
    pub(crate) ends: bool,
}

/// Plays the example of a monitor.
pub(crate) fn of(monitor: MonitorName) -> Said {
    let mut play = Play::begin_at(second(0));
    match monitor {
        MonitorName::PodCrashes => pod_crashes(&mut play),
        MonitorName::PodRestarts => pod_restarts(&mut play),
        MonitorName::WarningEvents => warning_events(&mut play),
        MonitorName::CronjobMissed => cronjob_missed(&mut play),
        MonitorName::DaemonsetUnscheduled => daemonset_unscheduled(&mut play),
        MonitorName::HpaAtMax => hpa_at_max(&mut play),
        MonitorName::JobFailed => job_failed(&mut play),
        MonitorName::NodeConditions => node_conditions(&mut play),
        MonitorName::NodeDisk => node_disk(&mut play),
        MonitorName::PdbBlocked => pdb_blocked(&mut play),
        MonitorName::PodStuckTerminating => pod_stuck_terminating(&mut play),
        MonitorName::PvcPending => pvc_pending(&mut play),
        MonitorName::PvcUsage => pvc_usage(&mut play),
        MonitorName::RolloutStuck => rollout_stuck(&mut play),
        MonitorName::TlsCertExpiry => tls_cert_expiry(&mut play),
        MonitorName::Blindness => blindness(&mut play),
        other => panic!("{other} is new: give it an example here and a section in docs/monitors.md"),
    }
    play.tell();
    let own: Vec<Notification> = play.told.into_iter().filter(|told| report_of(told).monitor == monitor).collect();
    assert!(!own.is_empty(), "the example of {monitor} makes it say nothing");
    Said {
        text: own.iter().map(words).collect::<Vec<_>>().join("\n\n"),
        severities: own.iter().map(|told| report_of(told).severity.as_str()).collect(),
        ends: own.iter().any(|told| report_of(told).state == AlertState::Resolved),
    }
}

/// How bad in a word, what in a line, why, and a command to copy.
fn words(told: &Notification) -> String {
    let report = report_of(told);
    let word = match report.state {
        AlertState::Firing => report.severity.as_str(),
        AlertState::Resolved => "resolved",
    };
    format!("{}: {}\n{}", word.to_uppercase(), report.title, report.body)
}

fn minutes(play: &mut Play, count: i64) {
    play.pass(SignedDuration::from_mins(count));
}

/// When everything has been well.
fn long_ago() -> jiff::Timestamp {
    second(-48 * 3_600)
}

fn pod_crashes(play: &mut Play) {
    let api = |index: i64| {
        let name = format!("api-7d9c5b6f4-{index}");
        pod("checkout", &name).uid(&name).of_deployment("api", "7d9c5b6f4").container("api").created(long_ago())
    };
    play.apply(&api(0).crash_looping(4, play.now).json());
    minutes(play, 6);
    play.apply(&api(0).running_after(5, Death::Exit(1), play.now).json());
    minutes(play, 6);
}

fn pod_restarts(play: &mut Play) {
    let web = |restarts| {
        let started = second(i64::from(restarts) * 170);
        let web = pod("shop", "web-7d9c5b6f4-bxz2q").uid("web").of_deployment("web", "7d9c5b6f4").container("web");
        let mut web = web.created(long_ago()).running_after(restarts, Death::Exit(0), started).json();
        web["status"]["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = json!(long_ago());
        web
    };
    for restarts in 1..=5 {
        play.apply(&web(restarts));
        play.pass(SignedDuration::from_secs(170));
    }
}

fn warning_events(play: &mut Play) {
    play.apply(&json!({
        "kind": "Event", "type": "Warning", "reason": "FailedToUpdateEndpoint", "count": 1,
        "metadata": { "namespace": "shop", "name": "web.1", "uid": "e1" }, "lastTimestamp": play.now,
        "message": "Failed to update endpoint shop/web: Operation cannot be fulfilled on endpoints \"web\"",
        "involvedObject": { "kind": "Endpoints", "namespace": "shop", "name": "web" },
    }));
}

fn cronjob_missed(play: &mut Play) {
    let report = || cron_job("shop", "report", "*/10 * * * *", long_ago());
    play.apply(&report().ran(second(0)).succeeded(second(20)).json());
    minutes(play, 40);
    play.apply(&report().ran(second(2_400)).succeeded(second(2_420)).json());
}

fn daemonset_unscheduled(play: &mut Play) {
    let agent = || daemon_set("shop", "log-agent", 12, long_ago());
    play.apply(&agent().rolling(1, 11, 11, 11, long_ago()).json());
    minutes(play, 25);
    play.apply(&agent().json());
}

fn hpa_at_max(play: &mut Play) {
    play.apply(&autoscaler("shop", "web", (2, 10), 10, long_ago()));
    minutes(play, 75);
    play.apply(&autoscaler("shop", "web", (2, 10), 7, long_ago()));
}

fn job_failed(play: &mut Play) {
    let report = || cron_job("shop", "report", "0 * * * *", long_ago());
    let run = |due: i64| {
        let name = report().job_name(second(due));
        job("shop", &name, second(due)).of_cron_job("report")
    };
    play.apply(&report().ran(second(0)).json());
    play.apply(&run(0).failed_pods(7).failed(second(0)).json());
    minutes(play, 61);
    play.apply(&run(3_600).complete(second(3_640)).json());
}

fn node_conditions(play: &mut Play) {
    let worker = || node("worker-3", long_ago());
    play.apply(&worker().silent(play.now).json());
    minutes(play, 14);
    play.apply(&worker().json());
}

fn disk(percent: i64) -> Value {
    const GIB: i64 = 1 << 30;
    json!({ "capacityBytes": 100 * GIB, "availableBytes": (100 - percent) * GIB, "usedBytes": percent * GIB,
        "inodes": 6_000_000, "inodesFree": 5_000_000, "inodesUsed": 1_000_000 })
}

fn survey(play: &mut Play, summary: Value) {
    play.see(Observation::Surveyed(serde_json::from_value(summary).unwrap()));
    minutes(play, 10);
}

fn node_disk(play: &mut Play) {
    for percent in [87, 93, 61] {
        let disk = disk(percent);
        survey(play, json!({ "node": { "nodeName": "worker-3", "fs": disk, "runtime": { "imageFs": disk } } }));
    }
}

fn pvc_usage(play: &mut Play) {
    for percent in [82, 91, 45] {
        let mut volume = disk(percent);
        volume["pvcRef"] = json!({ "namespace": "shop", "name": "data-db-0" });
        survey(play, json!({ "node": { "nodeName": "worker-3" }, "pods": [{ "volume": [volume] }] }));
    }
}

fn pdb_blocked(play: &mut Play) {
    let budget = |allowed: i32| {
        json!({ "kind": "PodDisruptionBudget",
            "metadata": { "namespace": "shop", "name": "web", "uid": "b1", "generation": 1 },
            "spec": { "selector": { "matchLabels": { "app": "web" } } },
            "status": { "observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 2 + allowed,
                "desiredHealthy": 2, "expectedPods": 3 } })
    };
    let web = pod("shop", "web-7d9c5b6f4-bxz2q").uid("web").of_deployment("web", "7d9c5b6f4").node("worker-3");
    play.apply(&budget(0));
    play.apply(&node("worker-3", long_ago()).cordoned().json());
    play.apply(&web.running(long_ago()).json());
    minutes(play, 40);
    play.apply(&budget(1));
}

fn pod_stuck_terminating(play: &mut Play) {
    let db = pod("shop", "db-0").uid("db-0").of("StatefulSet", "db").node("worker-3").running(long_ago());
    let db = db.deleting(second(30)).json();
    play.apply(&db);
    minutes(play, 25);
    play.delete(&db);
    minutes(play, 5);
}

fn pvc_pending(play: &mut Play) {
    play.apply(&pending_claim("shop", "data-db-0", "ebs.csi.example.com", play.now));
    minutes(play, 33);
    play.apply(&bound_claim("shop", "data-db-0", "ebs.csi.example.com", second(0)));
}

fn rollout_stuck(play: &mut Play) {
    let web = || rollout("shop", "web", 3, long_ago());
    play.apply(&web().rolling(2, 4, 1, 3, play.now).json());
    minutes(play, 10);
    play.apply(&web().rolling(2, 4, 1, 3, second(0)).deadline_exceeded(second(600)).json());
    minutes(play, 30);
    play.apply(&web().rolling(2, 3, 3, 3, second(2_400)).json());
}

fn tls_cert_expiry(play: &mut Play) {
    let secret = |pem: &[u8]| {
        json!({ "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "namespace": "shop", "name": "web-tls", "uid": "web-tls" },
            "data": { "tls.crt": Base64::encode_string(pem) } })
    };
    play.apply(&secret(include_bytes!("../fixtures/tls/shop.pem")));
    minutes(play, 60 * 24 * 11);
    play.apply(&secret(include_bytes!("../fixtures/tls/shop-renewed.pem")));
}

fn blindness(play: &mut Play) {
    let claims = Scope::cluster(Resource::PersistentVolumeClaims);
    let why = "persistentvolumeclaims is forbidden: kpulse may not list it";
    play.see(Observation::SightLost(claims.clone(), Blindness::Refused(why.to_owned())));
    let sight = |unreadable, why: &str| {
        Observation::KubeletSight(KubeletSight { nodes: 12, unreadable, refused: false, why: why.to_owned() })
    };
    play.see(sight(12, "403 Forbidden: grant nodes/stats"));
    minutes(play, 12);
    play.see(Observation::ListingBegun(claims.clone()));
    play.see(Observation::Listed(claims));
    play.see(sight(0, ""));
}

fn report_of(notification: &Notification) -> &kpulse_core::Report {
    notification.content.report().unwrap()
}
