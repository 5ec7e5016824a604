//! What Discord is sent of a message.

use kpulse_core::Notification;
use serde_json::{Value, json};

use crate::card::{Card, Fact, card};
use crate::markup::{self, fit};

/// The longest title, description, value of a field, and footer, in characters. The last three are shorter than
/// Discord allows, for all must not be more than 6,000 together.
const TITLE: usize = 256;
const DESCRIPTION: usize = 2_500;
const VALUE: usize = 400;
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

/// The cause, and below it the command, which is never cut for a long cause.
fn description(card: &Card) -> String {
    let command = card.command.as_ref().map(|command| format!("`{}`", fit(command, VALUE, char::len_utf16, code)));
    let left = DESCRIPTION - command.as_ref().map_or(0, |command| command.encode_utf16().count() + 1);
    let cause = marked(&card.cause.join("\n"), left);
    [cause, command.unwrap_or_default()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
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

/// Within backticks, where there can be none.
const fn code(c: char) -> Option<&'static str> {
    match c {
        '`' => Some("'"),
        _ => None,
    }
}
