//! Containers that are started again and again.

use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

/// A container that a probe kills: it runs again since then, for the so many-th time.
fn pod(restarts: i32, since: &str) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {"name": "queue", "namespace": "shop", "uid": "p1", "creationTimestamp": clock("-9h")},
        "spec": {"nodeName": "worker-1"},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "queue", "restartCount": restarts, "state": {"running": {"startedAt": clock(since)}},
            "lastState": {"terminated": {"exitCode": 137, "reason": "Error",
                "startedAt": clock("-9h"), "finishedAt": clock(since)}},
        }]},
    })
}

/// One restart at each of these minutes, after so many before.
fn restarts(mut story: Timeline, before: i32, minutes: &[i32]) -> Timeline {
    for (count, minute) in (before + 1..).zip(minutes) {
        let at = format!("{minute}m");
        story = story.at(&at).apply(&pod(count, &at));
    }
    story
}

const TOLD: &[&str] = &["5m warning pod_restarts Pod/queue Restarts"];

#[test]
fn five_restarts_within_the_window_are_told_once_and_have_no_end() {
    let story = restarts(Timeline::begin(), 0, &[1, 2, 3, 4]).expect_nothing();
    let story = restarts(story, 4, &[5]).expect(TOLD);
    restarts(story, 5, &[6, 7, 8]).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn restarts_that_are_further_apart_are_not_told() {
    restarts(Timeline::begin(), 0, &[1, 5, 9, 13, 17, 21, 25]).at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn one_that_goes_on_is_told_again_after_the_dedupe_window() {
    let story = restarts(Timeline::begin(), 0, &[1, 2, 3, 4, 5]).expect(TOLD);
    let more: Vec<i32> = (6..60).collect();
    restarts(story, 5, &more).expect(&["35m warning pod_restarts Pod/queue Restarts"]);
}

#[test]
fn of_restarts_before_first_sight_one_counts_if_it_was_just_now() {
    let recent = Timeline::begin().apply(&pod(40, "-1m"));
    restarts(recent, 40, &[1, 2, 3]).expect_nothing();
    let recent = Timeline::begin().apply(&pod(40, "-1m"));
    restarts(recent, 40, &[1, 2, 3, 4]).expect(&["4m warning pod_restarts Pod/queue Restarts"]);
    let long_ago = Timeline::begin().apply(&pod(40, "-1h"));
    restarts(long_ago, 40, &[1, 2, 3, 4]).expect_nothing();
}

#[test]
fn counts_are_kept_over_a_restart() {
    let story = restarts(Timeline::begin(), 0, &[1, 2, 3, 4]).restart(&[&pod(4, "4m")]);
    restarts(story, 4, &[5]).expect(TOLD);
}

#[test]
fn a_container_with_a_crash_alert_is_not_told_of_twice() {
    let crash = |restarts, at: &str| {
        let mut pod = pod(restarts, at);
        let end = json!({"exitCode": 1, "reason": "Error", "startedAt": clock(at), "finishedAt": clock(at)});
        pod["status"]["containerStatuses"][0]["state"] = json!({"terminated": end});
        pod
    };
    let mut story = Timeline::begin();
    for restarts in 1..9 {
        let at = format!("{restarts}m");
        story = story.at(&at).apply(&crash(restarts, &at));
    }
    story.at("12m").expect(&["1m critical pod_crashes Pod/queue CrashLoopBackOff"]);
}

#[test]
fn another_pod_of_the_same_name_begins_anew() {
    let story = restarts(Timeline::begin(), 0, &[1, 2, 3, 4]);
    let mut other = pod(1, "5m");
    other["metadata"]["uid"] = "p2".into();
    story.at("5m").apply(&other).at("9h").expect_nothing();
}

#[test]
fn one_that_nobody_wants_to_know_of_says_nothing() {
    let off = Timeline::with(|settings| settings.monitors.pod_restarts.enabled = false);
    restarts(off, 0, &[1, 2, 3, 4, 5, 6]).at("9h").expect_nothing();
    let mut story = Timeline::begin();
    for restarts in 1..9 {
        let at = format!("{restarts}m");
        let mut pod = pod(restarts, &at);
        pod["metadata"]["annotations"] = json!({"kpulse.io/ignore": "pod_restarts"});
        story = story.at(&at).apply(&pod);
    }
    story.at("9h").expect_nothing();
}

#[test]
fn odd_or_missing_fields_say_nothing() {
    for status in [json!({}), json!({"containerStatuses": 7}), json!({"containerStatuses": [{"restartCount": "many"}]})]
    {
        let mut odd = pod(9, "0s");
        odd["status"] = status;
        Timeline::begin().apply(&odd).at("9h").expect_nothing();
    }
}
