//! Before the story, for whoever works on a channel: every kind of message by every kind of channel, to a sink that stays.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::future::try_join_all;
use kpulse_core::Name;
use kpulse_notify::{
    ChannelSettings, Channels, DeliveryError, Http, HttpSettings, Secrets, example, trial, wall_clock,
};

use super::far_end::STAGE;

/// How long one message may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Channels that lead away from the stage.
pub(super) struct Outside {
    pub(super) channels: Channels,
    pub(super) secrets: Secrets,
}

/// Sends each example by each channel, and says how many arrived.
///
/// # Errors
///
/// Where the sink cannot be reached.
pub(super) async fn send(outside: &Outside) -> anyhow::Result<String> {
    let begun = Instant::now();
    let http = Http::new(HttpSettings { proxies: false, ..HttpSettings::default() }, wall_clock())?;
    let channels = outside.channels.iter().filter(|(name, _)| name.as_str() != STAGE);
    let sent = channels.map(|(name, settings)| by(name, settings, &outside.secrets, &http));
    let counts = try_join_all(sent).await?;
    let (channels, messages) = (counts.len(), counts.iter().sum::<usize>());
    Ok(format!(
        "Each kind of message by {channels} kinds of channel, {messages} in {:.1}s",
        begun.elapsed().as_secs_f64()
    ))
}

/// One after another, so that the page has them in the same order each time.
async fn by(name: &Name, settings: &ChannelSettings, secrets: &Secrets, http: &Http) -> anyhow::Result<usize> {
    let notifier = settings.notifier(name, secrets, http)?;
    let mut arrived = 0;
    for (_, message) in example::all() {
        match trial::send(notifier.as_ref(), &message, PATIENCE).await {
            Ok(_) => arrived += 1,
            // Incidents are told of single troubles only.
            Err(DeliveryError::Refused { .. }) if settings.traits().incident => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{name}: the sink of --sink did not take a message"));
            }
        }
    }
    if arrived == 0 {
        bail!("{name}: no kind of message was taken");
    }
    Ok(arrived)
}
