//! `rollout_stuck`: Deployments and StatefulSets that do not come to have the Pods that were asked for.
//!
//! A rollout may take long as long as it moves. A Deployment says when it last moved; a StatefulSet says nothing, and
//! moves when the number of its ready Pods changes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::words::first_line;
use super::{Monitor, MonitorName};
use crate::facts::{ConditionStatus, DeploymentFacts, StatefulSetFacts};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- meaning

/// The controller saw no progress for `progressDeadlineSeconds`, and says so once, at the end of that time.
const DEADLINE_EXCEEDED: &str = "ProgressDeadlineExceeded";
/// The new revision is not everywhere.
const ROLLOUT_STUCK: &str = "RolloutStuck";
/// The revision is out, but some of its Pods are not available.
const REPLICAS_UNAVAILABLE: &str = "ReplicasUnavailable";

/// `progressDeadlineSeconds` where the spec does not say.
const DEFAULT_DEADLINE: i64 = 600;

fn key() -> TroubleKey {
    TroubleKey::object("rollout")
}

// ---- settings

/// What `rollout_stuck` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloutStuck {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How long it may stand still.
    pub threshold: Span,
}

impl Default for RolloutStuck {
    fn default() -> Self {
        Self { enabled: true, severity: None, threshold: Span::minutes(15) }
    }
}

// ---- inspect: Deployment

impl Monitor<DeploymentFacts> for RolloutStuck {
    const NAME: MonitorName = MonitorName::RolloutStuck;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, deployment: &DeploymentFacts, findings: &mut Findings) {
        if deployment.meta.deleting.is_some() {
            findings.all_unknown();
        } else if deployment.spec.paused || deployment.desired() <= 0 {
            // Nothing is being rolled out.
        } else if deployment.is_outdated() {
            findings.unknown(key());
        } else if !is_complete(deployment) {
            let (reason, what, cause) = shortfall(deployment);
            findings.present(Finding {
                what: what.to_owned(),
                cause,
                since: last_progress(deployment).map_or(Since::FirstSeen, Since::FirstSeenOrLater),
                wait: self.threshold.get(),
                ..Finding::new(key(), reason, Severity::Warning)
            });
        }
    }
}

/// As the controller judges it (`DeploymentComplete` in `pkg/controller/deployment/util`): as many Pods as asked for,
/// all of the new revision and available, and none of an old one.
fn is_complete(deployment: &DeploymentFacts) -> bool {
    is_rolled_out(deployment) && i64::from(deployment.status.available_replicas) == deployment.desired()
}

fn is_rolled_out(deployment: &DeploymentFacts) -> bool {
    let status = &deployment.status;
    [status.updated_replicas, status.replicas].iter().all(|count| i64::from(*count) == deployment.desired())
}

/// When it last moved: Progressing was last updated, or Available last changed. That Progressing was found to have
/// stopped is no progress: it stopped `progressDeadlineSeconds` before that.
fn last_progress(deployment: &DeploymentFacts) -> Option<Timestamp> {
    let progressing = deployment.condition("Progressing");
    let updated = progressing.and_then(|condition| condition.last_update_time);
    let progressed = if progressing.is_some_and(|condition| condition.reason == DEADLINE_EXCEEDED) {
        let deadline = deployment.spec.progress_deadline_seconds.unwrap_or(DEFAULT_DEADLINE);
        updated.and_then(|at| at.checked_sub(SignedDuration::from_secs(deadline)).ok())
    } else {
        updated
    };
    progressed.max(deployment.condition("Available").and_then(|condition| condition.last_transition_time))
}

/// Why it is not complete: the reason, what to call it, and the cause.
fn shortfall(deployment: &DeploymentFacts) -> (&str, &'static str, String) {
    let (status, desired) = (&deployment.status, deployment.desired());
    let counts =
        format!("{} of {desired} Pods updated, {} available", status.updated_replicas, status.available_replicas);
    let what = if is_rolled_out(deployment) { "short of Pods" } else { "stuck rolling out" };
    // Pods cannot even be created: a quota or an admission webhook is in the way.
    let refused = deployment.condition("ReplicaFailure").filter(|failure| failure.status == ConditionStatus::True);
    if let Some(failure) = refused {
        let reason = if failure.reason.is_empty() { ROLLOUT_STUCK } else { failure.reason.as_str() };
        return (reason, what, format!("{counts}: {}", first_line(&failure.message)));
    }
    let exceeded = deployment.condition("Progressing").is_some_and(|condition| condition.reason == DEADLINE_EXCEEDED);
    let reason = match (exceeded, is_rolled_out(deployment)) {
        (true, _) => DEADLINE_EXCEEDED,
        (false, true) => REPLICAS_UNAVAILABLE,
        (false, false) => ROLLOUT_STUCK,
    };
    (reason, what, counts)
}

// ---- inspect: StatefulSet

impl Monitor<StatefulSetFacts> for RolloutStuck {
    const NAME: MonitorName = MonitorName::RolloutStuck;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, set: &StatefulSetFacts, findings: &mut Findings) {
        let strategy = &set.spec.update_strategy;
        // Where Pods are to stay at the old revision, nobody can tell which are meant to.
        let held_back = strategy.kind == "OnDelete" || strategy.rolling_update.partition > 0;
        let ready = i64::from(set.status.ready_replicas);
        if set.meta.deleting.is_some() {
            findings.all_unknown();
        } else if held_back || set.desired() <= 0 {
            // Nothing is being rolled out.
        } else if set.is_outdated() {
            findings.unknown(key());
        } else if set.is_rolling() || ready < set.desired() {
            let (reason, what) = match set.is_rolling() {
                true => (ROLLOUT_STUCK, "stuck rolling out"),
                false => (REPLICAS_UNAVAILABLE, "short of Pods"),
            };
            findings.present(Finding {
                what: what.to_owned(),
                cause: format!("{ready} of {} Pods ready", set.desired()),
                since: Since::FirstSeen,
                progress: Some(ready),
                wait: self.threshold.get(),
                ..Finding::new(key(), reason, Severity::Warning)
            });
        }
    }
}
