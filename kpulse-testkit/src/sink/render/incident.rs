//! Incident platforms: PagerDuty Events v2 and Alertmanager's API v2.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::webhook::clock;
use super::{Block, Rendered, Severity, State, Text, items_of, markup, text_of, value_text};

pub(super) fn pagerduty(body: &Value) -> Rendered {
    let action = text_of(body, "event_action");
    if action.is_empty() {
        return Rendered::default();
    }
    let payload = &body["payload"];
    let summary = text_of(payload, "summary");
    let title =
        if summary.is_empty() { format!("{action} {}", text_of(body, "dedup_key")) } else { summary.to_owned() };
    let named = ["severity", "source", "component", "group", "class", "timestamp"];
    let mut facts = vec![("action".to_owned(), Text::plainly(action))];
    facts.extend(named.iter().map(|name| ((*name).to_owned(), Text::plainly(text_of(payload, name)))));
    facts.push(("dedup_key".to_owned(), Text::plainly(text_of(body, "dedup_key"))));
    let mut blocks = Vec::new();
    match &payload["custom_details"] {
        Value::Object(details) => facts.extend(pairs(details)),
        Value::String(details) => blocks.extend(markup::blocks(details, &markup::NONE)),
        _ => {}
    }
    facts.retain(|(_, value)| !value.is_empty());
    blocks.push(Block::Facts(facts));
    let links: Vec<_> =
        items_of(body, "links").iter().map(|link| Text::link(text_of(link, "text"), text_of(link, "href"))).collect();
    if !links.is_empty() {
        blocks.push(Block::Links(links));
    }
    let state = match action {
        "trigger" => Some(State::Firing),
        "resolve" => Some(State::Resolved),
        _ => None,
    };
    Rendered {
        severity: Severity::from_word(text_of(payload, "severity")),
        state,
        title: Text::plainly(title),
        blocks,
        ..Rendered::default()
    }
}

/// Alerts as Alertmanager takes them. One that ended before `now` is resolved.
pub(super) fn alertmanager(body: &Value, now: Timestamp) -> Rendered {
    match body.as_array().map(Vec::as_slice) {
        Some([only]) if only["labels"].is_object() => alert(only, now),
        Some(alerts @ [_, _, ..]) if alerts.iter().all(|alert| alert["labels"].is_object()) => {
            let title = Text::plainly(format!("{} alerts", alerts.len()));
            Rendered { title, blocks: alerts.iter().map(|one| panel(one, now)).collect(), ..Rendered::default() }
        }
        _ => Rendered::default(),
    }
}

fn panel(alert_json: &Value, now: Timestamp) -> Block {
    let Rendered { severity, state, title, blocks, .. } = alert(alert_json, now);
    let words: Vec<_> = [state.map(State::word), severity.map(Severity::word)].into_iter().flatten().collect();
    let head = [Block::Heading(title), Block::Note(Text::plainly(words.join(" ")))];
    Block::Panel { colour: None, blocks: head.into_iter().chain(blocks).collect() }
}

fn alert(alert: &Value, now: Timestamp) -> Rendered {
    let (labels, annotations) = (&alert["labels"], &alert["annotations"]);
    let titles = [text_of(annotations, "summary"), text_of(annotations, "title"), text_of(labels, "alertname")];
    let title = titles.into_iter().find(|title| !title.is_empty()).unwrap_or("alert without a name");
    let mut blocks = markup::blocks(text_of(annotations, "description"), &markup::NONE);
    let time = |name: &str| text_of(alert, name).parse::<Timestamp>().ok();
    let ended = time("endsAt").filter(|ends| *ends <= now);
    let mut facts: Vec<_> = labels.as_object().map(pairs).unwrap_or_default();
    let (since, until) = (time("startsAt"), time("endsAt"));
    facts.extend(since.map(|at| ("startsAt".to_owned(), Text::plainly(clock(at)))));
    facts.extend(until.map(|at| ("endsAt".to_owned(), Text::plainly(clock(at)))));
    let others = annotations.as_object().map(pairs).unwrap_or_default();
    facts.extend(others.into_iter().filter(|(name, value)| name != "description" && value.plain() != title));
    blocks.push(Block::Facts(facts));
    let source = text_of(alert, "generatorURL");
    if !source.is_empty() {
        blocks.push(Block::Links(vec![Text::link("Source", source)]));
    }
    Rendered {
        severity: Severity::from_word(text_of(labels, "severity")),
        state: Some(if ended.is_some() { State::Resolved } else { State::Firing }),
        title: Text::plainly(title),
        blocks,
        ..Rendered::default()
    }
}

fn pairs(map: &Map<String, Value>) -> Vec<(String, Text)> {
    map.iter().map(|(name, value)| (name.clone(), Text::plainly(value_text(value)))).collect()
}
