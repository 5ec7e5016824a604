//! The Jobs of a CronJob: one alert, which is the CronJob's.

use kpulse_core::Resource;
use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

const FAILS: &[&str] = &["1m warning job_failed CronJob/report BackoffLimitExceeded"];

fn cron_job(last_success: Option<&str>) -> Value {
    json!({
        "kind": "CronJob",
        "metadata": {"name": "report", "namespace": "shop", "uid": "c1", "creationTimestamp": clock("-9h")},
        "spec": {"schedule": "* * * * *", "suspend": true},
        "status": {"lastSuccessfulTime": last_success.map(clock)},
    })
}

/// A run that ended then.
fn run(name: &str, condition: &str, at: &str) -> Value {
    let reason = if condition == "Failed" { "BackoffLimitExceeded" } else { "CompletionsReached" };
    json!({
        "kind": "Job",
        "metadata": {"name": name, "namespace": "shop", "uid": name,
            "ownerReferences": [{"kind": "CronJob", "name": "report", "controller": true}]},
        "status": {"conditions": [{"type": condition, "status": "True", "reason": reason, "lastTransitionTime": clock(at)}]},
    })
}

/// A run failed after a minute, and that was told.
fn failing() -> Timeline {
    let story = Timeline::begin().apply(&cron_job(Some("-1h"))).at("1m");
    story.apply(&run("report-1", "Failed", "1m")).expect(FAILS)
}

#[test]
fn runs_that_fail_are_one_alert_and_a_later_good_one_ends_it() {
    let story = failing().at("2m").apply(&run("report-2", "Failed", "2m")).at("3m").expect_nothing();
    story.apply(&run("report-3", "Complete", "3m")).expect(&["3m recovered job_failed CronJob/report"]);
}

#[test]
fn the_cron_job_itself_says_that_a_later_run_went_well() {
    let story = failing().at("2m").apply(&cron_job(Some("-1h"))).expect_nothing();
    story.apply(&cron_job(Some("2m"))).expect(&["2m recovered job_failed CronJob/report"]);
}

#[test]
fn that_a_failed_job_is_deleted_ends_nothing() {
    let old = run("report-1", "Failed", "1m");
    failing().at("2m").apply(&run("report-2", "Failed", "2m")).delete(&old).at("9h").expect_nothing();
}

#[test]
fn it_is_gone_with_its_cron_job() {
    failing().at("5m").delete(&cron_job(None)).expect(&["5m gone job_failed CronJob/report"]).expect_remembered(0);
}

#[test]
fn a_good_run_before_the_failed_one_ends_nothing() {
    failing().at("2m").apply(&run("report-0", "Complete", "30s")).at("9h").expect_nothing();
}

#[test]
fn old_failed_jobs_listed_again_after_a_good_run_say_nothing() {
    let story = failing().at("2m").apply(&run("report-2", "Complete", "2m"));
    let story = story.expect(&["2m recovered job_failed CronJob/report"]).at("9m");
    let story = story.begin_listing(Resource::Jobs).apply(&run("report-1", "Failed", "1m"));
    story.apply(&run("report-2", "Complete", "2m")).listed(Resource::Jobs).at("9h").expect_nothing();
}

#[test]
fn after_a_restart_the_same_failed_job_is_no_news_and_a_good_run_ends_it() {
    let (old, cron) = (run("report-1", "Failed", "1m"), cron_job(Some("-1h")));
    let story = failing().at("2m").restart(&[&old, &cron]).at("3m").expect_nothing();
    story.apply(&cron_job(Some("3m"))).expect(&["3m recovered job_failed CronJob/report"]);
    let story = failing().at("2m").restart(&[&cron_job(Some("90s"))]);
    story.expect(&["2m recovered job_failed CronJob/report"]);
}

#[test]
fn one_that_nobody_wants_to_know_of_says_nothing() {
    let off = Timeline::with(|settings| settings.monitors.job_failed.enabled = false);
    off.apply(&run("report-1", "Failed", "0s")).at("9h").expect_nothing();
    let mut ignored = cron_job(None);
    ignored["metadata"]["annotations"] = json!({"kpulse.io/ignore": "job_failed"});
    let story = failing().at("2m").apply(&ignored);
    story.expect(&["2m unwatched job_failed CronJob/report"]);
}
