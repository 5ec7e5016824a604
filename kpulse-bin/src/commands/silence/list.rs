//! `kpulse silence --list`: every silence that stands on an object.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use kpulse_core::policy::silence::annotation;
use kpulse_core::{Blindness, Kind, Name, ObjectRef, Observation, Resource, Scope};
use kpulse_watch::Connection;
use kpulse_watch::look::{Glimpse, look};
use tokio::sync::mpsc;

use super::{place, shown};
use crate::cli::PlaceArgs;
use crate::scan::table;

/// Lists them: those that hold, by their ends, then those that are over or cannot be understood.
pub(super) async fn run(args: &PlaceArgs, connection: &Connection) -> anyhow::Result<ExitCode> {
    let (seen, mut sights) = mpsc::channel::<Glimpse>(16);
    let scopes = scopes(args.namespace.as_deref());
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    let take = async {
        while let Some(glimpse) = sights.recv().await {
            for observation in glimpse.observations {
                match observation {
                    Observation::Applied(facts) => {
                        let text = facts.meta().notes.silence.clone();
                        found.extend(text.map(|text| (facts.object(), text)));
                    }
                    Observation::SightLost(scope, Blindness::Refused(why) | Blindness::Away(why)) => {
                        unseen.push((scope, why));
                    }
                    _ => {}
                }
            }
        }
    };
    let all = scopes.len();
    tokio::join!(look(&connection.client, scopes, None, seen), take);
    if let Some((scope, why)) = unseen.first().filter(|_| unseen.len() == all) {
        bail!("could not look at {}: {scope}: {why}", connection.server_url);
    }
    print(&found, &unseen)?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that can be silenced, in one namespace or everywhere. Each kind once: Events cannot be.
fn scopes(namespace: Option<&str>) -> Vec<Scope> {
    let resources = Resource::ALL.into_iter().filter(|resource| resource.kind() != Kind::Event);
    let scope = |resource: Resource| match namespace {
        Some(name) if resource.kind().is_namespaced() => Some(Scope { resource, namespace: Some(Name::from(name)) }),
        Some(_) => None,
        None => Some(Scope::cluster(resource)),
    };
    resources.filter_map(scope).collect()
}

fn print(found: &[(ObjectRef, Name)], unseen: &[(Scope, String)]) -> std::io::Result<()> {
    let now = Timestamp::now();
    let (understood, odd): (Vec<_>, Vec<_>) = found.iter().partition(|(_, text)| annotation(text).is_some());
    let mut silences: Vec<_> = understood
        .iter()
        .filter_map(|(object, text)| annotation(text).map(|(until, why)| (until, object, why)))
        .collect();
    silences.sort();
    let (over, holding): (Vec<_>, Vec<_>) = silences.into_iter().partition(|(until, ..)| *until <= now);
    let mut out = anstream::stdout().lock();
    if holding.is_empty() {
        writeln!(out, "Nothing is silenced by annotation.")?;
    }
    let width = holding.iter().chain(&over).map(|(_, object, _)| place(object).len()).max().unwrap_or_default();
    for (until, object, why) in holding {
        let left = table::age(until.duration_since(now));
        writeln!(out, "{:width$}  until {}, for {left:>4}  {}", place(object), shown(until), table::plain(why))?;
    }
    for (until, object, why) in over {
        writeln!(out, "{:width$}  over since {}  {}", place(object), shown(until), table::plain(why))?;
    }
    for (object, text) in odd {
        writeln!(
            out,
            "{}: `{text}` is not understood and does not hold; write until=2026-12-01T08:00:00Z, reason",
            place(object)
        )?;
    }
    for (scope, why) in unseen {
        writeln!(out, "Not seen: {scope}: {why}")?;
    }
    Ok(())
}
