//! `kpulse completions`: what a shell must know to complete commands and flags.

use std::io::{self, Write};
use std::process::ExitCode;

use clap_complete::Shell;

use crate::cli::Cli;

/// Writes the script for one shell.
///
/// # Errors
/// Where it cannot be written.
pub(crate) fn run(shell: Shell, out: &mut impl Write) -> io::Result<ExitCode> {
    // clap panics where the reader is gone, so it writes here first.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::described(), "kpulse", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
