//! From the neutral model to HTML. Every text passes [`escaped`]; nothing of a message is ever markup.

use std::fmt::Write;

use crate::sink::likeness::{Against, Change};
use crate::sink::render::{Block, Span, Text, turns};

/// A text as HTML shows it, in content or in a quoted attribute. What shows nothing, or turns the text around it, becomes `�`.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            '\r' => {}
            c if c.is_control() || turns(c) => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}

/// A coloured edge. The policy allows no inline style, so it is a drawing.
pub(super) fn write_edge(html: &mut String, colour: &str) {
    let colour = escaped(colour);
    write!(
        html,
        "<svg class=\"edge\" aria-hidden=\"true\"><rect width=\"100%\" height=\"100%\" fill=\"{colour}\"/></svg>"
    )
    .ok();
}

pub(super) fn write_blocks(html: &mut String, blocks: &[Block]) {
    for block in blocks {
        write_block(html, block);
    }
}

fn write_block(html: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => within(html, "h3", |html| write_text(html, text)),
        Block::Paragraph(text) => within(html, "p", |html| write_text(html, text)),
        Block::Note(text) => {
            html.push_str("<p class=\"note\">");
            write_text(html, text);
            html.push_str("</p>");
        }
        Block::Quote(inner) => within(html, "blockquote", |html| write_blocks(html, inner)),
        Block::Code(code) => {
            // Reachable by keyboard, for it scrolls. A leading line break would be swallowed by the parser.
            write!(html, "<pre tabindex=\"0\">\n{}</pre>", escaped(code)).ok();
        }
        Block::List(items) => within(html, "ul", |html| {
            for item in items {
                within(html, "li", |html| write_text(html, item));
            }
        }),
        Block::Facts(facts) => write_facts(html, facts),
        Block::Links(links) => {
            html.push_str("<p class=\"links\">");
            for link in links {
                write_button(html, link);
            }
            html.push_str("</p>");
        }
        Block::Panel { colour, blocks } => {
            html.push_str("<section class=\"panel\">");
            if let Some(colour) = colour {
                write_edge(html, colour);
            }
            write_blocks(html, blocks);
            html.push_str("</section>");
        }
        Block::Rule => html.push_str("<hr>"),
    }
}

fn within(html: &mut String, tag: &str, write_inner: impl FnOnce(&mut String)) {
    write!(html, "<{tag}>").ok();
    write_inner(html);
    write!(html, "</{tag}>").ok();
}

/// What is new against an earlier message, in words and not only in colour.
pub(super) fn write_changes(html: &mut String, against: &Against) {
    let id = against.id;
    let head = format!("<p class=\"note\">Against <a href=\"#m{id}\">message {id}</a></p>");
    writeln!(html, "<section class=\"changes\">{head}<pre tabindex=\"0\">").ok();
    for change in &against.changes {
        match change {
            Change::Gone(line) => writeln!(html, "<del>- {}</del>", escaped(line)).ok(),
            Change::New(line) => writeln!(html, "<ins>+ {}</ins>", escaped(line)).ok(),
        };
    }
    html.push_str("</pre></section>");
}

fn write_facts(html: &mut String, facts: &[(String, Text)]) {
    html.push_str("<dl class=\"facts\">");
    for (name, value) in facts {
        write!(html, "<div><dt>{}</dt><dd>", escaped(name)).ok();
        write_text(html, value);
        html.push_str("</dd></div>");
    }
    html.push_str("</dl>");
}

/// A button that opens nothing is shown as one that cannot be pressed.
fn write_button(html: &mut String, text: &Text) {
    if text.0.iter().any(|span| span.link.is_some()) {
        write_text(html, text);
    } else {
        write!(html, "<span class=\"dead\">{}</span>", escaped(&text.plain())).ok();
    }
}

pub(super) fn write_text(html: &mut String, text: &Text) {
    for span in &text.0 {
        write_span(html, span);
    }
}

fn write_span(html: &mut String, span: &Span) {
    let style = span.style;
    let mut inner = escaped(&span.text);
    for (set, tag) in [(style.code, "code"), (style.strike, "s"), (style.italic, "em"), (style.bold, "strong")] {
        if set {
            inner = format!("<{tag}>{inner}</{tag}>");
        }
    }
    match span.link.as_deref().filter(|link| may_open(link)) {
        Some(link) => {
            write!(html, "<a href=\"{}\" rel=\"noopener noreferrer nofollow\">{inner}</a>", escaped(link)).ok()
        }
        None => write!(html, "{inner}").ok(),
    };
}

/// Only web addresses open: a `javascript:` link is text.
fn may_open(link: &str) -> bool {
    let link = link.trim_start().to_ascii_lowercase();
    link.starts_with("https://") || link.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::render::Style;

    #[track_caller]
    fn check(block: &Block, expect: &str) {
        let mut html = String::new();
        write_block(&mut html, block);
        assert_eq!(html, expect);
    }

    #[test]
    fn hostile_text_shows_as_text() {
        check(
            &Block::Paragraph(Text::plainly("<script>alert('1' & \"2\")</script>")),
            "<p>&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;</p>",
        );
        check(&Block::Code("</pre><script>".to_owned()), "<pre tabindex=\"0\">\n&lt;/pre&gt;&lt;script&gt;</pre>");
        check(
            &Block::Facts(vec![("<b>".to_owned(), Text::plainly("\u{202e}\u{0}"))]),
            "<dl class=\"facts\"><div><dt>&lt;b&gt;</dt><dd>\u{fffd}\u{fffd}</dd></div></dl>",
        );
    }

    #[test]
    fn only_web_addresses_open_and_none_leaves_its_attribute() {
        let link = |to: &str| {
            let span = Span { text: "x".to_owned(), style: Style::default(), link: Some(to.to_owned()) };
            Block::Paragraph(Text(vec![span]))
        };
        check(&link("javascript:alert(1)"), "<p>x</p>");
        check(
            &link("https://a/\" onclick=\"b"),
            "<p><a href=\"https://a/&quot; onclick=&quot;b\" rel=\"noopener noreferrer nofollow\">x</a></p>",
        );
    }

    #[test]
    fn a_colour_cannot_leave_its_attribute() {
        check(
            &Block::Panel { colour: Some("#fff\"/><script>".to_owned()), blocks: Vec::new() },
            "<section class=\"panel\"><svg class=\"edge\" aria-hidden=\"true\"><rect width=\"100%\" height=\"100%\" \
             fill=\"#fff&quot;/&gt;&lt;script&gt;\"/></svg></section>",
        );
    }

    #[test]
    fn styles_nest_in_one_order() {
        let style = Style { bold: true, code: true, ..Style::default() };
        let span = Span { text: "x".to_owned(), style, link: None };
        check(&Block::Paragraph(Text(vec![span])), "<p><strong><code>x</code></strong></p>");
    }
}
