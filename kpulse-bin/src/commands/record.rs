//! `kpulse record`: writes what the API server says into a recording that `kpulse replay` plays.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use kpulse_watch::record::{RecordError, RecordOptions, RecordedLine, record};
use kpulse_watch::{ConnectOptions, connect};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::run::end_on_signal;
use crate::cli::RecordArgs;
use crate::config::{Log, LogFormat};
use crate::logging;

/// Records until the time is over or somebody says that it is enough.
///
/// # Errors
/// Where there is no cluster, the server refuses everything, or the recording cannot be written.
pub(crate) async fn run(args: RecordArgs) -> anyhow::Result<ExitCode> {
    logging::start(&Log { format: LogFormat::Text, ..Log::default() });
    let limit = args.duration.map(|span| Duration::try_from(span.get())).transpose()?;
    let connection = connect(&ConnectOptions::from(args.cluster)).await?;
    let mut recording = Recording::open(args.output.as_deref())?;
    eprintln!("kpulse: recording {}; Ctrl-C ends it", connection.server_url);
    let options = RecordOptions { namespaces: args.namespaces, ..RecordOptions::default() };
    let begin = Instant::now();
    let recorded = record(&connection.client, &options, enough(end_on_signal()?, limit), |line| recording.write(line));
    let outcome = recorded.await;
    eprintln!("kpulse: {}", recording.summary(begin.elapsed()));
    let server = connection.server_url;
    match outcome {
        Ok(()) if recording.lines == 0 => anyhow::bail!("{server}: did not answer; check that it can be reached"),
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever reads has seen enough.
        Err(RecordError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error @ RecordError::Write(_)) => anyhow::bail!("{}: {error}", recording.place),
        Err(error) => anyhow::bail!("{server}: {error}"),
    }
}

/// Done when somebody asks for the end, or the time is over.
async fn enough(mut end: watch::Receiver<bool>, limit: Option<Duration>) {
    let over = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = end.wait_for(|end| *end) => {}
        () = over => {}
    }
}

/// Where lines go, each by one write: whenever it ends, every line is whole.
struct Recording {
    place: String,
    out: Box<dyn Write>,
    lines: usize,
}

impl Recording {
    fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self { place: "standard output".to_owned(), out: Box::new(io::stdout()), lines: 0 });
        };
        let place = path.display().to_string();
        let file = File::create(path)
            .with_context(|| format!("{place}: cannot be written; name another file with --output"))?;
        Ok(Self { place, out: Box::new(file), lines: 0 })
    }

    fn write(&mut self, line: &RecordedLine) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.out.write_all(&bytes)?;
        self.lines += 1;
        Ok(())
    }

    fn summary(&self, took: Duration) -> String {
        let lines = if self.lines == 1 { "line" } else { "lines" };
        format!("{} {lines} in {} s, in {}", self.lines, took.as_secs(), self.place)
    }
}
