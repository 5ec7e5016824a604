//! What Telegram is sent of a message.

use kpulse_core::Notification;
use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, card};
use crate::links::Links;
use crate::markup::{self, fit, fit_lines};

/// The longest headline, cause, quote, command, value and footer, in characters with all tags and entities: together
/// below 4,096, which Telegram counts without them.
const HEADLINE: usize = 350;
const CAUSE: usize = 900;
const QUOTE: usize = 1_000;
const LINES: usize = 1_400;
const COMMAND: usize = 280;
const VALUE: usize = 180;
const NAME: usize = 40;
const FOOTER: usize = 200;

/// The message as HTML, without where it goes.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    written(&text(&card(notification, links)))
}

/// A line by itself.
pub(super) fn aside(headline: &str) -> Value {
    written(&escaped(headline, HEADLINE))
}

fn written(text: &str) -> Value {
    json!({"text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": true}})
}

fn text(card: &Card) -> String {
    let mut parts = vec![format!("<b>{}</b>", escaped(&card.headline, HEADLINE))];
    if !card.cause.is_empty() {
        parts.push(escaped(&card.cause.join("\n"), CAUSE));
    }
    if !card.quote.is_empty() {
        parts.push(format!("<pre>{}</pre>", code(&card.quote.join("\n"), QUOTE)));
    }
    parts.push(fit_lines(&card.lines, LINES, char::len_utf16, escape));
    parts.extend(card.commands.iter().map(command));
    let facts: Vec<_> = card.facts.iter().map(fact).collect();
    parts.push(facts.join("\n"));
    // Not buttons: for an address that Telegram does not like, one within a company, it would refuse the whole message.
    let link = |Link { name, url }: &Link| {
        let url = url.replace('&', "&amp;");
        format!("<a href=\"{url}\">{}</a>", escaped(name, NAME))
    };
    parts.push(card.links.iter().map(link).collect::<Vec<_>>().join(" · "));
    parts.push(format!("<i>{}</i>", escaped(&card.footer, FOOTER)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn command(Command { label, text }: &Command) -> String {
    let label = label.map_or_else(String::new, |label| format!("{label} "));
    format!("{label}<code>{}</code>", code(text, COMMAND))
}

fn fact(Fact { name, value }: &Fact) -> String {
    format!("{name}: {}", escaped(value, VALUE))
}

/// Somebody else's words: no tags, and nobody mentioned.
fn escaped(text: &str, limit: usize) -> String {
    fit(text, limit, char::len_utf16, escape)
}

const fn escape(c: char) -> Option<&'static str> {
    match c {
        '@' => Some("@\u{200b}"),
        c => markup::html(c),
    }
}

/// Within tags for code, where nobody is mentioned; what stands there is to be copied.
fn code(text: &str, limit: usize) -> String {
    fit(text, limit, char::len_utf16, markup::html)
}
