//! The ledger: what each channel has accepted. The only memory of what people know.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::policy::owed::Truth;
use crate::{Fingerprint, Name, ObjectRef, Severity};

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
    /// How often it had happened, for what happens rather than lasts.
    #[serde(default)]
    pub(crate) occurrences: i64,
    /// How often it was told again with nothing new but its number.
    #[serde(default)]
    pub(crate) repeats: u8,
    /// What the channel calls its message, where it can be edited or answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// It was on its way when the program ended: nobody knows whether it arrived. It is told again, and only then ended.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) uncertain: bool,
    /// The channel would not take it: it was not told, and must not hear of its end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) refused: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Told {
    pub(crate) fn new(members: BTreeSet<ObjectRef>, truth: Truth, at: Timestamp, message_id: Option<String>) -> Self {
        let Truth { count, severity, occurrences, .. } = truth;
        let (occurrences, repeats) = (occurrences.unwrap_or_default(), 0);
        Self { members, severity, count, at, occurrences, repeats, message_id, uncertain: false, refused: false }
    }
}

/// A first message that a channel may have accepted after the state was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) channel: Name,
    pub(crate) group: Fingerprint,
    pub(crate) told: Told,
}

/// What each channel was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Ledger {
    channels: BTreeMap<Name, BTreeMap<Fingerprint, Told>>,
}

impl Ledger {
    pub(crate) fn told(&self, channel: &Name, group: &Fingerprint) -> Option<&Told> {
        self.channels.get(channel)?.get(group)
    }

    pub(crate) fn told_mut(&mut self, channel: &Name, group: &Fingerprint) -> Option<&mut Told> {
        self.channels.get_mut(channel)?.get_mut(group)
    }

    pub(crate) fn record(&mut self, channel: &Name, group: &Fingerprint, told: Told) {
        self.channels.entry(channel.clone()).or_default().insert(group.clone(), told);
    }

    /// Takes over what was on its way, unless it is known to have arrived.
    pub(crate) fn doubt(&mut self, Attempt { channel, group, told }: Attempt) {
        let entries = self.channels.entry(channel).or_default();
        entries.entry(group).or_insert(Told { uncertain: true, ..told });
    }

    pub(crate) fn strike(&mut self, channel: &Name, group: &Fingerprint) {
        if let Some(entries) = self.channels.get_mut(channel) {
            entries.remove(group);
        }
    }

    /// Whether any channel knows of the group.
    pub(crate) fn knows(&self, group: &Fingerprint) -> bool {
        self.channels.values().any(|entries| entries.contains_key(group))
    }

    /// How many groups channels were told of.
    pub(crate) fn len(&self) -> usize {
        self.channels.values().map(BTreeMap::len).sum()
    }

    /// Forgets channels that are no more; tells how many entries were dropped.
    pub(crate) fn keep_only(&mut self, channels: &[Name]) -> usize {
        let before = self.len();
        self.channels.retain(|channel, _| channels.contains(channel));
        before - self.len()
    }
}
