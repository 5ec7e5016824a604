//! Google Chat: text, and cards of the second version.

use serde_json::Value;

use super::markup::{self, GOOGLE_CHAT};
use super::{Block, Rendered, Text, items_of, tags, text_of, value_text};

pub(super) fn render(body: &Value) -> Rendered {
    let text = markup::blocks(text_of(body, "text"), &GOOGLE_CHAT);
    let cards: Vec<_> = items_of(body, "cardsV2").iter().map(|card| &card["card"]).collect();
    let thread = [text_of(&body["thread"], "threadKey"), text_of(&body["thread"], "name")];
    let thread = thread.into_iter().find(|thread| !thread.is_empty());
    let mut rendered = match (cards.as_slice(), text.is_empty()) {
        ([], true) => return Rendered::default(),
        ([only], true) => Rendered { title: title(only), blocks: below(only), ..Rendered::default() },
        (cards, _) => Rendered {
            blocks: text.into_iter().chain(cards.iter().map(|card| panel(card))).collect(),
            ..Rendered::default()
        },
    };
    rendered.addressed.extend(thread.map(|thread| format!("in thread {thread}")));
    rendered
}

fn panel(card: &Value) -> Block {
    let title = title(card);
    let title = if title.is_empty() { None } else { Some(Block::Heading(title)) };
    Block::Panel { colour: None, blocks: title.into_iter().chain(below(card)).collect() }
}

fn title(card: &Value) -> Text {
    Text::plainly(text_of(&card["header"], "title"))
}

fn below(card: &Value) -> Vec<Block> {
    let mut blocks = Vec::new();
    let subtitle = text_of(&card["header"], "subtitle");
    if !subtitle.is_empty() {
        blocks.push(Block::Note(Text::plainly(subtitle)));
    }
    for section in items_of(card, "sections") {
        let header = tags::inline(text_of(section, "header"));
        if !header.is_empty() {
            blocks.push(Block::Heading(header));
        }
        blocks.extend(items_of(section, "widgets").iter().flat_map(widget));
    }
    join_facts(blocks)
}

fn widget(widget: &Value) -> Vec<Block> {
    if let paragraph @ Value::Object(_) = &widget["textParagraph"] {
        return tags::blocks(text_of(paragraph, "text"));
    }
    if let decorated @ Value::Object(_) = &widget["decoratedText"] {
        let below = tags::inline(text_of(decorated, "bottomLabel"));
        let fact = (text_of(decorated, "topLabel").to_owned(), tags::inline(text_of(decorated, "text")));
        let below = if below.is_empty() { None } else { Some(Block::Note(below)) };
        return std::iter::once(Block::Facts(vec![fact])).chain(below).collect();
    }
    if let list @ Value::Object(_) = &widget["buttonList"] {
        let link = |button: &Value| Text::link(text_of(button, "text"), text_of(&button["onClick"]["openLink"], "url"));
        return vec![Block::Links(items_of(list, "buttons").iter().map(link).collect())];
    }
    if widget["divider"].is_object() {
        return vec![Block::Rule];
    }
    vec![Block::Code(value_text(widget))]
}

/// Labelled texts in a row read as one table.
fn join_facts(blocks: Vec<Block>) -> Vec<Block> {
    let mut joined: Vec<Block> = Vec::new();
    for block in blocks {
        match (joined.last_mut(), block) {
            (Some(Block::Facts(facts)), Block::Facts(more)) => facts.extend(more),
            (_, block) => joined.push(block),
        }
    }
    joined
}
