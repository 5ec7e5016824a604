//! Prints what kpulse sees of a cluster: `cargo run -p kpulse-watch --example watch [NAMESPACE]...`

use kpulse_core::{Name, Observation, Resource, Scope};
use kpulse_watch::{ConnectOptions, SessionSettings, connect, watch_all};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let connection = connect(&ConnectOptions::default()).await?;
    eprintln!("watching {}", connection.server_url);

    let namespaces: Vec<Name> = std::env::args().skip(1).map(Name::from).collect();
    let inside = |resource: Resource| namespaces.iter().map(move |n| Scope { resource, namespace: Some(n.clone()) });
    let scopes = match namespaces.len() {
        0 => Resource::ALL.map(Scope::cluster).to_vec(),
        _ => Resource::ALL.into_iter().filter(|r| r.kind().is_namespaced()).flat_map(inside).collect(),
    };

    let (out, mut seen) = mpsc::channel(256);
    let _sessions = watch_all(&connection.client, scopes, out, &SessionSettings::default()).await;
    while let Some(observation) = seen.recv().await {
        match observation {
            Observation::Opened(scopes) => eprintln!("opened {} watches", scopes.len()),
            Observation::Applied(facts) => eprintln!("{} in {:?}", facts.object(), facts.meta().namespace),
            Observation::Deleted { object, uid } => eprintln!("{object} deleted ({uid})"),
            Observation::ListingBegun(scope) => eprintln!("listing {scope}"),
            Observation::Listed(scope) => eprintln!("listed {scope}"),
            Observation::SightLost(scope, blindness) => eprintln!("{scope}: {blindness:?}"),
            _ => {}
        }
    }
    Ok(())
}
