//! `cronjob_missed`: CronJobs whose runs are not started when they are due.
//!
//! A run counts as missed once its time has come and `status.lastScheduleTime` is not moved on to it. All of that
//! stands in the CronJob itself: the schedule, and the time for which it was last run, or that of its creation
//! (`mostRecentScheduleTime` in `pkg/controller/cronjob/utils.go`). So the time of the second missed run is known as
//! soon as a run is started, and nobody need be seen to do anything when it comes.
//!
//! The controller (`syncCronJob`) starts nothing while the CronJob is suspended, and nothing while a run lasts if
//! `concurrencyPolicy` is Forbid; then no run is missed. When that is over it makes up for the latest run at once, but
//! not if `startingDeadlineSeconds` have passed since: then nothing is to be seen before the next run is due. Nor does
//! it after a change of the schedule (`updateCronJob`). A deadline hides no missed run: it only makes it final.
//!
//! # Limits
//!
//! Where no zone is given the controller's own holds, which cannot be seen; UTC is assumed, and said. A controller in
//! another zone shifts the time at which a daily run is called missed, by as much.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::words::minute;
use super::{Monitor, MonitorName};
use crate::facts::{ConcurrencyPolicy, CronJobFacts};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::schedule::Schedule;
use crate::settings::SeverityRule;

// ---- meaning

const MISSED: &str = "missed";
const REASON: &str = "MissedRuns";

/// The controller starts a run within a tenth of a second of its time (`nextScheduleDelta`), and writes its status after
/// that; clocks differ by seconds, and a thousand CronJobs at midnight wait for each other.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// A controller that comes back after an outage, or a CronJob that is resumed, makes up for a run within this.
const CATCHES_UP: SignedDuration = SignedDuration::from_mins(1);
/// Jobs are named after the minute of their run (`getTimeHashInMinutes`): of several runs in one minute one is started.
const SHORTEST_PERIOD: SignedDuration = SignedDuration::from_mins(1);
/// More missed runs than this are not counted.
const MOST: u32 = 1_000;

// ---- settings

/// What `cronjob_missed` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CronjobMissed {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How many runs in a row must be missed, 1 to 1000.
    pub miss_threshold: u32,
}

impl Default for CronjobMissed {
    fn default() -> Self {
        Self { enabled: true, severity: None, miss_threshold: 2 }
    }
}

// ---- inspect

impl Monitor<CronJobFacts> for CronjobMissed {
    const NAME: MonitorName = MonitorName::CronjobMissed;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, cron_job: &CronJobFacts, findings: &mut Findings) {
        if cron_job.meta.deleting.is_some() {
            findings.all_unknown();
            return;
        }
        let (key, spec) = (TroubleKey::object(MISSED), &cron_job.spec);
        let schedule = Schedule::parse(&spec.schedule, spec.time_zone.as_deref());
        let (Ok(schedule), Some(last)) = (schedule, last_run(cron_job)) else {
            findings.unknown(key);
            return;
        };
        let Some(missed) = self.missed(&schedule, last) else { return };
        let stopped = starts_nothing(cron_job);
        findings.present(Finding {
            what: if missed.count == 1 { "1 run missed".to_owned() } else { format!("{} runs missed", missed.count) },
            cause: cause(cron_job, &schedule, missed.first),
            since: Since::NotBefore(if stopped { Timestamp::MAX } else { missed.last }),
            wait: GRACE,
            seen_for: CATCHES_UP,
            settle_for: schedule.longest_gap().saturating_add(GRACE),
            settle_unseen: spec.starting_deadline_seconds.is_some(),
            progress: Some(progress(cron_job, last, stopped)),
            ..Finding::new(key, REASON, Severity::Warning)
        });
    }
}

/// The runs that will have been missed when it is told, if none is started until then.
struct Missed {
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

impl CronjobMissed {
    /// Nothing if so many runs are not due at all in the next five years.
    fn missed(&self, schedule: &Schedule, after: Timestamp) -> Option<Missed> {
        let count = self.miss_threshold.clamp(1, MOST);
        let first = schedule.next_after(after)?;
        let last = (1..count).try_fold(first, |run, _| schedule.next_after(run))?;
        let at_least = SHORTEST_PERIOD.checked_mul(i32::try_from(count).ok()?)?;
        Some(Missed { count, first, last: last.max(after.checked_add(at_least).ok()?) })
    }
}

fn last_run(cron_job: &CronJobFacts) -> Option<Timestamp> {
    cron_job.status.last_schedule_time.or(cron_job.meta.created)
}

/// Whether the controller would start no run now if one were due.
fn starts_nothing(cron_job: &CronJobFacts) -> bool {
    let is_forbidden =
        cron_job.spec.concurrency_policy == ConcurrencyPolicy::Forbid && !cron_job.status.active.is_empty();
    cron_job.spec.suspend || is_forbidden
}

/// Another number when a run was started, or when it changed what is due. It need not be the same in another build.
fn progress(cron_job: &CronJobFacts, last: Timestamp, stopped: bool) -> i64 {
    let mut hasher = DefaultHasher::new();
    (&cron_job.spec.schedule, &cron_job.spec.time_zone, last.as_second(), stopped).hash(&mut hasher);
    hasher.finish().cast_signed()
}

fn cause(cron_job: &CronJobFacts, schedule: &Schedule, first: Timestamp) -> String {
    let zone = schedule.zone().unwrap_or("UTC is assumed");
    let last = match cron_job.status.last_schedule_time {
        Some(last) => format!("last run {}, next was due", minute(last)),
        None => "never run, first was due".to_owned(),
    };
    format!("schedule `{}` ({zone}), {last} {}", cron_job.spec.schedule, minute(first))
}
