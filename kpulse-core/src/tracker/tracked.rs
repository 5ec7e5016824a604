//! What is remembered of one troubled object.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Subject;
use super::track::{Step, Track};
use crate::monitors::MonitorName;
use crate::{Finding, Findings, Name, TroubleKey};

/// A troubled object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tracked {
    pub(super) subject: Subject,
    #[serde(with = "crate::pairs")]
    pub(super) troubles: BTreeMap<(MonitorName, TroubleKey), Track>,
    /// Its entry in the queue.
    #[serde(skip)]
    pub(super) due: Option<Timestamp>,
    /// Whether it was seen since its watch last began to list.
    #[serde(skip)]
    pub(super) seen: bool,
}

impl Tracked {
    pub(super) fn new() -> Self {
        Self { subject: Subject::default(), troubles: BTreeMap::new(), due: None, seen: true }
    }

    /// Whether it may be the object with this uid: all that is known of it may come from others.
    pub(super) fn is_known_as(&self, uid: &Name) -> bool {
        self.subject.uid.is_empty() || self.subject.uid == *uid
    }

    /// What is wrong with it now, told or not.
    pub(super) fn shown(&self) -> BTreeSet<(MonitorName, TroubleKey)> {
        self.troubles.iter().filter(|(_, track)| track.is_there()).map(|(which, _)| which.clone()).collect()
    }

    /// Whether there is more to it than a time that the object names in advance.
    pub(super) fn is_troubled(&self) -> bool {
        self.troubles.values().any(Track::is_ours_to_keep)
    }

    /// Takes in what one monitor says: a trouble not mentioned was seen to be absent.
    pub(super) fn take(
        &mut self,
        now: Timestamp,
        monitor: MonitorName,
        findings: Findings,
        steps: &mut Vec<((MonitorName, TroubleKey), Step)>,
    ) {
        let mut mentioned: Vec<TroubleKey> = findings.unknown;
        for ((by, trouble), track) in &mut self.troubles {
            if *by == monitor && (findings.all_unknown || mentioned.contains(trouble)) {
                track.unknown();
            }
        }
        for finding in findings.present {
            let which = (monitor, finding.key.clone());
            mentioned.push(finding.key.clone());
            steps.extend(self.part_with_another(&which, &finding));
            match self.troubles.get_mut(&which) {
                Some(track) => steps.extend(track.present(now, finding).map(|step| (which, step))),
                None => {
                    if let Some(track) = Track::begin(now, finding) {
                        self.troubles.insert(which, track);
                    }
                }
            }
        }
        if findings.all_unknown {
            return;
        }
        for ((by, trouble), track) in &mut self.troubles {
            if *by == monitor && !mentioned.contains(trouble) {
                steps.extend(track.absent(now).map(|step| ((*by, trouble.clone()), step)));
            }
        }
    }

    /// An object that shares something else than before has another trouble; the earlier one was seen to be over.
    fn part_with_another(
        &mut self,
        which: &(MonitorName, TroubleKey),
        finding: &Finding,
    ) -> Option<((MonitorName, TroubleKey), Step)> {
        let is_another = self.troubles.get(which).is_some_and(|track| track.finding.shared != finding.shared);
        let earlier = if is_another { self.troubles.remove(which) } else { None };
        earlier.filter(Track::is_firing).map(|_| (which.clone(), Step::Recovered))
    }
}
