//! The few HTML tags that Telegram and Google Chat's cards read. Any other tag is shown as it is written.

use super::markup::{bounded, is_address};
use super::{Block, Span, Style, Text};

/// Paragraphs, quotes and code of a text with tags.
pub(super) fn blocks(source: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    let mut rest = bounded(source);
    while !rest.is_empty() {
        let (text, tagged) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        reader.text(text);
        rest = match tag_of(tagged) {
            Some((tag, after)) => reader.tag(&tag, after),
            None => {
                let mut others = tagged.chars();
                reader.text(others.next().map(|c| c.to_string()).unwrap_or_default().as_str());
                others.as_str()
            }
        };
    }
    reader.paragraph();
    reader.blocks
}

/// Running text of a text with tags; blocks in it are joined.
pub(super) fn inline(source: &str) -> Text {
    let spans = blocks(source).into_iter().flat_map(|block| match block {
        Block::Paragraph(text) => text.0,
        Block::Code(text) => vec![Span { text, style: Style { code: true, ..Style::default() }, link: None }],
        Block::Quote(inner) => inner
            .into_iter()
            .flat_map(|block| match block {
                Block::Paragraph(text) => text.0,
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    });
    Text(spans.collect())
}

struct Tag<'a> {
    name: &'a str,
    closes: bool,
    attributes: &'a str,
}

fn tag_of(text: &str) -> Option<(Tag<'_>, &str)> {
    let (inner, after) = text.strip_prefix('<')?.split_once('>')?;
    let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let inner = inner.trim_end_matches('/').trim_end();
    let (name, attributes) = inner.split_once(' ').unwrap_or((inner, ""));
    const KNOWN: [&str; 17] = [
        "b",
        "strong",
        "i",
        "em",
        "u",
        "ins",
        "s",
        "strike",
        "del",
        "code",
        "pre",
        "a",
        "blockquote",
        "br",
        "font",
        "span",
        "tg-spoiler",
    ];
    KNOWN.contains(&name).then_some((Tag { name, closes, attributes }, after))
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    style: Style,
    link: Option<String>,
}

impl Reader {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.spans.push(Span { text: unescaped(text), style: self.style, link: self.link.clone() });
        }
    }

    /// Takes a tag and returns where to read on: behind it, or behind all it encloses.
    fn tag<'s>(&mut self, tag: &Tag<'_>, after: &'s str) -> &'s str {
        let on = !tag.closes;
        match tag.name {
            "b" | "strong" => self.style.bold = on,
            "i" | "em" => self.style.italic = on,
            "s" | "strike" | "del" => self.style.strike = on,
            "code" => self.style.code = on,
            "a" => self.link = if on { address(tag.attributes) } else { None },
            "br" => self.text("\n"),
            "pre" if on => {
                let (code, after) = after.split_once("</pre>").unwrap_or((after, ""));
                self.paragraph();
                self.blocks.push(Block::Code(unescaped(&without_tags(code))));
                return after;
            }
            "blockquote" if on => {
                let (quoted, after) = after.split_once("</blockquote>").unwrap_or((after, ""));
                self.paragraph();
                // What is quoted cannot quote again: the first closing tag ends it, as it does for Telegram.
                self.blocks.push(Block::Quote(vec![Block::Paragraph(inline(
                    &quoted.replace("<blockquote", "&lt;blockquote"),
                ))]));
                return after;
            }
            _ => {}
        }
        after
    }

    fn paragraph(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        if let Some(first) = spans.first_mut() {
            first.text = first.text.trim_start_matches('\n').to_owned();
        }
        if let Some(last) = spans.last_mut() {
            last.text.truncate(last.text.trim_end().len());
        }
        let text = Text(spans);
        if !text.is_empty() {
            self.blocks.push(Block::Paragraph(text));
        }
    }
}

fn address(attributes: &str) -> Option<String> {
    let (_, quoted) = attributes.split_once("href=")?;
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let address = quoted.strip_prefix(quote)?.split(quote).next()?;
    is_address(address).then(|| unescaped(address))
}

fn without_tags(code: &str) -> String {
    let inner = match tag_of(code) {
        Some((Tag { name: "code", closes: false, .. }, after)) => after,
        _ => code,
    };
    inner.trim_end().trim_end_matches("</code>").trim_matches('\n').to_owned()
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&nbsp;", " ").replace("&amp;", "&")
}
