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

    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word {
            "firing" => Some(Self::Firing),
            "resolved" => Some(Self::Resolved),
            _ => None,
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

/// The emoji a short name stands for, of those that alerts use.
pub(super) fn emoji(name: &str) -> Option<&'static str> {
    let sign = match name {
        "rotating_light" => "🚨",
        "red_circle" => "🔴",
        "large_orange_circle" | "orange_circle" => "🟠",
        "large_yellow_circle" | "yellow_circle" => "🟡",
        "large_blue_circle" | "blue_circle" => "🔵",
        "large_green_circle" | "green_circle" => "🟢",
        "warning" => "⚠️",
        "information_source" => "ℹ️",
        "white_check_mark" | "heavy_check_mark" => "✅",
        "x" => "❌",
        "fire" => "🔥",
        "bell" => "🔔",
        "no_bell" => "🔕",
        "hourglass" => "⌛",
        "eyes" => "👀",
        "mag" => "🔍",
        "link" => "🔗",
        "memo" => "📝",
        _ => return None,
    };
    Some(sign)
}

/// `#rrggbb` of a colour as platforms write it: hex with or without `#`, or Slack's three names.
pub(super) fn colour(written: &str) -> Option<String> {
    let hex = match written {
        "good" => "2eb67d",
        "warning" => "ecb22e",
        "danger" => "e01e5a",
        other => other.trim_start_matches('#'),
    };
    let valid = matches!(hex.len(), 3 | 6) && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| format!("#{}", hex.to_ascii_lowercase()))
}

/// The colour of an Adaptive Card's container style.
pub(super) fn colour_of_style(style: &str) -> Option<&'static str> {
    match style.to_ascii_lowercase().as_str() {
        "attention" => Some("#c4314b"),
        "warning" => Some("#f8d22a"),
        "good" => Some("#92c353"),
        "accent" => Some("#6264a7"),
        _ => None,
    }
}

impl Rendered {
    /// Fills in severity and state from the first sign a reader sees, or from a fact named so, where the format has no field
    /// for them.
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
            None => self.severity = severity_in(&self.blocks),
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

fn severity_in(blocks: &[Block]) -> Option<Severity> {
    blocks.iter().find_map(|block| match block {
        Block::Facts(facts) => {
            let (_, value) = facts.iter().find(|(name, _)| name.eq_ignore_ascii_case("severity"))?;
            Severity::from_word(value.plain().trim())
        }
        _ => None,
    })
}
