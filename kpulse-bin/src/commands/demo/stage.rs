//! What the story is played on: the fake cluster, the sink, and the agent as a program of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use kpulse_notify::Secrets;
use kpulse_testkit::cluster::{ClusterServer, FakeCluster};
use kpulse_testkit::sink::{EchoSink, Message, Serving};
use kpulse_testkit::story::Trouble;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::far_end::FarEnd;
use super::preview::Outside;
use crate::cli::DemoArgs;
use crate::config::{Config, Environment, Purpose};

/// How long the agent may take to know its cluster.
const READY_WITHIN: Duration = Duration::from_secs(12);

/// The stage; dropped, everything on it ends and its files are removed.
#[derive(Debug)]
pub(super) struct Stage {
    cluster: FakeCluster,
    _api_server: ClusterServer,
    sink: EchoSink,
    serving: Serving,
    agent: Child,
    files: Files,
    heard: u64,
}

/// One message as it arrived.
#[derive(Debug)]
pub(super) struct Told {
    namespace: String,
    subject: String,
    pub(super) ending: Option<String>,
    pub(super) text: String,
}

impl Told {
    fn new(message: &Message) -> Self {
        let body = message.json().unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let workload = text("workload").and_then(|workload| workload.split_once('/').map(|(_, name)| name.to_owned()));
        Self {
            namespace: text("namespace").unwrap_or_default(),
            subject: workload.or_else(|| text("name")).unwrap_or_default(),
            ending: text("ending"),
            text: said(&text),
        }
    }

    /// Whether it is about this trouble. Names of bare Pods carry the round of the story.
    pub(super) fn is_about(&self, trouble: &Trouble) -> bool {
        let name = self.subject.strip_prefix(trouble.name);
        self.namespace == trouble.namespace && name.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

/// The message as a chat would show it.
fn said(text: &dyn Fn(&str) -> Option<String>) -> String {
    let part = |key| text(key).unwrap_or_default();
    let mark = match (part("state").as_str(), part("severity").as_str()) {
        ("resolved", _) => "✅",
        (_, "critical") => "🔴",
        (_, "warning") => "🟠",
        _ => "🔵",
    };
    format!("{mark} {} · {}\n{}", part("title"), part("cluster"), part("body"))
}

impl Stage {
    /// Starts everything, each on a free port of loopback.
    pub(super) async fn build(args: &DemoArgs) -> anyhow::Result<Self> {
        let cluster = FakeCluster::new();
        let api_server = cluster.serve().await.context("no port for the fake API server")?;
        let sink = EchoSink::new();
        let serving = sink.serve("127.0.0.1:0").await.context("no port for the echo sink")?;
        let files =
            Files::write(&api_server.kubeconfig(), &FarEnd::new(&serving.url_of("webhook"), args.sink.as_deref()))?;
        let agent = files.agent(&args.http)?;
        Ok(Self { cluster, _api_server: api_server, sink, serving, agent, files, heard: 0 })
    }

    /// The channels to the sink outside, as the agent has them.
    pub(super) fn channels(&self) -> anyhow::Result<Outside> {
        let config = Config::load(&self.files.path("config.yaml"), &Environment::default(), Purpose::Rehearsal)?.config;
        Ok(Outside { channels: config.channels, secrets: Secrets::read_dir(&self.files.path("secrets"))? })
    }

    pub(super) fn cluster(&self) -> &FakeCluster {
        &self.cluster
    }

    pub(super) fn sink_page(&self) -> String {
        self.serving.url()
    }

    /// What the agent logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.files.path("log")).unwrap_or_default()
    }

    /// Waits until the agent watches: it asked for every list, and each was answered.
    pub(super) async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let watching = async {
            while self.cluster.open_watches("pods") == 0 || self.cluster.open_watches("deployments") == 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let ended = tokio::select! {
            waited = timeout(READY_WITHIN, watching) => waited.err().map(|_| "does not watch".to_owned()),
            status = self.agent.wait() => Some(format!("ended: {}", status?)),
        };
        match ended {
            None => Ok(()),
            Some(how) => bail!("the agent {how}; it said:\n{}", self.log()),
        }
    }

    /// The next message the sink accepted.
    pub(super) async fn next_message(&mut self) -> anyhow::Result<Told> {
        tokio::select! {
            message = next(&self.sink, self.heard) => {
                self.heard = message.id;
                Ok(Told::new(&message))
            }
            status = self.agent.wait() => bail!("the agent ended: {}; it said:\n{}", status?, self.log()),
        }
    }
}

async fn next(sink: &EchoSink, after: u64) -> Arc<Message> {
    let mut heard = after;
    loop {
        let message = sink.next_after(heard).await;
        if message.accepted() {
            return message;
        }
        heard = message.id;
    }
}

/// Times are short, so that the story is; everything else is as a user would have it.
fn config(far_end: &FarEnd) -> Value {
    let every_channel = json!([{"match": {}, "channels": far_end.names}]);
    json!({
        "cluster": {"name": "demo"},
        "channels": far_end.channels,
        "routing": every_channel,
        "monitors": {"pod_crashes": {"stable_for": "3s"}},
        "log": {"format": "text", "level": "info"},
    })
}

/// The agent's files, in a directory of its own.
#[derive(Debug)]
struct Files(PathBuf);

impl Files {
    fn write(kubeconfig: &str, far_end: &FarEnd) -> anyhow::Result<Self> {
        let files = Self(std::env::temp_dir().join(format!("kpulse-demo-{}", std::process::id())));
        let write = |name: &str, text: &str| std::fs::write(files.path(name), text);
        std::fs::create_dir_all(files.path("secrets"))
            .and_then(|()| write("kubeconfig", kubeconfig))
            // JSON is YAML.
            .and_then(|()| write("config.yaml", &config(far_end).to_string()))
            .and_then(|()| far_end.secrets.iter().try_for_each(|(key, value)| write(&format!("secrets/{key}"), value)))
            .with_context(|| format!("{}: cannot be written; set TMPDIR to a directory that can", files.0.display()))?;
        Ok(files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// This very program, as an agent.
    fn agent(&self, http: &str) -> anyhow::Result<Child> {
        let log = std::fs::File::create(self.path("log"))?;
        let flag = |name: &str, path: &Path| format!("--{name}={}", path.display());
        Command::new(std::env::current_exe()?)
            .arg("run")
            .arg(flag("config", &self.path("config.yaml")))
            .arg(flag("kubeconfig", &self.path("kubeconfig")))
            .arg(flag("secrets", &self.path("secrets")))
            .args(["--namespace=kpulse", "--http", http])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("the agent cannot be started")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "files of the demo not removed");
        }
    }
}
