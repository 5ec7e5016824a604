//! `kpulse check`: whether a configuration would work, and what it says.

mod cluster;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use kpulse_core::monitors::MonitorName;
use kpulse_core::settings::{Channel, Glob, Settings};
use kpulse_notify::{Secrets, SecretsError};

use crate::cli::CheckArgs;
use crate::config::{Config, ConfigError, ConfigProblem, Environment, Loaded, Purpose, schema};

/// What was found.
#[derive(Debug)]
pub(crate) struct CheckReport {
    file: String,
    outcome: Result<Loaded, ConfigError>,
    notes: Vec<String>,
}

/// Checks and says so. Exit code 2 where something is wrong.
///
/// # Errors
///
/// Where the output cannot be written.
pub(crate) fn run(args: &CheckArgs, out: &mut impl Write) -> io::Result<ExitCode> {
    if args.schema {
        serde_json::to_writer_pretty(&mut *out, &schema())?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let environment = Environment::of_process();
    let report = check(&args.config, &args.secrets, &environment);
    // What is in force does not depend on secrets; that some are missing is said all the same.
    match Config::load(&args.config, &environment, Purpose::Telling).ok().filter(|_| args.print) {
        Some(loaded) => {
            out.write_all(loaded.effective().as_bytes())?;
            if report.outcome.is_err() {
                out.flush()?;
                report.print(&mut io::stderr())?;
            }
        }
        None => report.print(out)?,
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// The same, and asks the cluster. Where there is no directory of secrets, those of the cluster count.
///
/// # Errors
///
/// Where the output cannot be written.
pub(crate) async fn run_with_cluster(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let config = Config::load(&args.config, &environment, Purpose::Telling).ok().map(|loaded| loaded.config);
    let mut findings = cluster::ask(&args, config.as_ref(), !args.secrets.exists()).await;
    let report = match findings.secrets.take() {
        Some(secrets) => report(&args.config, Ok(secrets), &environment),
        None => check(&args.config, &args.secrets, &environment),
    };
    let mut out = io::stdout().lock();
    report.print(&mut out)?;
    out.write_all(findings.text.as_bytes())?;
    let is_good = findings.is_good && report.outcome.is_ok();
    Ok(ExitCode::from(if is_good { 0 } else { 2 }))
}

/// Reads the configuration and the secrets as `run` would. Nothing is sent.
pub(crate) fn check(config: &Path, secrets: &Path, environment: &Environment) -> CheckReport {
    let mut report = report(config, Secrets::read_dir(secrets), environment);
    if !secrets.exists() {
        let secrets = secrets.display();
        report.notes.push(format!("there is no secrets directory {secrets}: name another one with --secrets DIR"));
    }
    report
}

fn report(config: &Path, secrets: Result<Secrets, SecretsError>, environment: &Environment) -> CheckReport {
    let outcome = match secrets {
        Ok(secrets) => Config::load(config, environment, Purpose::Checking(&secrets)),
        Err(error) => {
            let mut problems = match Config::load(config, environment, Purpose::Telling) {
                Ok(_) => Vec::new(),
                Err(ConfigError { problems }) => problems,
            };
            problems.push(unreadable_secrets(&error));
            Err(ConfigError { problems })
        }
    };
    CheckReport { file: config.display().to_string(), outcome, notes: Vec::new() }
}

fn unreadable_secrets(error: &SecretsError) -> ConfigProblem {
    let fault = format!("cannot be read: {}", error.source);
    ConfigProblem::of_file(
        &error.path.display().to_string(),
        &fault,
        "let this user read it, or name another directory with --secrets DIR",
    )
}

impl CheckReport {
    /// 0 for a configuration that would work, 2 for one that would not.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.outcome.is_ok() { 0 } else { 2 }
    }

    /// Writes what is configured, or everything that is wrong.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub(crate) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.outcome {
            Ok(loaded) => {
                writeln!(out, "{} is good", self.file)?;
                summary(&loaded.config.settings(), out)?;
                self.print_notes(&loaded.notes, out)
            }
            Err(error) => {
                let count = match error.problems.len() {
                    1 => "1 problem".to_owned(),
                    several => format!("{several} problems"),
                };
                writeln!(out, "{error}\n")?;
                self.print_notes(&[], out)?;
                writeln!(out, "{count} in {}", self.file)
            }
        }
    }

    fn print_notes(&self, more: &[String], out: &mut impl Write) -> io::Result<()> {
        self.notes.iter().chain(more).try_for_each(|note| writeln!(out, "note: {note}"))
    }
}

fn summary(settings: &Settings, out: &mut impl Write) -> io::Result<()> {
    let (on, off): (Vec<_>, Vec<_>) =
        MonitorName::ALL.iter().map(|name| (name.as_str(), settings.monitors.enabled(*name))).partition(|(_, on)| *on);
    let names = |monitors: Vec<(&'static str, bool)>| monitors.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    writeln!(out, "  cluster     {}", or(settings.cluster.to_string(), "(no name)"))?;
    writeln!(out, "  channels    {}", or(listed(&settings.channels), "none"))?;
    writeln!(out, "  namespaces  {}", namespaces(&settings.namespaces.include, &settings.namespaces.exclude))?;
    writeln!(out, "  monitors    {}{}", or(names(on).join(", "), "none"), prefixed("; off: ", &names(off).join(", ")))?;
    writeln!(out, "  routes      {}", routes(settings))
}

fn routes(settings: &Settings) -> String {
    let rest = settings.default_channel().map_or_else(String::new, |channel| format!("to {channel}"));
    match settings.routing.len() {
        0 => or(prefixed("none; everything goes ", &rest), "none"),
        count => format!("{count}{}", prefixed("; what none of them matches goes ", &rest)),
    }
}

fn namespaces(include: &[Glob], exclude: &[Glob]) -> String {
    let texts = |globs: &[Glob]| globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(", ");
    let watched = if include.is_empty() || include.iter().any(|glob| glob.as_str() == "*") {
        "all".to_owned()
    } else {
        texts(include)
    };
    format!("{watched}{}", prefixed(" but ", &texts(exclude)))
}

fn listed(channels: &[Channel]) -> String {
    channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn or(text: String, instead: &str) -> String {
    if text.is_empty() { instead.to_owned() } else { text }
}

/// The text after a prefix; nothing if there is no text.
fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{prefix}{text}") }
}
