//! `hpa_at_max`: HorizontalPodAutoscalers that have been at their maximum for long, or cannot read their metrics.

use serde::{Deserialize, Serialize};

use super::words::first_line;
use super::{Monitor, MonitorName};
use crate::facts::{AutoscalerFacts, Condition, ConditionStatus};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};

// ---- meaning

/// It is at its maximum.
const AT_MAX: &str = "AtMaximum";
/// It wants more than its maximum; the reason of condition ScalingLimited.
const TOO_MANY: &str = "TooManyReplicas";
/// The reason of ScalingActive when the workload was scaled to 0 by hand: somebody's choice, not a trouble.
const DISABLED: &str = "ScalingDisabled";

/// Metrics are often missing for a while, as when the workload starts.
const METRICS_WAIT: Span = Span::minutes(15);

// ---- settings

/// What `hpa_at_max` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HpaAtMax {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How long it may be at its maximum.
    pub duration: Span,
}

impl Default for HpaAtMax {
    fn default() -> Self {
        Self { enabled: true, severity: None, duration: Span::minutes(30) }
    }
}

// ---- inspect

impl Monitor<AutoscalerFacts> for HpaAtMax {
    const NAME: MonitorName = MonitorName::HpaAtMax;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, autoscaler: &AutoscalerFacts, findings: &mut Findings) {
        if autoscaler.meta.deleting.is_some() {
            findings.all_unknown();
            return;
        }
        let metrics = || TroubleKey::object("metrics");
        match autoscaler.condition("ScalingActive") {
            Some(active) if active.status == ConditionStatus::True => self.at_max(autoscaler, findings),
            Some(active) if active.status == ConditionStatus::False && active.reason == DISABLED => {}
            // What it wants is from before it lost its metrics.
            Some(active) if active.status == ConditionStatus::False => {
                findings.unknown(at_max());
                findings.present(no_metrics(metrics(), active, autoscaler));
            }
            _ => {
                findings.unknown(metrics());
                self.at_max(autoscaler, findings);
            }
        }
    }
}

fn at_max() -> TroubleKey {
    TroubleKey::object("at_max")
}

impl HpaAtMax {
    /// A new one shows 0 desired replicas until the controller first looked; the API allows no maximum below 1.
    fn at_max(&self, autoscaler: &AutoscalerFacts, findings: &mut Findings) {
        let max = autoscaler.spec.max_replicas;
        let fixed = autoscaler.spec.min_replicas.unwrap_or(1) >= i64::from(max);
        if fixed || autoscaler.status.desired_replicas < max {
            return;
        }
        let target = &autoscaler.spec.scale_target_ref;
        let limited = autoscaler
            .condition("ScalingLimited")
            .is_some_and(|limited| limited.status == ConditionStatus::True && limited.reason == TOO_MANY);
        let (reason, cause) = if limited {
            (TOO_MANY, format!("{}/{} needs more than the {max} Pods it may have", target.kind, target.name))
        } else {
            (AT_MAX, format!("{}/{} has all the {max} Pods it may have", target.kind, target.name))
        };
        findings.present(Finding {
            what: "at its maximum".to_owned(),
            cause,
            since: Since::FirstSeen,
            wait: self.duration.get(),
            ..Finding::new(at_max(), reason, Severity::Warning)
        });
    }
}

fn no_metrics(key: TroubleKey, active: &Condition, autoscaler: &AutoscalerFacts) -> Finding {
    let target = &autoscaler.spec.scale_target_ref;
    let reason = if active.reason.is_empty() { "ScalingInactive" } else { active.reason.as_str() };
    Finding {
        what: "unable to scale".to_owned(),
        cause: format!("{}/{} is not scaled: {}", target.kind, target.name, first_line(&active.message)),
        since: active.last_transition_time.map_or(Since::FirstSeen, Since::At),
        wait: METRICS_WAIT.get(),
        ..Finding::new(key, reason, Severity::Warning)
    }
}
