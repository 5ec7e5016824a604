//! The ledger: what each channel has accepted. The only memory of what people know.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::policy::owed::Truth;
use crate::{Fingerprint, Name, ObjectRef, Severity};

/// How a channel was told of a group: its end travels the same way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    /// In a message of its own.
    #[default]
    Alone,
    /// In a digest.
    Digest,
    /// In the message about a storm.
    Storm,
}

impl Way {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Digest => "digest",
            Self::Storm => "storm",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_alone(&self) -> bool {
        *self == Self::Alone
    }
}

/// What one channel was last told of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The alerts this entry stands for: those routed to the channel.
    pub(crate) members: BTreeSet<ObjectRef>,
    pub(crate) severity: Severity,
    /// How many objects were named.
    pub(crate) count: usize,
    /// When it was accepted.
    pub(crate) at: Timestamp,
    /// How.
    #[serde(default, skip_serializing_if = "Way::is_alone")]
    pub(crate) way: Way,
    /// How often it had happened, for what happens rather than lasts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) occurrences: i64,
    /// How often it was told again with nothing new but its number.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) repeats: u8,
    /// When people were last reminded that it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reminded_at: Option<Timestamp>,
    /// Stands for the words that were used, for channels that change them in place.
    #[serde(default, skip_serializing_if = "is_unsaid")]
    pub(crate) words: u32,
    /// What the channel calls its message, where it can be edited or answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// It was on its way when the program ended: nobody knows whether it arrived. It is told again, and only then ended.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) uncertain: bool,
    /// Its end was on its way: nobody knows whether it arrived. If it comes back, it is told as new.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) perhaps_ended: bool,
    /// The channel would not take it: it was not told, and must not hear of its end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) refused: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(number: &u8) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_unsaid(words: &u32) -> bool {
    *words == 0
}

impl Told {
    pub(crate) fn new(members: BTreeSet<ObjectRef>, truth: Truth, at: Timestamp) -> Self {
        Self {
            members,
            severity: truth.severity,
            count: truth.count,
            at,
            way: Way::Alone,
            occurrences: truth.occurrences.unwrap_or_default(),
            repeats: 0,
            reminded_at: None,
            words: 0,
            message_id: None,
            uncertain: false,
            perhaps_ended: false,
            refused: false,
        }
    }
}

/// A first message that a channel may have accepted after the state was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) channel: Name,
    pub(crate) group: Fingerprint,
    pub(crate) told: Told,
}

/// The one message about many troubles at once that a channel has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Storm {
    pub(crate) started_at: Timestamp,
    /// When it was last told.
    pub(crate) at: Timestamp,
    /// How many troubles it had in all.
    pub(crate) total: usize,
    pub(crate) severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// What one channel accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Page {
    groups: BTreeMap<Fingerprint, Told>,
    /// When it last had a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest_at: Option<Timestamp>,
    /// The storm it was told of and that is not over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storm: Option<Storm>,
    /// What fired before this goes out as one summary, which it did not have yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary_of: Option<Timestamp>,
    /// Since when it refuses whatever it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refuses_since: Option<Timestamp>,
}

impl Page {
    /// All that the channel knows of was named.
    pub(crate) fn remind_later(&mut self, now: Timestamp) {
        for told in self.groups.values_mut() {
            told.reminded_at = Some(now);
        }
    }
}

/// What each channel was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ledger {
    channels: BTreeMap<Name, Page>,
}

impl Ledger {
    /// Every channel that was ever told anything.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Name> {
        self.channels.keys()
    }

    pub(crate) fn told(&self, channel: &Name, group: &Fingerprint) -> Option<&Told> {
        self.channels.get(channel)?.groups.get(group)
    }

    pub(crate) fn told_mut(&mut self, channel: &Name, group: &Fingerprint) -> Option<&mut Told> {
        self.channels.get_mut(channel)?.groups.get_mut(group)
    }

    /// What a channel accepted.
    pub(crate) fn page(&self, channel: &Name) -> Option<&Page> {
        self.channels.get(channel)
    }

    pub(crate) fn page_mut(&mut self, channel: &Name) -> &mut Page {
        self.channels.entry(channel.clone()).or_default()
    }

    pub(crate) fn record(&mut self, channel: &Name, group: &Fingerprint, told: Told) {
        self.page_mut(channel).groups.insert(group.clone(), told);
    }

    /// Takes over what was on its way, unless it is known to have arrived.
    pub(crate) fn doubt(&mut self, Attempt { channel, group, told }: Attempt) {
        let entries = &mut self.channels.entry(channel).or_default().groups;
        entries.entry(group).or_insert(Told { uncertain: true, ..told });
    }

    pub(crate) fn strike(&mut self, channel: &Name, group: &Fingerprint) {
        if let Some(page) = self.channels.get_mut(channel) {
            page.groups.remove(group);
        }
    }

    /// The groups a channel was told of in this way.
    pub(crate) fn told_by(&self, channel: &Name, way: Way) -> impl Iterator<Item = (&Fingerprint, &Told)> {
        let groups = self.channels.get(channel).into_iter().flat_map(|page| &page.groups);
        groups.filter(move |(_, told)| told.way == way)
    }

    /// Everything that was told, to whom.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Told> {
        self.channels.values_mut().flat_map(|page| page.groups.values_mut())
    }

    /// Whether any channel knows of the group.
    pub(crate) fn knows(&self, group: &Fingerprint) -> bool {
        self.channels.values().any(|page| page.groups.contains_key(group))
    }

    /// How many groups channels were told of.
    pub(crate) fn len(&self) -> usize {
        self.channels.values().map(|page| page.groups.len()).sum()
    }

    /// Forgets channels that are no more; tells how many entries were dropped.
    pub(crate) fn keep_only(&mut self, channels: &[Name]) -> usize {
        let before = self.len();
        self.channels.retain(|channel, _| channels.contains(channel));
        before - self.len()
    }
}
