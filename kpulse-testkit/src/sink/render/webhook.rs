//! kpulse's own JSON: one alert or group, with all its fields.

use jiff::Timestamp;
use serde_json::Value;

use super::{Block, Rendered, Severity, Span, State, Style, Text, items_of, markup, text_of, value_text};

/// The fields a person reads, in the order they are asked for: where, what, whose, since when.
const FACTS: [(&str, &str); 9] = [
    ("Namespace", "namespace"),
    ("Object", "object"),
    ("Workload", "workload"),
    ("Container", "container"),
    ("Node", "node"),
    ("Reason", "reason"),
    ("Trouble", "trouble"),
    ("Monitor", "monitor"),
    ("Cluster", "cluster"),
];

pub(super) fn render(body: &Value) -> Rendered {
    if body["monitor"].as_str().is_none() || body["title"].as_str().is_none() {
        return Rendered::default();
    }
    let mut blocks = markup::blocks(text_of(body, "body"), &markup::NONE);
    blocks.extend(log(body));
    let facts = facts(body);
    if !facts.is_empty() {
        blocks.push(Block::Facts(facts));
    }
    blocks.extend(members(body));
    Rendered {
        severity: Severity::from_word(text_of(body, "severity")),
        state: State::from_word(text_of(body, "state")),
        title: Text::plainly(text_of(body, "title")),
        blocks,
        ..Rendered::default()
    }
}

fn facts(body: &Value) -> Vec<(String, Text)> {
    let named = FACTS.iter().map(|(name, field)| ((*name).to_owned(), Text::plainly(text_of(body, field))));
    let mut facts: Vec<_> = named.chain(times(body)).collect();
    if let Some(count) = body["count"].as_u64().filter(|count| *count != 1) {
        facts.push(("Count".to_owned(), Text::plainly(count.to_string())));
    }
    facts.push(("Fingerprint".to_owned(), code(text_of(body, "fingerprint"))));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn times(body: &Value) -> Vec<(String, Text)> {
    let time = |name: &str| text_of(body, name).parse::<Timestamp>().ok();
    // The earlier program knows only when it was told.
    let (label, started) = match time("started_at") {
        Some(started) => ("Since", Some(started)),
        None => ("Fired", time("fired_at")),
    };
    let ended = time("ended_at");
    let mut times = Vec::new();
    if let Some(started) = started {
        times.push((label.to_owned(), Text::plainly(clock(started))));
    }
    if let Some(ended) = ended {
        times.push(("Ended".to_owned(), Text::plainly(clock(ended))));
    }
    if let Some((started, ended)) = started.zip(ended) {
        times.push(("Lasted".to_owned(), Text::plainly(span(ended.as_second() - started.as_second()))));
    }
    times.push(("Ending".to_owned(), Text::plainly(text_of(body, "ending"))));
    times
}

/// What a container said last.
fn log(body: &Value) -> Option<Block> {
    let lines: Vec<String> = items_of(body, "log").iter().map(value_text).collect();
    (!lines.is_empty()).then(|| Block::Code(lines.join("\n")))
}

fn members(body: &Value) -> Vec<Block> {
    let members = items_of(body, "members");
    if members.is_empty() {
        return Vec::new();
    }
    let word = if members.len() == 1 { "member" } else { "members" };
    let heading = Block::Heading(Text::plainly(format!("{} {word}", members.len())));
    vec![heading, Block::List(members.iter().map(|member| Text::plainly(member_line(member))).collect())]
}

/// A member by its object and what it is in; of an unknown shape, as JSON.
fn member_line(member: &Value) -> String {
    let object = [text_of(member, "object"), text_of(member, "name")].into_iter().find(|text| !text.is_empty());
    match object {
        None => value_text(member),
        Some(object) => {
            let rest = ["reason", "container", "node"].map(|name| text_of(member, name));
            let said: Vec<_> = std::iter::once(object).chain(rest).filter(|text| !text.is_empty()).collect();
            said.join(" · ")
        }
    }
}

fn code(text: &str) -> Text {
    Text(vec![Span { text: text.to_owned(), style: Style { code: true, ..Style::default() }, link: None }])
}

/// A time as a person reads it.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%-d %b %Y %H:%M:%S UTC").to_string()
}

/// Seconds in the two largest units that matter.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}
