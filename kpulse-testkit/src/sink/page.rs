//! The page: what arrived, newest first, as HTML that works before any script has run.
//!
//! The script only adds to it: it asks for [`card`]s as they arrive and writes times in the reader's zone.

mod html;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use self::html::{escaped, write_blocks, write_text};
use super::likeness::{self, Against};
use super::record::{Answer, Kind, Message};
use super::render::{Block, Rendered, Severity, State, Text};
use super::{CAPACITY, Snapshot, mask, raw};

pub(super) const SCRIPT: &str = include_str!("page/app.js");
pub(super) const STYLE: &str = include_str!("page/style.css");
pub(super) const ICON: &str = include_str!("page/favicon.svg");
const SHELL: &str = include_str!("page/page.html");
const EMPTY: &str = include_str!("page/empty.html");

const KEPT_OUT: &str = "<p class=\"note\">The body was too large to keep.</p>";
const EMPTY_BODY: &str = "<p class=\"note\">An empty body.</p>";

/// The most messages on one page.
const LENGTH: usize = 100;

/// The longest raw body on the page, in bytes; the whole is in `/api/messages`.
const RAW: usize = 64 << 10;

/// Which part of the log is shown, and where the reader found it.
pub(super) struct View<'a> {
    pub(super) kind: Option<Kind>,
    /// Only messages with a lower id: an older page, which does not change.
    pub(super) before: Option<u64>,
    /// The host as the reader's browser knows it.
    pub(super) host: &'a str,
}

/// The whole page.
pub(super) fn page(snapshot: &Snapshot, view: &View<'_>) -> String {
    let wanted = |message: &&Arc<Message>| {
        view.kind.as_ref().is_none_or(|kind| message.kind == *kind)
            && view.before.is_none_or(|before| message.id < before)
    };
    let mut newest = snapshot.messages.iter().rev().filter(wanted);
    let shown: Vec<_> = newest.by_ref().take(LENGTH).collect();
    let older = newest.next().and(shown.last()).map(|last| last.id);
    let cards: String = shown.iter().map(|message| card(message, &snapshot.messages)).collect();
    fill(SHELL, |name| match name {
        "kinds" => kinds(snapshot, view),
        "live" if view.before.is_none() => format!(" data-from=\"{}\"", escaped(&snapshot.event_id)),
        "kind" => {
            view.kind.as_ref().map(|kind| format!(" data-kind=\"{}\"", escaped(kind.as_str()))).unwrap_or_default()
        }
        "empty" if shown.is_empty() => empty(view),
        "cards" => cards.clone(),
        "older" => older.map(|id| older_link(view, id)).unwrap_or_default(),
        "dropped" if snapshot.dropped > 0 => {
            format!("<p>{} older messages made room: the last {CAPACITY} are kept.</p>", snapshot.dropped)
        }
        _ => String::new(),
    })
}

/// Puts what `value` says in the place of each `{{name}}`. What is put in is not looked at again.
fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, marked)) = rest.split_once("{{") {
        let (name, after) = marked.split_once("}}").unwrap_or((marked, ""));
        filled.push_str(before);
        filled.push_str(&value(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn kinds(snapshot: &Snapshot, view: &View<'_>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &snapshot.messages {
        *counts.entry(message.kind.as_str()).or_default() += 1;
    }
    let all = std::iter::once(("", "all", snapshot.messages.len()));
    let each = counts.iter().map(|(kind, count)| (*kind, *kind, *count));
    let asked = view.kind.as_ref().map(Kind::as_str).unwrap_or_default();
    let link = |(kind, label, count): (&str, &str, usize)| {
        let to = if kind.is_empty() { "/".to_owned() } else { format!("/?kind={}", in_query(kind)) };
        let current = if kind == asked { " aria-current=\"page\"" } else { "" };
        let (kind, label) = (escaped(kind), escaped(label));
        format!("<a href=\"{to}\" data-count=\"{kind}\"{current}>{label} <b>{count}</b></a>")
    };
    all.chain(each).map(link).collect()
}

fn older_link(view: &View<'_>, before: u64) -> String {
    let kind = view.kind.as_ref().map(|kind| format!("&amp;kind={}", in_query(kind.as_str()))).unwrap_or_default();
    format!("<p><a href=\"/?before={before}{kind}\">Older messages</a></p>")
}

/// A text as the value of a query, and safe in an attribute.
fn in_query(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn empty(view: &View<'_>) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    // The command is to be pasted into a shell.
    let host = if view.host.chars().all(usual) { view.host } else { "127.0.0.1:8081" };
    fill(EMPTY, |_host| escaped(host))
}

/// One message; what is new in it against the last one like it, of all those `known`, oldest first.
pub(super) fn card(message: &Message, known: &[Arc<Message>]) -> String {
    let rendered = message.rendered();
    let against = likeness::against(message, known.iter());
    let mut html = String::new();
    let tone = match (rendered.state, rendered.severity) {
        (Some(State::Resolved), _) => "resolved",
        (_, Some(severity)) => severity.word(),
        _ => "plain",
    };
    let kind = escaped(message.kind.as_str());
    let id = message.id;
    let missed = if message.accepted() { "" } else { " missed" };
    // Writing to a string does not fail.
    write!(
        html,
        "<article class=\"card {tone}{missed}\" id=\"m{id}\" data-id=\"{id}\" data-kind=\"{kind}\" tabindex=\"-1\">"
    )
    .ok();
    if let Some(colour) = &rendered.colour {
        html::write_edge(&mut html, colour);
    }
    write_head(&mut html, message, &rendered);
    match against {
        Some(against) if against.changes.is_empty() => {
            // What was told before stands on one line, until somebody opens it.
            let told = rendered.plain();
            let (first, before) = (escaped(told.lines().next().unwrap_or_default()), against.id);
            write!(
                html,
                "<details class=\"again\"><summary>{first} <a href=\"#m{before}\">as message {before}</a></summary>"
            )
            .ok();
            write_whole(&mut html, message, &rendered, None);
            html.push_str("</details>");
        }
        against => write_whole(&mut html, message, &rendered, against.as_ref()),
    }
    html.push_str("</article>\n");
    html
}

/// All there is to see of a message.
fn write_whole(html: &mut String, message: &Message, rendered: &Rendered, against: Option<&Against>) {
    html.push_str("<div class=\"said\">");
    write_title(html, &rendered.title);
    write_blocks(html, &rendered.blocks);
    if message.body.is_empty() {
        html.push_str(if message.answer == Answer::TooLarge { KEPT_OUT } else { EMPTY_BODY });
    }
    html.push_str("</div>");
    if let Some(against) = against {
        html::write_changes(html, against);
    }
    if let Some(notification) = &rendered.notification {
        write!(html, "<p class=\"phone\"><span>On a phone</span> {}</p>", escaped(notification)).ok();
    }
    write_raw(html, message);
}

fn write_head(html: &mut String, message: &Message, rendered: &Rendered) {
    html.push_str("<header class=\"meta\">");
    match (rendered.state, rendered.severity) {
        (Some(State::Resolved), severity) => {
            html.push_str("<span class=\"badge tone\">resolved</span>");
            if let Some(severity) = severity {
                write!(html, "<span class=\"soft\">was {}</span>", severity.word()).ok();
            }
        }
        (state, severity) => {
            for (class, word) in [("tone", severity.map(Severity::word)), ("state", state.map(State::word))] {
                if let Some(word) = word {
                    write!(html, "<span class=\"badge {class}\">{word}</span>").ok();
                }
            }
        }
    }
    write!(html, "<span class=\"kind\">{}</span>", escaped(message.kind.as_str())).ok();
    for addressed in &rendered.addressed {
        write!(html, "<span class=\"soft\">{}</span>", escaped(addressed)).ok();
    }
    if !message.accepted() {
        let class = if message.answer == Answer::Held { "waiting" } else { "refused" };
        write!(html, "<span class=\"badge {class}\">{}</span>", message.answer).ok();
    }
    let machine = message.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let human = message.at.strftime("%-d %b %H:%M:%S UTC");
    write!(
        html,
        "<a class=\"when\" href=\"#m{}\"><time datetime=\"{machine}\">{human}</time></a></header>",
        message.id
    )
    .ok();
}

fn write_title(html: &mut String, title: &Text) {
    if !title.is_empty() {
        html.push_str("<h2>");
        write_text(html, title);
        html.push_str("</h2>");
    }
}

fn write_raw(html: &mut String, message: &Message) {
    let path = mask::path(&message.path);
    let query = message.query.as_deref().map(|query| format!("?{}", mask::query(query))).unwrap_or_default();
    let size = message.body.len();
    let target = escaped(&format!("{} {path}{query}", message.method));
    write!(
        html,
        "<details class=\"raw\"><summary>Raw <code>{target}</code> <span class=\"soft\">{size} bytes</span></summary>"
    )
    .ok();
    let answer = message.answer;
    write!(
        html,
        "<p class=\"soft\">{}. Message {}.</p><dl class=\"headers\">",
        sentence(&answer.to_string()),
        message.id
    )
    .ok();
    for (name, value) in mask::headers(&message.headers) {
        write!(html, "<dt>{}</dt><dd>{}</dd>", escaped(&name), escaped(&value)).ok();
    }
    html.push_str("</dl>");
    if !message.body.is_empty() {
        write_blocks(html, &[Block::Code(raw_body(message))]);
    }
    html.push_str("</details>");
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn raw_body(message: &Message) -> String {
    let body = raw::indented(&message.text());
    if body.len() <= RAW {
        return body;
    }
    let cut = raw::beginning(&body, RAW);
    format!("{cut}\n… the rest is in /api/messages?after={}", message.id.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(
            fill("<{{a}}|{{b}}>", |name| if name == "a" { "{{b}}".to_owned() } else { "x".to_owned() }),
            "<{{b}}|x>"
        );
    }

    #[test]
    fn a_kind_from_a_path_is_safe_in_a_link() {
        assert_eq!(in_query("a\"&<é"), "a%22%26%3C%C3%A9");
    }
}
