//! How full is too full, and how people say it: for claims and the disks of nodes alike.

use crate::facts::Fill;
use crate::finding::{Finding, Severity, TroubleKey};

/// From which per cent on it is told, and from which on it is critical.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) warn_at: u8,
    pub(super) crit_at: u8,
}

/// Something that is fuller than it should be; nothing where there is room.
///
/// Once told it lasts until it is seen below `warn_at`: in between it is no better than it was. A reading that is only
/// a little higher or lower changes its words, and makes no new message.
pub(super) fn too_full(fill: Fill, limits: Limits, trouble: &str, reason: &str) -> Option<Finding> {
    let severity = match fill.percent() {
        percent if percent >= i64::from(limits.crit_at) => Severity::Critical,
        percent if percent >= i64::from(limits.warn_at) => Severity::Warning,
        _ => return None,
    };
    Some(Finding::new(TroubleKey::object(trouble), reason, severity))
}

/// `9.1 of 10 GiB used, 0.9 GiB left`.
pub(super) fn bytes(fill: Fill) -> String {
    let unit = Unit::of(fill.total);
    let left = if fill.left < unit.0 / 10 { Unit::of(fill.left) } else { unit };
    let (used, total) = (unit.amount(fill.used()), unit.amount(fill.total));
    format!("{used} of {total} {} used, {} {} left", unit.1, left.amount(fill.left), left.1)
}

/// `910000 of 1000000 inodes used, 90000 left`.
pub(super) fn inodes(fill: Fill) -> String {
    format!("{} of {} inodes used, {} left", fill.used(), fill.total, fill.left)
}

/// So many bytes, and what they are called.
#[derive(Debug, Clone, Copy)]
struct Unit(i64, &'static str);

impl Unit {
    const ALL: [Self; 7] = [
        Self(1 << 60, "EiB"),
        Self(1 << 50, "PiB"),
        Self(1 << 40, "TiB"),
        Self(1 << 30, "GiB"),
        Self(1 << 20, "MiB"),
        Self(1 << 10, "KiB"),
        Self(1, "bytes"),
    ];

    /// The largest of which there is at least one.
    fn of(bytes: i64) -> Self {
        Self::ALL.into_iter().find(|unit| bytes >= unit.0).unwrap_or(Self(1, "bytes"))
    }

    /// So many of them, to a tenth below a hundred.
    fn amount(self, bytes: i64) -> String {
        let size = i128::from(self.0);
        let tenths = (i128::from(bytes) * 10 + size / 2) / size;
        match (tenths / 10, tenths % 10) {
            (whole, tenth) if whole < 100 && tenth > 0 => format!("{whole}.{tenth}"),
            (whole, tenth) => (whole + tenth / 5).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: i64 = 1 << 20;
    const GIB: i64 = 1 << 30;

    #[track_caller]
    fn check(total: i64, left: i64, expect: &str) {
        assert_eq!(bytes(Fill { total, left }), expect);
    }

    #[test]
    fn people_read_what_is_left() {
        check(10 * GIB, 9 * GIB / 10, "9.1 of 10 GiB used, 0.9 GiB left");
        check(10 * GIB, 40 * MIB, "10 of 10 GiB used, 40 MiB left");
        check(10 * GIB, 0, "10 of 10 GiB used, 0 bytes left");
        check(252 * GIB, 70 * GIB + GIB / 2, "182 of 252 GiB used, 70.5 GiB left");
        check(2048 * GIB, 100 * GIB, "1.9 of 2 TiB used, 100 GiB left");
        check(800, 79, "721 of 800 bytes used, 79 bytes left");
        check(i64::MAX, i64::MAX, "0 of 8 EiB used, 8 EiB left");
    }

    #[test]
    fn it_is_told_from_its_limit_on() {
        let severity = |left| {
            let limits = Limits { warn_at: 80, crit_at: 90 };
            too_full(Fill { total: 1000, left }, limits, "space", "VolumeFull").map(|finding| finding.severity)
        };
        assert_eq!([201, 200, 101, 100, 0].map(severity), {
            use Severity::{Critical, Warning};
            [None, Some(Warning), Some(Warning), Some(Critical), Some(Critical)]
        });
    }
}
