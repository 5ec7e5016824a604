//! CronJobs whose runs are not started.

use kpulse_core::facts::CronJobFacts;
use kpulse_core::monitors::{CronjobMissed, Monitor};
use kpulse_core::{Findings, Resource, Since};
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// A CronJob that was last run at that time of the story.
fn cron_job(schedule: &str, last: &str) -> Value {
    json!({
        "kind": "CronJob",
        "metadata": {"name": "report", "namespace": "shop", "uid": "c1"},
        "spec": {"schedule": schedule, "concurrencyPolicy": "Allow", "suspend": false},
        "status": {"lastScheduleTime": clock(last)},
    })
}

fn with(mut cron_job: Value, path: &str, value: impl Into<Value>) -> Value {
    let (parent, field) = path.rsplit_once('/').unwrap();
    cron_job.pointer_mut(parent).unwrap()[field] = value.into();
    cron_job
}

fn suspended(cron_job: Value) -> Value {
    with(cron_job, "/spec/suspend", true)
}

/// Forbids two runs at once, while one lasts.
fn running(cron_job: Value) -> Value {
    with(forbidding(cron_job), "/status/active", json!([{"kind": "Job", "name": "report-29922780"}]))
}

fn forbidding(cron_job: Value) -> Value {
    with(cron_job, "/spec/concurrencyPolicy", "Forbid")
}

fn heard_at(time: &str) -> String {
    format!("{time} warning cronjob_missed CronJob/report MissedRuns")
}

/// At 6:00 and 18:00. The story begins at 17:00: of what ran last on the evening before, two runs are missed at 18:00.
fn twice_a_day(last: &str) -> Value {
    cron_job("0 6,18 * * *", last)
}

keeps_the_rules! { @each Trouble {
    resource: Resource::CronJobs,
    broken: twice_a_day("-23h"),
    well: Some(twice_a_day("1h")),
    unknown: Some(with(twice_a_day("-23h"), "/metadata/deletionTimestamp", clock("0s"))),
    heard: "1h10s warning cronjob_missed CronJob/report MissedRuns",
    not_before: Some("1h9s"),
    enabled: |monitors| &mut monitors.cronjob_missed.enabled,
    severity: |monitors| &mut monitors.cronjob_missed.severity,
};
    is_told_when_due_with_no_further_event
    is_told_once
    ends_when_seen_to_be_well
    ends_when_deleted
    ends_when_nobody_wants_to_know
    is_neither_begun_nor_ended_by_the_unknown
    is_gone_if_it_is_missing_after_a_gap
    outlasts_a_gap
    is_not_repeated_by_a_restart
    is_as_bad_as_the_user_says
    odd_objects_say_nothing
}

#[test]
fn one_missed_run_says_nothing() {
    let story = Timeline::begin().apply(&cron_job("*/10 * * * *", "0s"));
    story.at("20m9s").expect_nothing().at("20m10s").expect(&[&heard_at("20m10s")]);
}

#[test]
fn the_user_says_how_many() {
    for (threshold, due) in [(1, "10m10s"), (0, "10m10s"), (6, "1h10s")] {
        let story = Timeline::with(|settings| settings.monitors.cronjob_missed.miss_threshold = threshold);
        story.apply(&cron_job("*/10 * * * *", "0s")).at("9h").expect(&[&heard_at(due)]);
    }
}

#[test]
fn while_it_runs_nothing_is_heard_or_remembered() {
    let mut story = Timeline::begin();
    for minutes in 0..300 {
        let time = format!("{minutes}m");
        let run = cron_job("* * * * *", &time);
        story = story.at(&time).apply(&running(run.clone())).at(&format!("{minutes}m5s")).apply(&forbidding(run));
    }
    story.expect_nothing().expect_remembered(0);
}

#[test]
fn it_is_over_as_soon_as_a_run_is_started_and_may_come_again() {
    let story = Timeline::begin().apply(&cron_job("*/10 * * * *", "0s"));
    let story = story.at("2h5m").expect(&[&heard_at("20m10s")]).apply(&cron_job("*/10 * * * *", "2h"));
    let story = story.expect(&["2h5m recovered cronjob_missed CronJob/report"]);
    story.at("2h20m9s").expect_nothing().at("9h").expect(&[&heard_at("2h20m10s")]);
}

#[test]
fn one_that_was_broken_before_is_watched_for_a_minute() {
    let story = Timeline::begin().apply(&cron_job("*/10 * * * *", "-72h"));
    story.at("59s").expect_nothing().at("9h").expect(&[&heard_at("1m")]);
    // The second run is due at 20m; it is first seen 30 s before.
    let story = Timeline::begin().at("19m30s").apply(&cron_job("*/10 * * * *", "0s"));
    story.at("9h").expect(&[&heard_at("20m30s")]);
}

#[test]
fn a_restart_begins_that_minute_anew() {
    let broken = cron_job("*/10 * * * *", "0s");
    Timeline::begin().apply(&broken).at("20m9s").restart(&[&broken]).at("9h").expect(&[&heard_at("21m9s")]);
}

#[test]
fn one_that_never_ran_counts_from_its_creation() {
    let mut new = with(cron_job("*/10 * * * *", "0s"), "/metadata/creationTimestamp", clock("5m"));
    new["status"] = json!({});
    Timeline::begin().at("5m").apply(&new).at("9h").expect(&[&heard_at("20m10s")]);
}

#[test]
fn a_suspended_one_misses_nothing() {
    let broken = cron_job("*/10 * * * *", "0s");
    Timeline::begin().apply(&suspended(broken.clone())).at("9h").expect_nothing().expect_remembered(0);
    Timeline::begin().apply(&broken).at("15m").apply(&suspended(broken.clone())).at("9h").expect_nothing();
    let story = Timeline::begin().apply(&broken).at("1h").expect(&[&heard_at("20m10s")]);
    let story = story.apply(&suspended(broken)).expect(&["1h recovered cronjob_missed CronJob/report"]);
    story.at("9h").expect_nothing().expect_remembered(0);
}

#[test]
fn a_resumed_one_has_until_its_next_run() {
    let broken = cron_job("*/10 * * * *", "0s");
    let story = Timeline::begin().apply(&suspended(broken.clone())).at("2h5m").apply(&broken);
    story.at("9h").expect(&[&heard_at("2h15m10s")]);
    let story = Timeline::begin().apply(&suspended(broken.clone())).at("2h5m").apply(&broken);
    story.at("2h5m1s").apply(&cron_job("*/10 * * * *", "2h")).at("2h20m9s").expect_nothing();
}

#[test]
fn a_run_that_lasts_forbids_the_next() {
    let run = cron_job("*/10 * * * *", "0s");
    Timeline::begin().apply(&running(run.clone())).at("9h").expect_nothing().expect_remembered(0);
    let allowed = with(running(run.clone()), "/spec/concurrencyPolicy", "Allow");
    Timeline::begin().apply(&allowed).at("9h").expect(&[&heard_at("20m10s")]);
    let replaced = with(running(run), "/spec/concurrencyPolicy", "Replace");
    Timeline::begin().apply(&replaced).at("9h").expect(&[&heard_at("20m10s")]);
}

#[test]
fn after_a_run_that_lasted_too_long_the_next_has_its_time() {
    let run = cron_job("*/10 * * * *", "0s");
    let story = Timeline::begin().apply(&running(run.clone())).at("35m").apply(&forbidding(run));
    let story = story.at("40m").apply(&running(cron_job("*/10 * * * *", "40m")));
    story.at("9h").expect_nothing();
}

#[test]
fn a_deadline_makes_a_missed_run_final_and_hides_none() {
    let late = |last| with(cron_job("*/10 * * * *", last), "/spec/startingDeadlineSeconds", 30);
    Timeline::begin().apply(&late("0s")).at("9h").expect(&[&heard_at("20m10s")]);
    // What was missed before may have been forbidden: the run at 10m decides.
    Timeline::begin().apply(&late("-72h")).at("9h").expect(&[&heard_at("10m10s")]);
    Timeline::begin().apply(&late("-72h")).at("10m").apply(&late("10m")).at("30m").expect_nothing();
}

#[test]
fn a_new_schedule_has_until_its_next_run() {
    let daily = cron_job("0 3 * * *", "-14h");
    let story = Timeline::begin().apply(&daily).at("30m").apply(&cron_job("0 * * * *", "-14h"));
    let story = story.at("1h").apply(&cron_job("0 * * * *", "1h"));
    story.at("3h9s").expect_nothing().at("9h").expect(&[&heard_at("3h10s")]);
    let story = Timeline::begin().apply(&daily).at("30m").apply(&cron_job("0 * * * *", "-14h"));
    story.at("9h").expect(&[&heard_at("1h30m10s")]);
}

#[test]
fn the_zone_decides_when_it_is_due() {
    // 18:00 in Berlin is 17:00 UTC, when the story begins; in Tokyo it was 8 hours before.
    let zoned = |zone: &str, last| with(cron_job("0 18 * * *", last), "/spec/timeZone", zone);
    Timeline::begin().apply(&zoned("Europe/Berlin", "-24h")).at("24h9s").expect_nothing();
    let story = Timeline::begin().apply(&zoned("Europe/Berlin", "-24h")).at("48h");
    story.expect(&[&heard_at("24h10s")]);
    Timeline::begin().apply(&zoned("Asia/Tokyo", "-32h")).at("48h").expect(&[&heard_at("16h10s")]);
    Timeline::begin().apply(&zoned("", "-23h")).at("48h").expect(&[&heard_at("25h10s")]);
}

#[test]
fn every_counts_from_the_last_run() {
    let story = Timeline::begin().apply(&cron_job("@every 7m", "30s"));
    story.at("9h").expect(&[&heard_at("14m40s")]);
    // Jobs are named after the minute: of the runs in one minute one is started.
    Timeline::begin().apply(&cron_job("@every 1s", "0s")).at("9h").expect(&[&heard_at("2m10s")]);
}

#[test]
fn what_the_controller_cannot_read_says_nothing() {
    for schedule in ["", "* * * *", "0 0 * * 7", "@reboot", "0 0 31 2 *"] {
        Timeline::begin().apply(&cron_job(schedule, "0s")).at("99h").expect_nothing().expect_remembered(0);
    }
    let nowhere = with(cron_job("* * * * *", "0s"), "/spec/timeZone", "Europe/Atlantis");
    Timeline::begin().apply(&nowhere).at("9h").expect_nothing();
    let odd = with(cron_job("* * * * *", "0s"), "/spec/schedule", json!(["*", 7]));
    Timeline::begin().apply(&odd).at("9h").expect_nothing();
    // What cannot be read neither starts nor ends anything.
    let broken = cron_job("*/10 * * * *", "0s");
    let story = Timeline::begin().apply(&broken).at("1h").expect(&[&heard_at("20m10s")]);
    story.apply(&cron_job("@reboot", "0s")).at("9h").expect_nothing().expect_remembered(1);
}

#[track_caller]
fn check_words(cron_job: &Value, what: &str, cause: &str) {
    let facts: CronJobFacts = serde_json::from_value(cron_job.clone()).unwrap();
    let mut findings = Findings::default();
    CronjobMissed::default().inspect(&facts, &mut findings);
    let finding = findings.present.first().unwrap();
    assert!(matches!(finding.since, Since::NotBefore(_)));
    assert_eq!((finding.what.as_str(), finding.cause.as_str()), (what, cause));
}

#[test]
fn people_read_what_should_have_run_and_when() {
    let zoned = with(cron_job("*/5 * * * *", "-14h"), "/spec/timeZone", "Europe/Berlin");
    check_words(
        &zoned,
        "2 runs missed",
        "schedule `*/5 * * * *` (Europe/Berlin), last run 2026-11-22 03:00 UTC, next was due 2026-11-22 03:05 UTC",
    );
    let mut new = with(cron_job("@daily", "0s"), "/metadata/creationTimestamp", clock("0s"));
    new["status"] = json!({});
    check_words(
        &new,
        "2 runs missed",
        "schedule `@daily` (UTC is assumed), never run, first was due 2026-11-23 00:00 UTC",
    );
}
