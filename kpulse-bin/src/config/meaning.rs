//! What is well formed but makes no sense: a route to nowhere, a monitor that does not exist.

use kpulse_core::monitors::MonitorName;
use kpulse_core::policy::route::{Matcher, OneOf};
use kpulse_core::policy::{Route, Silence};
use kpulse_core::settings::{Glob, Span};
use kpulse_core::{Name, Severity};
use kpulse_notify::Secrets;

use super::document::Part;
use super::fault::{Fault, did_you_mean};
use super::key_path::KeyPath;
use super::layers::Layers;
use super::read::{Reading, words_of};
use super::{Config, Purpose, channels};

/// Everything that makes no sense. A faulty block may make no sense because of its fault, so nothing is said of it.
pub(super) fn faults(reading: &Reading<Config>, layers: &Layers, purpose: Purpose<'_>) -> Vec<Fault> {
    let config = &reading.settings;
    let mut faults = match purpose {
        Purpose::Rehearsal => Vec::new(),
        Purpose::Telling => {
            let faults = channels::faults(&config.channels, layers, &Secrets::default()).into_iter();
            faults.filter(|(_, missing_secret)| missing_secret.is_none()).map(|(fault, _)| fault).collect()
        }
        Purpose::Checking(secrets) => {
            channels::faults(&config.channels, layers, secrets).into_iter().map(|(fault, _)| fault).collect()
        }
    };
    if !matches!(purpose, Purpose::Rehearsal) {
        faults.extend(cluster_name(config));
    }
    namespaces(config, &mut faults);
    faults.extend(fullness(config));
    faults.extend(dedupe(config));
    silences(config, &mut faults);
    routing(config, &reading.faults, &mut faults);
    for fault in &mut faults {
        fault.path = reading.original(&fault.path);
    }
    faults.retain(|fault| !reading.faults.iter().any(|known| explains(&known.path, &fault.path)));
    faults
}

/// Whether a fault at `known` may be why there seems to be one at `path`: it is in the same block, or around it.
fn explains(known: &KeyPath, path: &KeyPath) -> bool {
    let block = path.parent().filter(|block| !block.steps().is_empty()).unwrap_or_else(|| path.clone());
    known.is_within(&block) || path.is_within(known)
}

fn cluster_name(config: &Config) -> Option<Fault> {
    config.cluster.name.trim().is_empty().then(|| Fault {
        path: KeyPath::new(["cluster", "name"]),
        part: Part::Value,
        fault: "the cluster has no name".to_owned(),
        remedy: "give it the name that people know it by, for example `cluster: {name: prod-eu}`".to_owned(),
    })
}

/// Times that would have something told without end.
fn dedupe(config: &Config) -> Vec<Fault> {
    let intervals = [
        (KeyPath::new(["dedupe", "repeat_interval"]), config.dedupe.repeat_interval, "4h"),
        (KeyPath::new(["dedupe", "digest", "interval"]), config.dedupe.digest.interval, "10m"),
    ];
    let none = intervals.into_iter().filter(|(_, interval, _)| *interval == Span::ZERO);
    none.map(|(path, _, usual)| Fault::of_value(path, "is no time at all".to_owned(), format!("write it like {usual}")))
        .collect()
}

/// Silences that never hold, or that match nothing there is.
fn silences(config: &Config, faults: &mut Vec<Fault>) {
    for (position, silence) in config.silences.iter().enumerate() {
        let path = KeyPath::new(["silences", &position.to_string()]);
        if let (Some(from), Some(until)) = (silence.from, silence.until)
            && until <= from
        {
            let fault = format!("this silence ends before it begins, at {from}");
            faults.push(Fault::of_value(path.child("until"), fault, "write a later time, or leave it out".to_owned()));
        }
        let matches = path.child("match");
        words("severity", &silence.matches.severity, words_of::<Severity>(), &matches, faults);
        words("monitor", &silence.matches.monitor, words_of::<MonitorName>(), &matches, faults);
    }
}

/// Limits that can never be reached, or not in their order.
fn fullness(config: &Config) -> Vec<Fault> {
    let (claims, disks) = (&config.monitors.pvc_usage, &config.monitors.node_disk);
    let blocks =
        [("pvc_usage", claims.warn_at, claims.crit_at), ("node_disk", disks.warn_at, disks.crit_at)].into_iter();
    let fault = |(block, warn_at, crit_at): (&str, u8, u8)| {
        let at = |key: &str| KeyPath::new(["monitors", block, key]);
        if crit_at > 100 {
            let fault = format!("nothing is ever {crit_at}% full");
            return Some(Fault::of_value(at("crit_at"), fault, "write at most 100".to_owned()));
        }
        (warn_at > crit_at).then(|| {
            let fault = format!("at {warn_at}% it has been critical for long: crit_at is {crit_at}");
            Fault::of_value(at("warn_at"), fault, format!("write at most {crit_at}, or raise crit_at"))
        })
    };
    blocks.filter_map(fault).collect()
}

fn namespaces(config: &Config, faults: &mut Vec<Fault>) {
    for (key, globs) in [("include", &config.namespaces.include), ("exclude", &config.namespaces.exclude)] {
        for (position, _) in globs.iter().enumerate().filter(|(_, glob)| glob.as_str().is_empty()) {
            faults.push(Fault::of_value(
                KeyPath::new(["namespaces", key, &position.to_string()]),
                "an empty name fits no namespace".to_owned(),
                "remove it, or write \"*\" for all".to_owned(),
            ));
        }
    }
}

fn routing(config: &Config, known: &[Fault], faults: &mut Vec<Fault>) {
    let channels = &config.channel_order;
    for (position, route) in config.routing.iter().enumerate() {
        let path = KeyPath::new(["routing", &position.to_string()]);
        if route.channels.is_empty() {
            faults.push(Fault::of_value(
                path.child("channels"),
                "this route leads to no channel".to_owned(),
                format!("name one or more: {}", listed(channels)),
            ));
        }
        for (position, channel) in route.channels.iter().enumerate() {
            if !channels.contains(channel) && !known.iter().any(|fault| concerns_channel(&fault.path, channel)) {
                let path = path.child("channels").child(position.to_string());
                faults.push(unknown_channel(path, channel, channels));
            }
        }
        let matches = path.child("match");
        words("severity", &route.matches.severity, words_of::<Severity>(), &matches, faults);
        words("monitor", &route.matches.monitor, words_of::<MonitorName>(), &matches, faults);
    }
}

/// Whether a fault at `path` may be why there is no such channel.
fn concerns_channel(path: &KeyPath, channel: &Name) -> bool {
    match path.steps() {
        [top] => top == "channels",
        [top, inner @ ..] => top == "channels" && inner.iter().any(|step| step == channel.as_str()),
        [] => false,
    }
}

/// What is not wrong, but perhaps not meant either.
pub(super) fn notes(config: &Config) -> Vec<String> {
    let mut notes = Vec::new();
    if config.channel_order.is_empty() {
        notes.push("no channel is configured: nobody will be told anything".to_owned());
    }
    if config.cluster.name.as_str() == "REPLACE_ME" {
        notes.push("cluster.name is still REPLACE_ME: messages will say so".to_owned());
    }
    let mutes_all = |silence: &Silence| *silence == Silence { reason: silence.reason.clone(), ..Silence::default() };
    if let Some(position) = config.silences.iter().position(mutes_all) {
        notes.push(format!(
            "silences[{position}] has neither a match nor an end: nobody will be told anything, for ever"
        ));
    }
    let takes_all = |route: &Route| !route.go_on && route.matches == Matcher::default();
    if let Some(first) = config.routing.iter().position(takes_all)
        && first + 1 < config.routing.len()
    {
        notes.push(format!("routing[{first}] takes every alert: the routes after it are never asked"));
    }
    notes
}

fn unknown_channel(path: KeyPath, channel: &Name, channels: &[Name]) -> Fault {
    let known: Vec<&str> = channels.iter().map(Name::as_str).collect();
    let remedy = match known.as_slice() {
        [] => "configure it under `channels`".to_owned(),
        known => format!("{}configured under `channels`: {}", did_you_mean(channel, known), known.join(", ")),
    };
    Fault::of_value(path, format!("there is no channel `{channel}`"), remedy)
}

/// Whatever is no glob must be one of the words: otherwise the route would never match, and nobody would notice.
fn words(key: &str, wanted: &OneOf, known: &[&str], matches: &KeyPath, faults: &mut Vec<Fault>) {
    for (position, glob) in wanted.0.iter().enumerate().filter(|(_, glob)| !is_pattern(glob)) {
        let word = glob.as_str();
        if !known.contains(&word) {
            let path = matches.child(key).child(position.to_string());
            let remedy = format!("{}write one of: {}, or a glob", did_you_mean(word, known), known.join(", "));
            faults.push(Fault::of_value(path, format!("there is no {key} `{word}`"), remedy));
        }
    }
}

fn is_pattern(glob: &Glob) -> bool {
    glob.as_str().contains(['*', '?'])
}

fn listed(channels: &[Name]) -> String {
    match channels {
        [] => "a channel configured under `channels`".to_owned(),
        channels => channels.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
    }
}
