//! How bad a message is, in a word.

use super::{Block, Rendered, Text};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sink) enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub(in crate::sink) fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// From the words kpulse and the incident platforms use.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "info" | "low" => Some(Self::Info),
            "warning" | "warn" | "high" | "moderate" => Some(Self::Warning),
            "critical" | "crit" | "error" => Some(Self::Critical),
            _ => None,
        }
    }
}

/// Whether it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sink) enum State {
    Firing,
    Resolved,
}

impl State {
    pub(in crate::sink) fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

enum Tone {
    Severity(Severity),
    Resolved,
}

/// The signs kpulse and its peers put first, and what they stand for.
const SIGNS: [(&str, Tone); 13] = [
    ("🔴", Tone::Severity(Severity::Critical)),
    ("🚨", Tone::Severity(Severity::Critical)),
    ("[!!]", Tone::Severity(Severity::Critical)),
    ("🟠", Tone::Severity(Severity::Warning)),
    ("🟡", Tone::Severity(Severity::Warning)),
    ("⚠", Tone::Severity(Severity::Warning)),
    ("[!]", Tone::Severity(Severity::Warning)),
    ("🔵", Tone::Severity(Severity::Info)),
    ("ℹ", Tone::Severity(Severity::Info)),
    ("[i]", Tone::Severity(Severity::Info)),
    ("✅", Tone::Resolved),
    ("🟢", Tone::Resolved),
    ("[OK]", Tone::Resolved),
];

impl Rendered {
    /// Fills in severity and state from the first sign a reader sees, where the format has no field for them.
    pub(super) fn toned(mut self) -> Self {
        if self.severity.is_some() || self.state.is_some() {
            return self;
        }
        let first = self.first_words();
        let tone = SIGNS.iter().find(|(sign, _)| first.trim_start().starts_with(sign)).map(|(_, tone)| tone);
        match tone {
            Some(Tone::Severity(severity)) => self.severity = Some(*severity),
            Some(Tone::Resolved) => self.state = Some(State::Resolved),
            None if first.contains("[RESOLVED]") => self.state = Some(State::Resolved),
            None => {}
        }
        self
    }

    fn first_words(&self) -> String {
        if self.title.is_empty() {
            first_text(&self.blocks).map(Text::plain).unwrap_or_default()
        } else {
            self.title.plain()
        }
    }
}

fn first_text(blocks: &[Block]) -> Option<&Text> {
    blocks.iter().find_map(|block| match block {
        Block::Heading(text) | Block::Paragraph(text) if !text.is_empty() => Some(text),
        Block::Panel { blocks, .. } | Block::Quote(blocks) => first_text(blocks),
        _ => None,
    })
}
