//! Jobs and CronJobs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::time;

/// A Job that was started at this time and runs.
#[must_use]
pub fn job(namespace: &str, name: &str, started: Timestamp) -> JobBuilder {
    JobBuilder {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        started,
        cron_job: None,
        failed_pods: 0,
        outcome: None,
    }
}

/// Builds the JSON of a Job.
#[derive(Debug, Clone)]
pub struct JobBuilder {
    namespace: String,
    name: String,
    started: Timestamp,
    cron_job: Option<String>,
    failed_pods: i32,
    outcome: Option<(&'static str, &'static str, Timestamp)>,
}

impl JobBuilder {
    /// A CronJob made it.
    #[must_use]
    pub fn of_cron_job(mut self, name: &str) -> Self {
        self.cron_job = Some(name.to_owned());
        self
    }

    /// So many of its Pods failed.
    #[must_use]
    pub fn failed_pods(mut self, count: i32) -> Self {
        self.failed_pods = count;
        self
    }

    /// It completed well at this time.
    #[must_use]
    pub fn complete(mut self, at: Timestamp) -> Self {
        self.outcome = Some(("Complete", "CompletionsReached", at));
        self
    }

    /// It gave up at this time, after as many Pods as its backoff limit allows.
    #[must_use]
    pub fn failed(mut self, at: Timestamp) -> Self {
        self.outcome = Some(("Failed", "BackoffLimitExceeded", at));
        self.failed_pods = self.failed_pods.max(1);
        self
    }

    /// The Job as the API server shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut metadata = json!({ "namespace": self.namespace, "name": self.name, "uid": self.name,
            "generation": 1, "creationTimestamp": time(self.started) });
        if let Some(cron_job) = &self.cron_job {
            metadata["ownerReferences"] = json!([{ "apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": cron_job, "controller": true }]);
        }
        let mut status = json!({ "startTime": time(self.started), "active": 1 });
        if self.failed_pods > 0 {
            status["failed"] = json!(self.failed_pods);
        }
        if let Some((kind, reason, at)) = self.outcome {
            let message = if kind == "Failed" {
                "Job has reached the specified backoff limit"
            } else {
                "Reached expected number of succeeded pods"
            };
            let first = if kind == "Failed" { "FailureTarget" } else { "SuccessCriteriaMet" };
            let condition = |kind: &str| {
                json!({ "type": kind, "status": "True", "reason": reason, "message": message,
                "lastProbeTime": time(at), "lastTransitionTime": time(at) })
            };
            status = json!({ "startTime": time(self.started), "failed": self.failed_pods,
                "conditions": [condition(first), condition(kind)] });
            if kind == "Complete" {
                status["completionTime"] = time(at);
                status["succeeded"] = json!(1);
            }
        }
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata,
            "spec": { "backoffLimit": 6, "completions": 1, "parallelism": 1 }, "status": status })
    }
}

/// A CronJob that was created at this time and has not run.
#[must_use]
pub fn cron_job(namespace: &str, name: &str, schedule: &str, created: Timestamp) -> CronJobBuilder {
    CronJobBuilder {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        schedule: schedule.to_owned(),
        created,
        last_run: None,
        last_success: None,
        suspended: false,
    }
}

/// Builds the JSON of a CronJob.
#[derive(Debug, Clone)]
pub struct CronJobBuilder {
    namespace: String,
    name: String,
    schedule: String,
    created: Timestamp,
    last_run: Option<Timestamp>,
    last_success: Option<Timestamp>,
    suspended: bool,
}

impl CronJobBuilder {
    /// The run that was due at this time was started.
    #[must_use]
    pub fn ran(mut self, due: Timestamp) -> Self {
        self.last_run = Some(due);
        self
    }

    /// A run succeeded at this time.
    #[must_use]
    pub fn succeeded(mut self, at: Timestamp) -> Self {
        self.last_success = Some(at);
        self
    }

    /// Nothing is to be started.
    #[must_use]
    pub fn suspended(mut self) -> Self {
        self.suspended = true;
        self
    }

    /// The name its controller gives to the Job of the run that is due at this time.
    #[must_use]
    pub fn job_name(&self, due: Timestamp) -> String {
        format!("{}-{}", self.name, due.duration_since(Timestamp::UNIX_EPOCH).as_secs() / 60)
    }

    /// The CronJob as the API server shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut status = json!({});
        if let Some(due) = self.last_run {
            status["lastScheduleTime"] = time(due);
            let started = due.checked_add(SignedDuration::from_secs(1)).unwrap_or(due);
            if self.last_success.is_none_or(|success| success < started) {
                status["active"] = json!([{ "kind": "Job", "namespace": self.namespace, "name": self.job_name(due) }]);
            }
        }
        if let Some(at) = self.last_success {
            status["lastSuccessfulTime"] = time(at);
        }
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": { "namespace": self.namespace, "name": self.name, "uid": self.name,
                "creationTimestamp": time(self.created) },
            "spec": { "schedule": self.schedule, "suspend": self.suspended, "concurrencyPolicy": "Allow",
                "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1 },
            "status": status,
        })
    }
}
