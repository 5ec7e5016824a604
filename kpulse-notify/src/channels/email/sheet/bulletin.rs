//! What a mail shows of several troubles.

use jiff::Timestamp;
use kpulse_core::{AlertState, Bulletin, BulletinKind, BulletinLine, Notification, Severity};

use super::{Fact, Sheet, footer, hue, instant, notes};
use crate::text;

/// The most lines: those beyond are counted.
const LINES: usize = 50;

/// The longest line, in characters.
const LINE: usize = 200;

/// A trouble in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Told {
    pub(in super::super) mark: &'static str,
    pub(in super::super) text: String,
    /// `since 13:54 UTC`; empty for what is over.
    pub(in super::super) since: String,
}

pub(super) fn sheet(notification: &Notification, bulletin: &Bulletin) -> Sheet {
    let (state, icon, colour) = look(bulletin);
    let told: Vec<_> = bulletin.lines.iter().take(LINES).map(|line| told(line, bulletin.at)).collect();
    let body: Vec<_> = text::lines(&bulletin.lead);
    let first = told.iter().take(3).map(|line| format!("{} {}", line.mark, line.text));
    let preheader = text::line(&body.iter().cloned().chain(first).collect::<Vec<_>>().join(" · "));
    Sheet {
        title: text::line(&bulletin.title),
        cluster: text::line(&bulletin.cluster),
        state,
        icon,
        colour,
        preheader,
        notes: notes(notification),
        body,
        commands: text::message(notification).commands,
        links: Vec::new(),
        text_facts: facts(bulletin),
        html_facts: Vec::new(),
        more_told: bulletin.more + bulletin.lines.len().saturating_sub(told.len()),
        told,
        log: Vec::new(),
        log_heading: String::new(),
        members: Vec::new(),
        members_heading: "",
        more_members: 0,
        footer: footer(&bulletin.cluster),
    }
}

/// The banner's word, icon and colour.
const fn look(bulletin: &Bulletin) -> (&'static str, &'static str, &'static str) {
    let is_over = matches!(bulletin.state, AlertState::Resolved);
    let colour = hue(bulletin.state, bulletin.severity);
    match bulletin.kind {
        // No alarm: its lines have colours of their own.
        BulletinKind::Digest => ("DIGEST", "≡", "#334155"),
        BulletinKind::Storm if is_over => ("STORM OVER", "✓", colour),
        BulletinKind::Storm => ("STORM", "!!", colour),
        BulletinKind::Summary => ("SUMMARY", "≡", colour),
        BulletinKind::Reminder => ("STILL BROKEN", "!", colour),
        BulletinKind::Back => ("BACK", "↺", colour),
        BulletinKind::Test => ("TEST", "i", hue(AlertState::Firing, Severity::Info)),
    }
}

fn told(line: &BulletinLine, at: Timestamp) -> Told {
    Told {
        mark: text::emoji(line.state, line.severity),
        text: text::clip(text::line(&line.text), LINE),
        since: match line.state {
            AlertState::Firing => text::since(line.since, at),
            AlertState::Resolved => String::new(),
        },
    }
}

fn facts(bulletin: &Bulletin) -> Vec<Fact> {
    let fact = |label, value: &str| Fact { label, value: text::line(value) };
    let mut facts = vec![
        fact("Cluster", &bulletin.cluster),
        fact("Severity", bulletin.severity.as_str()),
        fact("Monitor", bulletin.kind.as_str()),
        fact("FiredAt", &instant(bulletin.at)),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts
}
