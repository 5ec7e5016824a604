//! `kpulse test-channel`: one message past everything else, and in a line each what became of it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::future::join_all;
use jiff::Timestamp;
use kpulse_core::Name;
use kpulse_notify::{ChannelSettings, DeliveryError, Http, HttpSettings, Problem, Secrets, trial, wall_clock};

use crate::cli::TestChannelArgs;
use crate::config::{Config, Environment, Purpose};

/// How long a channel may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a test to the channels that were named, to all at once. Exit code 1 where one did not get it.
///
/// # Errors
///
/// Where the configuration or the secrets cannot be read, or there is no such channel.
pub(crate) async fn run(args: TestChannelArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config, &Environment::of_process(), Purpose::Rehearsal)?.config;
    let secrets = Secrets::read_dir(&args.secrets).context("cannot read the secrets")?;
    let http = Http::new(HttpSettings::default(), wall_clock())?;
    let tests = chosen(&config, &args)?.into_iter().map(|(name, settings)| {
        let cluster = &config.cluster.name;
        let (secrets, http) = (&secrets, &http);
        async move { (name, settings.kind(), send(name, settings, cluster, secrets, http).await) }
    });
    let mut all_sent = true;
    for (name, kind, sent) in join_all(tests).await {
        all_sent &= sent.is_ok();
        match sent {
            Ok(took) => anstream::println!("{name}: sent; {kind} took it within {:.1}s", took.as_secs_f64() + 0.05),
            Err(why) => anstream::println!("{name}: not sent: {why}"),
        }
    }
    Ok(if all_sent { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen<'a>(config: &'a Config, args: &TestChannelArgs) -> anyhow::Result<Vec<(&'a Name, &'a ChannelSettings)>> {
    let in_order = config.settings().channels;
    let place = |name: &Name| in_order.iter().position(|channel| channel.name == *name);
    let mut all: Vec<_> = config.channels.iter().collect();
    all.sort_by_key(|(name, _)| place(name));
    let known = || all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    if all.is_empty() {
        bail!("{} has no channel: add one under `channels`", args.config.display());
    }
    if args.all {
        return Ok(all);
    }
    for wanted in &args.names {
        if !all.iter().any(|(name, _)| name.as_str() == wanted) {
            bail!("there is no channel `{wanted}`: {} has {}", args.config.display(), known());
        }
    }
    Ok(all.into_iter().filter(|(name, _)| args.names.iter().any(|wanted| name.as_str() == wanted)).collect())
}

/// How long it took, or why it did not and what to do.
async fn send(
    name: &Name,
    settings: &ChannelSettings,
    cluster: &Name,
    secrets: &Secrets,
    http: &Http,
) -> Result<Duration, String> {
    if let Some(Problem { key, fault, remedy, .. }) = settings.problems(secrets).into_iter().next() {
        return Err(format!("{key}: {fault}: {remedy}"));
    }
    let notifier = settings.notifier(name, secrets, http).map_err(|fault| fault.to_string())?;
    let begun = Instant::now();
    let message = trial::message(name, cluster, Timestamp::now());
    match trial::send(notifier.as_ref(), &message, PATIENCE).await {
        Ok(_) => Ok(begun.elapsed()),
        Err(error @ DeliveryError::Unavailable { .. }) => Err(error.to_string()),
        Err(error @ DeliveryError::Transient { .. }) => Err(format!("{error}; this may pass: try again in a moment")),
        Err(error @ DeliveryError::Refused { .. }) => {
            let kind = settings.kind();
            Err(format!("{error}; it takes no such message: look at it with `kpulse preview {kind}`"))
        }
    }
}
