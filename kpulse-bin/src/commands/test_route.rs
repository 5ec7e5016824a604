//! `kpulse test-route`: which route an alert would take, and which channels it would reach.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use kpulse_core::monitors::MonitorName;
use kpulse_core::policy::Route;
use kpulse_core::policy::route::channels_for;
use kpulse_core::{Alert, AlertKey, Kind, Name, ObjectRef, Severity, TroubleKey, Workload};

use crate::cli::TestRouteArgs;
use crate::config::{Config, Environment, Loaded, Purpose};

/// Walks the routes. Exit code 1 where nobody would be told.
///
/// # Errors
/// Where the configuration is not good, a word is not understood, or the output cannot be written.
pub(crate) fn run(args: &TestRouteArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let loaded = Config::load(&args.config, &Environment::of_process(), Purpose::Rehearsal)?;
    let settings = loaded.config.settings();
    let alert = alert(&args.traits)?;
    writeln!(out, "{}", described(&alert))?;
    walk(&settings.routing, &alert, &loaded, out)?;
    let channels = channels_for(&alert, &settings);
    let names: Vec<&str> = channels.iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        [] => writeln!(out, "nobody is told: no route fits, and there is no default channel")?,
        names => writeln!(out, "told: {}", names.join(", "))?,
    }
    Ok(if names.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn walk(routes: &[Route], alert: &Alert, loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let mut decided = None;
    for (position, route) in routes.iter().enumerate() {
        let misfits: Vec<Cow<'_, str>> = route.matches.misfits(alert).collect();
        let verdict = match (decided, misfits.is_empty()) {
            (Some(by), _) => format!("not asked: routing[{by}] decided"),
            (None, false) => format!("does not fit: {}", misfits.join(", ")),
            (None, true) => {
                let goes_on = if route.go_on { ", and the next routes are asked (continue)" } else { "" };
                decided = (!route.go_on).then_some(position);
                format!("fits: {}{goes_on}", listed(&route.channels))
            }
        };
        let place = loaded.place_of_route(position);
        writeln!(out, "  routing[{position}]{place}  {verdict}")?;
    }
    Ok(())
}

/// An alert with these traits; what is not said is as of an ordinary crash loop.
fn alert(traits: &[(String, String)]) -> anyhow::Result<Alert> {
    let mut alert = Alert {
        key: AlertKey {
            object: ObjectRef::new(Kind::Pod, "default", "example-1"),
            monitor: MonitorName::PodCrashes,
            trouble: TroubleKey::object("example"),
        },
        reason: "CrashLoopBackOff".into(),
        severity: Severity::Critical,
        what: String::new(),
        cause: String::new(),
        started_at: Timestamp::UNIX_EPOCH,
        workload: None,
        node: None,
        labels: Vec::new(),
        title_name: None,
        occurrences: 0,
        shared: None,
    };
    for (key, value) in traits {
        set(&mut alert, key, value)?;
    }
    Ok(alert)
}

fn set(alert: &mut Alert, key: &str, value: &str) -> anyhow::Result<()> {
    match key {
        "severity" => {
            alert.severity = Severity::named(value).context("severity: write critical, warning or info")?;
        }
        "monitor" => {
            let known = MonitorName::ALL.into_iter().chain([MonitorName::Blindness]);
            let named = known.into_iter().find(|monitor| monitor.as_str() == value);
            let all = || MonitorName::ALL.map(MonitorName::as_str).join(", ");
            alert.key.monitor =
                named.with_context(|| format!("there is no monitor `{value}`: write one of {}", all()))?;
        }
        "ns" | "namespace" => alert.key.object.namespace = Name::from(value),
        "workload" => {
            let (kind, name) = value.split_once('/').unwrap_or(("Deployment", value));
            alert.workload = Some(Workload::new(kind, name));
        }
        "reason" => alert.reason = Name::from(value),
        "node" => alert.node = Some(Name::from(value)),
        _ => match key.strip_prefix("labels.") {
            Some(label) if !label.is_empty() => alert.labels.push((label.to_owned(), value.to_owned())),
            _ => bail!(
                "`{key}` is nothing that routes ask for: write severity, monitor, ns, workload, reason, node or labels.NAME"
            ),
        },
    }
    Ok(())
}

/// `critical pod_crashes CrashLoopBackOff in shop, labels team=checkout`.
fn described(alert: &Alert) -> String {
    let namespace = &alert.key.object.namespace;
    let mut words =
        format!("an alert: {} {} {}, namespace {namespace}", alert.severity, alert.key.monitor, alert.reason);
    if let Some(workload) = &alert.workload {
        words.push_str(&format!(", workload {workload}"));
    }
    if let Some(node) = &alert.node {
        words.push_str(&format!(", node {node}"));
    }
    for (label, value) in &alert.labels {
        words.push_str(&format!(", label {label}={value}"));
    }
    words
}

fn listed(channels: &[Name]) -> String {
    channels.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}
