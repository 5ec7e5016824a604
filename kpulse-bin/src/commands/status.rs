//! `kpulse status`: what fires now and who was told, as the agent knows it: from the state it keeps in the cluster.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use kpulse_core::settings::{Namespaces, Settings};
use kpulse_core::{Course, Engine, EngineState};
use kpulse_watch::state::{NAME, StateStore};
use kpulse_watch::{ConnectOptions, connect};
use serde::Serialize;

use crate::agent::state_of;
use crate::cli::{Output, StatusArgs};
use crate::logging;
use crate::scan::picture::{Row, Told, by_workload};
use crate::scan::table;

/// What the agent knew when it last saved.
#[derive(Debug, Serialize)]
struct Status {
    namespace: String,
    firing: Vec<Row>,
    pending: Vec<Row>,
}

/// Shows it. Exit code 0 where nothing fires, 1 where something does.
///
/// # Errors
/// Where there is no cluster, no state in it, or it may not be read.
pub(crate) async fn run(args: StatusArgs) -> anyhow::Result<ExitCode> {
    logging::start_if_asked();
    let connection = connect(&ConnectOptions::from(args.cluster)).await?;
    let mut store = StateStore::new(connection.client, &args.namespace);
    let saved = store.load().await.with_context(|| format!("could not look at {}", connection.server_url))?;
    let Some(text) = saved.and_then(|saved| saved.state) else {
        let namespace = &args.namespace;
        bail!(
            "there is no ConfigMap {NAME} in {namespace}: no kpulse runs there; name its namespace with --namespace, or look yourself with kpulse scan"
        );
    };
    let status = Status::of(state_of(&text)?, args.namespace, Timestamp::now());
    status.print(args.output)?;
    Ok(ExitCode::from(u8::from(!status.firing.is_empty())))
}

impl Status {
    fn of(state: EngineState, namespace: String, now: Timestamp) -> Self {
        // Whatever is in the state was looked at with the agent's own settings.
        let namespaces = Namespaces { include: Vec::new(), exclude: Vec::new(), selector: Default::default() };
        let channels = state.channels().cloned().map(Into::into).collect();
        let settings = Settings { namespaces, channels, ..Settings::default() };
        let engine = Engine::new(now, settings, state);
        let view = engine.view(now);
        let told: BTreeMap<_, _> =
            view.active.into_iter().map(|shown| (shown.report.fingerprint, shown.told)).collect();
        let (mut firing, mut pending) = (Vec::new(), Vec::new());
        for standing in engine.standing(now, |_| true) {
            let told = told.get(&standing.report.fingerprint).into_iter().flatten().filter(|told| !told.refused);
            let told = told.map(|told| Told { channel: told.channel.to_string(), at: told.at }).collect();
            let row = Row { told: Some(told), ..Row::of(&standing, &standing.report.cluster) };
            match standing.course {
                Course::Lasts => firing.push(row),
                Course::Pending { .. } => pending.push(Row { told: None, ..row }),
                Course::Happened => {}
            }
        }
        by_workload(&mut firing);
        Self { namespace, firing, pending }
    }

    fn print(&self, output: Output) -> anyhow::Result<()> {
        match output {
            Output::Table => anstream::stdout().lock().write_all(self.text().as_bytes())?,
            Output::Json => {
                let mut out = io::stdout().lock();
                serde_json::to_writer_pretty(&mut out, self)?;
                out.write_all(b"\n")?;
            }
            Output::Yaml => write!(io::stdout().lock(), "{}", serde_saphyr::to_string(self)?)?,
        }
        Ok(())
    }

    fn text(&self) -> String {
        let now = Timestamp::now();
        let fires = match self.firing.len() {
            0 => "nothing fires".to_owned(),
            1 => "1 alert fires".to_owned(),
            count => format!("{count} alerts fire"),
        };
        let head = format!("kpulse in namespace {}: {fires}\n", self.namespace);
        let rows = table::rows(&self.firing, now);
        let gap = if rows.is_empty() { "" } else { "\n" };
        format!("{head}{gap}{rows}{}", table::pending(&self.pending, now))
    }
}
