//! `deploy/install.sh` with a kubectl that is played: what it does to a cluster, and what it says where it cannot.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A kubectl that answers as its scene says, and writes down what it was asked to do.
const KUBECTL: &str = r#"#!/bin/sh
case "$1" in --context) context=$2; shift 3 ;; esac
echo "${context:-} $*" >>"$SCENE/asked"
refuse() { echo "$1" >&2; exit 1; }
case "$*" in
  'config current-context') [ "$CURRENT" ] && echo "$CURRENT" || refuse 'error: current-context is not set' ;;
  'config get-contexts -o name') printf '%s' "$CONTEXTS" ;;
  'get --raw /version') [ -z "$OFFLINE" ] || refuse "$OFFLINE"; echo '{}' ;;
  'auth can-i create '*) [ "$MAY" = yes ] && echo yes || { echo no; exit 1; } ;;
  'get configmap kpulse-config --namespace kpulse --ignore-not-found -o name') cat "$SCENE/configmap" 2>/dev/null || : ;;
  'get configmap '*jsonpath*) echo 'cluster: {name: REPLACE_ME}' | sed 's/{name/\n  name/; s/}//' ;;
  'get secret kpulse-secrets --namespace kpulse --ignore-not-found -o name') cat "$SCENE/secret" 2>/dev/null || : ;;
  'get secret '*go-template*) printf '%s' "$KEYS" ;;
  'apply -f '*) cat "$3" >"$SCENE/applied.yaml"; [ -z "$APPLY" ] || refuse "$APPLY"; echo 'namespace/kpulse created' ;;
  'create secret generic kpulse-secrets --namespace kpulse') echo secret/kpulse-secrets >"$SCENE/secret" ;;
  'rollout status '*) [ -z "$STUCK" ] || refuse 'error: timed out waiting for the condition' ;;
  *) refuse "not played: kubectl $*" ;;
esac
"#;

struct Scene {
    directory: PathBuf,
    variables: Vec<(&'static str, String)>,
}

struct Played {
    success: bool,
    out: String,
    error: String,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/install.sh")
}

impl Scene {
    /// A cluster without kpulse, an administrator, and everything works.
    fn set() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("install-{}-{count}", std::process::id()));
        std::fs::create_dir_all(directory.join("bin")).unwrap();
        let kubectl = directory.join("bin/kubectl");
        std::fs::write(&kubectl, KUBECTL).unwrap();
        std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).unwrap();
        let scene = Self { directory, variables: Vec::new() };
        scene.with("CURRENT", "prod").with("CONTEXTS", "dev\nprod\n").with("MAY", "yes")
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Something is in the cluster before.
    fn having(self, file: &str) -> Self {
        std::fs::write(self.directory.join(file), file).unwrap();
        self
    }

    /// By the system's `sh`, which is dash on Debian.
    fn play(&self) -> Played {
        let path = format!("{}:/usr/bin:/bin", self.directory.join("bin").display());
        let mut scenario = Command::new("/bin/sh");
        scenario.arg(script()).env_clear().env("PATH", path).env("SCENE", &self.directory);
        for unset in ["OFFLINE", "APPLY", "STUCK", "KEYS", "CURRENT"] {
            scenario.env(unset, "");
        }
        let output = scenario.envs(self.variables.iter().map(|(name, value)| (name, value))).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Played { success: output.status.success(), out: text(output.stdout), error: text(output.stderr) }
    }

    #[track_caller]
    fn fails(&self, message: &str) {
        let Played { success, error, out } = self.play();
        assert!(!success, "{out}");
        assert_eq!(error, message);
        assert!(!out.contains("Next:"), "{out}");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.directory.join(file)).unwrap_or_default()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.directory);
    }
}

fn manifest() -> String {
    std::fs::read_to_string(script().with_file_name("kpulse.yaml")).unwrap()
}

#[test]
fn a_first_install_applies_everything_and_makes_an_empty_secret() {
    let scene = Scene::set();
    let Played { success, out, error } = scene.play();
    assert!(success && error.is_empty(), "{error}");
    assert_eq!(scene.read("applied.yaml"), manifest());
    assert!(scene.read("asked").contains("prod create secret generic kpulse-secrets --namespace kpulse\n"));
    assert_eq!(
        out,
        "kpulse 0.1.0 goes to context prod, namespace kpulse.
namespace/kpulse created

kpulse runs kpulse/kpulse:0.1.0.

Next:
- Name the cluster, and say who is told: kubectl --context prod -n kpulse edit configmap kpulse-config
  then have it read: kubectl --context prod -n kpulse rollout restart deployment/kpulse
- Give it the address of your channel; it is used within seconds, without a restart:
  kubectl --context prod -n kpulse patch secret kpulse-secrets -p \
'{\"stringData\":{\"SLACK_WEBHOOK_URL\":\"https://hooks.slack.com/services/…\"}}'
- See what it cannot see or tell: kubectl --context prod -n kpulse port-forward service/kpulse 8080
  and, meanwhile: curl 'localhost:8080/readyz?verbose'
"
    );
}

#[test]
fn an_upgrade_touches_neither_credentials_nor_configuration() {
    let scene = Scene::set().having("configmap").having("secret").with("KEYS", "SLACK_WEBHOOK_URL ");
    let scene = scene.with("KPULSE_VERSION", "0.2.0").with("KPULSE_IMAGE", "registry.example/ops/kpulse");
    let Played { success, out, error } = scene.play();
    assert!(success && error.is_empty(), "{error}");
    assert!(out.contains("Your configuration is kept: ConfigMap kpulse/kpulse-config.\n"), "{out}");
    assert!(!out.contains("SLACK_WEBHOOK_URL"), "it is there: {out}");
    let asked = scene.read("asked");
    assert!(!asked.contains("create secret ") && !asked.contains("patch") && !asked.contains("delete"), "{asked}");
    let applied = scene.read("applied.yaml");
    assert!(!applied.contains("kind: ConfigMap"), "{applied}");
    let without = |text: &str| {
        let documents = text.split("---\n").filter(|document| !document.contains("\nkind: ConfigMap\n"));
        documents.collect::<Vec<_>>().join("---\n")
    };
    let image = "image: registry.example/ops/kpulse:0.2.0";
    assert_eq!(applied, without(&manifest()).replace("image: kpulse/kpulse:0.1.0", image));
}

#[test]
fn a_wrong_context_is_answered_with_those_there_are() {
    Scene::set().with("KPULSE_CONTEXT", "stage").fails(
        "install.sh: kubectl has no context stage
  Choose one of these with KPULSE_CONTEXT=NAME, or name another file with KUBECONFIG:
    dev
    prod
",
    );
    Scene::set().with("CURRENT", "").with("CONTEXTS", "").fails(
        "install.sh: kubectl has no current context
  It knows no cluster at all: name the file that does with KUBECONFIG=FILE.
",
    );
    let scene = Scene::set().with("KPULSE_CONTEXT", "dev");
    assert!(scene.play().success);
    assert!(scene.read("asked").contains("dev apply "), "{}", scene.read("asked"));
    assert!(!scene.read("asked").contains("prod "), "{}", scene.read("asked"));
}

#[test]
fn a_cluster_that_is_away_is_not_touched() {
    let scene = Scene::set().with("OFFLINE", "The connection to the server 10.0.0.1:6443 was refused");
    scene.fails(
        "install.sh: cannot reach the cluster of context prod: The connection to the server 10.0.0.1:6443 was refused
  Is it running, and are you on its network (VPN)? `kubectl --context prod cluster-info` must work first.
  If it is not the cluster you meant, choose another with KPULSE_CONTEXT=NAME:
    dev
    prod
",
    );
    assert!(!scene.read("asked").contains("apply"));
    Scene::set().with("OFFLINE", "error: You must be logged in to the server (Unauthorized)").fails(
        "install.sh: the cluster of context prod does not know you: error: You must be logged in to the server \
         (Unauthorized)
  Log in again as you did for kubectl, and run this again.
",
    );
}

#[test]
fn who_may_not_install_is_told_before_anything_is_done() {
    let remedy = "  Ask who administers the cluster to run this script, or to make you an administrator of it;
  or install kpulse with rights in namespaces of your own only: overlays/namespaced beside kpulse.yaml.
";
    let scene = Scene::set().with("MAY", "no");
    scene.fails(&format!(
        "install.sh: you may not do this in context prod: create namespaces, clusterroles, clusterrolebindings, \
         deployments in kpulse, roles in kpulse, secrets in kpulse\n{remedy}"
    ));
    assert!(!scene.read("asked").contains("apply"));
    let said =
        "Error from server (Forbidden): roles is forbidden: attempting to grant RBAC permissions not currently held";
    Scene::set().with("APPLY", said).fails(&format!(
        "install.sh: you may not do this in context prod: not everything could be applied ({said})\n{remedy}"
    ));
}

#[test]
fn what_is_not_applied_or_does_not_run_is_said() {
    Scene::set().with("APPLY", "error: the server is currently unable to handle the request").fails(
        "install.sh: not everything could be applied: error: the server is currently unable to handle the request
  Mend that and run this again: what is done already is not done twice.
",
    );
    Scene::set().with("STUCK", "yes").fails(
        "install.sh: everything is applied, but kpulse does not run yet: error: timed out waiting for the condition
  This says why: kubectl --context prod -n kpulse describe pods
  If the image cannot be pulled, name one that can: KPULSE_IMAGE=registry.example/kpulse ./install.sh
",
    );
}

#[test]
fn a_manifest_that_cannot_be_had_is_named() {
    Scene::set().with("KPULSE_MANIFEST", "/nowhere/kpulse.yaml").fails(
        "install.sh: cannot read /nowhere/kpulse.yaml
  Keep kpulse.yaml of the release beside this script, or set KPULSE_MANIFEST to its path or address.
",
    );
    Scene::set().with("KPULSE_MANIFEST", "http://127.0.0.1:1/kpulse.yaml").fails(
        "install.sh: cannot download http://127.0.0.1:1/kpulse.yaml
  Without a network, bring the file here and set KPULSE_MANIFEST to its path.
",
    );
    Scene::set().with("KPULSE_MANIFEST", "/dev/null").fails(
        "install.sh: /dev/null is no manifest of kpulse
  Take kpulse.yaml of the release.
",
    );
}

#[test]
fn without_kubectl_it_says_where_to_get_it() {
    let scene = Scene::set();
    let tools = scene.directory.join("bin");
    std::fs::remove_file(tools.join("kubectl")).unwrap();
    for tool in ["mktemp", "rm", "sed"] {
        std::os::unix::fs::symlink(Path::new("/bin").join(tool), tools.join(tool)).unwrap();
    }
    scene.with("PATH", tools.to_str().unwrap()).fails(
        "install.sh: kubectl is missing
  Install it (https://kubernetes.io/docs/tasks/tools) and run this again.
",
    );
}
