//! Logs to standard error, as JSON for machines or as text for people.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging where `RUST_LOG` asks for it: a command that answers a person says in its answer what went wrong.
pub(crate) fn start_if_asked() {
    if std::env::var_os("RUST_LOG").is_some() {
        start(&Log { format: LogFormat::Text, ..Log::default() });
    }
}

/// Starts logging. `RUST_LOG` wins over the configured level.
///
/// The client's own log is kept to errors whatever is set: below that it writes whole response bodies, and a Secret
/// that could not be decoded would be in it.
pub(crate) fn start(log: &Log) {
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| log.level.as_str().to_owned());
    let filter = EnvFilter::builder().parse_lossy(format!("{level},kube_client=error"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never);
    let started = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    if let Err(error) = started {
        eprintln!("kpulse: no logs: {error}");
    }
}
