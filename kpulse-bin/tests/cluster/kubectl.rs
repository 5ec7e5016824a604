//! A real cluster, spoken to as people do: by `kubectl`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

/// The tests install kpulse into the same cluster, so they take turns.
static TURN: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);

/// The cluster of kubectl's current context, while it is this test's turn.
pub(crate) struct Cluster {
    _turn: MutexGuard<'static, ()>,
}

/// A file under `deploy/`.
pub(crate) fn deploy(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path).to_str().unwrap().to_owned()
}

/// What a command prints. It must succeed.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{error}");
    out.into_owned()
}

impl Cluster {
    /// Without kpulse, and without anything that these tests leave.
    pub(crate) async fn empty() -> Self {
        let cluster = Self { _turn: TURN.lock().await };
        let context = cluster.kubectl(&["config", "current-context"]);
        assert!(
            context.starts_with("k3d-"),
            "{context} may be a cluster that somebody needs: its name must begin with k3d-"
        );
        cluster.kubectl(&["delete", "--ignore-not-found", "-f", &deploy("kpulse.yaml")]);
        let namespaces = ["kpulse", "triggers", "team-a", "team-b", "team-c"];
        cluster.kubectl(&[&["delete", "namespace", "--ignore-not-found"], &namespaces[..]].concat());
        cluster
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new(program)
    }

    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        output(self.command("kubectl").args(arguments))
    }

    #[track_caller]
    pub(crate) fn apply(&self, what: &[&str]) -> String {
        self.kubectl(&[&["apply"], what].concat())
    }

    #[track_caller]
    pub(crate) fn apply_documents(&self, documents: &[Value]) {
        let mut apply = self.command("kubectl").args(["apply", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        for document in documents {
            writeln!(apply.stdin.as_mut().unwrap(), "---\n{document}").unwrap();
        }
        assert!(apply.wait_with_output().unwrap().status.success());
    }

    #[track_caller]
    pub(crate) fn get(&self, namespace: &str, kind: &str, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["-n", namespace, "get", kind, name, "-o", "json"])).unwrap()
    }

    /// The kubeconfig of who runs the tests.
    pub(crate) fn kubeconfig(&self) -> Value {
        serde_json::from_str(&self.kubectl(&["config", "view", "--raw", "--minify", "-o", "json"])).unwrap()
    }

    /// A kubeconfig with the rights of a service account, and no others.
    pub(crate) fn kubeconfig_of(&self, namespace: &str, account: &str) -> String {
        let mut config = self.kubeconfig();
        self.kubectl(&["-n", namespace, "wait", "--for=create", "serviceaccount", account, "--timeout=30s"]);
        let token = self.kubectl(&["-n", namespace, "create", "token", account]);
        config["users"][0]["user"] = serde_json::json!({ "token": token.trim() });
        config.to_string()
    }
}
