//! What a channel is to be told, and what it answered.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::monitors::MonitorName;
use crate::{Ending, Fingerprint, Kind, Name, ObjectRef, Severity, TroubleKey, Workload};

/// Whether a trouble lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// It lasts.
    Firing,
    /// It is over.
    Resolved,
}

/// Why a channel is told now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The channel has not heard of this group.
    First,
    /// The group grew past the next of 5, 10, 50, 100, 500 …
    Grown,
    /// It got worse.
    Escalated,
    /// It happened again, some time after it was told.
    Repeated,
    /// It lasts, and what is said of it changed: only for channels that change their message in place.
    Updated,
    /// It lasts: only for channels that forget what is not said again (Alertmanager).
    Refreshed,
    /// It is over.
    Resolved,
}

impl Why {
    /// The word used in metrics: `first`, `grown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Grown => "grown",
            Self::Escalated => "escalated",
            Self::Repeated => "repeated",
            Self::Updated => "updated",
            Self::Refreshed => "refreshed",
            Self::Resolved => "resolved",
        }
    }
}

/// Recognises a notification in this process: its receipt carries the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotificationId(pub u64);

/// One message that a channel is owed.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// For the receipt.
    pub id: NotificationId,
    /// Who is told.
    pub channel: Name,
    /// Why now.
    pub why: Why,
    /// The same for the same content, also after a restart: a platform that knows it ignores the repeat.
    pub idempotency_key: String,
    /// What the channel called its earlier message about this group, where it can be edited or answered.
    pub message_id: Option<String>,
    /// How late it is, where the channel could not be reached in time.
    pub delayed: Option<SignedDuration>,
    /// What there is to say.
    pub content: Content,
}

/// What a message says: of one group all there is to know, or a line each of several.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// One group.
    Report(Box<Report>),
    /// Several, or something about kpulse itself.
    Bulletin(Box<Bulletin>),
}

impl Content {
    /// The report, if it is one.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Report(report) => Some(report),
            Self::Bulletin(_) => None,
        }
    }

    /// The report to be changed, if it is one.
    pub fn report_mut(&mut self) -> Option<&mut Report> {
        match self {
            Self::Report(report) => Some(report),
            Self::Bulletin(_) => None,
        }
    }

    /// What the message is recognised by outside this process.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        match self {
            Self::Report(report) => &report.fingerprint,
            Self::Bulletin(bulletin) => &bulletin.fingerprint,
        }
    }

    /// What, where, how bad: the line a phone shows.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Report(report) => &report.title,
            Self::Bulletin(bulletin) => &bulletin.title,
        }
    }

    /// Whether it lasts.
    #[must_use]
    pub fn state(&self) -> AlertState {
        match self {
            Self::Report(report) => report.state,
            Self::Bulletin(bulletin) => bulletin.state,
        }
    }

    /// How bad; of several, the worst.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Report(report) => report.severity,
            Self::Bulletin(bulletin) => bulletin.severity,
        }
    }

    /// The cluster's name.
    #[must_use]
    pub fn cluster(&self) -> &Name {
        match self {
            Self::Report(report) => &report.cluster,
            Self::Bulletin(bulletin) => &bulletin.cluster,
        }
    }

    /// Who found it, or which kind of bulletin it is: `pod_crashes`, `digest`.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            Self::Report(report) => report.monitor.as_str(),
            Self::Bulletin(bulletin) => bulletin.kind.as_str(),
        }
    }
}

/// Which kind of bulletin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BulletinKind {
    /// Minor troubles of the last minutes, and minor troubles that ended.
    Digest,
    /// Many troubles at once, kept up to date while any of them lasts.
    Storm,
    /// What was broken already when kpulse first looked.
    Summary,
    /// What people know of and is still broken.
    Reminder,
    /// The channel can be reached again: what was said meanwhile, and what is still true.
    Back,
    /// Asked for by a person, to see whether messages arrive.
    Test,
}

impl BulletinKind {
    /// The word used in messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Storm => "storm",
            Self::Summary => "summary",
            Self::Reminder => "reminder",
            Self::Back => "back",
            Self::Test => "test",
        }
    }
}

/// Several troubles in one message, a line each.
#[derive(Debug, Clone, PartialEq)]
pub struct Bulletin {
    /// Which kind.
    pub kind: BulletinKind,
    /// What it is recognised by: the same over the life of a storm, another for each digest.
    pub fingerprint: Fingerprint,
    /// Whether it lasts; a storm is resolved when none of its troubles is left.
    pub state: AlertState,
    /// The worst of its lines; of what is over, the worst that was told.
    pub severity: Severity,
    /// The cluster's name.
    pub cluster: Name,
    /// What, where, how bad: the line a phone shows, without the cluster's name.
    pub title: String,
    /// A sentence of introduction; may be empty.
    pub lead: String,
    /// What it tells, worst first.
    pub lines: Vec<BulletinLine>,
    /// How many lines more there are than are shown.
    pub more: usize,
    /// Every group it tells of, those without a line of their own too, and how each stands.
    pub covers: Vec<(Fingerprint, AlertState)>,
    /// What to do: commands and settings to copy, a line each.
    pub hints: Vec<String>,
    /// From when: the beginning of a storm, of the time a digest covers.
    pub started_at: Timestamp,
    /// Until when: the time of the message.
    pub at: Timestamp,
}

/// One line of a bulletin.
#[derive(Debug, Clone, PartialEq)]
pub struct BulletinLine {
    /// Whether it lasts.
    pub state: AlertState,
    /// How bad.
    pub severity: Severity,
    /// What, where, how bad.
    pub text: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, if it is over.
    pub ended_at: Option<Timestamp>,
}

/// The state of a group, ready to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The group's identity.
    pub fingerprint: Fingerprint,
    /// Whether it lasts.
    pub state: AlertState,
    /// Who found it.
    pub monitor: MonitorName,
    /// How bad; a resolve carries the severity of its firing.
    pub severity: Severity,
    /// The cluster's name.
    pub cluster: Name,
    /// An object that has the trouble; the first one, where there are several.
    pub object: ObjectRef,
    /// The workload that answers for it; nothing for a bare object.
    pub workload: Option<Workload>,
    /// Which trouble, and which container's.
    pub trouble: TroubleKey,
    /// The node of the object.
    pub node: Option<Name>,
    /// Why, in the field's word.
    pub reason: Name,
    /// What, where, how bad: the line a phone shows.
    pub title: String,
    /// Why, in a sentence.
    pub cause: String,
    /// A command to copy that shows more; nothing once it is over.
    pub command: Option<String>,
    /// A command to copy that silences it for a while; nothing once it is over, or where there is nothing to silence.
    pub silence: Option<String>,
    /// Cause and command, or how it ended, as plain text.
    pub body: String,
    /// When the trouble began.
    pub started_at: Timestamp,
    /// When kpulse found it due.
    pub fired_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub ending: Option<Ending>,
    /// How many objects have it; for a resolve, how many had it when last told.
    pub count: usize,
    /// Which objects have it, the first ones in order.
    pub members: Vec<ObjectRef>,
    /// What the container that failed said last, line by line. Not the engine's to know: whoever delivers adds it, and
    /// it is no part of what the message is recognised by.
    pub log: Vec<String>,
}

impl Report {
    /// Whose log says more of it: a Pod and one of its containers. Only where a container ran, and failed.
    #[must_use]
    pub fn log_source(&self) -> Option<(&ObjectRef, &Name)> {
        let crashed = self.state == AlertState::Firing && self.trouble.trouble == "crash";
        let container = self.trouble.container.as_ref().filter(|_| crashed && self.object.kind == Kind::Pod)?;
        Some((&self.object, container))
    }
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which notification.
    pub id: NotificationId,
    /// Whose.
    pub channel: Name,
    /// What the channel did with it.
    pub outcome: Outcome,
}

/// What a channel did with a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has it. Only now does the channel count as told.
    Accepted {
        /// What the channel calls the message, where it can be edited or answered later.
        message_id: Option<String>,
    },
    /// It will never take this message.
    Refused {
        /// What it said.
        why: String,
    },
    /// It takes nothing from us: its address or its right was withdrawn. What it is owed stays owed.
    Paused {
        /// When it is tried again.
        at: Timestamp,
        /// What it said.
        why: String,
    },
    /// It could not take it now: what is owed then is computed anew at that time.
    TryAgain {
        /// When.
        at: Timestamp,
        /// Whether it may have it all the same: there was no answer in time, or the answer broke off.
        perhaps: bool,
    },
}
