//! How the runs of CronJobs went: what makes one alert of a CronJob's Jobs.
//!
//! The Jobs come and go (with `failedJobsHistoryLimit: 1` a failed one is deleted when the next fails), so the trouble
//! is the CronJob's. It begins with a failed run and is over when a later one went well. Of each CronJob two times are
//! kept, because a list shows old failed Jobs again long after a later run went well.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::{CronJobFacts, JobFacts};
use crate::monitors::{JobFailed, outcome};
use crate::{Findings, Kind, ObjectRef, Scope};

#[derive(Debug, Default)]
pub(crate) struct CronRuns(BTreeMap<ObjectRef, Runs>);

/// The newest runs of one CronJob.
#[derive(Debug, Clone, Copy, Default)]
struct Runs {
    succeeded: Option<Timestamp>,
    failed: Option<Timestamp>,
    /// Whether the CronJob itself was seen since its watch last began to list.
    seen: bool,
}

impl CronRuns {
    /// What a Job that ended says of its CronJob; nothing where a later run went well, or it has none.
    pub(crate) fn take_job(&mut self, job: &JobFacts, monitor: &JobFailed) -> Option<(ObjectRef, Findings)> {
        let owner = job.meta.owner.as_ref().filter(|owner| owner.kind == "CronJob")?;
        let cron_job = ObjectRef::new(Kind::CronJob, &job.meta.namespace, &owner.name);
        let ended = outcome(job)?;
        let at = ended.at.or(job.meta.created)?;
        let runs = self.0.entry(cron_job.clone()).or_default();
        if ended.failed {
            runs.failed = runs.failed.max(Some(at));
            return (runs.succeeded < Some(at)).then(|| (cron_job, monitor.of_cron_job(job, &ended)));
        }
        runs.succeeded = runs.succeeded.max(Some(at));
        (runs.failed < Some(at)).then(|| (cron_job, Findings::default()))
    }

    /// What a CronJob says of its own last run. `failing_since` is when a failed run was first told, where that was
    /// before this process began.
    pub(crate) fn take_cron_job(
        &mut self,
        object: &ObjectRef,
        cron_job: &CronJobFacts,
        failing_since: Option<Timestamp>,
    ) -> Option<Findings> {
        let runs = self.0.entry(object.clone()).or_default();
        runs.seen = true;
        runs.succeeded = runs.succeeded.max(cron_job.status.last_successful_time);
        (runs.succeeded > runs.failed.max(failing_since)).then(Findings::default)
    }

    pub(crate) fn begin_listing(&mut self, scope: &Scope) {
        self.0.iter_mut().filter(|(object, _)| scope.covers(object)).for_each(|(_, runs)| runs.seen = false);
    }

    /// What is not in the list is gone, or was never there: Jobs may outlive their CronJob.
    pub(crate) fn listed(&mut self, scope: &Scope) {
        self.0.retain(|object, runs| runs.seen || !scope.covers(object));
    }

    /// A CronJob is gone.
    pub(crate) fn forget(&mut self, object: &ObjectRef) {
        self.0.remove(object);
    }

    /// How many CronJobs are known.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
