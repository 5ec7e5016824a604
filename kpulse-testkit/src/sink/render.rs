//! What a person would see of a message: from each platform's wire format to one small neutral model.
//!
//! Everything here is a pure function from bytes to [`Rendered`]; making HTML of it is the page's matter. Wire formats are
//! read with tolerance: a field of an odd type is skipped, and a body that is not what its path promises is shown as it is.

mod chat;
mod discord;
mod googlechat;
mod incident;
mod markup;
mod slack;
mod tags;
mod teams;
mod tone;
mod webhook;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;

use super::raw;
use super::record::{Kind, Message};

pub(super) use tone::{Severity, State};

/// The longest line, in characters.
const LINE: usize = 200;

/// A message as a reader sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rendered {
    /// Said by the message, or told by its colour or first sign.
    pub(super) severity: Option<Severity>,
    pub(super) state: Option<State>,
    /// `#rrggbb`, where the platform draws a coloured edge.
    pub(super) colour: Option<String>,
    /// What the platform shows as the message's heading; empty if its first paragraph is all there is.
    pub(super) title: Text,
    pub(super) blocks: Vec<Block>,
    /// What a phone shows, where the message carries words of its own for that.
    pub(super) notification: Option<String>,
    /// To whom, as whom, and whether it replaces an earlier message: "in #alerts".
    pub(super) addressed: Vec<String>,
}

/// A piece of a message that stands by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    Heading(Text),
    Paragraph(Text),
    /// Small print: context, footers.
    Note(Text),
    Quote(Vec<Self>),
    Code(String),
    List(Vec<Text>),
    /// Name and value.
    Facts(Vec<(String, Text)>),
    /// Buttons that open a link.
    Links(Vec<Text>),
    /// A card, embed or attachment within the message, with its edge's colour.
    Panel {
        colour: Option<String>,
        blocks: Vec<Self>,
    },
    Rule,
}

/// Running text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) Vec<Span>);

/// Letters that look alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) link: Option<String>,
}

/// How letters look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
}

/// What a person would see of `message`; as it was sent, if that is in no format we know.
pub(super) fn render(message: &Message) -> Rendered {
    let rendered = match (&message.kind, message.json()) {
        (Kind::Ntfy, body) => chat::ntfy(message, body.as_ref()),
        (_, None) => Rendered::default(),
        (kind, Some(body)) => of_json(kind, &body, message.at),
    };
    if rendered.title.is_empty() && rendered.blocks.is_empty() {
        return plain(&raw::indented(&message.text()));
    }
    rendered.toned()
}

/// What the body says in the format of `kind`; nothing, if it is not in it.
fn of_json(kind: &Kind, body: &Value, at: Timestamp) -> Rendered {
    match kind {
        Kind::Webhook => webhook::render(body),
        Kind::Slack => slack::render(body),
        Kind::Mattermost => chat::mattermost(body),
        Kind::Discord => discord::render(body),
        Kind::Teams => teams::render(body),
        Kind::PagerDuty => incident::pagerduty(body),
        Kind::Alertmanager => incident::alertmanager(body, at),
        Kind::Telegram => chat::telegram(body),
        Kind::GoogleChat => googlechat::render(body),
        // Any path may be given to kpulse's webhook channel.
        Kind::Other(_) | Kind::Ntfy => webhook::render(body),
    }
}

fn plain(text: &str) -> Rendered {
    let blocks = if text.is_empty() { Vec::new() } else { vec![Block::Code(text.to_owned())] };
    Rendered { blocks, ..Rendered::default() }
}

/// The text of a field; empty if it is absent or no text.
fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The items of a field; none if it is absent or no list.
fn items_of<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A value in a fact: text as it is, anything else as JSON.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

impl Rendered {
    /// The whole message without markup.
    pub(super) fn plain(&self) -> String {
        let mut lines = Vec::new();
        if !self.title.is_empty() {
            lines.push(self.title.plain());
        }
        write_blocks(&self.blocks, "", &mut lines);
        lines.join("\n")
    }

    /// The message on one line, for a terminal: no line break, nothing that moves the cursor or turns text around.
    pub(super) fn line(&self) -> String {
        let told = self.plain();
        let first = match self.blocks.first() {
            // JSON we do not know begins with a lone brace.
            Some(Block::Code(_)) if self.title.is_empty() => told.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => told.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(empty)").to_owned(),
        };
        let words: &[Option<&str>] = match (self.state, self.severity) {
            // A resolve is good news, whatever it was.
            (Some(State::Resolved), _) => &[Some(State::Resolved.word())],
            (state, severity) => &[severity.map(Severity::word), state.map(State::word)],
        };
        let mut line: String = words.iter().flatten().map(|word| format!("{word} ")).collect();
        line.extend(first.chars().filter(|c| !c.is_control() && !turns(*c)).take(LINE));
        line
    }
}

/// Whether a character shows nothing but turns the text around it: a trick to show what is not written.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A block without markup.
fn block_plain(block: &Block) -> String {
    let mut lines = Vec::new();
    write_blocks(std::slice::from_ref(block), "", &mut lines);
    lines.join("\n")
}

fn write_blocks(blocks: &[Block], indent: &str, lines: &mut Vec<String>) {
    let mut put = |text: String| lines.extend(text.lines().map(|line| format!("{indent}{line}")));
    for block in blocks {
        match block {
            Block::Heading(text) | Block::Paragraph(text) | Block::Note(text) => put(text.plain()),
            Block::Code(text) => put(text.clone()),
            Block::List(items) => items.iter().for_each(|item| put(format!("- {}", item.plain()))),
            Block::Facts(facts) => facts.iter().for_each(|(name, value)| put(format!("{name}: {}", value.plain()))),
            Block::Links(links) => links.iter().for_each(|link| put(link.plain_with_links())),
            Block::Rule => put("---".to_owned()),
            Block::Quote(inner) | Block::Panel { blocks: inner, .. } => {
                let mut nested = Vec::new();
                write_blocks(inner, if matches!(block, Block::Quote(_)) { "> " } else { "" }, &mut nested);
                put(nested.join("\n"));
            }
        }
    }
}

impl Text {
    /// Text as it is, without markup.
    pub(super) fn plainly(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::default() } else { Self(vec![Span { text, ..Span::default() }]) }
    }

    /// Text that opens a link.
    fn link(text: impl Into<String>, to: &str) -> Self {
        let text = text.into();
        let text = if text.is_empty() { to.to_owned() } else { text };
        Self(vec![Span { text, style: Style::default(), link: Some(to.to_owned()) }])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|span| span.text.trim().is_empty())
    }

    pub(super) fn plain(&self) -> String {
        self.0.iter().map(|span| span.text.as_str()).collect()
    }

    fn plain_with_links(&self) -> String {
        let one = |span: &Span| match &span.link {
            Some(link) if *link != span.text => format!("{} ({link})", span.text),
            _ => span.text.clone(),
        };
        self.0.iter().map(one).collect()
    }
}
