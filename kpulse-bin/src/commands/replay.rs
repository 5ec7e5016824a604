//! `kpulse replay`: plays a recording through the core in virtual time, and prints what channels would have got.

mod difference;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use kpulse_core::settings::{Settings, Span};
use kpulse_core::{AlertState, Content, Engine, EngineState, Name, Notification, Outcome, Receipt};
use serde::Serialize;

use crate::cli::{Output, ReplayArgs};
use crate::config::{Config, Environment, Purpose};
use crate::recording::{self, Moment};
use difference::{Difference, Heard};

/// One line of output.
#[derive(Debug, Serialize)]
struct Said<'a> {
    at: String,
    channel: &'a Name,
    state: AlertState,
    monitor: &'a str,
    severity: &'a str,
    namespace: &'a str,
    object: String,
    container: Option<&'a Name>,
    workload: Option<String>,
    reason: &'a str,
    ending: Option<&'a str>,
    title: &'a str,
    count: usize,
}

impl<'a> Said<'a> {
    fn new(now: Timestamp, notification: &'a Notification) -> Self {
        let content = &notification.content;
        let report = content.report();
        Self {
            at: format!("{now:.3}"),
            channel: &notification.channel,
            state: content.state(),
            monitor: content.source(),
            severity: content.severity().as_str(),
            namespace: report.map_or("", |report| &report.object.namespace),
            object: report.map(|report| report.object.to_string()).unwrap_or_default(),
            container: report.and_then(|report| report.trouble.container.as_ref()),
            workload: report.and_then(|report| report.workload.as_ref()).map(ToString::to_string),
            reason: report.map_or("", |report| &report.reason),
            ending: report.and_then(|report| report.ending).map(kpulse_core::Ending::as_str),
            title: content.title(),
            count: match content {
                Content::Report(report) => report.count,
                Content::Bulletin(bulletin) => bulletin.lines.len() + bulletin.more,
            },
        }
    }
}

/// Plays the recording and goes on for the horizon after its last line. Exit code 1 where two configurations differ.
///
/// # Errors
/// Where the recording or a configuration cannot be read, or the output not be written.
pub(crate) fn run(args: &ReplayArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let moments = recording::read(&args.file)?;
    let settings = settings(args.config.as_deref())?;
    if let Some(other) = &args.against {
        let difference = Difference::between(
            hear(settings, moments.clone(), args.horizon)?,
            hear(self::settings(Some(other))?, moments, args.horizon)?,
        );
        match args.output {
            Output::Table => difference.print(out)?,
            Output::Json | Output::Yaml => difference.write_json(out)?,
        }
        return Ok(ExitCode::from(u8::from(!difference.is_empty())));
    }
    play(settings, moments, args.horizon, |Heard { at, notification }| {
        serde_json::to_writer(&mut *out, &Said::new(at, &notification))?;
        Ok(out.write_all(b"\n")?)
    })?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn settings(config: Option<&Path>) -> anyhow::Result<Settings> {
    let loaded = match config {
        Some(path) => Config::load(path, &Environment::default(), Purpose::Rehearsal)?,
        None => Config::from_str("", "defaults")?,
    };
    let mut settings = loaded.config.settings();
    // Without a channel nobody would be told anything: one stands for all.
    if settings.channels.is_empty() {
        settings.channels.push("replay".into());
    }
    Ok(settings)
}

fn hear(settings: Settings, moments: Vec<Moment>, horizon: Span) -> anyhow::Result<Vec<Heard>> {
    let mut heard = Vec::new();
    play(settings, moments, horizon, |message| {
        heard.push(message);
        Ok(())
    })?;
    Ok(heard)
}

/// Plays moments in virtual time, and hands over what is said.
fn play(
    settings: Settings,
    moments: Vec<Moment>,
    horizon: Span,
    mut hear: impl FnMut(Heard) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let start = moments.first().map_or(Timestamp::UNIX_EPOCH, |moment| moment.at);
    let mut engine = Engine::new(start, settings, EngineState::quiet());
    let mut now = start;
    for moment in moments {
        // Lines of several watches may be out of order by a little; time never runs backwards.
        let at = moment.at.max(now);
        pass(&mut engine, at, &mut hear)?;
        now = at;
        for observation in moment.observations {
            engine.observe(now, observation);
        }
        tell(&mut engine, now, &mut hear)?;
    }
    pass(&mut engine, now.checked_add(horizon.get())?, &mut hear)
}

/// Lets time pass until `until`, doing what becomes due on the way.
fn pass(
    engine: &mut Engine,
    until: Timestamp,
    hear: &mut impl FnMut(Heard) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    while let Some(due) = engine.next_deadline().filter(|due| *due <= until) {
        engine.advance(due);
        tell(engine, due, hear)?;
        // What can't be done at its own due time is not done by asking again.
        if engine.next_deadline() == Some(due) {
            break;
        }
    }
    Ok(())
}

/// Hands over what is owed now; each channel accepts at once.
fn tell(engine: &mut Engine, now: Timestamp, hear: &mut impl FnMut(Heard) -> anyhow::Result<()>) -> anyhow::Result<()> {
    loop {
        let notifications = engine.notifications(now);
        if notifications.is_empty() {
            return Ok(());
        }
        for notification in notifications {
            let outcome = Outcome::Accepted { message_id: None };
            engine.receive(now, &Receipt { id: notification.id, channel: notification.channel.clone(), outcome });
            hear(Heard { at: now, notification })?;
        }
    }
}
