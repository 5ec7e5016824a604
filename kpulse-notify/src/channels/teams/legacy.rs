//! The MessageCard, in the earlier program's colours.

use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, Tone};
use crate::markup::{self, fit};

/// The longest text, in characters.
const TEXT: usize = 2_400;

/// The most lines of a bulletin.
const LINES: usize = 20;

pub(super) fn payload(card: &Card) -> Value {
    let fact = |Fact { name, value }: &Fact| json!({"name": name, "value": marked(value)});
    let mut message = json!({
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "themeColor": colour(card.tone),
        "summary": fit(&card.headline, TEXT, char::len_utf16, markup::plain),
        "title": marked(&card.headline),
        "sections": [{
            "text": text(card),
            "facts": card.facts.iter().map(fact).collect::<Vec<_>>(),
            "markdown": true,
        }, {"text": marked(&card.footer)}],
    });
    // It shows four at most.
    let open = |Link { name, url }: &Link| json!({"@type": "OpenUri", "name": name, "targets": [{"os": "default", "uri": url}]});
    if !card.links.is_empty() {
        message["potentialAction"] = card.links.iter().take(4).map(open).collect();
    }
    message
}

/// In Markdown a line ends with an empty one.
fn text(card: &Card) -> String {
    let mut lines: Vec<_> = card.cause.iter().map(|line| marked(line)).collect();
    lines.extend(card.quote.iter().map(|line| code(line)));
    lines.extend(card.lines.first(LINES).map(|line| marked(&line)));
    lines.extend(card.commands.iter().map(command));
    lines.join("\n\n")
}

fn command(Command { label, text }: &Command) -> String {
    label.map_or_else(|| code(text), |label| format!("{label} {}", code(text)))
}

fn code(text: &str) -> String {
    format!("`{}`", fit(text, TEXT, char::len_utf16, markup::code))
}

const fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Critical => "D13438",
        Tone::Warning => "FFA500",
        Tone::Info => "0078D7",
        Tone::Resolved => "10B981",
    }
}

fn marked(text: &str) -> String {
    fit(text, TEXT, char::len_utf16, super::markdown)
}
