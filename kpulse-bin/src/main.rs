//! The kpulse agent. Everything it does is decided elsewhere; here it is started.

mod agent;
mod cli;
mod commands;
mod config;
mod http;
mod logging;
mod metrics;
mod pulse;
mod rbac;
mod recording;
mod saver;
mod scan;
mod tails;

use std::process::ExitCode;

use cli::Cli;

fn main() -> ExitCode {
    kpulse_notify::install_crypto();
    match commands::run(Cli::from_args()) {
        Ok(code) => code,
        // Whoever reads has seen enough: `kpulse replay … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kpulse: {}", words(&error));
            ExitCode::from(2)
        }
    }
}

/// An error and its causes, each said once.
pub(crate) fn words(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = Some(std::io::ErrorKind::BrokenPipe);
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) == broken
            || cause.downcast_ref::<serde_json::Error>().is_some_and(|error| error.io_error_kind() == broken)
    })
}
