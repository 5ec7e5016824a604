//! Discord: content in Markdown, embeds, and link buttons.

use serde_json::Value;

use super::markup::{self, MARKDOWN};
use super::webhook::clock;
use super::{Block, Rendered, Text, items_of, text_of};

pub(super) fn render(body: &Value) -> Rendered {
    let content = markup::blocks(text_of(body, "content"), &MARKDOWN);
    let embeds = items_of(body, "embeds");
    let buttons = buttons(body);
    let mut rendered = match (embeds, content.is_empty()) {
        ([], true) => return Rendered::default(),
        // A lone embed is the message.
        ([only], true) => {
            let title = heading(only);
            Rendered { colour: edge(only), title, blocks: below(only), ..Rendered::default() }
        }
        _ => {
            let panels = embeds.iter().map(panel);
            Rendered { blocks: content.into_iter().chain(panels).collect(), ..Rendered::default() }
        }
    };
    rendered.blocks.extend(buttons);
    let name = text_of(body, "username");
    if !name.is_empty() {
        rendered.addressed.push(format!("as {name}"));
    }
    rendered
}

fn panel(embed: &Value) -> Block {
    let title = heading(embed);
    let title = if title.is_empty() { None } else { Some(Block::Heading(title)) };
    Block::Panel { colour: edge(embed), blocks: title.into_iter().chain(below(embed)).collect() }
}

fn heading(embed: &Value) -> Text {
    let title = text_of(embed, "title");
    match text_of(embed, "url") {
        "" => markup::inline(title, &MARKDOWN),
        to => Text::link(title, to),
    }
}

fn below(embed: &Value) -> Vec<Block> {
    let mut blocks = Vec::new();
    let author = text_of(&embed["author"], "name");
    if !author.is_empty() {
        blocks.push(Block::Note(Text::plainly(author)));
    }
    blocks.extend(markup::blocks(text_of(embed, "description"), &MARKDOWN));
    let fact = |field: &Value| {
        let name = markup::inline(text_of(field, "name"), &MARKDOWN).plain();
        (name, markup::inline(text_of(field, "value"), &MARKDOWN))
    };
    let facts: Vec<_> = items_of(embed, "fields").iter().map(fact).collect();
    if !facts.is_empty() {
        blocks.push(Block::Facts(facts));
    }
    let at = text_of(embed, "timestamp").parse().ok().map(clock);
    let footer = [Some(text_of(&embed["footer"], "text").to_owned()), at];
    let footer: Vec<_> = footer.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    if !footer.is_empty() {
        blocks.push(Block::Note(Text::plainly(footer.join(" · "))));
    }
    blocks
}

fn edge(embed: &Value) -> Option<String> {
    let colour = embed["color"].as_u64().filter(|colour| *colour <= 0xff_ffff)?;
    Some(format!("#{colour:06x}"))
}

fn buttons(body: &Value) -> Option<Block> {
    let rows = items_of(body, "components").iter().flat_map(|row| items_of(row, "components"));
    let links: Vec<_> = rows
        .filter(|button| button["url"].is_string())
        .map(|button| Text::link(text_of(button, "label"), text_of(button, "url")))
        .collect();
    (!links.is_empty()).then_some(Block::Links(links))
}
