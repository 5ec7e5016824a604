//! The light markup of chat platforms: `*bold*`, `` `code` ``, links, quotes, fences. One reader, a [`Dialect`] for each.

use super::tone::emoji;
use super::{Block, Span, Style, Text};
use crate::sink::raw::beginning;

/// What a platform reads as markup.
#[derive(Debug)]
pub(super) struct Dialect {
    strong: &'static [&'static str],
    emphasis: &'static [&'static str],
    strike: &'static str,
    /// `<https://…|text>`, `<!here>`, `<@U1>`.
    angle: bool,
    /// `[text](https://…)`.
    bracket: bool,
    /// `&lt;`, `&gt;`, `&amp;` and nothing else.
    entities: bool,
    /// `\*` is a star.
    escapes: bool,
    /// `:warning:` is a sign.
    shortcodes: bool,
    /// `# heading`, `- item`, and a word after an opening fence that names a language.
    structure: bool,
}

/// Slack's mrkdwn.
pub(super) const SLACK: Dialect = Dialect {
    strong: &["*"],
    emphasis: &["_"],
    strike: "~",
    angle: true,
    bracket: false,
    entities: true,
    escapes: false,
    shortcodes: true,
    structure: false,
};

/// Google Chat: as Slack's, without entities.
pub(super) const GOOGLE_CHAT: Dialect = Dialect { entities: false, shortcodes: false, ..SLACK };

/// Markdown as Discord, Mattermost, Teams and ntfy read it.
pub(super) const MARKDOWN: Dialect = Dialect {
    strong: &["**", "__"],
    emphasis: &["*", "_"],
    strike: "~~",
    angle: true,
    bracket: true,
    entities: false,
    escapes: true,
    shortcodes: true,
    structure: true,
};

/// Telegram's MarkdownV2.
pub(super) const TELEGRAM: Dialect = Dialect {
    strong: &["*"],
    emphasis: &["_"],
    strike: "~",
    angle: false,
    bracket: true,
    entities: false,
    escapes: true,
    shortcodes: false,
    structure: false,
};

/// No markup: what is written is what is seen. Addresses still become links, as every client does.
pub(super) const NONE: Dialect = Dialect {
    strong: &[],
    emphasis: &[],
    strike: "",
    angle: false,
    bracket: false,
    entities: false,
    escapes: false,
    shortcodes: false,
    structure: false,
};

/// Slack shows no more of one text, and others less; reading stops here, in bytes.
const LONGEST: usize = 40_000;

/// How far a closing mark is looked for, in bytes: the time to read hostile text stays in proportion to its length.
const REACH: usize = 1 << 10;

const FENCE: &str = "```";

/// Paragraphs, quotes, lists and code.
pub(super) fn blocks(source: &str, dialect: &Dialect) -> Vec<Block> {
    let mut rest = bounded(source);
    let mut blocks = Vec::new();
    let fences = !dialect.strong.is_empty();
    while fences && let Some((before, code, after)) = fenced(rest) {
        lines(before, dialect, &mut blocks);
        let code = if dialect.structure { without_language(code) } else { code };
        blocks.push(Block::Code(entities(code.trim_matches('\n'), dialect)));
        rest = after;
    }
    lines(rest, dialect, &mut blocks);
    blocks
}

/// Running text; line breaks stay.
pub(super) fn inline(source: &str, dialect: &Dialect) -> Text {
    let mut reader = Reader { dialect, spans: Vec::new() };
    reader.read(bounded(source), Style::default(), None);
    Text(reader.spans)
}

/// Running text whose only markup is `:emoji:`, as in Slack's plain text objects.
pub(super) fn emoji_only(source: &str) -> Text {
    inline(source, &Dialect { shortcodes: true, ..NONE })
}

/// The part of a text that is read.
pub(super) fn bounded(source: &str) -> &str {
    beginning(source, LONGEST)
}

fn fenced(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once(FENCE)?;
    let (code, after) = opened.split_once(FENCE)?;
    Some((before, code, after))
}

fn without_language(code: &str) -> &str {
    match code.split_once('\n') {
        Some((language, rest)) if language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => rest,
        _ => code,
    }
}

fn entities(text: &str, dialect: &Dialect) -> String {
    if dialect.entities {
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    } else {
        text.to_owned()
    }
}

/// What one line is.
enum Line<'a> {
    Blank,
    Text(&'a str),
    Quote(&'a str),
    Item(&'a str),
    Heading(&'a str),
}

fn line_of<'a>(line: &'a str, dialect: &Dialect) -> Line<'a> {
    let start = line.trim_start();
    let quoted = start.strip_prefix('>').or_else(|| if dialect.entities { start.strip_prefix("&gt;") } else { None });
    if start.is_empty() {
        Line::Blank
    } else if let Some(quoted) = quoted.filter(|_| !dialect.strong.is_empty()) {
        Line::Quote(quoted.strip_prefix(' ').unwrap_or(quoted))
    } else if !dialect.structure {
        Line::Text(line)
    } else if let Some(item) = start.strip_prefix("- ").or_else(|| start.strip_prefix("* ")) {
        Line::Item(item)
    } else if start.starts_with('#') && start.trim_start_matches('#').starts_with(' ') {
        Line::Heading(start.trim_start_matches('#').trim())
    } else {
        Line::Text(line)
    }
}

/// Lines of one kind that follow each other make one block.
fn lines(source: &str, dialect: &Dialect, blocks: &mut Vec<Block>) {
    let mut paragraph = String::new();
    let mut quote = String::new();
    let mut items = Vec::new();
    for line in source.lines().chain([""]) {
        let line = line_of(line, dialect);
        if !matches!(line, Line::Text(_)) && !paragraph.is_empty() {
            blocks.push(Block::Paragraph(inline(&std::mem::take(&mut paragraph), dialect)));
        }
        if !matches!(line, Line::Quote(_)) && !quote.is_empty() {
            blocks.push(Block::Quote(vec![Block::Paragraph(inline(&std::mem::take(&mut quote), dialect))]));
        }
        if !matches!(line, Line::Item(_)) && !items.is_empty() {
            blocks.push(Block::List(std::mem::take(&mut items)));
        }
        match line {
            Line::Blank => {}
            Line::Text(text) => append(&mut paragraph, text),
            Line::Quote(text) => append(&mut quote, text),
            Line::Item(text) => items.push(inline(text, dialect)),
            Line::Heading(text) => blocks.push(Block::Heading(inline(text, dialect))),
        }
    }
}

fn append(paragraph: &mut String, line: &str) {
    if !paragraph.is_empty() {
        paragraph.push('\n');
    }
    paragraph.push_str(line);
}

/// Reads running text into spans. Each reader of a mark takes the text from the mark on, and returns what follows it.
struct Reader<'d> {
    dialect: &'d Dialect,
    spans: Vec<Span>,
}

impl Reader<'_> {
    fn read(&mut self, mut rest: &str, style: Style, link: Option<&str>) {
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let whole = rest;
            rest = match self.mark(rest, before, style, link) {
                Some(after) => after,
                None => {
                    self.push(c.encode_utf8(&mut [0; 4]), style, link);
                    whole.split_at(c.len_utf8()).1
                }
            };
            before = whole.split_at(whole.len() - rest.len()).0.chars().next_back().unwrap_or(before);
        }
    }

    fn push(&mut self, text: &str, style: Style, link: Option<&str>) {
        match self.spans.last_mut() {
            Some(last) if last.style == style && last.link.as_deref() == link => last.text.push_str(text),
            _ => self.spans.push(Span { text: text.to_owned(), style, link: link.map(str::to_owned) }),
        }
    }

    fn mark<'s>(&mut self, rest: &'s str, before: char, style: Style, link: Option<&str>) -> Option<&'s str> {
        self.escape(rest, style, link)
            .or_else(|| self.code(rest, style, link))
            .or_else(|| self.entity(rest, style, link))
            .or_else(|| self.shortcode(rest, style, link))
            .or_else(|| self.styled(rest, before, style, link))
            .or_else(|| if link.is_some() { None } else { self.linked(rest, before, style) })
    }

    fn escape<'s>(&mut self, rest: &'s str, style: Style, link: Option<&str>) -> Option<&'s str> {
        let after = rest.strip_prefix('\\').filter(|_| self.dialect.escapes)?;
        let c = after.chars().next().filter(char::is_ascii_punctuation)?;
        self.push(c.encode_utf8(&mut [0; 4]), style, link);
        after.strip_prefix(c)
    }

    fn code<'s>(&mut self, rest: &'s str, style: Style, link: Option<&str>) -> Option<&'s str> {
        if self.dialect.strong.is_empty() {
            return None;
        }
        let opened = rest.trim_start_matches('`');
        let ticks = rest.split_at(rest.len() - opened.len()).0;
        let (code, after) = if ticks.is_empty() { None } else { within_reach(opened, ticks) }?;
        if code.is_empty() {
            return None;
        }
        self.push(&entities(code, self.dialect), Style { code: true, ..style }, link);
        Some(after)
    }

    fn entity<'s>(&mut self, rest: &'s str, style: Style, link: Option<&str>) -> Option<&'s str> {
        const ENTITIES: [(&str, &str); 3] = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        let known = ENTITIES.iter().filter(|_| self.dialect.entities);
        let (after, text) = known.filter_map(|(entity, text)| Some((rest.strip_prefix(entity)?, text))).next()?;
        self.push(text, style, link);
        Some(after)
    }

    fn shortcode<'s>(&mut self, rest: &'s str, style: Style, link: Option<&str>) -> Option<&'s str> {
        let (name, after) = rest.strip_prefix(':').filter(|_| self.dialect.shortcodes)?.split_once(':')?;
        self.push(emoji(name)?, style, link);
        Some(after)
    }

    fn styled<'s>(&mut self, rest: &'s str, before: char, style: Style, link: Option<&str>) -> Option<&'s str> {
        let Dialect { strong, emphasis, strike, .. } = *self.dialect;
        let strong = strong.iter().map(|mark| (*mark, style.bold, Style { bold: true, ..style }));
        let emphasis = emphasis.iter().map(|mark| (*mark, style.italic, Style { italic: true, ..style }));
        let strike = [(strike, style.strike, Style { strike: true, ..style })];
        let mut marks = strong.chain(emphasis).chain(strike).filter(|(mark, set, _)| !mark.is_empty() && !set);
        let (inner, after, styled) = marks
            .find_map(|(mark, _, styled)| enclosed(rest, before, mark).map(|(inner, after)| (inner, after, styled)))?;
        self.read(inner, styled, link);
        Some(after)
    }

    fn linked<'s>(&mut self, rest: &'s str, before: char, style: Style) -> Option<&'s str> {
        self.angle(rest, style).or_else(|| self.bracket(rest, style)).or_else(|| self.address(rest, before, style))
    }

    /// `<https://…|text>`, `<https://…>`, `<!here>`, `<@U1>`, `<#C1|name>`, and dates with the words to show.
    fn angle<'s>(&mut self, rest: &'s str, style: Style) -> Option<&'s str> {
        let (inner, after) = within_reach(rest.strip_prefix('<').filter(|_| self.dialect.angle)?, ">")?;
        let (to, text) = inner.split_once('|').map_or((inner, None), |(to, text)| (to, Some(text)));
        match to.chars().next()? {
            '@' => self.push(&format!("@{}", text.unwrap_or(to.trim_start_matches('@'))), style, None),
            '#' => self.push(&format!("#{}", text.unwrap_or(to.trim_start_matches('#'))), style, None),
            '!' => self.push(text.unwrap_or(&to.replacen('!', "@", 1)), style, None),
            't' if to.starts_with("t:") => self.push(&moment(to)?, style, None),
            _ if is_address(to) => {
                let address = entities(to, self.dialect);
                self.read(text.unwrap_or(to), style, Some(&address));
            }
            _ => return None,
        }
        Some(after)
    }

    fn bracket<'s>(&mut self, rest: &'s str, style: Style) -> Option<&'s str> {
        let (text, after) = within_reach(rest.strip_prefix('[').filter(|_| self.dialect.bracket)?, "](")?;
        let (to, after) = within_reach(after, ")")?;
        if !is_address(to) || text.is_empty() {
            return None;
        }
        self.read(text, style, Some(&to.replace('\\', "")));
        Some(after)
    }

    /// A bare address, which every client makes a link of.
    fn address<'s>(&mut self, rest: &'s str, before: char, style: Style) -> Option<&'s str> {
        if before.is_alphanumeric() || !is_address(rest) {
            return None;
        }
        let end = rest.find(|c: char| c.is_whitespace() || "<>|\"`*".contains(c)).unwrap_or(rest.len());
        let address = rest.split_at(end).0.trim_end_matches(['.', ',', ')', ';', ':', '!', '?']);
        let shown = entities(address, self.dialect);
        self.push(&shown, style, Some(&shown));
        Some(rest.split_at(address.len()).1)
    }
}

/// Whether a text begins as an address that may be opened.
pub(super) fn is_address(text: &str) -> bool {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

/// Splits at `mark`, if it comes soon enough.
fn within_reach<'s>(text: &'s str, mark: &str) -> Option<(&'s str, &'s str)> {
    let near = beginning(text, REACH);
    let (inner, after) = text.split_at(near.find(mark)?);
    Some((inner, after.strip_prefix(mark)?))
}

/// What stands between two marks: on one line, hugging the text, and for single letters not inside a word.
fn enclosed<'s>(rest: &'s str, before: char, mark: &str) -> Option<(&'s str, &'s str)> {
    let single = mark.len() == 1;
    let opened = rest.strip_prefix(mark)?;
    if opened.starts_with(char::is_whitespace) || (single && (before.is_alphanumeric() || opened.starts_with(mark))) {
        return None;
    }
    let near = beginning(opened, REACH).split('\n').next()?;
    near.match_indices(mark).find_map(|(at, _)| {
        let (inner, closed) = opened.split_at(at);
        let after = closed.strip_prefix(mark)?;
        let hugs = !inner.is_empty() && !inner.ends_with(char::is_whitespace) && !inner.ends_with('\\');
        let ends = !single || !after.starts_with(|c: char| c.is_alphanumeric() || mark.starts_with(c));
        (hugs && ends).then_some((inner, after))
    })
}

/// Discord's `t:1793955600:R` as a time.
fn moment(code: &str) -> Option<String> {
    let seconds = code.split(':').nth(1)?.parse().ok()?;
    let at = jiff::Timestamp::from_second(seconds).ok()?;
    Some(at.strftime("%-d %b %Y %H:%M UTC").to_string())
}
