//! What Slack is sent of a message.

use kpulse_core::Notification;
use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, card};
use crate::links::Links;
use crate::markup::{self, fit};

/// The longest header, section and field, in characters.
const HEADER: usize = 150;
const SECTION: usize = 3_000;
const FIELD: usize = 2_000;

/// The most lines of a bulletin, the most of them in a section, and the longest command as it is written.
const LINES: usize = 20;
const LINES_IN_SECTION: usize = 10;
const COMMAND: usize = 480;

/// The longest name of a link as it is written.
const NAME: usize = 200;

/// The message: a header, and below it a panel in its colour.
#[must_use]
pub fn payload(notification: &Notification, links: &Links) -> Value {
    let card = card(notification, links);
    json!({
        "text": mrkdwn(&card.headline, SECTION),
        "blocks": [{"type": "header", "text": plain(&card.headline, HEADER)}],
        "attachments": [{
            "color": card.tone.hex(),
            "fallback": fit(&card.headline, SECTION, char::len_utf16, markup::plain),
            "blocks": panel(&card),
        }],
    })
}

/// The message as the API takes it, to be posted or to replace one.
pub(super) fn post(notification: &Notification, links: &Links, channel: &str) -> Value {
    addressed(payload(notification, links), channel)
}

/// A line in a message's thread; a loud one is shown in the channel too.
pub(super) fn reply(headline: &str, channel: &str, thread: &str, loud: bool) -> Value {
    let body = json!({"text": mrkdwn(headline, SECTION), "thread_ts": thread, "reply_broadcast": loud});
    addressed(body, channel)
}

/// With the channel, and nothing in the text turned into links or mentions: an update would do so by default.
fn addressed(mut body: Value, channel: &str) -> Value {
    body["channel"] = json!(channel);
    body["parse"] = json!("none");
    for off in ["link_names", "unfurl_links", "unfurl_media"] {
        body[off] = json!(false);
    }
    body
}

fn panel(card: &Card) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !card.cause.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&card.cause.join("\n"), SECTION)}));
    }
    if !card.quote.is_empty() {
        let quote = format!("```\n{}\n```", fit(&card.quote.join("\n"), SECTION - 8, char::len_utf16, code));
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": quote}}));
    }
    for lines in card.lines.first(LINES).collect::<Vec<_>>().chunks(LINES_IN_SECTION) {
        blocks.push(json!({"type": "section", "text": plain(&lines.join("\n"), SECTION)}));
    }
    if !card.commands.is_empty() {
        let commands: Vec<_> = card.commands.iter().map(command).collect();
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": commands.join("\n")}}));
    }
    if !card.facts.is_empty() {
        blocks.push(json!({"type": "section", "fields": card.facts.iter().map(field).collect::<Vec<_>>()}));
    }
    if !card.links.is_empty() {
        let links: Vec<_> = card.links.iter().map(link).collect();
        blocks.push(json!({"type": "context", "elements": links}));
    }
    blocks.push(json!({"type": "context", "elements": [plain(&card.footer, FIELD)]}));
    blocks
}

/// `Quiet it:` and a command in backticks.
fn command(Command { label, text }: &Command) -> String {
    let code = fit(text, COMMAND, char::len_utf16, code);
    label.map_or_else(|| format!("`{code}`"), |label| format!("{label} `{code}`"))
}

/// Not a button: one would ask an app for an answer that nobody gives, and Slack show a warning.
fn link(Link { name, url }: &Link) -> Value {
    json!({"type": "mrkdwn", "text": format!("<{}|{}>", url.replace('&', "&amp;"), mrkdwn(name, NAME))})
}

fn field(Fact { name, value }: &Fact) -> Value {
    let value = mrkdwn(value, FIELD - name.len() - 3);
    json!({"type": "mrkdwn", "text": format!("*{name}*\n{value}")})
}

/// Text in which no word means anything to Slack: no mark, no mention, no `:100:`.
fn plain(text: &str, limit: usize) -> Value {
    json!({"type": "plain_text", "emoji": false, "text": fit(text, limit, char::len_utf16, markup::plain)})
}

fn mrkdwn(text: &str, limit: usize) -> String {
    fit(text, limit, char::len_utf16, |c| match c {
        // `@here` notifies only where names are linked; a space of no width keeps it from ever doing so.
        '@' => Some("@\u{200b}"),
        c => markup::html(c),
    })
}

/// Within backticks.
fn code(c: char) -> Option<&'static str> {
    markup::code(c).or(markup::html(c))
}
