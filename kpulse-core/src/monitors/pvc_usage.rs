//! `pvc_usage`: claims whose volumes are nearly full, of bytes or of files.
//!
//! Only kubelets know. Each tells in its summary of the volumes that Pods on its node have mounted: a claim that no Pod
//! uses is in none, and neither are those whose driver cannot tell; of them nothing is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fullness::{Limits, bytes, inodes, too_full};
use super::{MonitorName, Survey};
use crate::facts::{ClaimUsage, Fill, SummaryFacts};
use crate::finding::{Finding, Findings, TroubleKey};
use crate::settings::{SeverityRule, Span};
use crate::{Kind, Name, ObjectRef};

// ---- meaning

const SPACE: &str = "space";
const INODES: &str = "inodes";

// ---- settings

/// What `pvc_usage` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PvcUsage {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; if nothing is said, as bad as it is full.
    pub severity: Option<SeverityRule>,
    /// How full a volume may be, in per cent, before it is told.
    pub warn_at: u8,
    /// From how many per cent on it is critical.
    pub crit_at: u8,
    /// How often each kubelet is asked. It is asked once for this and `node_disk`, at the shorter of the two.
    pub interval: Span,
}

impl Default for PvcUsage {
    fn default() -> Self {
        Self { enabled: true, severity: None, warn_at: 80, crit_at: 90, interval: Span::minutes(10) }
    }
}

// ---- inspect

impl Survey for PvcUsage {
    const NAME: MonitorName = MonitorName::PvcUsage;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, summary: &SummaryFacts) -> impl Iterator<Item = (ObjectRef, Findings)> {
        let mut claims: BTreeMap<(&Name, &Name), Fills> = BTreeMap::new();
        for ClaimUsage { namespace, name, usage } in &summary.claims {
            let fills = claims.entry((namespace, name)).or_default();
            fills.space = fuller(fills.space, usage.space());
            fills.files = fuller(fills.files, usage.files());
        }
        claims.into_iter().map(|((namespace, name), fills)| {
            let claim = ObjectRef::new(Kind::PersistentVolumeClaim, namespace, name);
            (claim, self.findings(&fills))
        })
    }
}

/// Of several Pods with the same claim, each has a reading.
#[derive(Default)]
struct Fills {
    space: Option<Fill>,
    files: Option<Fill>,
}

fn fuller(one: Option<Fill>, other: Option<Fill>) -> Option<Fill> {
    one.into_iter().chain(other).max_by_key(|fill| fill.percent())
}

impl PvcUsage {
    fn findings(&self, fills: &Fills) -> Findings {
        let limits = Limits { warn_at: self.warn_at, crit_at: self.crit_at };
        let mut findings = Findings::default();
        match fills.space {
            None => findings.unknown(TroubleKey::object(SPACE)),
            Some(space) => {
                findings.present.extend(too_full(space, limits, SPACE, "VolumeFull").map(|finding| Finding {
                    what: format!("{}% full", space.percent()),
                    cause: bytes(space),
                    ..finding
                }))
            }
        }
        match fills.files {
            None => findings.unknown(TroubleKey::object(INODES)),
            Some(files) => findings.present.extend(too_full(files, limits, INODES, "InodesFull").map(|finding| {
                Finding { what: format!("{}% of its inodes used", files.percent()), cause: inodes(files), ..finding }
            })),
        }
        findings
    }
}
