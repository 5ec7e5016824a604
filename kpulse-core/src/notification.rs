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
    /// It is over.
    Resolved,
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
    pub report: Report,
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
    Refused,
    /// It could not take it now: what is owed then is computed anew at that time.
    TryAgain {
        /// When.
        at: Timestamp,
    },
}
