//! `node_disk`: nodes whose disks are nearly full, of bytes or of files: the root file system's, and those of images and
//! containers where they have disks of their own.
//!
//! The kubelet evicts Pods and deletes images at its own limits (`evictionHard`: 15% of the image file system, 10% of
//! the root file system left); this is told before or while it does.

use serde::{Deserialize, Serialize};

use super::fullness::{Limits, bytes, inodes, too_full};
use super::{MonitorName, Survey};
use crate::facts::{Fill, SummaryFacts, Usage};
use crate::finding::{Finding, Findings, TroubleKey};
use crate::settings::{SeverityRule, Span};
use crate::{Kind, ObjectRef};

// ---- meaning

/// File systems that show the same size, the same number of inodes, and as much left as can differ by this part of the
/// size, are one disk. A summary does not name devices, and its readings of one disk can be minutes apart. Two disks
/// that are alike in all of that are equally full, so that one alert says it all.
const READINGS_DIFFER: i64 = 50;

/// A file system of a node: what it is called, and its troubles.
struct Role {
    usage: fn(&SummaryFacts) -> &Usage,
    holds: &'static str,
    disk: &'static str,
    space: &'static str,
    inodes: &'static str,
}

/// In the order in which they speak for a disk they share.
const ROLES: [Role; 3] = [
    Role { usage: |summary| &summary.root, holds: "root file system", disk: "disk", space: "space", inodes: "inodes" },
    Role {
        usage: |summary| &summary.images,
        holds: "images",
        disk: "image disk",
        space: "image_space",
        inodes: "image_inodes",
    },
    Role {
        usage: |summary| &summary.containers,
        holds: "containers",
        disk: "container disk",
        space: "container_space",
        inodes: "container_inodes",
    },
];

// ---- settings

/// What `node_disk` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeDisk {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; if nothing is said, as bad as it is full.
    pub severity: Option<SeverityRule>,
    /// How full a disk may be, in per cent, before it is told.
    pub warn_at: u8,
    /// From how many per cent on it is critical.
    pub crit_at: u8,
    /// How often each kubelet is asked. It is asked once for this and `pvc_usage`, at the shorter of the two.
    pub interval: Span,
}

impl Default for NodeDisk {
    fn default() -> Self {
        Self { enabled: true, severity: None, warn_at: 85, crit_at: 92, interval: Span::minutes(10) }
    }
}

// ---- inspect

impl Survey for NodeDisk {
    const NAME: MonitorName = MonitorName::NodeDisk;

    fn enabled(&self) -> bool {
        self.enabled
    }

    fn severity(&self) -> Option<&SeverityRule> {
        self.severity.as_ref()
    }

    fn inspect(&self, summary: &SummaryFacts) -> impl Iterator<Item = (ObjectRef, Findings)> {
        let node = (!summary.node.is_empty()).then(|| ObjectRef::new(Kind::Node, "", &summary.node));
        node.into_iter().map(|node| (node, self.findings(summary)))
    }
}

/// A disk, the role that speaks for it, and all that is on it.
struct Disk<'a> {
    role: &'static Role,
    usage: &'a Usage,
    holds: Vec<&'static str>,
}

impl NodeDisk {
    fn findings(&self, summary: &SummaryFacts) -> Findings {
        let mut findings = Findings::default();
        // Without the root file system's figures nobody can tell which of the others are on its disk.
        if summary.root.space().is_none() {
            findings.all_unknown();
            return findings;
        }
        for disk in disks(summary) {
            self.space(&disk, &mut findings);
            self.inodes(&disk, &mut findings);
        }
        findings
    }

    fn space(&self, disk: &Disk<'_>, findings: &mut Findings) {
        let Some(fill) = disk.usage.space() else {
            findings.unknown(TroubleKey::object(disk.role.space));
            return;
        };
        let full = too_full(fill, self.limits(), disk.role.space, "DiskFull");
        findings.present.extend(full.map(|finding| Finding {
            what: format!("{} {}% full", disk.role.disk, fill.percent()),
            cause: disk.cause(&bytes(fill)),
            ..finding
        }));
    }

    fn inodes(&self, disk: &Disk<'_>, findings: &mut Findings) {
        let Some(fill) = disk.usage.files() else {
            findings.unknown(TroubleKey::object(disk.role.inodes));
            return;
        };
        let full = too_full(fill, self.limits(), disk.role.inodes, "InodesFull");
        findings.present.extend(full.map(|finding| Finding {
            what: format!("{} {}% full of files", disk.role.disk, fill.percent()),
            cause: disk.cause(&inodes(fill)),
            ..finding
        }));
    }

    fn limits(&self) -> Limits {
        Limits { warn_at: self.warn_at, crit_at: self.crit_at }
    }
}

impl Disk<'_> {
    /// `9.1 of 10 GiB used, 0.9 GiB left (root file system, images)`.
    fn cause(&self, figures: &str) -> String {
        format!("{figures} ({})", self.holds.join(", "))
    }
}

/// The disks there are, by the file systems on them.
fn disks(summary: &SummaryFacts) -> Vec<Disk<'_>> {
    let mut disks: Vec<Disk<'_>> = Vec::new();
    for role in &ROLES {
        let usage = (role.usage)(summary);
        match disks.iter_mut().find(|disk| is_one_disk(disk.usage, usage)) {
            Some(disk) => disk.holds.push(role.holds),
            None => disks.push(Disk { role, usage, holds: vec![role.holds] }),
        }
    }
    disks
}

fn is_one_disk(one: &Usage, other: &Usage) -> bool {
    match (one.space(), other.space()) {
        (Some(a), Some(b)) => a.total == b.total && one.inodes == other.inodes && differs_little(a, b),
        _ => false,
    }
}

fn differs_little(a: Fill, b: Fill) -> bool {
    a.left.abs_diff(b.left) <= a.total.unsigned_abs() / READINGS_DIFFER.unsigned_abs()
}
