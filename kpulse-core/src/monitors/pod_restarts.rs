//! `pod_restarts`: containers that are started again and again, whatever ends them.
//!
//! The API tells how often a container was started again, not when; so what was seen within the window is remembered,
//! for containers that restart only. It is told once in a while, and has no end: that nothing restarts any more is not
//! news.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::judge;
use crate::facts::{ContainerStatus, PodFacts};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};
use crate::{Name, ObjectRef};

// ---- settings

/// What `pod_restarts` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PodRestarts {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// So many restarts within the window are told, or more.
    pub threshold: u32,
    /// The window, which slides.
    pub window: Span,
}

impl Default for PodRestarts {
    fn default() -> Self {
        Self { enabled: true, severity: None, threshold: 5, window: Span::minutes(15) }
    }
}

// ---- meaning

const RESTARTS: &str = "restarts";

/// More restarts of one container than this need not be remembered to know that there are many.
const REMEMBERED: usize = 100;

/// The restarts seen within the window, of the containers that had any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RestartMemory(Vec<(ObjectRef, PodMemory)>);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct PodMemory {
    uid: Name,
    containers: BTreeMap<Name, Burst>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Burst {
    /// The restart count when last seen.
    count: i32,
    /// When the restarts within the window were, the latest last.
    at: Vec<Timestamp>,
}

impl Burst {
    /// First sight counts one restart if the last end is recent, else none: of those before nobody knows when they were.
    fn first(container: &ContainerStatus, now: Timestamp, window: SignedDuration) -> Option<Self> {
        let end = container.last_state.terminated.as_ref()?.finished_at?;
        let recent = container.restart_count > 0 && now.duration_since(end) < window;
        recent.then(|| Self { count: container.restart_count, at: vec![end.min(now)] })
    }

    fn see(&mut self, container: &ContainerStatus, now: Timestamp) {
        let more = container.restart_count.saturating_sub(self.count);
        self.count = container.restart_count;
        for _ in 0..more.clamp(0, 100) {
            self.at.push(now);
        }
        let surplus = self.at.len().saturating_sub(REMEMBERED);
        self.at.drain(..surplus);
    }

    fn prune(&mut self, now: Timestamp, window: SignedDuration) {
        self.at.retain(|at| now.duration_since(*at) < window);
    }
}

// ---- inspect

impl PodRestarts {
    /// Which trouble of which container it tells.
    pub(crate) fn key(container: &Name) -> TroubleKey {
        TroubleKey::container(RESTARTS, container)
    }

    /// Takes note of a Pod's restarts and says which container has had too many.
    pub(crate) fn inspect(
        &self,
        now: Timestamp,
        object: &ObjectRef,
        pod: &PodFacts,
        memory: &mut RestartMemory,
    ) -> Findings {
        let mut findings = Findings::default();
        if pod.meta.deleting.is_some() {
            findings.all_unknown();
            return findings;
        }
        let mut known = memory.take(object, &pod.meta.uid);
        for container in pod.containers() {
            match known.containers.get_mut(&container.name) {
                Some(burst) => burst.see(container, now),
                None => {
                    let burst = Burst::first(container, now, self.window.get());
                    known.containers.extend(burst.map(|burst| (container.name.clone(), burst)));
                }
            }
        }
        known.containers.retain(|_, burst| {
            burst.prune(now, self.window.get());
            !burst.at.is_empty()
        });
        for (name, burst) in &known.containers {
            if burst.at.len() >= usize::try_from(self.threshold).unwrap_or(usize::MAX) {
                findings.present(self.finding(name, burst));
            }
        }
        memory.put(object, known);
        judge(self.severity.as_ref(), &mut findings);
        findings
    }

    fn finding(&self, container: &Name, burst: &Burst) -> Finding {
        let (count, all) = (burst.at.len(), burst.count);
        Finding {
            what: format!("restarted {count} times in {}", self.window),
            cause: format!("{container} was started again {count} times in {}, {all} times in all", self.window),
            since: burst.at.first().copied().map_or(Since::FirstSeen, Since::At),
            well_since: burst.at.last().copied(),
            hold: self.window.get(),
            occurrences: i64::from(all),
            ..Finding::new(Self::key(container), "Restarts", Severity::Warning)
        }
    }
}

impl RestartMemory {
    fn take(&mut self, object: &ObjectRef, uid: &Name) -> PodMemory {
        let known = self.0.binary_search_by(|(known, _)| known.cmp(object)).ok().map(|index| self.0.remove(index).1);
        known
            .filter(|known| known.uid == *uid)
            .unwrap_or_else(|| PodMemory { uid: uid.clone(), ..PodMemory::default() })
    }

    fn put(&mut self, object: &ObjectRef, memory: PodMemory) {
        if memory.containers.is_empty() {
            return;
        }
        let place = self.0.binary_search_by(|(known, _)| known.cmp(object)).unwrap_or_else(|place| place);
        self.0.insert(place, (object.clone(), memory));
    }

    /// Forgets a Pod that is gone.
    pub(crate) fn forget(&mut self, object: &ObjectRef) {
        self.0.retain(|(known, _)| known != object);
    }

    /// Forgets containers that have not restarted for a window.
    pub(crate) fn prune(&mut self, now: Timestamp, window: SignedDuration) {
        self.0.retain_mut(|(_, memory)| {
            memory.containers.retain(|_, burst| {
                burst.prune(now, window);
                !burst.at.is_empty()
            });
            !memory.containers.is_empty()
        });
    }

    /// How many Pods are remembered.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
