//! `kpulse silence` and `kpulse unsilence`: an annotation on an object, and what it hides of what is wrong now.

mod list;

use std::io::Write;
use std::process::ExitCode;

use anyhow::ensure;
use jiff::Timestamp;
use kpulse_core::policy::silence::annotation;
use kpulse_core::settings::{Glob, Namespaces, Settings};
use kpulse_core::{Alert, Course, Kind, ObjectRef};
use kpulse_watch::annotate::annotate;
use kpulse_watch::{ConnectOptions, Connection, connect};

use crate::cli::{ObjectArg, PlaceArgs, SilenceArgs, UnsilenceArgs};
use crate::logging;
use crate::scan::picture::Row;
use crate::scan::progress::Progress;
use crate::scan::{Reach, Scan, Wish, table};

const ANNOTATION: &str = "kpulse.io/silence";

/// Silences an object, or lists what is silenced.
///
/// # Errors
/// Where there is no cluster or no such object, or it may not be changed.
pub(crate) async fn run(args: SilenceArgs) -> anyhow::Result<ExitCode> {
    logging::start_if_asked();
    let connection = connect(&ConnectOptions::from(args.place.cluster.clone())).await?;
    match &args.object {
        Some(object) => silence(&args, object, &connection).await,
        None => list::run(&args.place, &connection).await,
    }
}

async fn silence(args: &SilenceArgs, object: &ObjectArg, connection: &Connection) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now();
    let until = match (args.until, args.length) {
        (Some(until), _) => until,
        (None, length) => now.checked_add(length.unwrap_or_default().get())?,
    };
    ensure!(until > now, "a silence until {} would be over already; name a later time", shown(until));
    let object = object.within(&namespace(&args.place, connection));
    let hidden = concerned(&object, connection).await;
    let value = value(until, &args.reason);
    let before = annotate(&connection.client, &object, ANNOTATION, Some(&value), true).await?;
    let known = before.meta().notes.silence.as_deref();
    ensure!(known == Some(&value), "the API server did not take the annotation; is there a webhook that removes it?");
    if !args.dry_run {
        annotate(&connection.client, &object, ANNOTATION, Some(&value), false).await?;
    }
    let mut out = anstream::stdout().lock();
    let (done, hides) = if args.dry_run { ("Would silence", "would hide") } else { ("Silenced", "hides") };
    let reason = if args.reason.is_empty() { String::new() } else { format!(": {}", args.reason) };
    writeln!(
        out,
        "{done} {} until {} (for {}){reason}",
        place(&object),
        shown(until),
        table::age(until.duration_since(now))
    )?;
    if hidden.is_empty() {
        writeln!(out, "Nothing is wrong with it now.")?;
    } else {
        writeln!(out, "It {hides}, of what is wrong now:")?;
        out.write_all(table::rows(&hidden, now).as_bytes())?;
        writeln!(out)?;
    }
    writeln!(out, "What is still true then is told then. Ends of what was told before are told in any case.")?;
    if !args.dry_run {
        writeln!(out, "To end it sooner: kpulse unsilence {}", argument(&object))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes a silence away.
///
/// # Errors
/// Where there is no cluster or no such object, or it may not be changed.
pub(crate) async fn end(args: UnsilenceArgs) -> anyhow::Result<ExitCode> {
    logging::start_if_asked();
    let connection = connect(&ConnectOptions::from(args.place.cluster.clone())).await?;
    let now = Timestamp::now();
    let object = args.object.within(&namespace(&args.place, &connection));
    annotate(&connection.client, &object, ANNOTATION, None, false).await?;
    let told = concerned(&object, &connection).await;
    let mut out = anstream::stdout().lock();
    writeln!(out, "{} is silent no more", place(&object))?;
    if told.is_empty() {
        writeln!(out, "Nothing is wrong with it now.")?;
    } else {
        writeln!(out, "Told, of what is wrong now:")?;
        out.write_all(table::rows(&told, now).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn namespace(place: &PlaceArgs, connection: &Connection) -> String {
    place.namespace.clone().unwrap_or_else(|| connection.default_namespace.clone())
}

/// `until=2026-12-01T08:00:00Z, reason`, on one line.
fn value(until: Timestamp, reason: &str) -> String {
    let value = format!("until={}, {}", until.strftime("%Y-%m-%dT%H:%M:%SZ"), table::plain(reason).trim());
    debug_assert!(annotation(&value).is_some());
    value.trim_end_matches([',', ' ']).to_owned()
}

/// What is wrong now with an object, or with what it answers for.
async fn concerned(object: &ObjectRef, connection: &Connection) -> Vec<Row> {
    let now = Timestamp::now();
    let mut settings = Settings { namespaces: namespaces_of(object), ..Settings::default() };
    // Only what is said of a node or a claim itself takes kubelets, which take their time.
    settings.monitors.node_disk.enabled &= object.kind == Kind::Node;
    settings.monitors.pvc_usage.enabled &= object.kind == Kind::PersistentVolumeClaim;
    let reach = if object.kind == Kind::Node { Reach::Nodes } else { Reach::Namespaced };
    let wish = Wish { settings, reach, labels: None };
    let mut scan = Scan::new(now, wish);
    let kubelets = kpulse_watch::kubelet::Kubelets::via_api_server(connection.client.clone());
    scan.look(&connection.client, &kubelets, &mut Progress::begin()).await;
    let standing = scan.engine.standing(Timestamp::now(), |alert| is_of(alert, object));
    let lasting = standing.iter().filter(|standing| standing.course != Course::Happened);
    lasting.map(|standing| Row::of(standing, "")).collect()
}

fn namespaces_of(object: &ObjectRef) -> Namespaces {
    let include = match object.kind {
        Kind::Node => Vec::new(),
        Kind::Namespace => vec![Glob::new(object.name.as_str())],
        _ => vec![Glob::new(object.namespace.as_str())],
    };
    Namespaces { include, exclude: Vec::new(), selector: Default::default() }
}

/// Whether a silence of the object is one of the alert: the annotation counts on an object, its owner, its namespace.
fn is_of(alert: &Alert, object: &ObjectRef) -> bool {
    let about = &alert.key.object;
    let of_owner = || {
        let owner = alert.workload.as_ref();
        about.namespace == object.namespace && owner.is_some_and(|workload| workload.is(object))
    };
    let of_namespace = || object.kind == Kind::Namespace && about.namespace == object.name;
    about == object || of_owner() || of_namespace()
}

/// `Deployment checkout/api`.
fn place(object: &ObjectRef) -> String {
    let ObjectRef { kind, namespace, name } = object;
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}

/// As the command line takes it.
fn argument(object: &ObjectRef) -> String {
    let ObjectRef { kind, namespace, name } = object;
    let kind = kind.as_str().to_lowercase();
    if namespace.is_empty() { format!("{kind}/{name}") } else { format!("{kind}/{name} -n {namespace}") }
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotation_is_one_that_kpulse_understands() {
        let until: Timestamp = "2026-12-01T08:00:00.5Z".parse().unwrap();
        let whole: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
        for (reason, understood) in [("", ""), ("moving, again", "moving, again"), ("two\nlines", "two lines")] {
            assert_eq!(annotation(&value(until, reason)), Some((whole, understood)));
        }
    }
}
