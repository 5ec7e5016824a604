//! Jobs that gave up.

use kpulse_core::Resource;
use kpulse_core::facts::JobFacts;
use kpulse_core::monitors::{JobFailed, Monitor, outcome};
use serde_json::{Value, json};

use crate::rules::{Trouble, keeps_the_rules};
use kpulse_testkit::timeline::{Timeline, clock};

/// A Job with these conditions, true since the beginning of the story.
fn job(conditions: &[(&str, &str)]) -> Value {
    let conditions: Vec<Value> = conditions
        .iter()
        .map(|(kind, reason)| {
            json!({"type": kind, "status": "True", "reason": reason, "lastTransitionTime": clock("0s"),
                "message": "Job has reached the specified backoff limit"})
        })
        .collect();
    json!({
        "kind": "Job",
        "metadata": {"name": "import", "namespace": "shop", "uid": "j1", "creationTimestamp": clock("-1h")},
        "spec": {"backoffLimit": 1},
        "status": {"conditions": conditions, "startTime": clock("-1h"), "failed": 2},
    })
}

const FAILED: (&str, &str) = ("Failed", "BackoffLimitExceeded");
const FAILURE_TARGET: (&str, &str) = ("FailureTarget", "BackoffLimitExceeded");

fn deleting(mut job: Value) -> Value {
    job["metadata"]["deletionTimestamp"] = clock("0s").into();
    job
}

fn owned_by(kind: &str, mut job: Value) -> Value {
    job["metadata"]["ownerReferences"] = json!([{"kind": kind, "name": "report", "controller": true}]);
    job
}

keeps_the_rules!(Trouble {
    resource: Resource::Jobs,
    broken: job(&[FAILURE_TARGET, FAILED]),
    well: None,
    unknown: Some(deleting(job(&[FAILED]))),
    heard: "0s warning job_failed Job/import BackoffLimitExceeded",
    not_before: None,
    enabled: |monitors| &mut monitors.job_failed.enabled,
    severity: |monitors| &mut monitors.job_failed.severity,
});

#[test]
fn its_reason_is_the_conditions() {
    let story = Timeline::begin().apply(&job(&[("Failed", "DeadlineExceeded")]));
    story.expect(&["0s warning job_failed Job/import DeadlineExceeded"]);
    Timeline::begin().apply(&job(&[("Failed", "")])).expect(&["0s warning job_failed Job/import Failed"]);
}

#[test]
fn one_that_will_fail_has_not_failed_yet() {
    let story = Timeline::begin().apply(&job(&[FAILURE_TARGET])).at("9h").expect_nothing().expect_remembered(0);
    story.apply(&job(&[FAILURE_TARGET, FAILED])).expect(&["9h warning job_failed Job/import BackoffLimitExceeded"]);
}

#[test]
fn one_that_runs_or_completes_says_nothing() {
    for conditions in [&[][..], &[("Suspended", "JobSuspended")], &[("SuccessCriteriaMet", ""), ("Complete", "")]] {
        Timeline::begin().apply(&job(conditions)).at("9h").expect_nothing().expect_remembered(0);
    }
    let mut not_failed = job(&[FAILED]);
    not_failed["status"]["conditions"][0]["status"] = "False".into();
    Timeline::begin().apply(&not_failed).at("9h").expect_nothing();
}

#[test]
fn a_job_of_anything_but_a_cron_job_is_told_itself() {
    let story = Timeline::begin().apply(&owned_by("Workflow", job(&[FAILED])));
    story.expect(&["0s warning job_failed Job/import BackoffLimitExceeded"]);
}

fn facts(job: &Value) -> JobFacts {
    serde_json::from_value(job.clone()).unwrap()
}

#[test]
fn an_outcome_says_when_and_why() {
    let failed = outcome(&facts(&job(&[FAILURE_TARGET, FAILED]))).unwrap();
    assert!(failed.failed);
    assert_eq!((failed.at, failed.reason.as_str()), (clock("0s").parse().ok(), "BackoffLimitExceeded"));

    let mut complete = job(&[("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]);
    complete["status"]["completionTime"] = clock("-2s").into();
    let complete = outcome(&facts(&complete)).unwrap();
    assert!(!complete.failed);
    assert_eq!(complete.at, clock("-2s").parse().ok());

    assert_eq!(outcome(&facts(&job(&[FAILURE_TARGET]))), None);
    assert_eq!(outcome(&facts(&job(&[("SuccessCriteriaMet", "")]))), None);
}

#[test]
fn people_read_why_and_how_many_pods() {
    let cause = |job: &Value| {
        let mut findings = kpulse_core::Findings::default();
        JobFailed::default().inspect(&facts(job), &mut findings);
        findings.present.first().unwrap().cause.clone()
    };
    let mut job = job(&[FAILED]);
    assert_eq!(cause(&job), "Job has reached the specified backoff limit (2 Pods failed)");
    job["status"]["failed"] = 1.into();
    job["status"]["conditions"][0]["message"] = "".into();
    assert_eq!(cause(&job), "1 Pod failed");
    job["status"]["failed"] = json!(null);
    assert_eq!(cause(&job), "");
}
