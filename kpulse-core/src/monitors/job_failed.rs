//! `job_failed`: Jobs that gave up.
//!
//! A Job has failed once its condition `Failed` holds; it is final (`isJobFinished` in `pkg/controller/job`): the Job
//! stays as it is until somebody, or its time to live, deletes it. `FailureTarget` says earlier that it will fail, while
//! its Pods still end; some Jobs are seen with it for minutes, and are told when they are done.
//!
//! The Jobs of a CronJob are one matter, the CronJob's: told when one fails, and over when a later one went well.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::words::first_line;
use super::{Monitor, MonitorName, judge};
use crate::Name;
use crate::facts::{Condition, JobFacts};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::SeverityRule;

// ---- meaning

const FAILED: &str = "failed";

/// How a Job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutcome {
    /// Whether it gave up; otherwise it completed well.
    pub failed: bool,
    /// When it ended, by the controller's clock, to the second.
    pub at: Option<Timestamp>,
    /// Why, in a word: `BackoffLimitExceeded`, `DeadlineExceeded`, `CompletionsReached`; older servers give none for
    /// success.
    pub reason: Name,
    /// Why, in a sentence.
    pub message: String,
}

/// How a Job ended; nothing while it has not, or may still go either way.
///
/// Only `Failed` and `Complete` are ends; the controller sets one of them and never takes it back. `FailureTarget` and
/// `SuccessCriteriaMet` (Kubernetes 1.31) say which it will be.
///
/// This is what makes one alert of a CronJob's Jobs: it begins with a failed outcome, and is over when a later Job's
/// outcome is good, or the CronJob's `status.lastSuccessfulTime` is after [`JobOutcome::at`]. That a failed Job is gone
/// says nothing: with `failedJobsHistoryLimit: 1` the older one is deleted when the newer one fails.
#[must_use]
pub fn outcome(job: &JobFacts) -> Option<JobOutcome> {
    let ended = |condition: &Condition, failed, at: Option<Timestamp>| JobOutcome {
        failed,
        at: at.or(condition.last_transition_time),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    };
    if let Some(condition) = job.holding("Failed") {
        return Some(ended(condition, true, None));
    }
    job.holding("Complete").map(|condition| ended(condition, false, job.status.completion_time))
}

// ---- settings

/// What `job_failed` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobFailed {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
}

impl Default for JobFailed {
    fn default() -> Self {
        Self { enabled: true, severity: None }
    }
}

// ---- inspect

impl Monitor<JobFacts> for JobFailed {
    const NAME: MonitorName = MonitorName::JobFailed;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, job: &JobFacts, findings: &mut Findings) {
        if job.meta.deleting.is_some() {
            findings.all_unknown();
            return;
        }
        let failure = outcome(job).filter(|outcome| outcome.failed && !job.is_cron_jobs());
        let Some(failure) = failure else { return };
        let reason = if failure.reason.is_empty() { Name::from("Failed") } else { failure.reason };
        findings.present(Finding {
            what: "failed".to_owned(),
            cause: cause(job, &failure.message),
            since: failure.at.map_or(Since::FirstSeen, Since::At),
            ..Finding::new(TroubleKey::object(FAILED), reason, Severity::Warning)
        });
    }
}

impl JobFailed {
    /// What a failed run says of its CronJob.
    pub(crate) fn of_cron_job(&self, job: &JobFacts, failure: &JobOutcome) -> Findings {
        let reason = if failure.reason.is_empty() { Name::from("Failed") } else { failure.reason.clone() };
        let mut findings = Findings::default();
        findings.present(Finding {
            what: "its last run failed".to_owned(),
            cause: format!("Job {}: {}", job.meta.name, cause(job, &failure.message)),
            since: failure.at.map_or(Since::FirstSeen, Since::At),
            ..Finding::new(TroubleKey::object(FAILED), reason, Severity::Warning)
        });
        judge(self.severity.as_ref(), &mut findings);
        findings
    }
}

fn cause(job: &JobFacts, message: &str) -> String {
    let pods = match job.status.failed {
        ..=0 => String::new(),
        1 => "1 Pod failed".to_owned(),
        count => format!("{count} Pods failed"),
    };
    match (first_line(message), pods) {
        (message, pods) if message.is_empty() => pods,
        (message, pods) if pods.is_empty() => message,
        (message, pods) => format!("{message} ({pods})"),
    }
}
