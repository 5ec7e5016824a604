//! Takes what channels send and shows what arrived, on a page and on the terminal.

use std::io::{self, Write};
use std::process::ExitCode;

use kpulse_testkit::sink::EchoSink;

const HELP: &str = "\
Takes what kpulse's channels send and shows what arrived.

Usage: echo-sink [--listen ADDRESS] [--quiet]

  --listen ADDRESS  where to listen (default 127.0.0.1:8081; in a Pod 0.0.0.0:8081)
  --quiet           no line per arrival
";

struct Options {
    listen: String,
    quiet: bool,
}

enum Asked {
    Run(Options),
    Help,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match asked(std::env::args().skip(1)) {
        Ok(Asked::Help) => {
            print(HELP);
            ExitCode::SUCCESS
        }
        Ok(Asked::Run(options)) => match run(&options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&format!("echo-sink: cannot listen on {}: {error}\n", options.listen)),
        },
        Err(wrong) => complain(&format!("echo-sink: {wrong}\n\n{HELP}")),
    }
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut options = Options { listen: "127.0.0.1:8081".to_owned(), quiet: false };
    while let Some(argument) = arguments.next() {
        match argument.split_once('=').unwrap_or((&argument, "")) {
            ("--listen", "") => {
                options.listen = arguments.next().ok_or("--listen needs an address, for example 127.0.0.1:8081")?;
            }
            ("--listen", address) => address.clone_into(&mut options.listen),
            ("--quiet", "") => options.quiet = true,
            ("--help" | "-h", "") => return Ok(Asked::Help),
            _ => return Err(format!("{argument} is no option")),
        }
    }
    Ok(Asked::Run(options))
}

async fn run(options: &Options) -> io::Result<()> {
    // Before anything else, so that a signal during the start stops it too.
    let mut stop = std::pin::pin!(stop_signal()?);
    let sink = EchoSink::new();
    let server = sink.serve(&options.listen).await?;
    print(&format!("What arrives is shown on {}/\n", server.url()));
    tokio::select! {
        () = &mut stop => {}
        () = tell(&sink), if !options.quiet => {}
    }
    server.stop().await;
    Ok(())
}

/// Prints a line per arrival, for as long as it runs.
async fn tell(sink: &EchoSink) {
    let mut told = 0;
    loop {
        let message = sink.next_after(told).await;
        told = message.id;
        print(&format!("{} {}\n", message.at.strftime("%H:%M:%S"), message.line()));
    }
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    // As process 1 of a container it would not die of SIGTERM by itself.
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn print(text: &str) {
    // A closed pipe ends the lines, not the sink.
    drop(io::stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) -> ExitCode {
    drop(io::stderr().write_all(text.as_bytes()));
    ExitCode::from(2)
}
