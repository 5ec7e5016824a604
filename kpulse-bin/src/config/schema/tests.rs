//! That the schema which is shipped is this one, and says of configurations what kpulse says.

use std::path::Path;

use serde::Deserialize;

use super::*;
use crate::config::document::Document;
use crate::config::schema::comments::SHIPPED;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config.schema.json");

#[test]
fn the_schema_that_is_shipped_is_the_one_of_the_types() {
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let shipped = std::fs::read_to_string(Path::new(FILE)).unwrap_or_default();
    assert!(shipped == text, "UPDATE_DOCS=1 cargo test -p kpulse-bin --bin kpulse schema");
}

#[track_caller]
fn check(text: &str, fault: Option<&str>) {
    let document = Document::parse("kpulse.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    let values = Json::deserialize(&document.values()).unwrap();
    let schema = schema();
    let found = refusal(&schema, &schema, &values, "");
    assert_eq!(found.as_deref(), fault, "{text}");
    assert_eq!(Config::from_str(text, "kpulse.yaml").is_ok(), fault.is_none(), "kpulse thinks otherwise of {text}");
}

#[test]
fn what_kpulse_takes_fits_and_what_it_refuses_does_not() {
    check(SHIPPED, None);
    check(include_str!("../tests/earlier.yaml"), None);
    check("channels: {slack: {ops: {webhook_url_from_secret: A}, dev: {bot_token_from_secret: B, channel: C}}}", None);
    check("monitors: {pod_crashes: {severity: {OOMKilled: warning}, settle: 1m30s}}", None);
    check("monitors: {pod_crashes: {setle: 1m}}", Some("monitors.pod_crashes.setle"));
    check("monitors: {pod_crashes: {settle: soon}}", Some("monitors.pod_crashes.settle"));
    check("monitors: {pvc_usage: {warn_at: 300}}", Some("monitors.pvc_usage.warn_at"));
    check("monitors: {pod_crashes: {severity: bad}}", Some("monitors.pod_crashes.severity"));
    check("log: {level: loud}", Some("log.level"));
    check("namespaces: {exclude: kube-system}", Some("namespaces.exclude"));
    check("channels: {slakc: {}}", Some("channels.slakc"));
    check("channels: {webhook: {url_from_secret: [a]}}", Some("channels.webhook"));
    check("routing: [{match: {severity: critical}, chanels: [a]}]", Some("routing.0.chanels"));
}

#[test]
fn a_setting_says_what_it_means_and_its_default() {
    let schema = schema();
    let settle = &schema["properties"]["monitors"]["properties"]["pod_crashes"]["properties"]["settle"];
    assert_eq!(settle["default"], "0s");
    assert!(settle["description"].as_str().unwrap().contains("database"), "{settle}");
    assert!(settle["pattern"].is_string(), "{settle}");
    let slack = &schema["definitions"]["slack"]["properties"];
    assert!(slack["api_url"]["description"].as_str().unwrap().contains("Slack's API"), "{slack}");
}

/// Where a value does not fit, as far as this schema's own words go.
fn refusal(root: &Json, schema: &Json, value: &Json, at: &str) -> Option<String> {
    let here = || Some(at.trim_start_matches('.').to_owned());
    if let Some(target) = schema["$ref"].as_str() {
        let target = root.pointer(target.trim_start_matches('#')).unwrap();
        return refusal(root, target, value, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = choices.iter().any(|choice| refusal(root, choice, value, at).is_none());
        return if fits { None } else { here() };
    }
    let right = match schema["type"].as_str().unwrap_or("block") {
        "block" => value.is_object() || value.is_null(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        _ => value.is_string(),
    };
    let words = schema["enum"].as_array();
    let in_range = schema["maximum"].as_i64().is_none_or(|most| value.as_i64().is_none_or(|number| number <= most));
    let pattern = schema["pattern"].as_str().zip(value.as_str());
    let matches = pattern.is_none_or(|(pattern, text)| regex::Regex::new(pattern).unwrap().is_match(text));
    if !right || !in_range || !matches || words.is_some_and(|words| !words.contains(value)) {
        return here();
    }
    let of_key = |key: &String| match &schema["properties"][key] {
        Json::Null => schema["additionalProperties"].clone(),
        known => known.clone(),
    };
    let keys = value.as_object().into_iter().flatten().find_map(|(key, inner)| match of_key(key) {
        Json::Bool(false) => Some(format!("{at}.{key}").trim_start_matches('.').to_owned()),
        schema => refusal(root, &schema, inner, &format!("{at}.{key}")),
    });
    let items = value.as_array().into_iter().flatten().enumerate();
    keys.or_else(|| items.into_iter().find_map(|(n, item)| refusal(root, &schema["items"], item, &format!("{at}.{n}"))))
}
