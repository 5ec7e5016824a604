//! What Discord is sent of a message.

use kpulse_core::Notification;
use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, card};
use crate::links::Links;
use crate::markup::{self, fit, fit_lines, whole};

/// The longest title, description, what stands in it, value of a field, and footer, in characters. All but the first are
/// shorter than Discord allows, for together they must not be more than 6,000.
const TITLE: usize = 256;
const DESCRIPTION: usize = 3_200;
const QUOTE: usize = 1_000;
const LINES: usize = 1_900;
const COMMAND: usize = 310;
const LINKS: usize = 1_024;
const VALUE: usize = 220;
const FOOTER: usize = 300;

/// The longest text that is no embed.
const CONTENT: usize = 2_000;

/// The message: one embed in its colour.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    let card = card(notification, links);
    json!({
        "embeds": [{
            "title": marked(&card.headline, TITLE),
            "description": description(&card),
            "color": card.tone.rgb(),
            "fields": card.facts.iter().map(field).chain(link_field(&card.links)).collect::<Vec<_>>(),
            "footer": {"text": fit(&card.footer, FOOTER, char::len_utf16, markup::plain)},
        }],
        "allowed_mentions": {"parse": []},
    })
}

/// A line by itself.
pub(super) fn aside(headline: &str) -> Value {
    json!({"content": marked(headline, CONTENT), "allowed_mentions": {"parse": []}})
}

/// The cause, what the container said, what a bulletin tells, and what to copy: only the first is cut for the others.
fn description(card: &Card) -> String {
    let code = |text: &str, limit| fit(text, limit, char::len_utf16, markup::code);
    let command = |Command { label, text }: &Command| {
        let label = label.map_or_else(String::new, |label| format!("{label} "));
        format!("{label}`{}`", code(text, COMMAND))
    };
    let quote = (!card.quote.is_empty()).then(|| format!("```\n{}\n```", code(&card.quote.join("\n"), QUOTE)));
    let told = fit_lines(&card.lines, LINES, char::len_utf16, mark);
    let told = Some(told).filter(|told| !told.is_empty());
    let below: Vec<_> = quote.into_iter().chain(told).chain(card.commands.iter().map(command)).collect();
    let taken: usize = below.iter().map(|part| part.encode_utf16().count() + 1).sum();
    let cause = marked(&card.cause.join("\n"), DESCRIPTION - taken);
    let parts = std::iter::once(cause).chain(below).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

fn field(Fact { name, value }: &Fact) -> Value {
    json!({"name": name, "value": marked(value, VALUE), "inline": value.chars().count() <= 40})
}

/// Webhooks have no buttons.
fn link_field(links: &[Link]) -> Option<Value> {
    let written = links.iter().map(|Link { name, url }| format!("[{}]({url})", marked(name, VALUE)));
    let value = whole(written, LINKS, " · ");
    (!value.is_empty()).then(|| json!({"name": "Links", "value": value, "inline": false}))
}

/// In Discord's Markdown, where a backslash takes a mark's meaning.
fn marked(text: &str, limit: usize) -> String {
    fit(text, limit, char::len_utf16, mark)
}

const fn mark(c: char) -> Option<&'static str> {
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
}
