//! What `kpulse init` can be told.

use std::path::PathBuf;

use clap::Args;
use kpulse_notify::ChannelSettings;

use super::ClusterArgs;

pub(super) const INIT: &str = "\
Examples:
  kpulse init                                        asks what it must know
  SLACK_WEBHOOK_URL=https://… kpulse init --name prod-eu --channel slack
  SMTP_USER=… SMTP_PASS=… kpulse init --name prod-eu --channel email \\
    --set smtp_host=smtp.example.com --set from=kpulse@example.com --set to=ops@example.com";

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The cluster's name, as people know it
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Who is told: the kind of channel
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(ChannelSettings::KINDS))]
    pub(crate) channel: Option<String>,
    /// A setting of the channel; its secrets are taken from environment variables of their names
    #[arg(long = "set", value_name = "SETTING=VALUE", value_parser = super::key_and_value)]
    pub(crate) settings: Vec<(String, String)>,
    /// The configuration file to write
    #[arg(long, default_value = "kpulse.yaml", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The directory to write secrets to: one file each, readable by this user only
    #[arg(long, default_value = "secrets", value_name = "DIR")]
    pub(crate) secrets: PathBuf,
    /// Write in place of what is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Send no test
    #[arg(long)]
    pub(crate) no_test: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}
