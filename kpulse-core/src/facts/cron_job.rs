//! A CronJob: when it should run, and when it last did.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Meta, lenient};
use crate::Name;

/// What kpulse reads of a CronJob.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CronJobFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: CronJobSpec,
    /// What the controller did.
    #[serde(deserialize_with = "lenient::object")]
    pub status: CronJobStatus,
}

/// `spec` of a CronJob, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CronJobSpec {
    /// When it runs: `*/5 * * * *`.
    #[serde(deserialize_with = "lenient::text")]
    pub schedule: Name,
    /// The zone in which the schedule is read; the controller's own if nothing is said.
    #[serde(deserialize_with = "lenient::text_opt")]
    pub time_zone: Option<Name>,
    /// Whether somebody stopped it.
    #[serde(deserialize_with = "lenient::flag")]
    pub suspend: bool,
    /// A run this many seconds late is not started any more.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub starting_deadline_seconds: Option<i64>,
    /// What happens when a run is due while another one lasts.
    #[serde(deserialize_with = "lenient::text")]
    pub concurrency_policy: ConcurrencyPolicy,
}

/// What happens when a run is due while another one lasts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConcurrencyPolicy {
    /// Both run. The API's default.
    #[default]
    Allow,
    /// The new one is not started.
    Forbid,
    /// The old one is ended.
    Replace,
}

impl From<&str> for ConcurrencyPolicy {
    fn from(text: &str) -> Self {
        match text {
            "Forbid" => Self::Forbid,
            "Replace" => Self::Replace,
            _ => Self::Allow,
        }
    }
}

/// `status` of a CronJob, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CronJobStatus {
    /// The time for which the last run was scheduled; it may have been started later.
    #[serde(deserialize_with = "lenient::time")]
    pub last_schedule_time: Option<Timestamp>,
    /// When a run last completed well.
    #[serde(deserialize_with = "lenient::time")]
    pub last_successful_time: Option<Timestamp>,
    /// The Jobs that run now.
    #[serde(deserialize_with = "lenient::list")]
    pub active: Vec<ActiveJob>,
}

/// A Job of a CronJob that runs now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ActiveJob {
    /// The Job's name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Name,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_server_sends_is_read() {
        let json = r#"{"kind":"CronJob","apiVersion":"batch/v1",
            "metadata":{"name":"report","namespace":"shop","creationTimestamp":"2026-11-22T16:56:36Z"},
            "spec":{"schedule":"*/5 * * * *","timeZone":"Europe/Berlin","concurrencyPolicy":"Forbid","suspend":false,
                "startingDeadlineSeconds":30,"jobTemplate":{"metadata":{},"spec":{"template":{"spec":{"containers":[]}}}}},
            "status":{"active":[{"kind":"Job","name":"report-29922777","uid":"1240d971"}],
                "lastScheduleTime":"2026-11-22T16:57:00Z","lastSuccessfulTime":"2026-11-22T16:56:05Z"}}"#;
        let facts: CronJobFacts = serde_json::from_str(json).unwrap();
        assert_eq!(facts.meta.name, "report");
        assert_eq!(facts.spec.schedule, "*/5 * * * *");
        assert_eq!(facts.spec.time_zone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(facts.spec.starting_deadline_seconds, Some(30));
        assert_eq!(facts.spec.concurrency_policy, ConcurrencyPolicy::Forbid);
        assert!(!facts.spec.suspend);
        assert_eq!(facts.status.last_schedule_time, "2026-11-22T16:57:00Z".parse().ok());
        assert_eq!(facts.status.last_successful_time, "2026-11-22T16:56:05Z".parse().ok());
        assert_eq!(facts.status.active.len(), 1);
    }

    #[test]
    fn odd_fields_count_as_absent() {
        for json in [
            "{}",
            r#"{"metadata":null,"spec":null,"status":null}"#,
            r#"{"metadata":[],"spec":"x","status":7}"#,
            r#"{"spec":{"schedule":{},"timeZone":7,"suspend":"yes","startingDeadlineSeconds":"soon","concurrencyPolicy":1},
                "status":{"lastScheduleTime":"never","lastSuccessfulTime":0,"active":{"a":1}}}"#,
            r#"{"spec":{"startingDeadlineSeconds":null,"timeZone":""},"status":{"active":[1,"x",null]}}"#,
        ] {
            let facts: CronJobFacts = serde_json::from_str(json).unwrap();
            assert_eq!(facts, CronJobFacts::default(), "{json}");
        }
    }
}
