//! What a setting takes, learned by offering it something.

use figment::error::{Error, Kind};
use figment::value::{Dict, Num, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{Schema, object};
use crate::config::Config;
use crate::config::key_path::{KeyPath, is_position};

/// What became of a value that was offered to a setting.
#[derive(Debug)]
pub(super) struct Offer {
    /// Why it was refused.
    refusal: Option<Error>,
}

impl Offer {
    /// Offers a value to the setting at this path, with nothing else set.
    pub(super) fn of(path: &KeyPath, value: Value) -> Self {
        let nested = path.steps().iter().rev().fold(value, |inner, step| {
            if is_position(step) { vec![inner].into() } else { Dict::from([(step.clone(), inner)]).into() }
        });
        // What is refused further out is something else that is missing there.
        let refusal = Config::deserialize(&nested).err();
        Self { refusal: refusal.filter(|error| KeyPath::new(error.path.iter()).is_within(path)) }
    }

    pub(super) fn is_taken(&self) -> bool {
        self.refusal.is_none()
    }

    /// The words that would have been taken instead.
    fn words(&self) -> Option<&'static [&'static str]> {
        match &self.refusal.as_ref()?.kind {
            Kind::UnknownVariant(_, words) => Some(words),
            _ => None,
        }
    }

    /// Whether another value of the same type may be taken.
    fn is_of_the_right_type(&self) -> bool {
        !matches!(self.refusal.as_ref().map(|error| &error.kind), Some(Kind::InvalidType(..)))
    }
}

/// How a schema describes each scalar that the setting takes.
pub(super) fn scalars(path: &KeyPath, shapes: &[(&str, &str, &str)]) -> Vec<Schema> {
    let takes = |value: Value| Offer::of(path, value).is_taken();
    let mut found = Vec::new();
    if takes(true.into()) {
        found.push(json!({ "type": "boolean" }));
    }
    let text = Offer::of(path, "?".into());
    // A choice of words would also take their positions: nobody writes that.
    if text.words().is_none() && takes(Num::from(1_u8).into()) {
        found.push(number(path));
    }
    if let Some(words) = text.words() {
        found.push(json!({ "type": "string", "enum": words }));
    } else if text.is_taken() {
        found.push(json!({ "type": "string" }));
    } else if text.is_of_the_right_type() {
        let shape = shapes.iter().find(|(example, ..)| takes((*example).into()));
        let mut schema = object(json!({ "type": "string" }));
        schema.extend(shape.map(|(_, key, value)| ((*key).to_owned(), Json::from(*value))));
        found.push(schema.into());
    }
    found.into_iter().map(object).collect()
}

fn number(path: &KeyPath) -> Json {
    let takes = |number: Num| Offer::of(path, number.into()).is_taken();
    let mut schema = object(json!({ "type": if takes(1.5.into()) { "number" } else { "integer" } }));
    if !takes((-1_i8).into()) {
        schema.insert("minimum".to_owned(), 0.into());
    }
    let most = [u64::from(u8::MAX), u64::from(u16::MAX)].into_iter().find(|most| !takes((most + 1).into()));
    schema.extend(most.map(|most| ("maximum".to_owned(), most.into())));
    schema.into()
}
