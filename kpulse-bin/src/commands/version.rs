//! `kpulse version`: which program this is, for people and for reports of faults.

use std::io::Write;
use std::process::ExitCode;

use kpulse_core::monitors::MonitorName;
use kpulse_notify::ChannelSettings;
use serde::Serialize;

use crate::cli::{Output, VersionArgs};

#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
    /// Nothing where whoever built it did not say.
    commit: Option<&'static str>,
    rustc: &'static str,
    target: &'static str,
    /// The oldest Kubernetes whose API this is built for.
    kubernetes: &'static str,
    channels: &'static [&'static str],
    monitors: Vec<&'static str>,
}

impl Version {
    fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("KPULSE_COMMIT").filter(|commit| !commit.is_empty()),
            rustc: env!("KPULSE_RUSTC"),
            target: env!("KPULSE_TARGET"),
            kubernetes: "1.33",
            channels: ChannelSettings::KINDS,
            monitors: MonitorName::ALL.iter().map(|monitor| monitor.as_str()).collect(),
        }
    }
}

/// Says it.
///
/// # Errors
/// Where it cannot be written.
pub(crate) fn run(args: &VersionArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let version = Version::this();
    match args.output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, &version)?;
            writeln!(out)?;
        }
        Output::Yaml => write!(out, "{}", serde_saphyr::to_string(&version)?)?,
        Output::Table => {
            writeln!(out, "kpulse {}", version.version)?;
            writeln!(out, "  commit      {}", version.commit.unwrap_or("not known"))?;
            writeln!(out, "  built with  {}, for {}", version.rustc, version.target)?;
            writeln!(out, "  kubernetes  {} and later", version.kubernetes)?;
            writeln!(out, "  channels    {}", version.channels.join(", "))?;
            writeln!(out, "  monitors    {}", version.monitors.join(", "))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
