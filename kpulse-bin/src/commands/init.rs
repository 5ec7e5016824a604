//! `kpulse init`: a first configuration, its secrets, and a test message, from a few answers.

mod draft;
mod interview;

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use kpulse_watch::{ConnectOptions, connect};
use secrecy::{ExposeSecret, SecretString};

use super::test_channel;
use crate::cli::{InitArgs, TestChannelArgs};
use interview::{Answers, Interview};

/// Asks at a terminal; elsewhere everything must be said by flags and environment. Exit code 1 where the test did not
/// arrive.
///
/// # Errors
/// Where something is not said, or cannot be written.
pub(crate) async fn run(args: InitArgs) -> anyhow::Result<ExitCode> {
    let place = args.config.display();
    ensure!(
        args.force || !args.config.exists(),
        "{place} is there already; --force writes in its place, --config elsewhere"
    );
    let context = connect(&ConnectOptions::from(args.cluster.clone())).await.ok().and_then(|found| found.context);
    let answers = answers(&args, context.as_deref())?;
    write_secrets(&args.secrets, &answers.secrets)?;
    std::fs::write(&args.config, draft::text(&answers)).with_context(|| format!("{place} cannot be written"))?;
    say(&format!("Written: {place}"))?;
    for (key, _) in &answers.secrets {
        say(&format!("Written: {}", args.secrets.join(key).display()))?;
    }
    let tested = if args.no_test { ExitCode::SUCCESS } else { test(&args, &answers.kind).await? };
    say(&draft::next_steps(&args.config, &args.secrets, !answers.secrets.is_empty()))?;
    Ok(tested)
}

fn answers(args: &InitArgs, context: Option<&str>) -> anyhow::Result<Answers> {
    let from_environment = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
    if !io::stdin().is_terminal() {
        return Answers::said(args, context, from_environment);
    }
    let hidden = |prompt: &str| rpassword::prompt_password(prompt);
    Interview::new(io::stdin().lock(), io::stdout(), hidden).hold(args, context, from_environment)
}

async fn test(args: &InitArgs, kind: &str) -> anyhow::Result<ExitCode> {
    say("\nA test message:")?;
    test_channel::run(TestChannelArgs {
        names: vec![kind.to_owned()],
        all: false,
        config: args.config.clone(),
        secrets: args.secrets.clone(),
    })
    .await
}

fn write_secrets(directory: &Path, secrets: &[(String, SecretString)]) -> anyhow::Result<()> {
    if secrets.is_empty() {
        return Ok(());
    }
    let failed = |path: &Path| format!("{} cannot be written", path.display());
    DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(|| failed(directory))?;
    for (key, value) in secrets {
        let path = directory.join(key);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(value.expose_secret().as_bytes()));
        written.with_context(|| failed(&path))?;
    }
    Ok(())
}

/// It speaks to a person on standard output.
fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
