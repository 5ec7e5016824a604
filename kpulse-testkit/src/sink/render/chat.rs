//! Chats whose format is one text: Telegram, Mattermost, ntfy.

use serde_json::Value;

use super::markup::{self, MARKDOWN, NONE, TELEGRAM};
use super::tone::emoji;
use super::{Block, Message, Rendered, Severity, Text, items_of, slack, tags, text_of, value_text};

pub(super) fn telegram(body: &Value) -> Rendered {
    let text = text_of(body, "text");
    if text.is_empty() {
        return Rendered::default();
    }
    let mut blocks = match text_of(body, "parse_mode") {
        "HTML" => tags::blocks(text),
        "MarkdownV2" | "Markdown" => markup::blocks(text, &TELEGRAM),
        _ => markup::blocks(text, &NONE),
    };
    let rows = items_of(&body["reply_markup"], "inline_keyboard").iter().filter_map(Value::as_array).flatten();
    let links: Vec<_> = rows.map(|button| Text::link(text_of(button, "text"), text_of(button, "url"))).collect();
    if !links.is_empty() {
        blocks.push(Block::Links(links));
    }
    let said = [("chat_id", "in chat"), ("message_thread_id", "topic"), ("message_id", "replaces")];
    let addressed =
        said.iter().map(|(name, said)| (said, value_text(&body[*name]))).filter(|(_, value)| !value.is_empty());
    let addressed = addressed.map(|(said, value)| format!("{said} {value}")).collect();
    Rendered { blocks, addressed, ..Rendered::default() }
}

pub(super) fn mattermost(body: &Value) -> Rendered {
    // The API says `message` and keeps attachments under `props`; an incoming webhook says `text`.
    let text = [text_of(body, "text"), text_of(body, "message")].into_iter().find(|text| !text.is_empty());
    let mut blocks = markup::blocks(text.unwrap_or_default(), &MARKDOWN);
    blocks.extend(slack::attachments(body, &MARKDOWN));
    blocks.extend(slack::attachments(&body["props"], &MARKDOWN));
    if blocks.is_empty() {
        return Rendered::default();
    }
    let said = [("channel", "in"), ("username", "as"), ("root_id", "reply to")];
    let addressed = said.iter().map(|(name, said)| (said, text_of(body, name))).filter(|(_, value)| !value.is_empty());
    let addressed = addressed.map(|(said, value)| format!("{said} {value}")).collect();
    Rendered { blocks, addressed, ..Rendered::default() }
}

/// ntfy takes JSON, or plain text with everything else in headers.
pub(super) fn ntfy(message: &Message, body: Option<&Value>) -> Rendered {
    match body {
        Some(body) if body["topic"].is_string() => {
            let tags: Vec<_> = items_of(body, "tags").iter().filter_map(Value::as_str).collect();
            let push = Push {
                title: text_of(body, "title"),
                text: text_of(body, "message"),
                tags: &tags,
                priority: value_text(&body["priority"]),
                markdown: body["markdown"] == true,
                click: text_of(body, "click"),
            };
            let mut rendered = push.render();
            rendered.addressed.push(format!("topic {}", text_of(body, "topic")));
            let links = items_of(body, "actions").iter().filter(|action| action["url"].is_string());
            let links: Vec<_> =
                links.map(|action| Text::link(text_of(action, "label"), text_of(action, "url"))).collect();
            if !links.is_empty() {
                rendered.blocks.push(Block::Links(links));
            }
            rendered
        }
        _ => {
            let header = |names: [&str; 2]| names.iter().find_map(|name| message.header(name)).unwrap_or_default();
            let text = message.text();
            let tags: Vec<_> = header(["x-tags", "tags"]).split(',').map(str::trim).collect();
            let push = Push {
                title: header(["x-title", "title"]),
                text: &text,
                tags: &tags,
                priority: header(["x-priority", "priority"]).to_owned(),
                markdown: header(["x-markdown", "markdown"]) == "yes",
                click: header(["x-click", "click"]),
            };
            if push.title.is_empty() && body.is_some_and(Value::is_object) {
                Rendered::default()
            } else {
                push.render()
            }
        }
    }
}

struct Push<'a> {
    title: &'a str,
    text: &'a str,
    tags: &'a [&'a str],
    priority: String,
    markdown: bool,
    click: &'a str,
}

impl Push<'_> {
    /// Tags that name an emoji stand before the title, the others below the text, as the app shows them.
    fn render(&self) -> Rendered {
        let signs: String = self.tags.iter().filter_map(|tag| emoji(tag)).map(|sign| format!("{sign} ")).collect();
        let others: Vec<_> = self.tags.iter().copied().filter(|tag| !tag.is_empty() && emoji(tag).is_none()).collect();
        let mut blocks = markup::blocks(self.text, if self.markdown { &MARKDOWN } else { &NONE });
        if !others.is_empty() {
            blocks.push(Block::Note(Text::plainly(format!("tags: {}", others.join(", ")))));
        }
        if !self.click.is_empty() {
            blocks.push(Block::Links(vec![Text::link("Open", self.click)]));
        }
        let severity = match self.priority.as_str() {
            "5" | "max" | "urgent" => Some(Severity::Critical),
            "4" | "high" => Some(Severity::Warning),
            _ => None,
        };
        let title = if self.title.is_empty() { String::new() } else { format!("{signs}{}", self.title) };
        Rendered { severity, title: Text::plainly(title), blocks, ..Rendered::default() }
    }
}
