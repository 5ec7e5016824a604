//! Slack: text, Block Kit, and attachments (Mattermost has those too).

use serde_json::Value;

use super::markup::{self, Dialect, SLACK};
use super::tone::colour;
use super::{Block, Rendered, Span, Style, Text, items_of, text_of, value_text};

pub(super) fn render(body: &Value) -> Rendered {
    let text = text_of(body, "text");
    let (title, mut blocks) = headed(items_of(body, "blocks"));
    blocks.extend(attachments(body, &SLACK));
    if blocks.is_empty() && title.is_empty() && text.is_empty() {
        return Rendered::default();
    }
    let has_blocks = body["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty());
    let notification = (has_blocks && !text.is_empty()).then(|| markup::inline(text, &SLACK).plain());
    if !has_blocks {
        blocks.splice(0..0, markup::blocks(text, &SLACK));
    }
    Rendered { title, blocks, notification, addressed: addressed(body), ..Rendered::default() }
}

/// To whom, and whether it is a new message at all.
fn addressed(body: &Value) -> Vec<String> {
    let mut addressed = Vec::new();
    for (name, said) in [("channel", "in"), ("thread_ts", "reply in the thread of"), ("ts", "replaces")] {
        let value = text_of(body, name);
        if !value.is_empty() {
            addressed.push(format!("{said} {value}"));
        }
    }
    addressed
}

/// A leading header is the message's title.
fn headed(items: &[Value]) -> (Text, Vec<Block>) {
    match items.split_first() {
        Some((first, rest)) if first["type"] == "header" => (object(&first["text"]), blocks(rest)),
        _ => (Text::default(), blocks(items)),
    }
}

fn blocks(items: &[Value]) -> Vec<Block> {
    items.iter().flat_map(block).collect()
}

fn block(item: &Value) -> Vec<Block> {
    match text_of(item, "type") {
        "header" => vec![Block::Heading(object(&item["text"]))],
        "section" => section(item),
        "context" => {
            let said = items_of(item, "elements").iter().map(object).filter(|text| !text.is_empty());
            said.map(Block::Note).collect()
        }
        "divider" => vec![Block::Rule],
        "actions" => links(items_of(item, "elements")),
        "rich_text" => items_of(item, "elements").iter().flat_map(rich).collect(),
        "image" => vec![Block::Note(Text::plainly(format!("image: {}", text_of(item, "alt_text"))))],
        "markdown" => markup::blocks(text_of(item, "text"), &markup::MARKDOWN),
        _ => vec![Block::Code(value_text(item))],
    }
}

fn section(item: &Value) -> Vec<Block> {
    let mut blocks = match text_of(&item["text"], "type") {
        "mrkdwn" => markup::blocks(text_of(&item["text"], "text"), &SLACK),
        _ => vec![Block::Paragraph(object(&item["text"]))],
    };
    blocks.retain(|block| !matches!(block, Block::Paragraph(text) if text.is_empty()));
    let fields: Vec<_> = items_of(item, "fields").iter().map(fact).collect();
    if !fields.is_empty() {
        blocks.push(Block::Facts(fields));
    }
    if let accessory @ Value::Object(_) = &item["accessory"] {
        blocks.extend(links(std::slice::from_ref(accessory)));
    }
    blocks
}

/// A field is a name on its first line, by custom bold, and a value below; of any other shape it is all value.
fn fact(field: &Value) -> (String, Text) {
    let text = text_of(field, "text");
    match text.split_once('\n') {
        Some((name, value)) => (markup::inline(name, &SLACK).plain(), markup::inline(value, &SLACK)),
        None => (String::new(), object(field)),
    }
}

/// A text object, plain or mrkdwn; an image is its words.
fn object(value: &Value) -> Text {
    match text_of(value, "type") {
        "mrkdwn" => markup::inline(text_of(value, "text"), &SLACK),
        "image" => Text::plainly(text_of(value, "alt_text")),
        _ => markup::emoji_only(text_of(value, "text")),
    }
}

fn links(buttons: &[Value]) -> Vec<Block> {
    let link = |button: &Value| {
        let label = text_of(&button["text"], "text");
        let to = text_of(button, "url");
        if to.is_empty() { Text::plainly(label) } else { Text::link(label, to) }
    };
    let links: Vec<_> = buttons.iter().map(link).filter(|link| !link.is_empty()).collect();
    if links.is_empty() { Vec::new() } else { vec![Block::Links(links)] }
}

fn rich(element: &Value) -> Vec<Block> {
    let text = Text(items_of(element, "elements").iter().map(run).collect());
    match text_of(element, "type") {
        "rich_text_preformatted" => vec![Block::Code(text.plain())],
        "rich_text_quote" => vec![Block::Quote(vec![Block::Paragraph(text)])],
        "rich_text_list" => {
            let item = |item: &Value| Text(items_of(item, "elements").iter().map(run).collect());
            vec![Block::List(items_of(element, "elements").iter().map(item).collect())]
        }
        _ => vec![Block::Paragraph(text)],
    }
}

fn run(element: &Value) -> Span {
    let set = |name: &str| element["style"][name].as_bool().unwrap_or(false);
    let style = Style { bold: set("bold"), italic: set("italic"), strike: set("strike"), code: set("code") };
    let url = element["url"].as_str();
    let text = match text_of(element, "type") {
        "emoji" => super::tone::emoji(text_of(element, "name")).unwrap_or_default(),
        "link" => element["text"].as_str().or(url).unwrap_or_default(),
        _ => text_of(element, "text"),
    };
    Span { text: text.to_owned(), style, link: url.map(str::to_owned) }
}

/// Attachments, each a panel with its coloured edge.
pub(super) fn attachments(body: &Value, dialect: &Dialect) -> Vec<Block> {
    items_of(body, "attachments").iter().map(|attachment| panel(attachment, dialect)).collect()
}

fn panel(attachment: &Value, dialect: &Dialect) -> Block {
    let mut inner = markup::blocks(text_of(attachment, "pretext"), dialect);
    let title = text_of(attachment, "title");
    if !title.is_empty() {
        let to = text_of(attachment, "title_link");
        inner.push(Block::Heading(if to.is_empty() { markup::inline(title, dialect) } else { Text::link(title, to) }));
    }
    inner.extend(markup::blocks(text_of(attachment, "text"), dialect));
    let named =
        |field: &Value| (text_of(field, "title").to_owned(), markup::inline(&value_text(&field["value"]), dialect));
    let fields: Vec<_> = items_of(attachment, "fields").iter().map(named).collect();
    if !fields.is_empty() {
        inner.push(Block::Facts(fields));
    }
    inner.extend(blocks(items_of(attachment, "blocks")));
    let footer = text_of(attachment, "footer");
    if !footer.is_empty() {
        inner.push(Block::Note(markup::inline(footer, dialect)));
    }
    if inner.is_empty() {
        inner = markup::blocks(text_of(attachment, "fallback"), dialect);
    }
    Block::Panel { colour: colour(text_of(attachment, "color")), blocks: inner }
}
