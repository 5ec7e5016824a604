//! From values to settings. serde stops at the first fault; here the faulty setting is taken out and the rest read
//! again, so that all faults are found at once.

use figment::error::{Actual, Error, Kind};
use figment::value::{Dict, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::document::Part;
use super::fault::{Fault, Known};
use super::key_path::KeyPath;

/// More faults than anybody mends in one go.
const MOST_FAULTS: usize = 50;

/// What could be read, and what could not.
#[derive(Debug)]
pub(super) struct Reading<T> {
    /// The settings; where there are faults, with defaults in their place.
    pub(super) settings: T,
    pub(super) faults: Vec<Fault>,
    taken_out: TakenOut,
}

impl<T> Reading<T> {
    /// Where something of `settings` stands in what was read: a faulty item leaves its list, and those behind move up.
    pub(super) fn original(&self, path: &KeyPath) -> KeyPath {
        self.taken_out.original(path)
    }
}

/// Reads settings. `written` gives a scalar as the user wrote it, for what YAML took for a number (`name: 0123`).
pub(super) fn read<T>(mut values: Value, written: impl Fn(&KeyPath) -> Option<String>) -> Reading<T>
where
    T: DeserializeOwned + Default + Serialize,
{
    let (mut faults, mut taken_out) = (Vec::new(), TakenOut::default());
    let defaults = serde_json::to_value(T::default()).unwrap_or_default();
    loop {
        let error = match T::deserialize(&values) {
            Ok(settings) => return Reading { settings, faults: outermost(faults), taken_out },
            Err(error) => error,
        };
        let path = path_of(&error, &values);
        if let Some(better) = reread::<T>(&values, &error, &path, &written(&taken_out.original(&path))) {
            values = better;
            continue;
        }
        let known = Known { defaults: &defaults, keys: keys_at::<T>(&path), item_keys: keys_at::<T>(&path.child("0")) };
        let mut fault = Fault::of_kind(taken_out.original(&path), &error.kind, &known);
        if path.steps() != error.path {
            fault.part = Part::Key;
        }
        // What is missing because it was taken out has been told, with its own place.
        let is_told = matches!(&error.kind, Kind::MissingField(key)
            if faults.iter().any(|known: &Fault| known.path == fault.path.child(&**key)));
        if !is_told {
            faults.push(fault);
        }
        if faults.len() >= MOST_FAULTS || !take_out(&mut values, path.steps()) {
            return Reading { settings: T::default(), faults: outermost(faults), taken_out };
        }
        taken_out.note(path);
    }
}

/// Without what is wrong within something that is wrong as a whole.
fn outermost(faults: Vec<Fault>) -> Vec<Fault> {
    let is_inner =
        |fault: &Fault| faults.iter().any(|other| other.path != fault.path && fault.path.is_within(&other.path));
    let outer: Vec<bool> = faults.iter().map(|fault| !is_inner(fault)).collect();
    faults.into_iter().zip(outer).filter(|(_, outer)| *outer).map(|(fault, _)| fault).collect()
}

/// The path of an error. Where a type finds a fault only after it has read a whole block, the path is the block's, and
/// the key that the error is about is looked for in it.
fn path_of(error: &Error, values: &Value) -> KeyPath {
    let path = KeyPath::new(error.path.iter());
    let keys: Vec<&str> = match &error.kind {
        Kind::UnknownField(key, _) if path.last() != key => vec![key],
        // What is between backticks.
        Kind::Message(text) => text.split('`').skip(1).step_by(2).collect(),
        _ => return path,
    };
    let Some(block) = path.steps().iter().try_fold(values, child) else { return path };
    keys.into_iter().rev().find_map(|key| path_to(key, block, &path)).unwrap_or(path)
}

fn path_to(key: &str, value: &Value, at: &KeyPath) -> Option<KeyPath> {
    let Value::Dict(_, block) = value else { return None };
    if block.contains_key(key) {
        return Some(at.child(key));
    }
    block.iter().find_map(|(name, inner)| path_to(key, inner, &at.child(name)))
}

fn child<'a>(value: &'a Value, step: &String) -> Option<&'a Value> {
    match value {
        Value::Dict(_, block) => block.get(step),
        Value::Array(_, items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The values with the one at `path` understood as it was surely meant, as the earlier program did: `name: 0123` is a
/// text, `enabled: yes` is true, and a key without a value is as good as absent. Nothing if that does not help.
fn reread<T: DeserializeOwned>(
    values: &Value,
    error: &Error,
    path: &KeyPath,
    written: &Option<String>,
) -> Option<Value> {
    let Kind::InvalidType(found, _) = &error.kind else { return None };
    let mut better = values.clone();
    let meant = match found {
        Actual::Unit | Actual::Option => {
            let within_block = matches!(path.parent()?.steps().iter().try_fold(values, child)?, Value::Dict(..));
            return (within_block && take_out(&mut better, path.steps())).then_some(better);
        }
        Actual::Bool(_) | Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => {
            Value::from(written.as_deref()?)
        }
        Actual::Str(text) => Value::from(truth(text)?),
        _ => return None,
    };
    *child_mut(&mut better, path.steps())? = meant;
    match T::deserialize(&better) {
        Err(again) if again.path == error.path && matches!(again.kind, Kind::InvalidType(..)) => None,
        _ => Some(better),
    }
}

/// The words for true and false of YAML 1.1.
fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" => Some(true),
        "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn child_mut<'a>(value: &'a mut Value, steps: &[String]) -> Option<&'a mut Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Dict(_, block) => block.get_mut(step),
        Value::Array(_, items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Removes what stands at the path. False if nothing stands there.
fn take_out(values: &mut Value, steps: &[String]) -> bool {
    let Some((last, outer)) = steps.split_last() else { return false };
    match child_mut(values, outer) {
        Some(Value::Dict(_, block)) => block.remove(last).is_some(),
        Some(Value::Array(_, items)) => match last.parse::<usize>() {
            Ok(position) if position < items.len() => {
                items.remove(position);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// What was taken out, in this order, each by its path at that time.
#[derive(Debug, Default)]
struct TakenOut(Vec<KeyPath>);

impl TakenOut {
    fn note(&mut self, path: KeyPath) {
        self.0.push(path);
    }

    /// The path as it was before anything was taken out.
    fn original(&self, path: &KeyPath) -> KeyPath {
        let mut steps = path.steps().to_vec();
        for gone in self.0.iter().rev() {
            let Some((Ok(gap), list)) = gone.steps().split_last().map(|(last, list)| (last.parse::<usize>(), list))
            else {
                continue;
            };
            if !steps.starts_with(list) {
                continue;
            }
            if let Some(step) = steps.get_mut(list.len())
                && let Ok(position) = step.parse::<usize>()
                && position >= gap
            {
                *step = (position + 1).to_string();
            }
        }
        KeyPath::new(steps)
    }
}

/// The keys of the block at `path`, asked of the type itself: given a key that cannot be, it says which can.
pub(super) fn keys_at<T: DeserializeOwned>(path: &KeyPath) -> Option<&'static [&'static str]> {
    const NO_KEY: &str = "?";
    let mut values: Value =
        [(NO_KEY, true)].into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect::<Dict>().into();
    for step in path.steps().iter().rev() {
        values = match step.parse::<usize>() {
            Ok(_) => vec![values].into(),
            Err(_) => Dict::from([(step.clone(), values)]).into(),
        };
    }
    match T::deserialize(&values).err()?.kind {
        Kind::UnknownField(key, keys) if key == NO_KEY => Some(keys),
        _ => None,
    }
}

/// The words an enum can be, asked of the type itself.
pub(super) fn words_of<T: DeserializeOwned>() -> &'static [&'static str] {
    match T::deserialize(&Value::from("?")) {
        Err(Error { kind: Kind::UnknownVariant(_, words), .. }) => words,
        _ => &[],
    }
}
