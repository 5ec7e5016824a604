//! The real program outside of the cluster, with its service account's token, and an echo sink for all of its channels.

use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kpulse_testkit::sink::{EchoSink, Serving};
use serde_json::Value;

use crate::kubectl::Cluster;

/// How long anything may take here before the test fails.
const PATIENCE: Duration = Duration::from_secs(90);
const USER: &str = "system:serviceaccount:kpulse:kpulse";

pub(crate) struct Agent {
    sink: EchoSink,
    serving: Serving,
    directory: PathBuf,
    port: u16,
    process: Child,
    audited: u64,
}

fn audit_log() -> Option<PathBuf> {
    std::env::var_os("KPULSE_AUDIT_LOG").map(PathBuf::from)
}

impl Agent {
    /// With this configuration, in which `http://echo-sink:8081` stands for the sink.
    pub(crate) async fn start(cluster: &Cluster, config: &str) -> Self {
        let sink = EchoSink::new();
        let serving = sink.serve("127.0.0.1:0").await.unwrap();
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{}", std::process::id()));
        let _left = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(directory.join("secrets")).unwrap();
        let config = config.replace("http://echo-sink:8081", &serving.url());
        std::fs::write(directory.join("config.yaml"), config).unwrap();
        std::fs::write(directory.join("kubeconfig"), cluster.kubeconfig_of("kpulse", "kpulse")).unwrap();
        let audited = audit_log().map_or(0, |log| std::fs::metadata(log).unwrap().len());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(env!("CARGO_BIN_EXE_kpulse"))
            .current_dir(&directory)
            .args(["run", "--config=config.yaml", "--kubeconfig=kubeconfig", "--secrets=secrets", "--namespace=kpulse"])
            .arg(format!("--http=127.0.0.1:{port}"))
            .env_clear()
            // Kubelets are not reached from outside of the cluster.
            .envs([("KPULSE_MONITORS__NODE_DISK__ENABLED", "false"), ("KPULSE_MONITORS__PVC_USAGE__ENABLED", "false")])
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(directory.join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { sink, serving, directory, port, process, audited }
    }

    /// As a kubelet mounts it.
    pub(crate) fn put_secret(&self, key: &str, value: &str) {
        let value = value.replace("http://echo-sink:8081", &self.serving.url());
        std::fs::write(self.directory.join("secrets").join(key), value).unwrap();
    }

    /// The same for the `data` of a Secret.
    pub(crate) fn mount(&self, data: &Value) {
        let decoder = |text: &Value| {
            let pod = format!("{}\n", text.as_str().unwrap());
            let mut decoded =
                Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            std::io::Write::write_all(decoded.stdin.as_mut().unwrap(), pod.as_bytes()).unwrap();
            String::from_utf8(decoded.wait_with_output().unwrap().stdout).unwrap()
        };
        for (key, value) in data.as_object().unwrap() {
            self.put_secret(key, &decoder(value));
        }
    }

    pub(crate) fn sink_url(&self, kind: &str) -> String {
        self.serving.url_of(kind)
    }

    /// What the sink took of a kind, as JSON.
    pub(crate) fn messages(&self, kind: &str) -> Vec<Value> {
        let messages = self.sink.messages_of(kind);
        messages.iter().filter(|message| message.accepted()).filter_map(|message| message.json()).collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.messages(kind).len()
    }

    /// The first message of this kind that is as wanted.
    pub(crate) async fn told(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        self.until("it is told", |agent| {
            found = agent.messages(kind).into_iter().find(&wanted);
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    pub(crate) async fn until_ready(&mut self) {
        kpulse_notify::install_crypto();
        let address = format!("http://127.0.0.1:{}/readyz", self.port);
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = reqwest::get(&address).await.ok();
            if answer.is_some_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(Instant::now() < end, "not ready; {}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(self.process.try_wait().unwrap().is_none(), "kpulse ended: {}", self.log());
            assert!(Instant::now() < end, "not seen: {what}; {:#?}; {}", self.messages("webhook"), self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends kpulse, and has nothing been refused to it.
    pub(crate) async fn end(mut self, _cluster: &Cluster) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let log = self.log();
        assert!(!log.contains("403") && !log.contains("forbidden"), "{log}");
        match audit_log() {
            Some(file) => {
                let (asked, refused) = audited(&file, self.audited);
                eprintln!("{asked} requests of kpulse in the audit log, {} refused", refused.len());
                assert!(asked > 0 && refused.is_empty(), "{refused:#?}");
            }
            None => eprintln!("KPULSE_AUDIT_LOG is not set: that nothing was refused is told by kpulse's own log only"),
        }
    }

    /// What kpulse itself said, without the libraries it stands on.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("kpulse")).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended = self.process.kill().and_then(|()| self.process.wait().map(drop));
        if !std::thread::panicking() {
            let _removed = std::fs::remove_dir_all(&self.directory);
        }
    }
}

/// How often kpulse asked the API server from this place of the log on, and what was refused.
fn audited(file: &PathBuf, from: u64) -> (usize, Vec<String>) {
    let mut log = std::fs::File::open(file).unwrap();
    log.seek(SeekFrom::Start(from)).unwrap();
    let entries = BufReader::new(log).lines().filter_map(|line| serde_json::from_str::<Value>(&line.unwrap()).ok());
    let ours: Vec<Value> = entries.filter(|entry| entry["user"]["username"] == USER).collect();
    let refused = ours.iter().filter(|entry| entry["responseStatus"]["code"] == 403);
    (ours.len(), refused.map(|entry| format!("{} {}", entry["verb"], entry["requestURI"])).collect())
}
