//! `kpulse replay --against`: what two configurations would have said differently about the same cluster.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};
use kpulse_core::settings::Span;
use kpulse_core::{AlertState, Content, Notification, Report};
use serde::Serialize;

use super::Said;

/// A message, and when it was heard.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) at: Timestamp,
    pub(super) notification: Notification,
}

/// How one message differs.
#[derive(Debug)]
enum Change {
    Appears(Heard),
    Disappears(Heard),
    /// The same, at another time.
    Moves {
        from: Timestamp,
        to: Heard,
    },
}

/// What differs, in the order of time.
#[derive(Debug)]
pub(super) struct Difference {
    changes: Vec<Change>,
    same: usize,
}

impl Heard {
    /// Whether it is the same message, perhaps at another time: who is told what of whom. A message about several
    /// troubles is never the same as one of another time.
    fn is_like(&self, other: &Self) -> bool {
        let (mine, others) = (&self.notification, &other.notification);
        let (Content::Report(a), Content::Report(b)) = (&mine.content, &others.content) else { return false };
        let of = |report: &Report| (report.fingerprint.clone(), report.state, report.severity, report.ending);
        (&mine.channel, mine.why) == (&others.channel, others.why) && of(a) == of(b)
    }

    /// Whether people would see no difference.
    fn is_same(&self, other: &Self) -> bool {
        let (mine, others) = (&self.notification, &other.notification);
        let reads_the_same = match (&mine.content, &others.content) {
            (Content::Bulletin(a), Content::Bulletin(b)) => mine.channel == others.channel && a == b,
            (a, b) => self.is_like(other) && a.title() == b.title(),
        };
        self.at == other.at && reads_the_same
    }
}

impl Difference {
    /// Between what was heard `before`, and what is heard with the other configuration.
    pub(super) fn between(mut before: Vec<Heard>, after: Vec<Heard>) -> Self {
        let (mut changes, mut same, mut new) = (Vec::new(), 0, Vec::new());
        for heard in after {
            match before.iter().position(|old| old.is_same(&heard)) {
                Some(old) => {
                    before.remove(old);
                    same += 1;
                }
                None => new.push(heard),
            }
        }
        for heard in new {
            changes.push(match before.iter().position(|old| old.is_like(&heard)) {
                Some(old) => Change::Moves { from: before.remove(old).at, to: heard },
                None => Change::Appears(heard),
            });
        }
        changes.extend(before.into_iter().map(Change::Disappears));
        changes.sort_by_key(|change| change.heard().at);
        Self { changes, same }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// A line each for a person, and how many there are.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        self.changes.iter().try_for_each(|change| change.print(out))?;
        let count = |is: fn(&Change) -> bool| self.changes.iter().filter(|change| is(change)).count();
        let more = count(|change| matches!(change, Change::Appears(_)));
        let fewer = count(|change| matches!(change, Change::Disappears(_)));
        let moved = count(|change| matches!(change, Change::Moves { .. }));
        writeln!(out, "{more} more, {fewer} fewer, {moved} at another time, {} the same", self.same)
    }

    /// A JSON line for each.
    pub(super) fn write_json(&self, out: &mut impl Write) -> anyhow::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            change: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            instead_of: Option<String>,
            #[serde(flatten)]
            said: Said<'a>,
        }
        for change in &self.changes {
            let (change, instead_of, heard) = match change {
                Change::Appears(heard) => ("appears", None, heard),
                Change::Disappears(heard) => ("disappears", None, heard),
                Change::Moves { from, to } => ("moves", Some(format!("{from:.3}")), to),
            };
            let said = Said::new(heard.at, &heard.notification);
            serde_json::to_writer(&mut *out, &Line { change, instead_of, said })?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Change {
    fn heard(&self) -> &Heard {
        match self {
            Self::Appears(heard) | Self::Disappears(heard) | Self::Moves { to: heard, .. } => heard,
        }
    }

    /// `+ 11-22 17:05:12  slack  critical  checkout/api: 3 Pods crash-looping`.
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Heard { at, notification } = self.heard();
        let (sign, colour, moved) = match self {
            Self::Appears(_) => ("+", AnsiColor::Green, String::new()),
            Self::Disappears(_) => ("-", AnsiColor::Red, String::new()),
            Self::Moves { from, .. } => ("~", AnsiColor::Yellow, format!("  ({})", moved(at.duration_since(*from)))),
        };
        let style: Style = colour.on_default();
        let content = &notification.content;
        let word = match content.state() {
            AlertState::Firing => content.severity().as_str(),
            AlertState::Resolved => "resolved",
        };
        let (at, channel, title) = (at.strftime("%m-%d %H:%M:%S"), &notification.channel, content.title());
        writeln!(out, "{style}{sign}{style:#} {at}  {channel}  {word:8}  {title}{moved}")
    }
}

fn moved(by: SignedDuration) -> String {
    let length = Span::seconds(by.abs().as_secs());
    if by.is_negative() { format!("{length} earlier") } else { format!("{length} later") }
}
