//! Puts the agent together: channels, state, watches, the loop.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use kpulse_core::settings::Settings;
use kpulse_core::{Engine, EngineState, Name};
use kpulse_notify::channels::stdout::Printer;
use kpulse_notify::lane::{self, Limits, Source};
use kpulse_notify::{Channels, Http, HttpSettings, LaneHandle, Secrets, wall_clock};
use kpulse_watch::kubelet::{self, Kubelets};
use kpulse_watch::state::StateStore;
use kpulse_watch::{SessionSettings, watch_all};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::pulse::{Inputs, Pulse, Status};
use crate::saver::Saver;
use crate::tails::Tails;

/// Observations that may wait for the loop before the API server has to.
const OBSERVATIONS: usize = 256;
/// Questions to the API server that may wait for an answer.
const INQUIRIES: usize = 16;
/// How often the secrets are read again: a Secret patched in later works without a restart.
const SECRETS_EVERY: Duration = Duration::from_secs(5);
/// How long after a failed attempt to read the state the next is made.
const STATE_RETRY: Duration = Duration::from_secs(5);

/// What an agent is made of.
pub(crate) struct Agent {
    pub(crate) settings: Settings,
    pub(crate) channels: Channels,
    pub(crate) secrets: PathBuf,
    pub(crate) client: kube::Client,
    pub(crate) kubelets: Kubelets,
    pub(crate) namespace: String,
    /// What channels would have got is printed; nothing is sent, and nothing in the cluster is written or changed.
    pub(crate) rehearses: bool,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) shutdown: watch::Receiver<bool>,
}

impl Agent {
    /// Runs until told to end.
    ///
    /// # Errors
    /// Where HTTP cannot be spoken at all. Everything else is waited for, and said.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let http = Http::new(HttpSettings::default(), wall_clock())?;
        let mut store = StateStore::new(self.client.clone(), &self.namespace);
        let mut shutdown = self.shutdown.clone();
        let state = tokio::select! {
            state = load(&mut store), if !self.rehearses => state,
            _ = shutdown.wait_for(|end| *end), if !self.rehearses => return Ok(()),
            else => EngineState::default(),
        };
        let (receipts_in, receipts) = mpsc::channel(self.settings.channels.len().max(1) * 2);
        let secrets = read_secrets(&self.secrets);
        let wires = Wires { channels: self.channels, http, rehearses: self.rehearses };
        let lanes: BTreeMap<Name, LaneHandle> = wires
            .sources(&secrets)
            .map(|(name, source)| {
                let lane = lane::spawn(name.clone(), source, receipts_in.clone(), wall_clock(), Limits::default());
                (name, lane)
            })
            .collect();
        let (replace, replacements) = mpsc::channel(self.settings.channels.len().max(1));
        let keeper = tokio::spawn(follow_secrets(self.secrets, secrets, wires, replace));
        let (seen, observations) = mpsc::channel(OBSERVATIONS);
        let scopes = self.settings.scopes();
        let (inquiries, asked) = mpsc::channel(INQUIRIES);
        let named = self.settings.namespaces.named();
        let answers = tokio::spawn(kpulse_watch::inquire::answer(self.client.clone(), named, asked, seen.clone()));
        let survey = self.settings.monitors.survey_interval().map(|interval| {
            let (client, kubelets, seen) = (self.client.clone(), self.kubelets, seen.clone());
            tokio::spawn(kubelet::survey(client, kubelets, interval.get().unsigned_abs(), seen))
        });
        let client = self.client.clone();
        let watches = tokio::spawn(async move {
            let mut sessions = watch_all(&client, scopes, seen, &SessionSettings::default()).await;
            while let Some(ended) = sessions.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a watch panicked");
                }
            }
        });
        let (ready_in, ready) = mpsc::channel(self.settings.channels.len().max(1));
        let tails = Tails::new(self.client.clone(), &self.settings.monitors.pod_crashes, ready_in);
        let engine = Engine::new(Timestamp::now(), self.settings, state.clone());
        let saver = if self.rehearses { Saver::idle() } else { Saver::start(store, state) };
        let pulse = Pulse::new(engine, tails, lanes, saver, inquiries, self.status);
        pulse.run(Inputs { observations, receipts, ready, replacements, shutdown: self.shutdown }).await;
        watches.abort();
        if let Some(survey) = survey {
            survey.abort();
        }
        answers.abort();
        keeper.abort();
        Ok(())
    }
}

/// Reads the saved state. An unreadable one is not a first start: nothing may be told before it is known what was.
async fn load(store: &mut StateStore) -> EngineState {
    loop {
        match read_state(store).await {
            Ok(state) => return state,
            Err(error) => tracing::error!("waiting for the state: {error:#}"),
        }
        sleep(STATE_RETRY).await;
    }
}

async fn read_state(store: &mut StateStore) -> anyhow::Result<EngineState> {
    let Some(text) = store.load().await?.and_then(|saved| saved.state) else {
        tracing::info!("no state: a first start");
        return Ok(EngineState::default());
    };
    state_of(&text)
}

/// The state that was saved as this text.
///
/// # Errors
/// Where it is none, or a newer program's.
pub(crate) fn state_of(text: &str) -> anyhow::Result<EngineState> {
    let state: EngineState = serde_json::from_str(text)
        .context("ConfigMap kpulse-state holds no state of kpulse; mend it, or delete it to start anew")?;
    anyhow::ensure!(
        state.version <= EngineState::VERSION,
        "ConfigMap kpulse-state was written by a newer kpulse (version {}, this one knows {}); run that one, or delete it to start anew",
        state.version,
        EngineState::VERSION,
    );
    Ok(state)
}

fn read_secrets(directory: &Path) -> Secrets {
    Secrets::read_dir(directory).unwrap_or_else(|error| {
        tracing::error!(%error, "secrets not read");
        Secrets::default()
    })
}

/// The ways to the channels.
struct Wires {
    channels: Channels,
    http: Http,
    rehearses: bool,
}

impl Wires {
    fn sources(&self, secrets: &Secrets) -> impl Iterator<Item = (Name, Source)> {
        self.channels.iter().map(|(name, settings)| {
            let source = if self.rehearses {
                Ok(Box::new(Printer::new(std::io::stdout()).instead_of(name)) as _)
            } else {
                settings.notifier(name, secrets, &self.http)
            };
            (name.clone(), source)
        })
    }
}

/// Reads the secrets again and again, and speaks to every channel anew when they changed.
async fn follow_secrets(directory: PathBuf, mut known: Secrets, wires: Wires, replace: mpsc::Sender<(Name, Source)>) {
    loop {
        sleep(SECRETS_EVERY).await;
        let secrets = match Secrets::read_dir(&directory) {
            Ok(secrets) if secrets == known => continue,
            Ok(secrets) => secrets,
            Err(error) => {
                tracing::warn!(%error, "secrets not read again");
                continue;
            }
        };
        tracing::info!("secrets changed");
        for replacement in wires.sources(&secrets) {
            if replace.send(replacement).await.is_err() {
                return;
            }
        }
        known = secrets;
    }
}
