//! A Job: whether it is done, and how it ended.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Condition, ConditionStatus, Meta, lenient};

/// What kpulse reads of a Job.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JobFacts {
    /// Its metadata; the CronJob that made it is its owner.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: JobStatus,
}

/// `status` of a Job, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct JobStatus {
    /// Its conditions: `FailureTarget` comes before `Failed`, which waits until its Pods have ended; so does
    /// `SuccessCriteriaMet` before `Complete`.
    #[serde(deserialize_with = "lenient::list")]
    pub conditions: Vec<Condition>,
    /// When the controller took it up, or it was last resumed.
    #[serde(deserialize_with = "lenient::time")]
    pub start_time: Option<Timestamp>,
    /// When it completed well; a failed Job has none.
    #[serde(deserialize_with = "lenient::time")]
    pub completion_time: Option<Timestamp>,
    /// How many of its Pods failed.
    #[serde(deserialize_with = "lenient::number")]
    pub failed: i32,
    /// How many of its Pods succeeded.
    #[serde(deserialize_with = "lenient::number")]
    pub succeeded: i32,
}

impl JobFacts {
    /// A condition that holds, by type.
    #[must_use]
    pub fn holding(&self, kind: &str) -> Option<&Condition> {
        let holds = |condition: &&Condition| condition.kind == kind && condition.status == ConditionStatus::True;
        self.status.conditions.iter().find(holds)
    }

    /// Whether a CronJob made it.
    #[must_use]
    pub fn is_cron_jobs(&self) -> bool {
        self.meta.owner.as_ref().is_some_and(|owner| owner.kind == "CronJob")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_server_sends_is_read() {
        let json = r#"{"metadata":{"name":"report-29922777","ownerReferences":[
                {"apiVersion":"batch/v1","kind":"CronJob","name":"report","controller":true}]},
            "spec":{"backoffLimit":1,"template":{}},
            "status":{"conditions":[
                {"type":"FailureTarget","status":"True","lastTransitionTime":"2026-11-22T16:57:12Z"},
                {"type":"Failed","status":"True","lastTransitionTime":"2026-11-22T16:57:13Z",
                 "reason":"BackoffLimitExceeded","message":"Job has reached the specified backoff limit"},
                {"type":"Complete","status":"False"}],
              "startTime":"2026-11-22T16:56:57Z","failed":2,"terminating":0,"uncountedTerminatedPods":{}}}"#;
        let facts: JobFacts = serde_json::from_str(json).unwrap();
        assert!(facts.is_cron_jobs());
        let failed = facts.holding("Failed").unwrap();
        assert_eq!(failed.reason, "BackoffLimitExceeded");
        assert_eq!(failed.last_transition_time, "2026-11-22T16:57:13Z".parse().ok());
        assert!(facts.holding("Complete").is_none());
        assert_eq!(facts.status.start_time, "2026-11-22T16:56:57Z".parse().ok());
        assert_eq!((facts.status.failed, facts.status.succeeded), (2, 0));
    }

    #[test]
    fn odd_fields_count_as_absent() {
        for json in [
            "{}",
            r#"{"metadata":7,"status":[]}"#,
            r#"{"status":{"conditions":"none","startTime":7,"completionTime":{},"failed":"two","succeeded":null}}"#,
        ] {
            let facts: JobFacts = serde_json::from_str(json).unwrap();
            assert_eq!(facts, JobFacts::default(), "{json}");
        }
        let facts: JobFacts =
            serde_json::from_str(r#"{"status":{"conditions":[null,4,{"type":"Failed","status":true}]}}"#).unwrap();
        assert!(facts.holding("Failed").is_none());
    }
}
