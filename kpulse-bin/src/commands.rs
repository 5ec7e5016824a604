//! The commands, one file each. Exit codes: 0 good, 1 trouble found or a demo that did not go as told, 2 could not.

mod check;
mod completions;
mod demo;
mod init;
mod rbac;
mod record;
mod replay;
pub(crate) mod run;
mod scan;
mod silence;
mod status;
mod test_channel;
mod test_route;
mod version;

use std::io::{IsTerminal, stdout};
use std::process::ExitCode;

use crate::cli::{Cli, Command, RunArgs};

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        None if is_newcomer(&cli.run) => {
            anstream::print!("{}", Cli::described().render_help().ansi());
            Ok(ExitCode::from(2))
        }
        None => on_runtime(run::run(cli.run)),
        Some(Command::Init(args)) => on_runtime(init::run(args)),
        Some(Command::Scan(args)) => on_runtime(scan::run(args)),
        Some(Command::Run(args)) => on_runtime(run::run(args)),
        Some(Command::Check(args)) if args.ask_cluster => on_runtime(check::run_with_cluster(args)),
        Some(Command::Check(args)) => Ok(check::run(&args, &mut stdout().lock())?),
        Some(Command::TestChannel(args)) => on_runtime(test_channel::run(args)),
        Some(Command::Rbac(args)) => rbac::run(&args, &mut stdout().lock()),
        Some(Command::Demo(args)) => on_runtime(demo::run(args)),
        Some(Command::Replay(args)) => replay::run(&args, &mut anstream::stdout().lock()),
        Some(Command::Record(args)) => on_runtime(record::run(args)),
        Some(Command::Silence(args)) => on_runtime(silence::run(args)),
        Some(Command::Unsilence(args)) => on_runtime(silence::end(args)),
        Some(Command::TestRoute(args)) => test_route::run(&args, &mut stdout().lock()),
        Some(Command::Status(args)) => on_runtime(status::run(args)),
        Some(Command::Version(args)) => version::run(&args, &mut stdout().lock()),
        Some(Command::Completions(args)) => Ok(completions::run(args.shell, &mut stdout().lock())?),
    }
}

/// Two threads: the agent waits most of the time, and each further thread costs memory.
fn on_runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

/// Whether a person typed `kpulse` and nothing else, where no agent could run: they want to know what there is.
fn is_newcomer(run: &RunArgs) -> bool {
    stdout().is_terminal() && std::env::args_os().len() == 1 && !run.config.exists()
}
