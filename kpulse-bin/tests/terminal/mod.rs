#![allow(dead_code, reason = "each test binary uses its part")]
//! The real program as people type it, against a fake cluster.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};
use kpulse_testkit::cluster::{ClusterServer, FakeCluster};

pub(crate) struct Terminal {
    pub(crate) cluster: FakeCluster,
    server: ClusterServer,
    pub(crate) directory: PathBuf,
}

/// What a command said, and its exit code.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Terminal {
    /// A kubeconfig for this cluster lies in the directory that commands are run in, and is the default one.
    pub(crate) async fn open(cluster: FakeCluster) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let server = cluster.serve().await.unwrap();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("kpulse-terminal-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("kubeconfig"), server.kubeconfig()).unwrap();
        Self { cluster, server, directory }
    }

    pub(crate) fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.directory.join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs `kpulse` with these words.
    pub(crate) async fn run(&self, words: &str) -> Said {
        self.run_as(Path::new(env!("CARGO_BIN_EXE_kpulse")), words).await
    }

    /// Runs the program under another name.
    pub(crate) async fn run_as(&self, program: &Path, words: &str) -> Said {
        let mut command = self.command(program);
        command.args(words.split_whitespace()).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes: Vec<u8>| self.plain(&String::from_utf8(bytes).unwrap());
        Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).env_clear().env("KUBECONFIG", self.directory.join("kubeconfig"));
        command
    }

    /// Without what differs from run to run.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(&self.server.url(), "https://10.0.0.1:6443").replace(&self.directory.display().to_string(), "DIR")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.directory);
    }
}

/// So long ago: `ago("90s")`.
#[track_caller]
pub(crate) fn ago(length: &str) -> Timestamp {
    Timestamp::now() - length.parse::<SignedDuration>().unwrap()
}
