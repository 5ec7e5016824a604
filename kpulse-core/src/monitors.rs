//! The monitors: what is looked for. Each is a pure function of one object's facts, in a file of its own with the
//! same sections: what it means, its settings, `inspect`, tests.

mod pod_crashes;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use pod_crashes::PodCrashes;

use crate::facts::Facts;
use crate::finding::Findings;
use crate::settings::{Monitors, SeverityRule};

/// The name of a monitor, as configuration and messages write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MonitorName {
    /// Containers and Pods that fail or do not start.
    PodCrashes,
}

impl MonitorName {
    /// Every monitor there is.
    pub const ALL: [Self; 1] = [Self::PodCrashes];

    /// The name as configuration and messages write it: `pod_crashes`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PodCrashes => "pod_crashes",
        }
    }
}

impl fmt::Display for MonitorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Looks at the facts of one kind of object and says what is wrong with it. The implementor is the monitor's settings.
pub trait Monitor<F> {
    /// The monitor's name.
    const NAME: MonitorName;

    /// Whether the user wants it.
    fn enabled(&self) -> bool;

    /// How bad its troubles are, where the user does not want its own judgement.
    fn severity(&self) -> Option<&SeverityRule>;

    /// Says what is wrong with this object, and from when that counts.
    fn inspect(&self, facts: &F, findings: &mut Findings);
}

impl Monitors {
    /// Has every enabled monitor for this kind look at the object, and hands over what each says.
    pub fn inspect(&self, facts: &Facts, mut say: impl FnMut(MonitorName, Findings)) {
        match facts {
            Facts::Pod(pod) => look(&self.pod_crashes, &**pod, &mut say),
            Facts::CronJob(_)
            | Facts::Job(_)
            | Facts::Secret(_)
            | Facts::Namespace(_)
            | Facts::Event(_)
            | Facts::Node(_)
            | Facts::Deployment(_)
            | Facts::StatefulSet(_)
            | Facts::DaemonSet(_)
            | Facts::Autoscaler(_)
            | Facts::Claim(_)
            | Facts::Budget(_) => {}
        }
    }

    /// Whether the user wants this monitor.
    #[must_use]
    pub fn enabled(&self, monitor: MonitorName) -> bool {
        match monitor {
            MonitorName::PodCrashes => self.pod_crashes.enabled,
        }
    }
}

fn look<F, M: Monitor<F>>(monitor: &M, facts: &F, say: &mut impl FnMut(MonitorName, Findings)) {
    if monitor.enabled() {
        let mut findings = Findings::default();
        monitor.inspect(facts, &mut findings);
        for finding in &mut findings.present {
            if let Some(severity) = monitor.severity().and_then(|rule| rule.severity_of(&finding.reason)) {
                finding.severity = severity;
            }
        }
        say(M::NAME, findings);
    }
}
