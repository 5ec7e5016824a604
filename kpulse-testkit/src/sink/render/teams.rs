//! Microsoft Teams: Adaptive Cards, as they are or in a message, and the legacy MessageCard.

use serde_json::Value;

use super::markup::{self, MARKDOWN};
use super::tone::{colour, colour_of_style};
use super::{Block, Rendered, Span, Style, Text, items_of, text_of, value_text};

pub(super) fn render(body: &Value) -> Rendered {
    if body["@type"] == "MessageCard" {
        return message_card(body);
    }
    if body["type"] == "AdaptiveCard" {
        return adaptive(body);
    }
    let mut cards = items_of(body, "attachments").iter().map(|attachment| &attachment["content"]);
    match (cards.next(), text_of(body, "text")) {
        (Some(card), said) => {
            let mut rendered = adaptive(card);
            rendered.notification = summary(body).or(rendered.notification);
            rendered.blocks.splice(0..0, markup::blocks(said, &MARKDOWN));
            rendered.blocks.extend(cards.map(|card| {
                let Rendered { title, blocks, .. } = adaptive(card);
                Block::Panel { colour: None, blocks: std::iter::once(Block::Heading(title)).chain(blocks).collect() }
            }));
            rendered
        }
        (None, "") => Rendered::default(),
        (None, said) => Rendered { blocks: markup::blocks(said, &MARKDOWN), ..Rendered::default() },
    }
}

fn summary(body: &Value) -> Option<String> {
    let summary = text_of(body, "summary");
    (!summary.is_empty()).then(|| summary.to_owned())
}

fn message_card(card: &Value) -> Rendered {
    let mut blocks = markup::blocks(text_of(card, "text"), &MARKDOWN);
    for section in items_of(card, "sections") {
        for (name, heading) in [("title", true), ("activityTitle", true), ("activitySubtitle", false)] {
            let text = markup::inline(text_of(section, name), &MARKDOWN);
            if !text.is_empty() {
                blocks.push(if heading { Block::Heading(text) } else { Block::Note(text) });
            }
        }
        blocks.extend(markup::blocks(text_of(section, "text"), &MARKDOWN));
        blocks.extend(facts(section, "name"));
    }
    let target =
        |action: &Value| text_of(&items_of(action, "targets").first().cloned().unwrap_or_default(), "uri").to_owned();
    let actions = items_of(card, "potentialAction").iter();
    blocks.extend(links(actions.map(|action| (text_of(action, "name"), target(action))).collect()));
    let title = Text::plainly(text_of(card, "title"));
    let notification = summary(card).filter(|summary| *summary != title.plain());
    Rendered { colour: colour(text_of(card, "themeColor")), title, blocks, notification, ..Rendered::default() }
}

fn adaptive(card: &Value) -> Rendered {
    let body = items_of(card, "body");
    // A first line that is large or bold is what the reader takes for the title.
    let (title, rest) = match body.split_first() {
        Some((first, rest)) if is_title(first) => (markup::inline(text_of(first, "text"), &MARKDOWN), rest),
        _ => (Text::default(), body),
    };
    let mut blocks = elements(rest);
    blocks.extend(actions(card));
    let fallback = text_of(card, "fallbackText");
    let notification = (!fallback.is_empty()).then(|| fallback.to_owned());
    Rendered { title, blocks, notification, ..Rendered::default() }
}

fn is_title(element: &Value) -> bool {
    let large = matches!(text_of(element, "size").to_ascii_lowercase().as_str(), "medium" | "large" | "extralarge");
    let bold = text_of(element, "weight").eq_ignore_ascii_case("bolder");
    element["type"] == "TextBlock" && (large || bold || element["style"] == "heading")
}

fn elements(items: &[Value]) -> Vec<Block> {
    items.iter().filter(|item| item["isVisible"] != false).flat_map(element).collect()
}

fn element(item: &Value) -> Vec<Block> {
    match text_of(item, "type") {
        "TextBlock" => text_block(item),
        "FactSet" => facts(item, "title").into_iter().collect(),
        "Container" => match colour_of_style(text_of(item, "style")) {
            Some(edge) => {
                vec![Block::Panel { colour: Some(edge.to_owned()), blocks: elements(items_of(item, "items")) }]
            }
            None => elements(items_of(item, "items")),
        },
        "ColumnSet" => {
            items_of(item, "columns").iter().flat_map(|column| elements(items_of(column, "items"))).collect()
        }
        "RichTextBlock" => vec![Block::Paragraph(Text(items_of(item, "inlines").iter().map(run).collect()))],
        "CodeBlock" => vec![Block::Code(text_of(item, "codeSnippet").to_owned())],
        "ActionSet" => actions(item).into_iter().collect(),
        "Image" => vec![Block::Note(Text::plainly(format!("image: {}", text_of(item, "altText"))))],
        "Table" => vec![Block::List(items_of(item, "rows").iter().map(row).collect())],
        _ => vec![Block::Code(value_text(item))],
    }
}

fn text_block(item: &Value) -> Vec<Block> {
    let text = text_of(item, "text");
    if text_of(item, "fontType").eq_ignore_ascii_case("monospace") {
        return vec![Block::Code(text.to_owned())];
    }
    if item["isSubtle"] == true {
        return vec![Block::Note(markup::inline(text, &MARKDOWN))];
    }
    if is_title(item) {
        return vec![Block::Heading(markup::inline(text, &MARKDOWN))];
    }
    markup::blocks(text, &MARKDOWN)
}

fn run(inline: &Value) -> Span {
    let Value::Object(_) = inline else { return Span { text: value_text(inline), ..Span::default() } };
    let set = |name: &str| inline[name].as_bool().unwrap_or(false);
    let style = Style {
        bold: text_of(inline, "weight").eq_ignore_ascii_case("bolder"),
        italic: set("italic"),
        strike: set("strikethrough"),
        code: text_of(inline, "fontType").eq_ignore_ascii_case("monospace"),
    };
    let link = inline["selectAction"]["url"].as_str().map(str::to_owned);
    Span { text: text_of(inline, "text").to_owned(), style, link }
}

fn row(row: &Value) -> Text {
    let cell = |cell: &Value| elements(items_of(cell, "items")).iter().map(super::block_plain).collect::<String>();
    Text::plainly(items_of(row, "cells").iter().map(cell).collect::<Vec<_>>().join(" · "))
}

fn facts(item: &Value, name: &str) -> Option<Block> {
    let fact = |fact: &Value| (text_of(fact, name).to_owned(), markup::inline(&value_text(&fact["value"]), &MARKDOWN));
    let facts: Vec<_> = items_of(item, "facts").iter().map(fact).collect();
    (!facts.is_empty()).then_some(Block::Facts(facts))
}

fn actions(item: &Value) -> Option<Block> {
    let action = |action: &Value| (text_of(action, "title").to_owned(), text_of(action, "url").to_owned());
    let named: Vec<_> = items_of(item, "actions").iter().map(action).collect();
    links(named.iter().map(|(title, to)| (title.as_str(), to.clone())).collect())
}

fn links(named: Vec<(&str, String)>) -> Option<Block> {
    let link = |(label, to): (&str, String)| if to.is_empty() { Text::plainly(label) } else { Text::link(label, &to) };
    let links: Vec<_> = named.into_iter().map(link).filter(|link| !link.is_empty()).collect();
    (!links.is_empty()).then_some(Block::Links(links))
}
