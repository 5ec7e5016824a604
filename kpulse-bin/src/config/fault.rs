//! The faults serde finds, in words: what is wrong with a setting, and what to write instead.

use figment::error::{Actual, Kind};
use serde_json::Value as Json;

use super::document::Part;
use super::key_path::{KeyPath, is_position};

/// What is wrong with one setting, before it is known where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: KeyPath,
    pub(super) part: Part,
    pub(super) fault: String,
    pub(super) remedy: String,
}

/// What is known of the settings besides what the user wrote: all from the types, nothing kept by hand.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// Every setting with its default.
    pub(super) defaults: &'a Json,
    /// The keys of the block in question, if it is one.
    pub(super) keys: Option<&'static [&'static str]>,
    /// The keys of the blocks in the list in question, if it is one.
    pub(super) item_keys: Option<&'static [&'static str]>,
}

impl Fault {
    /// A fault of a setting's value.
    pub(super) fn of_value(path: KeyPath, fault: String, remedy: String) -> Self {
        Self { path, part: Part::Value, fault, remedy }
    }

    /// The fault of which serde says this.
    pub(super) fn of_kind(path: KeyPath, kind: &Kind, known: &Known<'_>) -> Self {
        match kind {
            Kind::UnknownField(key, keys) => {
                let remedy = unknown_key(key, keys, &path, known.defaults);
                Self { path, part: Part::Key, fault: "unknown key".to_owned(), remedy }
            }
            Kind::UnknownVariant(value, values) => {
                let remedy = format!("{}write one of: {}", did_you_mean(value, values), values.join(", "));
                Self::of_value(path, format!("unknown value `{value}`"), remedy)
            }
            Kind::MissingField(key) => {
                Self { path, part: Part::Key, fault: format!("`{key}` is missing"), remedy: format!("add `{key}:`") }
            }
            Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
                let fault = format!("expected {}, found {}", expectation(expected), finding(found));
                let remedy = example(&path, expected, known);
                Self::of_value(path, fault, remedy)
            }
            // A type's own words: by the house's custom the fault, a colon, and what to do.
            other => {
                let text = other.to_string();
                let (fault, remedy) = parted(&text);
                Self::of_value(path, fault.to_owned(), remedy.to_owned())
            }
        }
    }
}

/// A text before and after its first colon outside backticks.
fn parted(text: &str) -> (&str, &str) {
    let is_plain = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'`').count() % 2 == 0;
    let colon = text.match_indices(": ").map(|(at, _)| at).find(|at| is_plain(*at));
    let parts = colon.and_then(|at| Some((text.get(..at)?, text.get(at + 2..)?)));
    parts.unwrap_or((text, ""))
}

/// The one of these that was probably meant.
fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    const ALIKE: f64 = 0.82;
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let rated = words.iter().map(|known| (strsim::jaro_winkler(&plain(word), &plain(known)), *known));
    let (alike, known) = rated.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (alike >= ALIKE).then_some(known)
}

/// A question to put before a list of what there is; empty if nothing is like this word.
pub(super) fn did_you_mean(word: &str, words: &[&str]) -> String {
    nearest(word, words).map_or_else(String::new, |known| format!("did you mean `{known}`? "))
}

fn unknown_key(key: &str, keys: &[&str], path: &KeyPath, defaults: &Json) -> String {
    let mut guess = did_you_mean(key, keys);
    if guess.is_empty() {
        let mut elsewhere = Vec::new();
        blocks_with(key, defaults, &KeyPath::default(), &mut elsewhere);
        if let [block] = elsewhere.as_slice() {
            guess = format!("it belongs in `{block}`; ");
        }
    }
    let block = path.parent().filter(|block| !block.steps().is_empty());
    let place = block.map_or_else(|| "at the top".to_owned(), |block| format!("in `{block}`"));
    match keys {
        [] => format!("{guess}remove it: nothing can be set {place}"),
        _ => format!("{guess}known {place}: {}", keys.join(", ")),
    }
}

fn blocks_with(key: &str, defaults: &Json, path: &KeyPath, found: &mut Vec<KeyPath>) {
    let Json::Object(block) = defaults else { return };
    if block.contains_key(key) && !path.steps().is_empty() {
        found.push(path.clone());
    }
    for (name, inner) in block {
        blocks_with(key, inner, &path.child(name), found);
    }
}

/// What serde expected, in the user's words.
fn expectation(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a string" | "a borrowed string" => "a text",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a block of keys",
        other if other.starts_with("struct ") => "a block of keys",
        other => other,
    }
}

fn finding(found: &Actual) -> String {
    match found {
        Actual::Bool(value) => format!("`{value}`"),
        Actual::Unsigned(number) => format!("the number {number}"),
        Actual::Signed(number) => format!("the number {number}"),
        Actual::Float(number) => format!("the number {number}"),
        Actual::Char(text) => format!("the text `{text}`"),
        Actual::Str(text) => format!("the text `{text}`"),
        Actual::Unit | Actual::Option => "nothing".to_owned(),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a block of keys".to_owned(),
        other => other.to_string(),
    }
}

/// How to write it: the keys of a block, the default of everything else.
fn example(path: &KeyPath, expected: &str, known: &Known<'_>) -> String {
    if let Some(keys) = known.keys {
        return format!("write a block with any of these keys: {}", keys.join(", "));
    }
    if let Some(keys) = known.item_keys {
        return format!("write a list (`- `) of blocks with any of these keys: {}", keys.join(", "));
    }
    let default = path.steps().iter().try_fold(known.defaults, |block, key| block.get(key));
    let value = match default.and_then(flow) {
        Some(value) => value,
        None => match expectation(expected) {
            "true or false" => "true".to_owned(),
            "a list" => "[a, b]".to_owned(),
            number if number.starts_with("a whole number") || number == "a number" => "5".to_owned(),
            _ => return String::new(),
        },
    };
    let key = path.last();
    if is_position(key) { format!("for example `{value}`") } else { format!("for example `{key}: {value}`") }
}

/// A default on one line; nothing if it is empty or a block.
fn flow(default: &Json) -> Option<String> {
    const ITEMS: usize = 2;
    match default {
        Json::Null | Json::Object(_) => None,
        Json::String(text) => (!text.is_empty()).then(|| text.clone()),
        Json::Array(items) => {
            let shown: Vec<_> = items.iter().take(ITEMS).filter_map(flow).map(quoted).collect();
            (!shown.is_empty()).then(|| format!("[{}]", shown.join(", ")))
        }
        other => Some(other.to_string()),
    }
}

/// In quotes if YAML would read it as something else.
fn quoted(text: String) -> String {
    if text.starts_with(['*', '&', '!', '%', '@', '`']) { format!("\"{text}\"") } else { text }
}
