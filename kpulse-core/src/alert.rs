//! Alerts and the groups in which people are told of them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::monitors::MonitorName;
use crate::{Kind, Name, ObjectRef, Severity, TroubleKey, Workload};

/// How an alert ended. There is no ending by timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It was seen to be well, or was replaced by something that is.
    Recovered,
    /// The object, or the workload that answers for it, was seen to be deleted.
    Gone,
    /// Somebody told kpulse not to look any more, by configuration or annotation.
    Unwatched,
}

impl Ending {
    /// The word used in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "recovered",
            Self::Gone => "gone",
            Self::Unwatched => "unwatched",
        }
    }
}

/// Which alert: one trouble of one object, as one monitor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlertKey {
    /// The object.
    pub object: ObjectRef,
    /// The monitor.
    pub monitor: MonitorName,
    /// The trouble.
    pub trouble: TroubleKey,
}

/// Which group of alerts: the same trouble of one workload. It is the unit that people are told of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupKey {
    /// The monitor.
    pub monitor: MonitorName,
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: Name,
    /// The workload; a bare object is its own.
    pub workload: Workload,
    /// The trouble.
    pub trouble: TroubleKey,
}

impl GroupKey {
    /// The group's identity outside this process: in messages, and in the keys by which platforms recognise repeats.
    /// It depends on the object and its trouble only, never on configuration, severity or text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let Self { monitor, namespace, workload, trouble } = self;
        let container = trouble.container.as_deref().unwrap_or_default();
        let text = format!("{monitor}|{namespace}|{}|{}|{container}|{}", workload.kind, workload.name, trouble.trouble);
        Fingerprint::of(&text)
    }
}

/// Written as in logs: `pod_crashes shop/Deployment/api`.
impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { monitor, namespace, workload, .. } = self;
        if namespace.is_empty() {
            write!(f, "{monitor} {workload}")
        } else {
            write!(f, "{monitor} {namespace}/{workload}")
        }
    }
}

/// A hash that stands for a group: 40 hexadecimal digits, as the keys of the earlier program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Name);

impl Fingerprint {
    /// Of what recognises something: the same text has the same fingerprint.
    #[must_use]
    pub fn of(text: &str) -> Self {
        use fmt::Write as _;
        let mut hex = String::with_capacity(40);
        for byte in Sha1::digest(text.as_bytes()) {
            // Writing to a String cannot fail.
            let _infallible = write!(hex, "{byte:02x}");
        }
        Self(hex.into())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One firing alert, as a member of its group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Which alert.
    pub key: AlertKey,
    /// Why, in the field's word.
    pub reason: Name,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, to follow a name.
    pub what: String,
    /// Why, in a sentence.
    pub cause: String,
    /// When the trouble began.
    pub started_at: Timestamp,
    /// The workload that answers for the object; nothing for a bare object.
    pub workload: Option<Workload>,
    /// The node it is on.
    pub node: Option<Name>,
    /// The object's labels, for routing.
    pub labels: Vec<(String, String)>,
    /// What people call that which is in trouble, where the object's own name does not say it.
    pub title_name: Option<String>,
    /// How often it happened; 0 for what lasts.
    pub occurrences: i64,
    /// What it shares with other objects, where that makes them one group.
    pub shared: Option<Name>,
}

impl Alert {
    /// The group this alert belongs to.
    #[must_use]
    pub fn group(&self) -> GroupKey {
        let AlertKey { object, monitor, trouble } = &self.key;
        let (namespace, workload) = match (&self.shared, object.kind) {
            (Some(shared), _) => (Name::default(), Workload::new(object.kind.as_str(), shared)),
            // Nodes are alike: what hits several of them has one cause.
            (None, Kind::Node) => (Name::default(), Workload::new(object.kind.as_str(), "")),
            (None, _) => (object.namespace.clone(), self.workload.clone().unwrap_or_else(|| Workload::from(object))),
        };
        GroupKey { monitor: *monitor, namespace, workload, trouble: trouble.clone() }
    }
}
