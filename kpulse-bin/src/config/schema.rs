//! The JSON Schema of the configuration, for editors and for the chart. Nothing of it is kept by hand: which keys there
//! are and what they take is asked of the types, by offering them values; what they mean stands in the configuration
//! that is shipped, in the comment above each.

mod comments;
mod offer;

use figment::value::{Dict, Value};
use serde_json::{Map, Value as Json, json};

use self::comments::Comments;
#[cfg(test)]
pub(super) use self::comments::{SHIPPED, all_in_force};
use self::offer::Offer;
use super::Config;
use super::key_path::KeyPath;
use super::read::keys_at;

/// The dialect that the chart's and most editors' validators know.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";
/// A name that is nobody's key.
const ANY: &str = "a-name";
/// More levels than any setting has.
const DEEPEST: usize = 8;

/// Texts that not every setting takes, and how a schema says what they stand for.
const SHAPES: &[(&str, &str, &str)] = &[
    ("90s", "pattern", r"^(0|([0-9]+(\.[0-9]+)?(h|m|s|ms))+)$"),
    ("2026-12-01T08:00:00Z", "format", "date-time"),
    ("22:30", "pattern", "^[0-9]{1,2}:[0-9]{2}$"),
];

/// The schema.
#[must_use]
pub(crate) fn schema() -> Json {
    let mut writer = Writer {
        comments: Comments::of_shipped(),
        defaults: serde_json::to_value(Config::default()).unwrap_or_default(),
        definitions: Map::new(),
    };
    let mut schema = writer.describe(&KeyPath::default());
    schema.insert("$schema".to_owned(), DIALECT.into());
    schema.insert("title".to_owned(), "The configuration of kpulse".into());
    schema.insert("definitions".to_owned(), Json::Object(writer.definitions));
    Json::Object(schema)
}

struct Writer {
    comments: Comments,
    defaults: Json,
    /// The settings of each kind of channel, which may stand there once or several times by name.
    definitions: Map<String, Json>,
}

type Schema = Map<String, Json>;

impl Writer {
    fn describe(&mut self, path: &KeyPath) -> Schema {
        if path.steps().len() > DEEPEST {
            return Schema::new();
        }
        let mut choices: Vec<Schema> = self.block(path).into_iter().collect();
        // A type with keys would also take their values in a row: nobody writes that.
        if choices.is_empty() && Offer::of(path, Vec::<Value>::new().into()).is_taken() {
            choices.push(self.items(path));
        }
        choices.extend(offer::scalars(path, SHAPES));
        let mut schema = match choices.len() {
            1 => choices.remove(0),
            _ => object(json!({ "anyOf": choices })),
        };
        if let Some(text) = self.comments.above(path) {
            schema.insert("description".to_owned(), text.into());
        }
        let default = path.steps().iter().try_fold(&self.defaults, |block, key| block.get(key));
        if let Some(default) = default.filter(|default| !default.is_null() && !default.is_object()) {
            schema.insert("default".to_owned(), default.clone());
        }
        schema
    }

    /// A block of keys, or a map with keys that the user makes up.
    fn block(&mut self, path: &KeyPath) -> Option<Schema> {
        let Some(keys) = keys_at::<Config>(path) else {
            let is_map = Offer::of(path, Dict::new().into()).is_taken();
            return is_map.then(|| {
                let values = self.describe(&path.child(ANY));
                object(json!({ "type": "object", "additionalProperties": values }))
            });
        };
        let properties: Schema =
            keys.iter().map(|key| ((*key).to_owned(), self.describe(&path.child(*key)).into())).collect();
        // A key with nothing behind it is a block of defaults.
        let block =
            object(json!({ "type": ["object", "null"], "additionalProperties": false, "properties": properties }));
        let named: Value = Dict::from([(ANY.to_owned(), Dict::new().into())]).into();
        if path.steps().len() != 2 || !Offer::of(path, named).is_taken() {
            return Some(block);
        }
        let kind = path.last().to_owned();
        let one = json!({ "$ref": format!("#/definitions/{kind}") });
        self.definitions.insert(kind, block.into());
        Some(object(json!({ "anyOf": [one, { "type": "object", "additionalProperties": one }] })))
    }

    fn items(&mut self, path: &KeyPath) -> Schema {
        let items = self.describe(&path.child("0"));
        object(json!({ "type": "array", "items": items }))
    }
}

fn object(json: Json) -> Schema {
    if let Json::Object(schema) = json { schema } else { Schema::new() }
}

#[cfg(test)]
mod tests;
