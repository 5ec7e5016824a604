//! What a monitor says about one object.
//!
//! A trouble that is mentioned as present counts from `since` and is due after `wait`; one mentioned as unknown
//! neither starts nor ends; one not mentioned was seen to be absent.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Name;
use crate::facts::Evidence;

/// How bad it is. Ordered: `Info < Warning < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look today.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// The severity of this name, in any case; `warn` and `crit` are understood.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "info" => Some(Self::Info),
            "warning" | "warn" => Some(Self::Warning),
            "critical" | "crit" => Some(Self::Critical),
            _ => None,
        }
    }

    /// The word used in configuration and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// From when a trouble counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Since {
    /// The object itself says when it began.
    At(Timestamp),
    /// The object does not say: from when kpulse first saw it.
    FirstSeen,
    /// The object names this time, and it may still be to come: until then it is well, and an alert it had ends.
    /// [`Timestamp::MAX`] is never.
    NotBefore(Timestamp),
    /// From when kpulse first saw it, or from this time if it is later: until then things got better, the object says.
    FirstSeenOrLater(Timestamp),
}

/// Which trouble of an object: an object can have several at once, each ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TroubleKey {
    /// The container it is in, if it is one container's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Name>,
    /// The trouble's name: `crash`, `image`. Several reasons can be one trouble.
    pub trouble: Name,
}

impl TroubleKey {
    /// A trouble of the object as a whole.
    #[must_use]
    pub fn object(trouble: &str) -> Self {
        Self { container: None, trouble: trouble.into() }
    }

    /// A trouble of one container.
    #[must_use]
    pub fn container(trouble: &str, container: &Name) -> Self {
        Self { container: Some(container.clone()), trouble: trouble.into() }
    }
}

/// What a trouble turns into by itself when its time comes, with nothing more seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// When.
    pub at: Timestamp,
    /// Why, from then on.
    pub reason: Name,
    /// How bad, from then on; never less than before.
    pub severity: Severity,
    /// What is wrong, from then on.
    pub what: String,
}

/// A trouble that is present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Which trouble.
    pub key: TroubleKey,
    /// Why, in the field's word: `CrashLoopBackOff`.
    pub reason: Name,
    /// How bad.
    pub severity: Severity,
    /// Among the reasons of one trouble the sharper one is kept: an OOM kill inside a crash loop.
    pub sharpness: u8,
    /// What is wrong, to follow a name: `crash-looping`.
    pub what: String,
    /// Why, in a sentence for a person.
    pub cause: String,
    /// From when it counts.
    pub since: Since,
    /// How long it may last before it is told.
    pub wait: SignedDuration,
    /// It must have been seen as it is for this long, without a gap, before it is told.
    #[serde(default)]
    pub seen_for: SignedDuration,
    /// The same where its `progress` was seen to change after its time had come: whoever changed it did not bring it
    /// about, and what will show how it goes lies up to this long ahead.
    #[serde(default)]
    pub settle_for: SignedDuration,
    /// Whether that holds as well where its time had come before it could be seen.
    #[serde(default)]
    pub settle_unseen: bool,
    /// Past this time it is too old to be news: it does not start an alert any more, but does not end one either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// It looks well since this time; it is over once `hold` has passed without a relapse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_since: Option<Timestamp>,
    /// How long it must look well before it is over.
    pub hold: SignedDuration,
    /// Whatever moves forward while things get better; when it changes, `since` starts anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<i64>,
    /// How often it happened, for what happens rather than lasts: it is told again when that grows, and has no end.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub occurrences: i64,
    /// What it turns into by itself as time passes, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// What several objects share: all that name the same are one group, whatever their workload and namespace. An
    /// object that names another than before has another trouble: the earlier one is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Name>,
    /// What people call that which is in trouble, where the object's own name does not say it: `Certificate
    /// shop.example.com`. `what` follows it without a colon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_name: Option<String>,
    /// What else must be proven by an Event before it is told.
    #[serde(skip)]
    pub needs: Option<Evidence>,
    /// A longer wait that holds once an Event has proven this.
    #[serde(skip)]
    pub patience: Option<(Evidence, SignedDuration)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Finding {
    /// A trouble that counts from now on and is told at once; the fields are public for all the rest.
    #[must_use]
    pub fn new(key: TroubleKey, reason: impl Into<Name>, severity: Severity) -> Self {
        Self {
            key,
            reason: reason.into(),
            severity,
            sharpness: 0,
            what: String::new(),
            cause: String::new(),
            since: Since::FirstSeen,
            wait: SignedDuration::ZERO,
            seen_for: SignedDuration::ZERO,
            settle_for: SignedDuration::ZERO,
            settle_unseen: false,
            until: None,
            well_since: None,
            hold: SignedDuration::ZERO,
            progress: None,
            occurrences: 0,
            stages: Vec::new(),
            shared: None,
            title_name: None,
            needs: None,
            patience: None,
        }
    }

    /// Turns it into what it is by now; tells whether that changed anything.
    pub(crate) fn ripen(&mut self, now: Timestamp) -> bool {
        let come = self.stages.iter().take_while(|stage| stage.at <= now).count();
        for stage in self.stages.drain(..come) {
            self.reason = stage.reason;
            self.severity = self.severity.max(stage.severity);
            self.what = stage.what;
        }
        come > 0
    }
}

/// What one monitor says about one object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Troubles that are present.
    pub present: Vec<Finding>,
    /// Troubles that may or may not be present.
    pub unknown: Vec<TroubleKey>,
    /// Nothing at all can be said about this object now (it is being deleted): whatever was known stays as it was.
    pub all_unknown: bool,
}

impl Findings {
    /// Says that a trouble is present.
    pub fn present(&mut self, finding: Finding) {
        self.present.push(finding);
    }

    /// Says that nobody can tell whether a trouble is present.
    pub fn unknown(&mut self, key: TroubleKey) {
        self.unknown.push(key);
    }

    /// Says that nobody can tell anything about the object.
    pub fn all_unknown(&mut self) {
        self.all_unknown = true;
    }

    /// Whether the object was seen to be well.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.present.is_empty() && self.unknown.is_empty() && !self.all_unknown
    }
}
