//! Memory grows with trouble only, and shrinks with it.

use base64ct::{Base64, Encoding};
use jiff::SignedDuration;
use kpulse_core::{Observation, Remembered, Resource, Scope};
use kpulse_testkit::builders::{
    Death, autoscaler, bound_claim, cron_job, daemon_set, job, node, pending_claim, pod, rollout, stateful_set,
};
use serde_json::{Value, json};

use crate::play::{Play, second};

/// How many Pods have each trouble of Pods; of other objects there are fewer.
const PODS: i64 = 1_650;
const OTHERS: i64 = 60;

/// An object when it is broken, and when it is well; nothing where it cannot be, and only goes.
struct Life {
    broken: Vec<Value>,
    well: Option<Value>,
}

fn life(broken: Value, well: Value) -> Life {
    Life { broken: vec![broken], well: Some(well) }
}

/// The lives of one Pod for each trouble of Pods. Forty are of one Deployment.
fn pods(index: i64) -> Vec<Life> {
    let (now, then, later) = (second(0), second(-7_200), second(3_700));
    let namespace = &format!("team-{}", index / 40 % 20);
    let own = |kind: &str| {
        let pod = pod(namespace, &format!("{kind}-{index}")).uid(&format!("{kind}-{index}")).created(then);
        pod.of_deployment(&format!("{kind}-{}", index / 40), "1")
    };
    let (api, web, thumbs, gpu, data, hurt) =
        (own("api"), own("web"), own("thumbs"), own("gpu"), own("data"), own("hurt"));
    let mount_failed = json!({ "kind": "Event", "type": "Normal", "reason": "FailedMount", "count": 3,
        "metadata": { "namespace": namespace, "name": format!("mount-{index}"), "uid": format!("e-{index}") },
        "involvedObject": { "kind": "Pod", "namespace": namespace, "name": format!("data-{index}") } });
    let restarts = |count| hurt.clone().running_after(count, Death::Exit(137), now).json();
    vec![
        life(api.clone().crash_looping(4, now).json(), api.running(now).json()),
        life(web.clone().waiting("ErrImagePull", "not found").json(), web.running(now).json()),
        life(thumbs.clone().ended(0, Death::OutOfMemory, now).json(), thumbs.running(later).json()),
        life(gpu.clone().unschedulable(then, "0/3 nodes").json(), gpu.running(now).json()),
        Life { broken: vec![mount_failed, data.json()], well: Some(data.running(now).json()) },
        Life { broken: vec![restarts(1), restarts(9)], well: None },
    ]
}

/// The lives of one of each other kind of object.
fn others(index: i64) -> Vec<Life> {
    const PROVISIONER: &str = "ebs.csi.example.com";
    let (now, then) = (second(0), second(-7_200));
    let namespace = &format!("team-{}", index % 20);
    let name = |kind: &str| format!("{kind}-{index}");
    let worker = || node(&name("worker"), then);
    let deployment = rollout(namespace, &name("shop"), 2, then);
    let set = stateful_set(namespace, &name("db"), 2, then);
    let agent = daemon_set(namespace, &name("agent"), 3, then);
    let wants = |count| autoscaler(namespace, &name("shop"), (1, 5), count, then);
    let claim = &name("data");
    let bound = bound_claim(namespace, claim, PROVISIONER, then);
    vec![
        life(worker().silent(then).json(), worker().json()),
        life(deployment.clone().rolling(2, 3, 1, 2, now).json(), deployment.json()),
        life(set.clone().rolling(2, 2, 1, 1, now).json(), set.json()),
        life(agent.clone().rolling(2, 3, 1, 2, now).json(), agent.json()),
        life(wants(5), wants(2)),
        life(pending_claim(namespace, claim, PROVISIONER, then), bound),
        Life { broken: vec![job(namespace, &name("import"), then).failed(now).json()], well: None },
    ]
}

#[test]
fn ten_thousand_objects_that_broke_and_healed_leave_nothing_behind() {
    let mut play = Play::begin_at(second(0));
    let lives = (0..PODS).flat_map(|index| pods(index).into_iter().map(move |life| (index, life)));
    let others = (0..OTHERS).flat_map(|index| others(index).into_iter().map(move |life| (index, life)));
    let lives: Vec<(i64, Life)> = lives.chain(others).collect();
    for broken in lives.iter().flat_map(|(_, life)| &life.broken) {
        play.apply(broken);
    }
    assert!(play.engine.remembered().objects >= 10_000, "{:?}", play.engine.remembered());
    play.pass(SignedDuration::from_hours(1));
    assert!(play.engine.alerts().count() >= 8_000);
    // Most of it explains the rest: crashes their rollouts, restarts and Events.
    assert!(play.told.len() > 300, "{} were told", play.told.len());

    // A third is seen to heal, a third to be deleted, and a third is deleted while nobody looks.
    let ends = |life: &Life| life.well.clone().unwrap_or_else(|| life.broken.first().unwrap().clone());
    for resource in Resource::ALL {
        play.see(Observation::ListingBegun(Scope::cluster(resource)));
    }
    for (index, life) in &lives {
        match (index % 3, &life.well) {
            (0, Some(well)) => play.apply(well),
            (0 | 1, _) => play.delete(&ends(life)),
            _ => {}
        }
    }
    for resource in Resource::ALL {
        play.see(Observation::Listed(Scope::cluster(resource)));
    }
    play.pass(SignedDuration::from_hours(24));
    assert_eq!(play.engine.remembered(), Remembered::default());
    assert_eq!(play.engine.alerts().count(), 0);
    assert_eq!(play.engine.next_deadline(), None);
}

#[test]
fn a_healthy_object_leaves_no_trace() {
    let mut play = Play::begin_at(second(0));
    for index in 0..100 {
        for life in pods(index).into_iter().chain(others(index)) {
            life.well.iter().for_each(|well| play.apply(well));
        }
    }
    // Those killed lately are no trouble, but more restarts would be counted.
    play.pass(SignedDuration::from_mins(20));
    assert_eq!(play.engine.remembered(), Remembered::default());
}

#[test]
fn a_cron_job_costs_a_timer_until_it_is_gone() {
    let report = || cron_job("shop", "report", "*/5 * * * *", second(-30));
    let failing = job("shop", &report().job_name(second(300)), second(300)).of_cron_job("report");
    let mut play = Play::begin_at(second(0));
    play.apply(&report().json());
    assert_eq!(play.engine.remembered(), Remembered { objects: 1, due: 1, cron_jobs: 1, ..Remembered::default() });

    play.pass(SignedDuration::from_secs(301));
    play.apply(&report().ran(second(300)).json());
    play.apply(&failing.clone().failed(second(302)).json());
    // Nor is the next run started: two troubles of one object.
    play.pass(SignedDuration::from_hours(2));
    assert_eq!(play.engine.alerts().count(), 2);
    for resource in [Resource::Jobs, Resource::CronJobs] {
        play.see(Observation::ListingBegun(Scope::cluster(resource)));
        play.see(Observation::Listed(Scope::cluster(resource)));
    }
    play.pass(SignedDuration::from_hours(24));
    assert_eq!(play.engine.remembered(), Remembered::default());
}

#[test]
fn a_certificate_costs_a_timer_until_it_is_gone() {
    let secret = json!({ "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "namespace": "shop", "name": "web-tls", "uid": "web-tls" },
        "data": { "tls.crt": Base64::encode_string(include_bytes!("../fixtures/tls/far.pem")) } });
    let mut play = Play::begin_at(second(0));
    play.apply(&secret);
    play.pass(SignedDuration::from_hours(24));
    assert_eq!(play.engine.remembered(), Remembered { objects: 1, due: 1, ..Remembered::default() });
    play.delete(&secret);
    assert_eq!(play.engine.remembered(), Remembered::default());
}
