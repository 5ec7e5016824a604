//! `warning_events`: Warning Events, told as they are. They are the one thing kpulse tells because it was written, not
//! because an object is in a state; so they have no end, and what a monitor of its own looks at is left out.

use serde::{Deserialize, Serialize};

use super::words::first_line;
use super::{Monitor, MonitorName};
use crate::facts::EventFacts;
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::SeverityRule;
use crate::{Name, Workload};

// ---- settings

/// What `warning_events` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarningEvents {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad they are; information if nothing is said.
    pub severity: Option<SeverityRule>,
    /// Reasons that are passed over: other monitors judge what they are about by its state.
    pub reasons_ignore: Vec<Name>,
}

impl Default for WarningEvents {
    fn default() -> Self {
        let ignored =
            ["FailedGracefulShutdown", "Unhealthy", "Failed", "BackOff", "BackoffLimitExceeded", "InvalidDiskCapacity"];
        Self { enabled: true, severity: None, reasons_ignore: ignored.map(Name::from).to_vec() }
    }
}

// ---- inspect

impl Monitor<EventFacts> for WarningEvents {
    const NAME: MonitorName = MonitorName::WarningEvents;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, event: &EventFacts, findings: &mut Findings) {
        if event.kind != "Warning" || event.reason.is_empty() || self.reasons_ignore.contains(&event.reason) {
            return;
        }
        let (reason, count) = (&event.reason, event.occurrences());
        let times = if count > 1 { format!(" {count} times") } else { String::new() };
        let at = event.last_seen();
        findings.present(Finding {
            what: format!("{reason}{times}"),
            cause: first_line(&event.message),
            since: at.map_or(Since::FirstSeen, Since::At),
            well_since: at,
            // It is remembered for as long as the API server keeps it by default.
            hold: jiff::SignedDuration::from_hours(1),
            occurrences: count.max(1),
            ..Finding::new(TroubleKey::object(reason), reason, Severity::Info)
        });
    }
}

/// Who answers for what an Event is about. An Event names a Pod only; the Pods of a Deployment are recognised by how
/// controllers name them (`rand.SafeEncodeString` and `names.SimpleNameGenerator` in Kubernetes: a hash of 8 to 10
/// letters, then 5, of an alphabet without vowels), so that what hits fifty Pods of one workload is one group.
#[must_use]
pub fn subject_of(event: &EventFacts) -> Workload {
    let involved = &event.involved_object;
    let deployment = || {
        let (set, suffix) = involved.name.rsplit_once('-')?;
        let (name, hash) = set.rsplit_once('-')?;
        let safe = |text: &str| text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
        let fits = suffix.len() == 5 && safe(suffix) && (8..=10).contains(&hash.len()) && safe(hash);
        (fits && !name.is_empty()).then(|| Workload::new("Deployment", name))
    };
    let guessed = if involved.kind == "Pod" { deployment() } else { None };
    guessed.unwrap_or_else(|| Workload::new(&involved.kind, &involved.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, name: &str, expect: &str) {
        let json = format!(r#"{{"involvedObject":{{"kind":"{kind}","name":"{name}"}}}}"#);
        assert_eq!(subject_of(&serde_json::from_str(&json).unwrap()).to_string(), expect);
    }

    #[test]
    fn pods_of_a_deployment_are_recognised_by_their_names() {
        check("Pod", "api-655556db66-dmkx7", "Deployment/api");
        check("Pod", "shop-web-7cd798dfd-bxz2q", "Deployment/shop-web");
        check("Pod", "db-0", "Pod/db-0");
        check("Pod", "my-own-name", "Pod/my-own-name");
        check("Pod", "agent-xdj6l", "Pod/agent-xdj6l");
        check("Node", "api-655556db66-dmkx7", "Node/api-655556db66-dmkx7");
    }
}
