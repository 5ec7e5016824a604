//! `kpulse run`: the agent itself.

use std::process::ExitCode;

use kpulse_watch::{ConnectOptions, connect};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::agent::Agent;
use crate::cli::RunArgs;
use crate::config::{Config, Environment, Purpose};
use crate::pulse::Status;
use crate::{http, logging};

/// Runs the agent until it is told to end.
///
/// # Errors
/// Where the configuration is not good, the HTTP port is taken, or no cluster is configured.
pub(crate) async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config, &Environment::of_process(), Purpose::Telling)?.config;
    logging::start(&config.log);
    let listener = http::listen(&args.http).await?;
    let connection = connect(&ConnectOptions::from(args.cluster)).await?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), server = connection.server_url, http = %listener.local_addr()?, "kpulse starts");
    if args.dry_run {
        tracing::info!("a dry run: what channels would have got is printed, nothing is sent or saved");
    }
    let kubelets = connection.kubelets(config.kubelet)?;
    let (status, shown) = watch::channel(Status::default());
    let server = tokio::spawn(http::serve(listener, shown));
    let agent = Agent {
        settings: config.settings(),
        channels: config.channels,
        secrets: args.secrets,
        client: connection.client,
        kubelets,
        namespace: args.namespace,
        rehearses: args.dry_run,
        status,
        shutdown: end_on_signal()?,
    };
    agent.run().await?;
    server.abort();
    tracing::info!("kpulse ends");
    Ok(ExitCode::SUCCESS)
}

/// Turns true at the first SIGTERM or SIGINT; a second one ends the process at once.
pub(crate) fn end_on_signal() -> std::io::Result<watch::Receiver<bool>> {
    let (end, ends) = watch::channel(false);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        for patience in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if !patience {
                std::process::exit(130);
            }
            end.send_replace(true);
        }
    });
    Ok(ends)
}
