//! What Discord is sent of a message.

use kpulse_core::Notification;
use serde_json::{Value, json};

use crate::card::{Card, Fact, card};
use crate::markup::{self, fit};

/// The longest title, description and quote in it, value of a field, and footer, in characters. All but the first are
/// shorter than Discord allows, for together they must not be more than 6,000.
const TITLE: usize = 256;
const DESCRIPTION: usize = 3_200;
const QUOTE: usize = 1_200;
const VALUE: usize = 310;
const FOOTER: usize = 300;

/// The longest text that is no embed.
const CONTENT: usize = 2_000;

/// The message: one embed in its colour.
#[must_use]
pub fn payload(notification: &Notification) -> Value {
    let card = card(notification);
    json!({
        "embeds": [{
            "title": marked(&card.headline, TITLE),
            "description": description(&card),
            "color": card.tone.rgb(),
            "fields": card.facts.iter().map(field).collect::<Vec<_>>(),
            "footer": {"text": fit(&card.footer, FOOTER, char::len_utf16, markup::plain)},
        }],
        "allowed_mentions": {"parse": []},
    })
}

/// A line by itself.
pub(super) fn aside(card: &Card) -> Value {
    json!({"content": marked(&card.headline, CONTENT), "allowed_mentions": {"parse": []}})
}

/// The cause, what the container said, and the command: neither of the last two is cut for a long cause.
fn description(card: &Card) -> String {
    let code = |text: &str, limit| fit(text, limit, char::len_utf16, markup::code);
    let command = card.command.as_ref().map(|command| format!("`{}`", code(command, VALUE)));
    let quote = (!card.quote.is_empty()).then(|| format!("```\n{}\n```", code(&card.quote.join("\n"), QUOTE)));
    let below: Vec<_> = [quote, command].into_iter().flatten().collect();
    let taken: usize = below.iter().map(|part| part.encode_utf16().count() + 1).sum();
    let cause = marked(&card.cause.join("\n"), DESCRIPTION - taken);
    let parts = std::iter::once(cause).chain(below).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

fn field(Fact { name, value }: &Fact) -> Value {
    json!({"name": name, "value": marked(value, VALUE), "inline": value.chars().count() <= 40})
}

/// In Discord's Markdown, where a backslash takes a mark's meaning.
fn marked(text: &str, limit: usize) -> String {
    fit(text, limit, char::len_utf16, |c| {
        Some(match c {
            '\\' => "\\\\",
            '*' => "\\*",
            '_' => "\\_",
            '~' => "\\~",
            '`' => "\\`",
            '|' => "\\|",
            '>' => "\\>",
            '<' => "\\<",
            '[' => "\\[",
            ']' => "\\]",
            '#' => "\\#",
            _ => return None,
        })
    })
}
