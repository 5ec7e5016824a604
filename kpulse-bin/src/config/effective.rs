//! The configuration as it is in force, written as YAML: each value with where it comes from. What may be secret is
//! masked by the types themselves.

use std::fmt::Write;

use serde_json::Value as Json;
use serde_saphyr::FlowSeq;

use super::key_path::KeyPath;
use super::{Config, Loaded, read};

/// Comments stand below each other, unless a value is longer than this.
const WIDEST: usize = 64;

/// The text; nothing that is not set and has no default.
pub(super) fn text(loaded: &Loaded) -> String {
    let values = serde_json::to_value(&loaded.config).unwrap_or_default();
    let mut page = Page { loaded, lines: Vec::new() };
    page.block(&values, &KeyPath::default(), 0);
    page.text()
}

struct Page<'a> {
    loaded: &'a Loaded,
    /// Each line, and where its value comes from.
    lines: Vec<(String, String)>,
}

impl Page<'_> {
    fn block(&mut self, block: &Json, path: &KeyPath, depth: usize) {
        for key in self.keys(block, path) {
            if let Some(value) = block.get(&key) {
                self.setting(&key, value, &path.child(&key), depth);
            }
        }
    }

    fn setting(&mut self, key: &str, value: &Json, path: &KeyPath, depth: usize) {
        if depth > 1 && is_nothing(value) && self.loaded.layers.origin(path).is_none() {
            return;
        }
        let indent = "  ".repeat(depth);
        let key = scalar(&key.into());
        match value {
            Json::Null => {}
            Json::Object(inner) if !inner.is_empty() => {
                self.lines.push((format!("{indent}{key}:"), String::new()));
                let inner = self.lines.len();
                self.block(value, path, depth + 1);
                if self.lines.len() == inner {
                    self.lines.pop();
                }
            }
            Json::Object(_) => self.leaf(format!("{indent}{key}: {{}}"), path),
            Json::Array(items) if items.iter().any(Json::is_object) => {
                self.lines.push((format!("{indent}{key}:"), String::new()));
                items
                    .iter()
                    .enumerate()
                    .for_each(|(position, item)| self.item(item, &path.child(position.to_string()), depth + 1));
            }
            Json::Array(items) => self.leaf(format!("{indent}{key}: {}", list(items)), path),
            other => self.leaf(format!("{indent}{key}: {}", scalar(other)), path),
        }
    }

    /// An item of a list is a block whose first line begins with a dash.
    fn item(&mut self, item: &Json, path: &KeyPath, depth: usize) {
        let first = self.lines.len();
        self.block(item, path, depth + 1);
        if let Some((line, _)) = self.lines.get_mut(first) {
            *line = format!("{}- {}", "  ".repeat(depth), line.trim_start());
        }
    }

    fn leaf(&mut self, line: String, path: &KeyPath) {
        let origin = self.loaded.layers.origin(path).unwrap_or_else(|| "default".to_owned());
        self.lines.push((line, origin));
    }

    /// In the order of the types; channels, of which the first may be the default one, in that of the file.
    fn keys(&self, block: &Json, path: &KeyPath) -> Vec<String> {
        let known = read::keys_at::<Config>(path).unwrap_or_default();
        let Json::Object(entries) = block else { return Vec::new() };
        let mut keys: Vec<String> = entries.keys().cloned().collect();
        let holds_channels = match path.steps() {
            [top] => top == "channels",
            [top, _] => top == "channels" && keys.iter().all(|key| !known.contains(&key.as_str())),
            _ => false,
        };
        if holds_channels {
            keys.sort_by_cached_key(|key| self.first_channel(&path.child(key), block.get(key)));
        } else {
            keys.sort_by_key(|key| known.iter().position(|known| known == key));
        }
        keys
    }

    /// The position of the first channel within a kind, or of the one of this name.
    fn first_channel(&self, path: &KeyPath, value: Option<&Json>) -> Option<usize> {
        let order = &self.loaded.config.channel_order;
        let names = value.and_then(Json::as_object).into_iter().flat_map(|inner| inner.keys().map(String::as_str));
        let names = names.chain([path.last()]);
        names.filter_map(|name| order.iter().position(|channel| channel.as_str() == name)).min()
    }

    fn text(self) -> String {
        let widths = self.lines.iter().filter(|(_, origin)| !origin.is_empty()).map(|(line, _)| line.chars().count());
        let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or_default();
        let mut text = String::new();
        for (line, origin) in &self.lines {
            // Writing to a String cannot fail.
            let _infallible = match origin.as_str() {
                "" => writeln!(text, "{line}"),
                origin => writeln!(text, "{line:width$}  # {origin}"),
            };
        }
        text
    }
}

/// Whether it says no more than its absence would.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.is_empty(),
        Json::Object(block) => block.is_empty(),
        other => other.is_null(),
    }
}

fn scalar(value: &Json) -> String {
    serde_saphyr::to_string(value).unwrap_or_default().trim_end().to_owned()
}

fn list(items: &[Json]) -> String {
    serde_saphyr::to_string(&FlowSeq(items)).unwrap_or_default().trim_end().to_owned()
}
