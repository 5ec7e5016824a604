//! Containers that fail again and again or do not start, and Pods that cannot be placed or were evicted.

use kpulse_core::Resource;
use kpulse_core::settings::{Settings, Span};
use kpulse_testkit::builders::{Death, PodBuilder, pod};
use kpulse_testkit::timeline::{Timeline, clock, now};
use serde_json::{Value, json};

fn web() -> PodBuilder {
    pod("shop", "web-1").uid("p1").created(now("-48h")).container("web")
}

/// The same Pod with a grace period of two days.
fn deleting(mut pod: Value) -> Value {
    pod["metadata"]["deletionTimestamp"] = clock("48h").into();
    pod
}

mod scheduling {
    use super::*;
    use crate::rules::{Trouble, keeps_the_rules};

    keeps_the_rules!(Trouble {
        resource: Resource::Pods,
        broken: waiting(),
        well: Some(web().running(now("1s")).json()),
        unknown: Some(deleting(waiting())),
        heard: "2m critical pod_crashes Pod/web-1 FailedScheduling",
        not_before: Some("1m59s"),
        enabled: |monitors| &mut monitors.pod_crashes.enabled,
        severity: |monitors| &mut monitors.pod_crashes.severity,
    });

    fn waiting() -> Value {
        web().unschedulable(now("0s"), "0/3 nodes are available: 3 Insufficient cpu.").json()
    }

    fn event(reason: &str) -> Value {
        json!({"kind": "Event", "type": "Normal", "reason": reason, "metadata": {"name": "e", "namespace": "shop"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"}})
    }

    #[test]
    fn a_pod_for_which_a_node_is_made_or_cleared_waits_ten_minutes() {
        let told: &[&str] = &["10m critical pod_crashes Pod/web-1 FailedScheduling"];
        for reason in ["TriggeredScaleUp", "Nominated"] {
            Timeline::begin().apply(&waiting()).apply(&event(reason)).at("1h").expect(told);
            Timeline::begin().apply(&event(reason)).apply(&waiting()).at("1h").expect(told);
        }
        let mut preempting = waiting();
        preempting["status"]["nominatedNodeName"] = "worker-1".into();
        Timeline::begin().apply(&preempting).at("1h").expect(told);
    }

    #[test]
    fn a_pod_held_back_by_a_scheduling_gate_is_meant_to_wait() {
        let mut gated = waiting();
        gated["status"]["conditions"][0]["reason"] = "SchedulingGated".into();
        Timeline::begin().apply(&gated).at("9h").expect_nothing().expect_remembered(0);
    }
}

mod mount {
    use super::*;
    use crate::rules::{Trouble, keeps_the_rules};

    keeps_the_rules!(Trouble {
        resource: Resource::Pods,
        broken: creating(Some("False")),
        well: Some(web().running(now("1s")).json()),
        unknown: Some(deleting(creating(Some("False")))),
        heard: "2m critical pod_crashes Pod/web-1 FailedMount",
        not_before: Some("1m59s"),
        enabled: |monitors| &mut monitors.pod_crashes.enabled,
        severity: |monitors| &mut monitors.pod_crashes.severity,
    });

    fn creating(ready_to_start: Option<&str>) -> Value {
        let mut pod = web().json();
        let mut conditions = vec![json!({"type": "PodScheduled", "status": "True", "lastTransitionTime": clock("0s")})];
        conditions.extend(ready_to_start.map(|status| json!({"type": "PodReadyToStartContainers", "status": status})));
        pod["status"]["conditions"] = json!(conditions);
        pod
    }

    #[test]
    fn a_pod_that_pulls_its_image_is_not_told() {
        Timeline::begin().apply(&creating(Some("True"))).at("9h").expect_nothing();
    }

    #[test]
    fn where_the_kubelet_does_not_say_an_event_must_prove_it() {
        let event = json!({"kind": "Event", "type": "Warning", "reason": "FailedMount",
            "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "lastTimestamp": clock("-1h"),
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"}});
        let quiet = |settings: &mut Settings| settings.monitors.warning_events.enabled = false;
        Timeline::with(quiet).apply(&creating(None)).at("9h").expect_nothing();
        let story = Timeline::with(quiet).apply(&creating(None)).at("30s").apply(&event);
        story.at("9m").expect(&["2m critical pod_crashes Pod/web-1 FailedMount"]);
        let story = Timeline::with(quiet).apply(&creating(None)).at("5m").apply(&event);
        story.expect(&["5m critical pod_crashes Pod/web-1 FailedMount"]);
    }
}

mod evicted {
    use super::*;
    use crate::rules::{Trouble, keeps_the_rules};

    keeps_the_rules!(Trouble {
        resource: Resource::Pods,
        broken: web().evicted("The node was low on resource: ephemeral-storage.").json(),
        well: None,
        unknown: Some(deleting(web().evicted("low").json())),
        heard: "0s critical pod_crashes Pod/web-1 Evicted",
        not_before: None,
        enabled: |monitors| &mut monitors.pod_crashes.enabled,
        severity: |monitors| &mut monitors.pod_crashes.severity,
    });
}

const LOOPS: &[&str] = &["1m critical pod_crashes Pod/web-1 CrashLoopBackOff"];

/// A Pod that was seen to fail for the second time after a minute.
fn looping() -> Timeline {
    let story = Timeline::begin().apply(&web().ended(0, Death::Exit(1), now("0s")).json()).at("1m").expect_nothing();
    story.apply(&web().ended(1, Death::Exit(1), now("1m")).json()).expect(LOOPS)
}

fn runs(restarts: i32, since: &str) -> Value {
    web().running_after(restarts, Death::Exit(1), now(since)).json()
}

#[test]
fn a_first_failure_is_no_crash_loop_and_the_second_is_whatever_it_is_called() {
    looping();
    let mut waiting = web().waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container").json();
    waiting["status"]["phase"] = "Running".into();
    Timeline::begin().at("1m").apply(&waiting).expect(LOOPS);
    // Killed by its probe: never seen but running.
    let story = Timeline::begin().apply(&runs(1, "0s")).at("1m").expect_nothing();
    story.apply(&runs(2, "1m")).expect(LOOPS);
}

#[test]
fn it_is_over_when_the_container_has_run_for_stable_for() {
    let story = looping().at("2m").apply(&runs(2, "2m")).at("3m59s").expect_nothing();
    story.at("4m").expect(&["4m recovered pod_crashes Pod/web-1"]).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn each_relapse_doubles_the_time_it_must_run_up_to_fifteen_minutes() {
    let mut story = looping();
    for restarts in 2..20 {
        let minute = restarts * 2;
        story = story.at(&format!("{minute}m")).apply(&runs(restarts, &format!("{minute}m")));
        let end = format!("{}m", minute + 1);
        story = story.at(&end).apply(&web().ended(restarts, Death::Exit(1), now(&end)).json()).expect_nothing();
    }
    let story = story.at("40m").apply(&runs(20, "40m")).at("54m59s").expect_nothing();
    story.at("55m").expect(&["55m recovered pod_crashes Pod/web-1"]);
}

#[test]
fn a_pod_whose_node_cannot_be_seen_does_not_recover_meanwhile() {
    let story = looping().at("2m").apply(&runs(2, "2m")).at("3m").lose_sight(Resource::Pods).at("1h").expect_nothing();
    let story = story.begin_listing(Resource::Pods).apply(&runs(2, "2m")).listed(Resource::Pods);
    story.expect_nothing().at("1h2m").expect(&["1h2m recovered pod_crashes Pod/web-1"]);
}

#[test]
fn a_pod_being_deleted_is_neither_told_nor_over_until_it_is_gone() {
    let gone = deleting(web().ended(2, Death::Exit(137), now("2m")).json());
    Timeline::begin().apply(&gone).at("9h").expect_nothing();
    looping().at("2m").apply(&gone).expect_nothing().delete(&gone).expect(&["2m gone pod_crashes Pod/web-1"]);
    let missing = looping().at("2m").begin_listing(Resource::Pods).listed(Resource::Pods);
    missing.expect(&["2m gone pod_crashes Pod/web-1"]);
}

#[test]
fn nobody_need_hear_of_it() {
    let story = looping().at("2m").configure(|settings| settings.monitors.pod_crashes.enabled = false);
    story.expect(&["2m unwatched pod_crashes Pod/web-1"]);
    let ignored = web().annotation("kpulse.io/ignore", "pod_crashes").ended(1, Death::Exit(1), now("0s")).json();
    Timeline::begin().apply(&ignored).at("9h").expect_nothing();
    let only = |settings: &mut Settings| settings.monitors.pod_crashes.reasons = vec!["Evicted".into()];
    Timeline::with(only).apply(&web().ended(1, Death::Exit(1), now("0s")).json()).at("9h").expect_nothing();
}

#[test]
fn a_restart_of_kpulse_says_nothing_and_a_pod_that_runs_by_then_recovers() {
    let story = looping().at("2m").restart(&[&web().ended(1, Death::Exit(1), now("1m")).json()]).at("1h");
    let story = story.expect_nothing().restart(&[&runs(2, "59m")]).expect_nothing();
    story.at("9h").expect(&["1h2m recovered pod_crashes Pod/web-1"]);
}

#[test]
fn a_single_kill_for_memory_is_told_and_one_of_last_week_is_not() {
    let killed = |at: &str| web().running_after(1, Death::OutOfMemory, now(at)).json();
    let told: &[&str] = &["0s critical pod_crashes Pod/web-1 OOMKilled"];
    Timeline::begin().apply(&killed("-1m")).expect(told).at("9h").expect(&["2m recovered pod_crashes Pod/web-1"]);
    Timeline::begin().apply(&killed("-2m")).at("9h").expect_nothing();
    let never = web().restart_policy("Never").ended(0, Death::OutOfMemory, now("0s")).json();
    Timeline::begin().apply(&never).expect(told).at("9h").expect_nothing();
}

#[test]
fn a_program_that_ends_well_again_and_again_is_told_where_it_should_not_end() {
    let ends = |restarts, policy| web().restart_policy(policy).ended(restarts, Death::Exit(0), now("1m")).json();
    let story = Timeline::begin().at("1m").apply(&ends(1, "Always")).expect_nothing();
    story.apply(&ends(2, "Always")).expect(LOOPS);
    Timeline::begin().at("1m").apply(&ends(9, "OnFailure")).at("9h").expect_nothing();
}

#[test]
fn programs_of_jobs_may_fail_but_must_start() {
    let job = || web().of("Job", "import");
    Timeline::begin().apply(&job().ended(3, Death::Exit(1), now("0s")).json()).at("9h").expect_nothing();
    let story = Timeline::begin().apply(&job().waiting("ErrImagePull", "not found").json());
    story.expect(&["0s critical pod_crashes Pod/web-1 ErrImagePull"]);
}

#[test]
fn a_young_pod_may_fail_until_its_database_is_up() {
    let settling = || Timeline::with(|settings| settings.monitors.pod_crashes.settle = Span::seconds(60));
    let young = || web().created(now("0s"));
    let fails = |restarts, at: &str| young().ended(restarts, Death::Exit(1), now(at)).json();
    let runs = |restarts, at: &str| young().running_after(restarts, Death::Exit(1), now(at)).json();
    let story = settling().at("10s").apply(&fails(1, "10s")).at("1m9s").expect_nothing();
    story.at("1h").expect(&["1m10s critical pod_crashes Pod/web-1 CrashLoopBackOff"]);
    let story = settling().at("10s").apply(&fails(1, "10s")).at("40s").apply(&runs(2, "40s"));
    story.at("9h").expect_nothing().expect_remembered(0);
    let old = web().ended(1, Death::Exit(1), now("0s")).json();
    settling().apply(&old).expect(&["0s critical pod_crashes Pod/web-1 CrashLoopBackOff"]);
}

#[test]
fn errors_of_images_are_one_alert_which_ends_when_the_container_runs() {
    let waits = |reason: &str| web().waiting(reason, "not found").json();
    let mut story = Timeline::begin().apply(&waits("ErrImagePull"));
    story = story.expect(&["0s critical pod_crashes Pod/web-1 ErrImagePull"]);
    for minute in 1..9 {
        let reason = if minute % 2 == 0 { "ErrImagePull" } else { "ImagePullBackOff" };
        story = story.at(&format!("{minute}m")).apply(&waits(reason)).expect_nothing();
    }
    let story = story.at("9m").apply(&web().running(now("9m")).json()).at("10m59s").expect_nothing();
    story.at("9h").expect(&["11m recovered pod_crashes Pod/web-1"]);
}

#[test]
fn a_missing_configuration_is_told_at_once() {
    for reason in ["CreateContainerConfigError", "CreateContainerError", "InvalidImageName", "ErrImageNeverPull"] {
        let heard = format!("0s critical pod_crashes Pod/web-1 {reason}");
        Timeline::begin().apply(&web().waiting(reason, "").json()).expect(&[&heard]);
    }
}

#[test]
fn init_containers_sidecars_and_ephemeral_containers_are_looked_at() {
    for place in ["initContainerStatuses", "ephemeralContainerStatuses"] {
        let mut pod = web().ended(1, Death::Exit(1), now("1m")).json();
        pod["status"][place] = pod["status"]["containerStatuses"].take();
        Timeline::begin().at("1m").apply(&pod).expect(LOOPS);
    }
}

#[test]
fn a_pod_on_a_node_that_is_not_ready_neither_recovers_nor_begins_to_crash() {
    let node = |ready: &str| {
        json!({"kind": "Node", "metadata": {"name": "worker-1", "uid": "n1"},
            "status": {"conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": clock("3m")}]}})
    };
    let quiet = |settings: &mut Settings| settings.monitors.node_conditions.enabled = false;
    let fails = |restarts, at: &str| web().ended(restarts, Death::Exit(1), now(at)).json();
    let story = Timeline::with(quiet).at("1m").apply(&fails(1, "1m")).expect(LOOPS).at("2m").apply(&runs(2, "2m"));
    let story = story.at("3m").apply(&node("Unknown")).apply(&runs(2, "2m")).at("1h").expect_nothing();
    let story = story.apply(&node("True")).apply(&runs(2, "2m")).at("1h1m59s").expect_nothing();
    story.at("9h").expect(&["1h2m recovered pod_crashes Pod/web-1"]);
    let story = Timeline::with(quiet).apply(&node("False")).at("1m").apply(&fails(1, "1m")).at("1h").expect_nothing();
    let story = story.begin_listing(Resource::Nodes).listed(Resource::Nodes);
    story.apply(&fails(1, "1m")).expect(&["1h critical pod_crashes Pod/web-1 CrashLoopBackOff"]).expect_remembered(1);
}
