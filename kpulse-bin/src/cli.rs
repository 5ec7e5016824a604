//! The command line. Settings live in the configuration file; here are commands and paths only.

mod help;
mod init;
mod scan;
mod silence;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use kpulse_core::settings::Span;
use kpulse_watch::ConnectOptions;

pub(crate) use init::InitArgs;
pub(crate) use scan::{Output, ScanArgs};
pub(crate) use silence::{ObjectArg, PlaceArgs, SilenceArgs, UnsilenceArgs};

/// Where a Pod finds its configuration.
pub(crate) const DEFAULT_CONFIG: &str = "/etc/kpulse/config.yaml";

/// Tells people what is broken in a Kubernetes cluster, and tells them when it is well again.
#[derive(Debug, Parser)]
#[command(name = "kpulse", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Without a command: run.
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what is broken in a cluster now; as `kubectl kpulse` too
    Scan(ScanArgs),
    /// Watch a cluster and tell people; what kpulse does without a command
    ///
    /// With --dry-run it can run for a week beside what people have, and beside another kpulse: it reads no state and
    /// saves none, so it begins with a summary of what is broken already, also after a restart. Channels need no secrets
    /// then.
    #[command(after_help = RUN)]
    Run(RunArgs),
    /// Show what fires now and who was told, from the state that kpulse keeps in the cluster
    #[command(after_help = STATUS)]
    Status(StatusArgs),
    /// Hear nothing of an object for a while
    ///
    /// Writes the annotation kpulse.io/silence to the object; it holds for what the object answers for as well: the Pods
    /// of a Deployment, all that is in a namespace. It holds for every kpulse that watches the cluster.
    #[command(after_help = silence::SILENCE)]
    Silence(SilenceArgs),
    /// Hear of an object again
    #[command(after_help = silence::UNSILENCE)]
    Unsilence(UnsilenceArgs),
    /// Write a first configuration from a few answers, and send a test
    #[command(after_help = init::INIT)]
    Init(InitArgs),
    /// Say whether a configuration is good, and what is in force
    ///
    /// Every fault is shown with its place and its remedy. Nothing is sent.
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Send a test message, and say whether it arrived
    ///
    /// One line for each channel: what happened, and where it failed, why and what to do.
    #[command(after_help = TEST_CHANNEL)]
    TestChannel(TestChannelArgs),
    /// Say which route an alert would take, and who would be told
    ///
    /// What is not said of the alert is as of a crash loop in namespace default. Exit code 1 where nobody would be told.
    #[command(after_help = TEST_ROUTE)]
    TestRoute(TestRouteArgs),
    /// Print the least rights for a configuration, for kubectl apply
    ///
    /// Where `namespaces.include` names namespaces without wildcards, these are Roles in them and nothing else. The
    /// rights to certificates and to kubelets are bindings of their own: delete one, and kpulse does without.
    #[command(after_help = RBAC)]
    Rbac(RbacArgs),
    /// Watch a cluster break and heal that is not there
    ///
    /// A fake API server, the real agent, and a sink that shows what arrives, all on this machine.
    #[command(after_help = DEMO)]
    Demo(DemoArgs),
    /// Play a recording through the same detection, in virtual time
    ///
    /// One JSON line for each message that a channel would have got.
    #[command(after_help = REPLAY)]
    Replay(ReplayArgs),
    /// Write what the API server says into a recording, without secrets
    ///
    /// One JSON object per line, until Ctrl-C or for --duration. Of Secrets only certificates are kept; the values of
    /// environment variables, commands, arguments and probe headers are left out. Names, labels and messages stay: look
    /// at a recording before you hand it on. Not recorded are logs, and what kubelets say of disks and volumes.
    #[command(after_help = RECORD)]
    Record(RecordArgs),
    /// Say which program this is: version, commit, compiler
    #[command(after_help = VERSION)]
    Version(VersionArgs),
    /// Print what a shell must know to complete commands and flags
    #[command(after_help = COMPLETIONS)]
    Completions(CompletionsArgs),
}

const RUN: &str = "\
Examples:
  kpulse run --config kpulse.yaml --secrets secrets --namespace default --http 127.0.0.1:8080
  kpulse run --config kpulse.yaml --dry-run   only show what people would have been told
  KPULSE_CLUSTER__NAME=prod-eu kpulse run     every setting can be given by the environment";

const STATUS: &str = "\
Examples:
  kpulse status
  kpulse status -o json | jq -r '.firing[].title'

Exit codes: 0 nothing fires, 1 something does, 2 could not look.";

const CHECK: &str = "\
Examples:
  kpulse check --config kpulse.yaml --secrets secrets
  kpulse check --config kpulse.yaml --print   what is in force, and where each value comes from
  kpulse check --config kpulse.yaml --cluster --as system:serviceaccount:kpulse:kpulse

Exit codes: 0 good, 2 not.";

const TEST_CHANNEL: &str = "\
Examples:
  kpulse test-channel slack --config kpulse.yaml --secrets secrets
  kubectl -n kpulse exec deploy/kpulse -- kpulse test-channel --all

Exit codes: 0 every message was taken, 1 not, 2 could not try.";

const TEST_ROUTE: &str = "\
Examples:
  kpulse test-route --config kpulse.yaml ns=checkout severity=warning
  kpulse test-route --config kpulse.yaml monitor=node_disk node=gpu-3 labels.team=ml";

const RBAC: &str = "\
Examples:
  kpulse rbac --config kpulse.yaml | kubectl apply -f -";

const DEMO: &str = "\
Examples:
  kpulse demo          until Ctrl-C
  kpulse demo --once   half a minute; the exit code says whether all went as told
  kpulse demo --sink http://127.0.0.1:8081   to a sink that stays: what `just dev` runs";

const REPLAY: &str = "\
Examples:
  kpulse replay night.jsonl
  kpulse replay night.jsonl --config kpulse.yaml | jq -r .title
  kpulse replay night.jsonl --config kpulse.yaml --against quieter.yaml";

const RECORD: &str = "\
Examples:
  kpulse record -o night.jsonl
  kpulse record -n shop --duration 10m > shop.jsonl";

const VERSION: &str = "\
Examples:
  kpulse version
  kpulse version -o json | jq -r .commit";

const COMPLETIONS: &str = "\
Examples:
  source <(kpulse completions bash)
  kpulse completions zsh > \"${fpath[1]}/_kpulse\"
  kpulse completions fish > ~/.config/fish/completions/kpulse.fish";

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The configuration file
    #[arg(long, default_value = DEFAULT_CONFIG, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The directory of secrets: one file each, named by its key
    #[arg(long, default_value = "/etc/kpulse/secrets", value_name = "DIR")]
    pub(crate) secrets: PathBuf,
    /// The namespace of the state ConfigMap
    #[arg(long, env = "POD_NAMESPACE", default_value = "kpulse", value_name = "NAME")]
    pub(crate) namespace: String,
    /// Where health and metrics are served
    #[arg(long, default_value = ":8080", value_name = "HOST:PORT")]
    pub(crate) http: String,
    /// Print what channels would have got; send nothing, and write nothing to the cluster
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// Which cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    /// The context of the kubeconfig; in a Pod, the Pod's own cluster if nothing is said
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

impl From<ClusterArgs> for ConnectOptions {
    fn from(ClusterArgs { context, kubeconfig }: ClusterArgs) -> Self {
        Self { context, kubeconfig }
    }
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The namespace of kpulse itself
    #[arg(long, short, env = "POD_NAMESPACE", default_value = "kpulse", value_name = "NAME")]
    pub(crate) namespace: String,
    /// How it is shown
    #[arg(long, short, value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The configuration file
    #[arg(long, default_value = DEFAULT_CONFIG, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The directory of secrets
    #[arg(long, default_value = "/etc/kpulse/secrets", value_name = "DIR")]
    pub(crate) secrets: PathBuf,
    /// Print the configuration as it is in force: each value with where it comes from, secrets masked
    #[arg(long)]
    pub(crate) print: bool,
    /// Print the JSON Schema of the configuration, for editors
    #[arg(long, exclusive = true)]
    pub(crate) schema: bool,
    /// Ask the cluster too: does it answer, which rights are missing, are the secrets there
    #[arg(long = "cluster", conflicts_with = "print")]
    pub(crate) ask_cluster: bool,
    /// Whose rights: `system:serviceaccount:kpulse:kpulse`; one's own if nothing is said
    #[arg(long = "as", value_name = "USER", requires = "ask_cluster")]
    pub(crate) acting_as: Option<String>,
    /// The namespace of kpulse itself
    #[arg(long, env = "POD_NAMESPACE", default_value = "kpulse", value_name = "NAME")]
    pub(crate) namespace: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TestChannelArgs {
    /// Which channels, as the configuration names them
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub(crate) names: Vec<String>,
    /// Every channel of the configuration
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
    /// The configuration file
    #[arg(long, default_value = DEFAULT_CONFIG, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The directory of secrets
    #[arg(long, default_value = "/etc/kpulse/secrets", value_name = "DIR")]
    pub(crate) secrets: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TestRouteArgs {
    /// What the alert is like: severity, monitor, ns, workload, reason, node, labels.NAME
    #[arg(value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) traits: Vec<(String, String)>,
    /// The configuration file
    #[arg(long, default_value = DEFAULT_CONFIG, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// A text around its first `=`.
fn key_and_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or_else(|| "write it as KEY=VALUE".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
pub(crate) struct RbacArgs {
    /// The configuration file; all defaults if nothing is said
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The namespace kpulse runs in
    #[arg(long, env = "POD_NAMESPACE", default_value = "kpulse", value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) namespace: String,
    /// Its service account; the roles are named after it
    #[arg(long, default_value = "kpulse", value_name = "NAME", value_parser = kubernetes_name)]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Play the story once, in 30 seconds at most; exit 0 only if every trouble was told once and ended once
    #[arg(long)]
    pub(crate) once: bool,
    /// Tell an echo sink as well, by every kind of channel, and show it each kind of message first: for whoever works on
    /// a channel
    #[arg(long, value_name = "URL")]
    pub(crate) sink: Option<String>,
    /// Where the agent serves health, metrics and its page; a free port if nothing is said
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", hide_default_value = true)]
    pub(crate) http: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The recording
    pub(crate) file: PathBuf,
    /// Settings other than the defaults
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Only show what would be said differently with this configuration instead; exit 1 if anything
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,
    /// How a difference is shown; messages by themselves are always JSON lines
    #[arg(long, short, value_enum, default_value = "table", value_name = "FORMAT", requires = "against")]
    pub(crate) output: Output,
    /// How long virtual time goes on after the last line
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    pub(crate) horizon: Span,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// How it is shown
    #[arg(long, short, value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Where to, in place of what is there; standard output if nothing is said
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Only this namespace, and the nodes; may be given several times
    #[arg(long = "namespace", short, value_name = "NAME")]
    pub(crate) namespaces: Vec<String>,
    /// How long; until Ctrl-C if nothing is said
    #[arg(long, value_name = "DURATION")]
    pub(crate) duration: Option<Span>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// A name that both namespaces and service accounts can have.
fn kubernetes_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good =
        (1..=63).contains(&text.len()) && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('-');
    good.then(|| text.to_owned())
        .ok_or_else(|| "write lower-case letters, digits and - within, 63 characters at most".to_owned())
}

impl Cli {
    /// The command line with all its help.
    pub(crate) fn described() -> clap::Command {
        help::grouped(Self::command())
    }

    /// Parses the program's arguments. The flags of the earlier program had one dash: `-config FILE` still works.
    pub(crate) fn from_args() -> Self {
        let arguments = as_plugin(std::env::args_os().map(two_dashes).collect());
        let mut command = Self::described();
        if is_plugin(&arguments) {
            command = command.bin_name("kubectl kpulse");
        }
        let matches = command.get_matches_from(arguments);
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Whether it was called as `kubectl-kpulse`.
fn is_plugin(arguments: &[OsString]) -> bool {
    let program = arguments.first().map(Path::new).and_then(Path::file_stem);
    program.is_some_and(|program| program == "kubectl-kpulse")
}

/// Called as `kubectl-kpulse` it is a plugin of kubectl, where people look rather than run an agent: `kubectl kpulse`
/// scans.
fn as_plugin(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if !is_plugin(&arguments) {
        return arguments;
    }
    let is_plain = |argument: &&OsString| !argument.to_string_lossy().starts_with('-');
    let asks = |argument: &OsString| ["-h", "--help", "-V", "--version"].iter().any(|asked| argument == asked);
    let first = arguments.get(1);
    // Whatever is no flag is a command, or a mistyped one.
    if first.is_none_or(|first| !is_plain(&first) && !asks(first)) {
        arguments.insert(1, "scan".into());
    }
    arguments
}

/// A long flag with one dash, with its second dash.
fn two_dashes(argument: OsString) -> OsString {
    const LONG: [&str; 9] =
        ["config", "secrets", "namespace", "name", "http", "context", "kubeconfig", "horizon", "once"];
    let fits = argument.to_str().and_then(|text| text.strip_prefix('-')).is_some_and(|flag| {
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        LONG.contains(&name)
    });
    if fits {
        let mut longer = OsString::from("-");
        longer.push(argument);
        longer
    } else {
        argument
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_with_one_dash_are_those_with_two() {
        let cli = Cli::parse_from(
            ["kpulse", "-config", "a.yaml", "-http=:9090", "-secrets", "s"].map(OsString::from).map(two_dashes),
        );
        assert_eq!(cli.run.config, PathBuf::from("a.yaml"));
        assert_eq!(cli.run.http, ":9090");
        let cli = Cli::parse_from(["kpulse", "check", "-config", "b.yaml"].map(OsString::from).map(two_dashes));
        assert!(matches!(cli.command, Some(Command::Check(check)) if check.config.as_os_str() == "b.yaml"));
        assert_eq!(two_dashes("-n".into()), "-n");
    }
}
