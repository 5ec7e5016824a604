//! The commands, one file each. Exit codes: 0 good, 1 trouble found or a demo that did not go as told, 2 could not.

mod check;
mod demo;
mod rbac;
mod record;
mod replay;
pub(crate) mod run;
mod scan;

use std::io::stdout;
use std::process::ExitCode;

use crate::cli::{Cli, Command};

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => on_runtime(run::run(cli.run)),
        Some(Command::Scan(args)) => on_runtime(scan::run(args)),
        Some(Command::Run(args)) => on_runtime(run::run(args)),
        Some(Command::Check(args)) => Ok(check::run(&args, &mut stdout().lock())?),
        Some(Command::Rbac(args)) => rbac::run(&args, &mut stdout().lock()),
        Some(Command::Demo(args)) => on_runtime(demo::run(args)),
        Some(Command::Replay(args)) => replay::run(&args, &mut stdout().lock()),
        Some(Command::Record(args)) => on_runtime(record::run(args)),
    }
}

/// Two threads: the agent waits most of the time, and each further thread costs memory.
fn on_runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}
