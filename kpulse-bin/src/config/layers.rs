//! Defaults, file and environment on top of each other: what is closer to the program wins.

use std::fmt;
use std::path::Path;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::document::{Document, Duplicate, Part, Place};
use super::environment::Environment;
use super::fault::Fault;
use super::key_path::KeyPath;
use super::problem::ConfigProblem;
use super::read::{Reading, read};
use super::{Config, ConfigError};

/// Where settings come from. Kept with the configuration, so that what is found wrong later can still be shown in
/// its place.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) document: Document,
    pub(super) environment: Environment,
}

impl Layers {
    /// The configuration and what is wrong with its shape. Defaults are the lowest layer: each type has its own.
    pub(super) fn read(&self) -> Reading<Config> {
        let merged = Figment::new()
            .merge(Layer { name: "file", values: self.document.values() })
            .merge(Layer { name: "environment", values: self.environment.values() })
            .data()
            .ok()
            .and_then(|mut profiles| profiles.remove(&Profile::Default))
            .unwrap_or_default();
        read(merged.into(), |path| {
            let set = self.environment.name(path).is_some();
            let text = if set { self.environment.written(path) } else { self.document.written(path) };
            text.map(str::to_owned)
        })
    }

    /// Shows a fault where the user made it: at the variable, at its place in the file, or at the closest block that the
    /// file has.
    pub(super) fn problem(&self, fault: Fault) -> ConfigProblem {
        let Fault { path, part, fault, remedy } = fault;
        let key = path.to_string();
        if let Some(variable) = self.environment.name(&path) {
            return ConfigProblem::of_setting(&format!("environment variable {variable}"), &key, &fault, &remedy);
        }
        let problem = ConfigProblem::of_setting(&self.document.name, &key, &fault, &remedy);
        match self.closest(&path, part) {
            Some(place) => problem.at(&self.document, place),
            None => problem,
        }
    }

    /// Where a setting comes from: `config.yaml:3`, or a variable's name. Nothing if nobody set it.
    pub(super) fn origin(&self, path: &KeyPath) -> Option<String> {
        if let Some(variable) = self.environment.name(path) {
            return Some(variable.to_owned());
        }
        let place = self.document.place(path, Part::Value)?;
        let name =
            Path::new(&self.document.name).file_name().map_or_else(Default::default, |name| name.to_string_lossy());
        Some(format!("{name}:{}", place.line))
    }

    /// Whether the file or the environment sets this or something in it.
    pub(super) fn mentions(&self, path: &KeyPath) -> bool {
        self.document.place(path, Part::Key).is_some() || self.environment.mentions(path)
    }

    /// Keys that stand twice, which serde never gets to see.
    pub(super) fn duplicates(&self) -> Vec<ConfigProblem> {
        let problem = |duplicate: Duplicate| {
            let fault = format!("this key stands here for the second time; first on line {}", duplicate.first_line);
            let key = duplicate.path.to_string();
            let problem = ConfigProblem::of_setting(&self.document.name, &key, &fault, "remove one of the two");
            problem.at(&self.document, duplicate.place)
        };
        self.document.duplicates().into_iter().map(problem).collect()
    }

    fn closest(&self, path: &KeyPath, part: Part) -> Option<Place> {
        let outer = || path.parent().filter(|outer| !outer.steps().is_empty());
        // Where a list may stand, one value may too.
        let single = || outer().filter(|outer| self.document.written(outer).is_some());
        let value = self.document.place(path, part).or_else(|| self.document.place(&single()?, Part::Value));
        value.or_else(|| self.closest(&outer()?, Part::Key))
    }
}

/// What the layers hold may be secret.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").field("file", &self.document.name).finish_non_exhaustive()
    }
}

/// One layer, as figment wants it.
struct Layer {
    name: &'static str,
    values: Value,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let values = self.values.clone().into_dict().unwrap_or_default();
        Ok(Map::from([(Profile::Default, values)]))
    }
}

/// All problems in the order of the file; those of the environment last.
pub(super) fn sorted(mut problems: Vec<ConfigProblem>) -> ConfigError {
    problems.sort_by_key(|problem| {
        let place = (problem.line.unwrap_or(u64::MAX), problem.column.unwrap_or(u64::MAX));
        (place, problem.key.clone())
    });
    ConfigError { problems }
}
