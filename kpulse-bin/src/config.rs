//! The configuration: what the user wrote in the file and in the environment, read strictly.
//!
//! Whatever is not understood is an error that shows its place. Nothing here knows what a particular monitor or
//! channel can be told: the keys, the defaults and the words come from their types.

mod channels;
mod document;
mod effective;
mod environment;
mod fault;
mod key_path;
mod layers;
mod meaning;
mod problem;
mod read;
mod schema;

#[cfg(test)]
mod tests;

use std::path::Path;

use kpulse_core::Name;
use kpulse_core::policy::{Route, Silence};
use kpulse_core::settings::{Channel, Dedupe, Monitors, Namespaces, Resolution, Settings};
use kpulse_notify::{ChannelSettings, Channels, Secrets, Traits};
use kpulse_watch::kubelet::KubeletSettings;
use serde::{Deserialize, Serialize};

pub(crate) use environment::Environment;
pub(crate) use problem::{ConfigError, ConfigProblem};
pub(crate) use schema::schema;

use document::Document;
use key_path::KeyPath;
use layers::Layers;

/// Everything the user can set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The cluster that is watched.
    pub(crate) cluster: Cluster,
    /// Who can be told.
    pub(crate) channels: Channels,
    /// Which namespaces are looked at.
    pub(crate) namespaces: Namespaces,
    /// What is looked for.
    pub(crate) monitors: Monitors,
    /// How kubelets are asked.
    pub(crate) kubelet: KubeletSettings,
    /// When something may be said again.
    pub(crate) dedupe: Dedupe,
    /// Whether endings are told.
    pub(crate) resolution: Resolution,
    /// Who is told what; the first match wins.
    pub(crate) routing: Vec<Route>,
    /// What is not to be told for a while.
    pub(crate) silences: Vec<Silence>,
    /// The status page.
    pub(crate) ui: Ui,
    /// What kpulse says of itself on its standard output.
    pub(crate) log: Log,
    /// The names of the channels in the order of the file, which figment does not keep.
    #[serde(skip)]
    channel_order: Vec<Name>,
}

/// The cluster that is watched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cluster {
    /// Its name, said in each message.
    pub(crate) name: Name,
}

/// The status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ui {
    /// Whether there is one.
    pub(crate) enabled: bool,
}

impl Default for Ui {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// What kpulse says of itself on its standard output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// For machines or for people.
    pub(crate) format: LogFormat,
    /// From how important on.
    pub(crate) level: LogLevel,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// An object a line.
    #[default]
    Json,
    /// Words, for people.
    Text,
}

/// How important a line of the log must be to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    /// Something does not work.
    Error,
    /// Something may soon not work.
    Warn,
    /// What an operator wants to know.
    #[default]
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word used in configuration, which is also that of log filters.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What a configuration is read for, which decides what it must have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// Nobody is told: nothing must be set.
    Rehearsal,
    /// People are told: the cluster has a name, and each channel can be set up once its secrets are there.
    Telling,
    /// It is said whether all would work with these secrets.
    Checking(&'a Secrets),
}

/// A configuration without a fault.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings.
    pub(crate) config: Config,
    /// What is not wrong, but perhaps not meant either: a sentence each.
    pub(crate) notes: Vec<String>,
    layers: Layers,
}

impl Loaded {
    /// The configuration as it is in force, as YAML: each value with where it comes from, and secrets masked.
    #[must_use]
    pub(crate) fn effective(&self) -> String {
        effective::text(self)
    }

    /// Where a route stands: ` (config.yaml:12)`.
    #[must_use]
    pub(crate) fn place_of_route(&self, position: usize) -> String {
        let path = KeyPath::new(["routing", &position.to_string()]);
        self.layers.origin(&path).map_or_else(String::new, |origin| format!(" ({origin})"))
    }
}

impl Config {
    /// Reads a file and lays the environment over it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or anything in it or in the environment is not understood: everything that is
    /// wrong, each with its place.
    pub(crate) fn load(path: &Path, environment: &Environment, purpose: Purpose<'_>) -> Result<Loaded, ConfigError> {
        let name = path.display().to_string();
        match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => Self::parse(&name, &text, environment, purpose),
            Ok(Err(_)) => Err(unreadable(&name, "is not a text file", "write it in UTF-8")),
            Err(error) => Err(unreadable(&name, &error.to_string(), remedy_of(&error))),
        }
    }

    /// Reads a text without an environment; an empty one is all defaults. `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// Where anything is not understood.
    pub(crate) fn from_str(text: &str, name: &str) -> Result<Loaded, ConfigError> {
        Self::parse(name, text, &Environment::default(), Purpose::Rehearsal)
    }

    /// What the core is told.
    #[must_use]
    pub(crate) fn settings(&self) -> Settings {
        let marked = self.channels.iter().find(|(_, settings)| settings.is_default()).map(|(name, _)| name);
        Settings {
            cluster: self.cluster.name.clone(),
            namespaces: self.namespaces.clone(),
            monitors: self.monitors.clone(),
            dedupe: self.dedupe.clone(),
            resolution: self.resolution.clone(),
            routing: self.routing.clone(),
            silences: self.silences.clone(),
            channels: self.channel_order.iter().map(|name| self.channel(name)).collect(),
            default_channel: marked.cloned(),
        }
    }

    /// A channel, as far as it matters for what it is told.
    fn channel(&self, name: &Name) -> Channel {
        let Traits { incident, edits, refresh } =
            self.channels.get(name).map(ChannelSettings::traits).unwrap_or_default();
        Channel { name: name.clone(), incident, edits, refresh }
    }

    fn parse(name: &str, text: &str, environment: &Environment, purpose: Purpose<'_>) -> Result<Loaded, ConfigError> {
        let document = Document::parse(name, text)?;
        let layers = Layers { document, environment: environment.clone() };
        let mut reading = layers.read();
        reading.settings.channel_order = channels::order(&reading.settings.channels, &layers);
        let mut faults = meaning::faults(&reading, &layers, purpose);
        faults.append(&mut reading.faults);
        let mut problems = layers.duplicates();
        problems.extend(faults.into_iter().map(|fault| layers.problem(fault)));
        if !problems.is_empty() {
            return Err(layers::sorted(problems));
        }
        let mut notes = meaning::notes(&reading.settings);
        notes
            .extend(layers.environment.nearly_settings(read::keys_at::<Self>(&KeyPath::default()).unwrap_or_default()));
        Ok(Loaded { config: reading.settings, notes, layers })
    }
}

fn unreadable(name: &str, fault: &str, remedy: &str) -> ConfigError {
    ConfigError { problems: vec![ConfigProblem::of_file(name, &format!("cannot be read: {fault}"), remedy)] }
}

fn remedy_of(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "create it, or name another file with --config",
        std::io::ErrorKind::PermissionDenied => "let this user read it",
        std::io::ErrorKind::IsADirectory => "name the file in it: --config FILE",
        _ => "name a file with --config",
    }
}
