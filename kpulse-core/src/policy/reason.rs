//! Why something is not told: every decision not to tell is one of these values. They travel to `kpulse explain` and to
//! the metrics.

use std::fmt;

use jiff::Timestamp;

use crate::monitors::MonitorName;
use crate::{AlertKey, Name};

/// Why an alert is not told to a channel now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is present but not due yet; nothing if that depends on what is seen next.
    Pending {
        /// When it is due.
        due: Option<Timestamp>,
    },
    /// The monitor is switched off.
    MonitorOff(MonitorName),
    /// Its namespace is excluded, or not selected.
    NamespaceExcluded(Name),
    /// An annotation on it, its owner or its namespace says to ignore it.
    Ignored,
    /// Its namespace is being deleted.
    Terminating,
    /// A silence holds.
    Silenced {
        /// Why, as its author says.
        reason: String,
        /// Until when; nothing for ever.
        until: Option<Timestamp>,
    },
    /// Something else explains it, and counts it.
    Inhibited {
        /// What explains it.
        by: AlertKey,
    },
    /// What explained it is over; it is told if it is not over soon as well.
    Settling {
        /// When.
        until: Timestamp,
    },
    /// It happened while it was silenced or explained, and is not told later.
    Dropped,
    /// No route leads to the channel.
    NotRouted,
    /// The channel opens incidents, and this is nothing that has an end.
    NoIncident,
    /// Not every watch has listed yet, or kpulse just woke up.
    NotReady,
    /// This replica does not lead.
    Standby,
    /// It was broken before kpulse first looked: it goes out in the summary.
    Summary,
    /// It waits for the next digest.
    Digest {
        /// When that is.
        at: Timestamp,
    },
    /// It waits for the next word about a storm.
    Storm {
        /// When that is.
        at: Timestamp,
    },
    /// The channel knows: there is nothing new.
    Told,
    /// The channel was told of it lately, and hears what is new later.
    Spaced {
        /// When.
        at: Timestamp,
    },
    /// Its members were deleted and their workload was not: what replaces them may join.
    Lingering {
        /// Until when.
        until: Timestamp,
    },
    /// It waits for its turn behind other messages.
    Queued,
    /// It is on its way.
    InFlight,
    /// The channel cannot be told anything before.
    Paused {
        /// Before when.
        until: Timestamp,
    },
    /// The channel would not take the message.
    Refused,
    /// Its end is not told: ends are switched off.
    EndsOff,
    /// Its end is not told: it happens rather than lasts.
    NoEnd,
}

impl Reason {
    /// The word used as a label in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::MonitorOff(_) => "monitor_off",
            Self::NamespaceExcluded(_) => "namespace_excluded",
            Self::Ignored => "ignored",
            Self::Terminating => "terminating",
            Self::Silenced { .. } => "silenced",
            Self::Inhibited { .. } => "inhibited",
            Self::Settling { .. } => "settling",
            Self::Dropped => "dropped",
            Self::NotRouted => "not_routed",
            Self::NoIncident => "no_incident",
            Self::NotReady => "not_ready",
            Self::Standby => "standby",
            Self::Summary => "summary",
            Self::Digest { .. } => "digest",
            Self::Storm { .. } => "storm",
            Self::Told => "told",
            Self::Spaced { .. } => "spaced",
            Self::Lingering { .. } => "lingering",
            Self::Queued => "queued",
            Self::InFlight => "in_flight",
            Self::Paused { .. } => "paused",
            Self::Refused => "refused",
            Self::EndsOff => "ends_off",
            Self::NoEnd => "no_end",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending { due: Some(due) } => write!(f, "not due before {due}"),
            Self::Pending { due: None } => f.write_str("not due: it waits for something to be seen"),
            Self::MonitorOff(monitor) => write!(f, "monitor {monitor} is switched off"),
            Self::NamespaceExcluded(namespace) => write!(f, "namespace {namespace} is not looked at"),
            Self::Ignored => f.write_str("annotation kpulse.io/ignore says to leave it alone"),
            Self::Terminating => f.write_str("its namespace is being deleted"),
            Self::Silenced { reason, until } => {
                f.write_str("silenced")?;
                if let Some(until) = until {
                    write!(f, " until {until}")?;
                }
                if reason.is_empty() { Ok(()) } else { write!(f, ": {reason}") }
            }
            Self::Inhibited { by } => write!(f, "explained by {} {}", by.monitor, by.object),
            Self::Settling { until } => write!(f, "what explained it is over; told at {until} if it lasts"),
            Self::Dropped => f.write_str("it happened while it was silenced or explained"),
            Self::NotRouted => f.write_str("no route leads there"),
            Self::NoIncident => f.write_str("no incident: it happened, and has no end"),
            Self::NotReady => f.write_str("the cluster is not known well enough yet"),
            Self::Standby => f.write_str("another replica leads"),
            Self::Summary => f.write_str("it was broken before: it goes out in the first summary"),
            Self::Digest { at } => write!(f, "in the digest at {at}"),
            Self::Storm { at } => write!(f, "with the storm's next message at {at}"),
            Self::Told => f.write_str("told; nothing is new"),
            Self::Spaced { at } => write!(f, "told lately; again at {at}"),
            Self::Lingering { until } => write!(f, "deleted; until {until} something may replace it"),
            Self::Queued => f.write_str("waits for its turn"),
            Self::InFlight => f.write_str("on its way"),
            Self::Paused { until } => write!(f, "the channel is left in peace until {until}"),
            Self::Refused => f.write_str("the channel would not take it"),
            Self::EndsOff => f.write_str("ends are not told: resolution.enabled is false"),
            Self::NoEnd => f.write_str("what happens has no end to be told"),
        }
    }
}
