//! `kpulse scan`: what is broken in a cluster now, by the same detection as the agent's, for whoever asks.

mod watching;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use kpulse_core::settings::{Glob, Namespaces};
use kpulse_core::{Name, Severity};
use kpulse_watch::kubelet::Kubelets;
use kpulse_watch::look::server_version;
use kpulse_watch::{ConnectOptions, Connection, connect};

use crate::cli::{Output, ScanArgs};
use crate::config::{Config, Environment, Purpose};
use crate::logging;
use crate::scan::picture::Picture;
use crate::scan::progress::Progress;
use crate::scan::{End, Reach, Scan, Wish, namespaces, table};

/// Looks once, or until Ctrl-C. Exit code 0: nothing as bad as was asked for; 1: something; 2: could not look.
///
/// # Errors
/// Where there is no cluster, it does not answer, or the output cannot be written.
pub(crate) async fn run(args: ScanArgs) -> anyhow::Result<ExitCode> {
    logging::start_if_asked();
    let config = match &args.config {
        Some(file) => Some(Config::load(file, &Environment::of_process(), Purpose::Rehearsal)?.config),
        None => None,
    };
    let wish = wish(&args, config.as_ref());
    let connection = connect(&ConnectOptions::from(args.cluster.clone())).await?;
    let (server, client) = (&connection.server_url, &connection.client);
    server_version(client).await.with_context(|| format!("could not look at {server}"))?;
    let names: Vec<Name> = args.namespaces.iter().map(|name| Name::from(name.as_str())).collect();
    let namespaces = namespaces(client, &names).await.with_context(|| format!("could not look at {server}"))?;
    let shown = Shown {
        cluster: name_of(&connection, config.as_ref()),
        server: server.clone(),
        output: args.output,
        fail_on: args.fail_on,
        strict: args.strict,
    };
    let mut scan = Scan::new(Timestamp::now(), wish);
    namespaces.into_iter().for_each(|namespace| scan.take(Timestamp::now(), namespace));
    let kubelets = kubelets(&connection, config.as_ref())?;
    if args.watch {
        return watching::watch(scan, connection.client, kubelets, &shown).await;
    }
    scan.look(client, &kubelets, &mut Progress::begin()).await;
    let picture = scan.picture(Timestamp::now(), &shown.cluster, &shown.server);
    shown.print(&picture)?;
    if let Some(why) = unanswered(&scan) {
        bail!("could not look at {server}: {why}");
    }
    Ok(shown.exit_code(&picture))
}

/// What the flags ask for; where they say nothing, the configuration; where there is none, the defaults.
fn wish(args: &ScanArgs, config: Option<&Config>) -> Wish {
    let mut settings = config.map(Config::settings).unwrap_or_default();
    // Nobody is told anything: who looks sees.
    settings.channels.clear();
    settings.routing.clear();
    settings.default_channel = None;
    let all = || Namespaces { include: Vec::new(), exclude: Vec::new(), selector: Default::default() };
    if args.all_namespaces {
        settings.namespaces = all();
    }
    if !args.namespaces.is_empty() {
        settings.namespaces = Namespaces { include: args.namespaces.iter().map(Glob::new).collect(), ..all() };
    }
    let reach = if args.namespaces.is_empty() { Reach::Cluster } else { Reach::Namespaced };
    Wish { settings, reach, labels: args.labels.clone() }
}

/// The name people know, else the one that kubectl has, else the address.
fn name_of(connection: &Connection, config: Option<&Config>) -> String {
    let configured = config.map(|config| config.cluster.name.to_string()).filter(|name| !name.is_empty());
    configured.or_else(|| connection.context.clone()).unwrap_or_else(|| connection.server_url.clone())
}

/// From a person's machine the nodes' own addresses are rarely in reach, and a person who may not use the API server's
/// way learns that from its answer.
fn kubelets(connection: &Connection, config: Option<&Config>) -> anyhow::Result<Kubelets> {
    match (config, &connection.context) {
        (None, Some(_)) => Ok(Kubelets::via_api_server(connection.client.clone())),
        (config, _) => Ok(connection.kubelets(config.map(|config| config.kubelet).unwrap_or_default())?),
    }
}

/// Why nothing was seen, or not even Pods: then silence is not health.
fn unanswered(scan: &Scan) -> Option<String> {
    let pods = scan.lists.iter().filter(|(scope, _)| scope.resource == kpulse_core::Resource::Pods);
    let mut faults = pods.chain(&scan.lists).filter_map(|(scope, list)| match &list.end {
        Some(End::Away(why)) => Some(format!("{scope}: {why}")),
        Some(End::Refused(why)) if scope.resource == kpulse_core::Resource::Pods => Some(format!("{scope}: {why}")),
        _ => None,
    });
    faults.next()
}

/// How a picture is shown, and what it means to a script.
#[derive(Debug, Clone)]
struct Shown {
    cluster: String,
    server: String,
    output: Output,
    fail_on: Severity,
    strict: bool,
}

impl Shown {
    fn print(&self, picture: &Picture) -> anyhow::Result<()> {
        match self.output {
            Output::Table => {
                let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
                let width = width.filter(|_| io::stdout().is_terminal());
                anstream::stdout().lock().write_all(table::text(picture, width).as_bytes())?;
            }
            Output::Json => {
                let mut out = io::stdout().lock();
                serde_json::to_writer_pretty(&mut out, picture)?;
                out.write_all(b"\n")?;
            }
            Output::Yaml => write!(io::stdout().lock(), "{}", serde_saphyr::to_string(picture)?)?,
        }
        Ok(())
    }

    fn exit_code(&self, picture: &Picture) -> ExitCode {
        let recent = if self.fail_on == Severity::Info { picture.recent.len() } else { 0 };
        if picture.counts.at_least(self.fail_on) + recent > 0 {
            ExitCode::from(1)
        } else if self.strict && !picture.not_seen.is_empty() {
            ExitCode::from(2)
        } else {
            ExitCode::SUCCESS
        }
    }
}
