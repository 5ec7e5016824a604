#![allow(dead_code, reason = "each test binary uses its part of the stage")]
//! The real program between a fake cluster and an echo sink, for tests.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kpulse_testkit::cluster::{ClusterServer, FakeCluster};
use kpulse_testkit::sink::{EchoSink, Message, Serving};
use serde_json::{Value, json};

/// How long anything may take here before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Stage {
    pub(crate) cluster: FakeCluster,
    _server: ClusterServer,
    pub(crate) sink: EchoSink,
    pub(crate) serving: Serving,
    directory: PathBuf,
    port: u16,
    agent: Option<Child>,
}

impl Stage {
    /// A cluster and a sink; the agent is not running yet.
    pub(crate) async fn build() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let cluster = FakeCluster::new();
        let server = cluster.serve().await.unwrap();
        let sink = EchoSink::new();
        let serving = sink.serve("127.0.0.1:0").await.unwrap();
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("kpulse-test-{}-{count}", std::process::id()));
        std::fs::create_dir_all(directory.join("secrets")).unwrap();
        std::fs::write(directory.join("kubeconfig"), server.kubeconfig()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let stage = Self { cluster, _server: server, sink, serving, directory, port, agent: None };
        stage.configure(&stage.webhook());
        stage.has_run_before();
        stage
    }

    /// kpulse ran here before and knew of no trouble: each trouble is told by itself, not in a first summary.
    fn has_run_before(&self) {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kpulse-state", "namespace": "kpulse"},
            "data": {"state.json": "{\"version\": 1}"}});
        self.cluster.apply(map).unwrap();
    }

    /// kpulse never ran here.
    pub(crate) fn is_new(&self) {
        self.cluster.delete("ConfigMap", "kpulse", "kpulse-state").unwrap();
    }

    /// The `channels:` block of a webhook to the sink.
    pub(crate) fn webhook(&self) -> String {
        format!("{{webhook: {{url: {:?}}}}}", self.serving.url_of("webhook"))
    }

    pub(crate) fn configure(&self, channels: &str) {
        self.configure_crashes(channels, "stable_for: 2s");
    }

    /// With the webhook and these further blocks.
    pub(crate) fn configure_all(&self, blocks: &str) {
        let channels = self.webhook();
        let config = format!("cluster: {{name: test}}\nchannels: {channels}\n{blocks}\nlog: {{format: text}}\n");
        std::fs::write(self.directory.join("config.yaml"), config).unwrap();
    }

    /// With these settings of `pod_crashes`.
    pub(crate) fn configure_crashes(&self, channels: &str, pod_crashes: &str) {
        let config = format!(
            "cluster: {{name: test}}\nchannels: {channels}\nmonitors: {{pod_crashes: {{{pod_crashes}}}}}\ndedupe: {{digest: {{enabled: false}}}}\nlog: {{format: text}}\n"
        );
        std::fs::write(self.directory.join("config.yaml"), config).unwrap();
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.directory.join("config.yaml")
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    pub(crate) fn put_secret(&self, key: &str, value: &str) {
        std::fs::write(self.directory.join("secrets").join(key), value).unwrap();
    }

    pub(crate) fn start(&mut self) {
        let flag = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.directory.join("log")).unwrap();
        let agent = Command::new(env!("CARGO_BIN_EXE_kpulse"))
            .arg("run")
            .arg(flag("config", &self.directory.join("config.yaml")))
            .arg(flag("kubeconfig", &self.directory.join("kubeconfig")))
            .arg(flag("secrets", &self.directory.join("secrets")))
            .arg(format!("--http=127.0.0.1:{}", self.port))
            .arg("--namespace=kpulse")
            .env_clear()
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.agent = Some(agent);
    }

    /// Ends the agent as a crash would: with SIGKILL.
    pub(crate) fn kill(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
    }

    /// Asks the agent to end.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let mut agent = self.agent.take().unwrap();
        let done = Command::new("kill").args(["-TERM", &agent.id().to_string()]).status().unwrap();
        assert!(done.success());
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = agent.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the agent does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the agent has listed the Pods and watches them.
    pub(crate) async fn wait_until_watching(&self) {
        let end = Instant::now() + PATIENCE;
        while self.cluster.open_watches("pods") == 0 {
            assert!(Instant::now() < end, "the agent does not watch: {}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the agent knows the cluster: what breaks from then on is told by itself.
    pub(crate) async fn wait_until_ready(&self) {
        let end = Instant::now() + PATIENCE;
        self.wait_until_watching().await;
        while self.get("/readyz").await.0 != 200 {
            assert!(Instant::now() < end, "the agent is not ready: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// `GET` of a path of the agent's own server: the status and the body.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        kpulse_notify::install_crypto();
        let response = reqwest::get(format!("http://127.0.0.1:{}{path}", self.port)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Waits until the sink has accepted so many messages.
    pub(crate) async fn accepted(&self, count: usize) -> Vec<Told> {
        let end = Instant::now() + PATIENCE;
        loop {
            let accepted = self.told();
            if accepted.len() >= count {
                return accepted;
            }
            assert!(Instant::now() < end, "{} of {count} messages; {}", accepted.len(), self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything the sink accepted, in order.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.sink.accepted().iter().map(Told::new).collect()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(agent) = &mut self.agent {
            let _ended = agent.kill().and_then(|()| agent.wait().map(drop));
        }
        let _removed = std::fs::remove_dir_all(&self.directory);
    }
}

/// One accepted message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) state: String,
    pub(crate) namespace: String,
    pub(crate) subject: String,
    pub(crate) title: String,
    pub(crate) ending: Option<String>,
    pub(crate) key: String,
    pub(crate) at: jiff::Timestamp,
}

impl Told {
    fn new(message: &Arc<Message>) -> Self {
        let body = message.json().unwrap();
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let workload = text("workload").and_then(|workload| workload.split_once('/').map(|(_, name)| name.to_owned()));
        Self {
            state: text("state").unwrap(),
            namespace: text("namespace").unwrap(),
            subject: workload.or_else(|| text("name")).unwrap(),
            title: text("title").unwrap(),
            ending: text("ending"),
            key: message.header("idempotency-key").unwrap().to_owned(),
            at: message.at,
        }
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}/{}", self.state, self.namespace, self.subject)
    }
}
