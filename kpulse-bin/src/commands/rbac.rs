//! `kpulse rbac`: the least rights for a configuration, as manifests.

use std::io::Write;
use std::process::ExitCode;

use crate::cli::RbacArgs;
use crate::config::{Config, Environment, Purpose};
use crate::rbac::{Account, Rights};

/// Prints them.
///
/// # Errors
///
/// Where the configuration is not good, or the output cannot be written.
pub(crate) fn run(args: &RbacArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let config = match &args.config {
        Some(file) => Config::load(file, &Environment::of_process(), Purpose::Rehearsal)?.config,
        None => Config::default(),
    };
    let account = Account { namespace: args.namespace.clone(), name: args.name.clone() };
    write!(out, "{}", Rights::of(&config).granted_to(&account))?;
    Ok(ExitCode::SUCCESS)
}
