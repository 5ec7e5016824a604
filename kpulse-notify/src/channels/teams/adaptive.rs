//! The Adaptive Card that a workflow posts.

use serde_json::{Value, json};

use crate::card::{Card, Command, Fact, Link, Tone};
use crate::markup::{self, fit};

/// The longest line of text, in characters: with each of them written as two, all stay well below 28 KB.
const TEXT: usize = 1_200;

/// The most lines of a bulletin.
const LINES: usize = 20;

/// A message whose one attachment is the card.
pub(super) fn payload(card: &Card) -> Value {
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": plain(&card.headline),
        "body": body(card),
    });
    if !card.links.is_empty() {
        let open = |Link { name, url }: &Link| json!({"type": "Action.OpenUrl", "title": name, "url": url});
        content["actions"] = card.links.iter().map(open).collect();
    }
    json!({
        "type": "message",
        "summary": plain(&card.headline),
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": content,
        }],
    })
}

fn body(card: &Card) -> Vec<Value> {
    let heading = json!({
        "type": "TextBlock", "text": marked(&card.headline), "weight": "Bolder", "size": "Medium", "wrap": true,
    });
    let mut body = vec![json!({"type": "Container", "style": style(card.tone), "bleed": true, "items": [heading]})];
    body.extend(card.cause.iter().map(|line| runs(line, false)));
    if !card.quote.is_empty() {
        let quote: Vec<_> = card.quote.iter().map(|line| runs(line, true)).collect();
        body.push(json!({"type": "Container", "style": "emphasis", "items": quote}));
    }
    body.extend(card.lines.first(LINES).map(|line| runs(&line, false)));
    body.extend(card.commands.iter().map(command));
    if !card.facts.is_empty() {
        let fact = |Fact { name, value }: &Fact| json!({"title": name, "value": marked(value)});
        body.push(json!({"type": "FactSet", "facts": card.facts.iter().map(fact).collect::<Vec<_>>()}));
    }
    body.push(json!({
        "type": "TextBlock", "text": marked(&card.footer), "size": "Small", "isSubtle": true, "wrap": true,
    }));
    body
}

const fn style(tone: Tone) -> &'static str {
    match tone {
        Tone::Critical => "attention",
        Tone::Warning => "warning",
        Tone::Info => "accent",
        Tone::Resolved => "good",
    }
}

/// Text in which no mark means anything.
fn runs(text: &str, is_code: bool) -> Value {
    json!({"type": "RichTextBlock", "inlines": [run(text, is_code)]})
}

fn run(text: &str, is_code: bool) -> Value {
    let font = if is_code { "Monospace" } else { "Default" };
    json!({"type": "TextRun", "text": plain(text), "fontType": font})
}

fn command(Command { label, text }: &Command) -> Value {
    let label = label.map(|label| run(&format!("{label} "), false));
    let runs: Vec<_> = label.into_iter().chain([run(text, true)]).collect();
    json!({"type": "RichTextBlock", "inlines": runs})
}

fn plain(text: &str) -> String {
    fit(text, TEXT, char::len_utf16, markup::plain)
}

fn marked(text: &str) -> String {
    fit(text, TEXT, char::len_utf16, super::markdown)
}
