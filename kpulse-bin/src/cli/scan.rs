//! What `kpulse scan` can be told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kpulse_core::Severity;

use super::ClusterArgs;
use crate::scan::labels::Labels;

const EXAMPLES: &str = "\
Examples:
  kpulse scan                         the whole cluster of the current context
  kpulse scan -n shop -n blog         two namespaces, with the rights of a user of these
  kpulse scan -A -l team=checkout     every namespace, one team's objects
  kpulse scan --watch                 the same, kept up to date
  kpulse scan -o json | jq '.firing[].title'
  kpulse scan --fail-on critical && kubectl apply -f next.yaml

Exit codes: 0 nothing as bad as --fail-on, 1 something, 2 could not look.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ScanArgs {
    /// Only this namespace; may be given several times. Nodes are then not looked at
    #[arg(long = "namespace", short = 'n', value_name = "NAME", conflicts_with = "all_namespaces")]
    pub(crate) namespaces: Vec<String>,
    /// Every namespace, those too that are left out by default or by the configuration
    #[arg(long, short = 'A')]
    pub(crate) all_namespaces: bool,
    /// Only objects with these labels: app=api,tier!=cache. Events have none
    #[arg(long = "selector", short = 'l', value_name = "LABELS")]
    pub(crate) labels: Option<Labels>,
    /// How it is shown
    #[arg(long, short, value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: Output,
    /// Exit with 1 for what is at least this bad: critical, warning, or info, which counts Warning Events too
    #[arg(long, default_value = "warning", value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Severity,
    /// Exit with 2 if anything could not be seen, even if all that could is well
    #[arg(long)]
    pub(crate) strict: bool,
    /// Stay, and show every change, until Ctrl-C
    #[arg(long, short)]
    pub(crate) watch: bool,
    /// A configuration whose monitors and namespaces hold; the defaults if nothing is said
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Table,
    /// For programs
    Json,
    /// For programs, and people
    Yaml,
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::named(text).ok_or_else(|| "write critical, warning or info".to_owned())
}
