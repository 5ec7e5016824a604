//! Settings from environment variables, which win over the file.
//!
//! `KPULSE_` and the keys, in capitals, with `__` between them: `KPULSE_CLUSTER__NAME=prod`,
//! `KPULSE_MONITORS__POD_CRASHES__SETTLE=60s`. Lists and blocks are written as in YAML: `[a, b]`, `{team: shop}`. A key
//! that is not all small letters, digits and single underscores (a label, a header's name) can only be written in such
//! a block.
//!
//! A variable without `__` is a setting only if it names one of the lists at the top (`KPULSE_ROUTING`): every other
//! setting is within a block. So what others put into the environment is left alone: `KPULSE_VERSION`, and the
//! `KPULSE_SERVICE_HOST`, `KPULSE_PORT_8080_TCP_ADDR` and their kin which Kubernetes sets in every Pod beside a Service
//! named `kpulse`. `POD_NAMESPACE` and `KUBECONFIG` lack the prefix.

use figment::value::{Dict, Value};

use super::Config;
use super::document::Document;
use super::key_path::KeyPath;

const PREFIX: &str = "KPULSE_";
const BETWEEN_KEYS: &str = "__";

/// The environment variables that are settings. It has no `Debug` output, since they may hold addresses.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: Vec<Variable>,
    /// The names of those that have the prefix and are no setting.
    others: Vec<String>,
}

#[derive(Clone)]
struct Variable {
    name: String,
    path: KeyPath,
    text: String,
}

impl Environment {
    /// The settings in this process' environment. What is not Unicode is no setting.
    #[must_use]
    pub(crate) fn of_process() -> Self {
        let unicode = |(name, text): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, text.into_string().ok()?))
        };
        std::env::vars_os().filter_map(unicode).collect()
    }

    /// Everything set here, as blocks within blocks. A text that looks like a number, a truth value, a list or a block
    /// is one.
    pub(super) fn values(&self) -> Value {
        let mut top = Dict::new();
        for variable in &self.variables {
            insert(&mut top, variable.path.steps(), value_of(&variable.text));
        }
        top.into()
    }

    /// Whether a variable sets this or something in it.
    pub(super) fn mentions(&self, path: &KeyPath) -> bool {
        self.variables.iter().any(|variable| variable.path.is_within(path))
    }

    /// A note for each variable that is no setting, but looks as if it was meant as one: `KPULSE_LOG_LEVEL`.
    pub(super) fn nearly_settings(&self, blocks: &[&str]) -> Vec<String> {
        let note = |name: &String| {
            let keys = name.strip_prefix(PREFIX)?.to_ascii_lowercase();
            let block =
                blocks.iter().find(|block| keys.strip_prefix(**block).is_some_and(|key| key.starts_with('_')))?;
            let key = keys.strip_prefix(*block)?.to_ascii_uppercase();
            let meant = format!("{PREFIX}{}_{key}", block.to_ascii_uppercase());
            Some(format!("environment variable {name} is not read: settings have `__` between keys, as in {meant}"))
        };
        self.others.iter().filter_map(note).collect()
    }

    /// The variable that sets this or a block around it.
    pub(super) fn name(&self, path: &KeyPath) -> Option<&str> {
        self.find(path).map(|variable| variable.name.as_str())
    }

    /// The text of the variable that sets exactly this.
    pub(super) fn written(&self, path: &KeyPath) -> Option<&str> {
        self.find(path).filter(|variable| variable.path == *path).map(|variable| variable.text.as_str())
    }

    fn find(&self, path: &KeyPath) -> Option<&Variable> {
        let around = self.variables.iter().filter(|variable| path.is_within(&variable.path));
        around.max_by_key(|variable| variable.path.steps().len())
    }
}

/// What a variable's text says.
fn value_of(text: &str) -> Value {
    let is_nested = text.trim_start().starts_with(['[', '{']);
    let nested = if is_nested { Document::parse_value(text) } else { None };
    // Not YAML: `[kube-*, *]`. The parser of figment cannot fail: what it does not understand is a text.
    nested.unwrap_or_else(|| text.parse().unwrap_or_else(|_| Value::from(text)))
}

/// The settings that are no blocks, and at the top all the same: lists.
fn is_list_at_the_top(key: &str) -> bool {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    defaults.get(key).is_some_and(serde_json::Value::is_array)
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(variables: I) -> Self {
        let mut environment = Self::default();
        for (name, text) in variables {
            let name = name.into();
            let Some(keys) = name.strip_prefix(PREFIX) else { continue };
            let keys = keys.to_ascii_lowercase();
            if keys.contains(BETWEEN_KEYS) || is_list_at_the_top(&keys) {
                let path = KeyPath::new(keys.split(BETWEEN_KEYS));
                environment.variables.push(Variable { name, path, text: text.into() });
            } else {
                environment.others.push(name);
            }
        }
        // The environment has no order; a block must come before what is within it.
        environment.variables.sort_by(|a, b| a.path.cmp(&b.path));
        environment.others.sort();
        environment
    }
}

fn insert(block: &mut Dict, steps: &[String], value: Value) {
    match steps {
        [] => {}
        [key] => {
            block.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = block.entry(key.clone()).or_insert_with(|| Dict::new().into());
            // Set as a whole by one variable and in part by another: the part is the closer wish.
            if !matches!(inner, Value::Dict(..)) {
                *inner = Dict::new().into();
            }
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
