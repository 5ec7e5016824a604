//! `kpulse demo`: a fake API server and an echo sink on loopback, the real program between them, and a story.

mod far_end;
mod preview;
mod score;
mod stage;

use std::future::pending;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::ensure;
use kpulse_testkit::story::{Act, acts};
use tokio::time::{sleep, sleep_until};

use super::run::end_on_signal;
use crate::cli::DemoArgs;
use score::Score;
use stage::Stage;

/// How long after the last act the last message may come.
const PATIENCE: Duration = Duration::from_secs(12);
/// Between two rounds of the story.
const PAUSE: Duration = Duration::from_secs(10);

/// Plays the story, once or until Ctrl-C.
///
/// # Errors
/// Where the stage cannot be built, or the agent ends by itself.
pub(crate) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let mut end = end_on_signal()?;
    tokio::select! {
        outcome = play(&args) => outcome,
        _ = end.wait_for(|end| *end) => {
            say("\nThe curtain falls.")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn play(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let mut stage = Stage::build(args).await?;
    say(&format!(
        "A cluster that is not there, and kpulse watching it. What arrives also shows at {}\n",
        stage.sink_page()
    ))?;
    stage.wait_until_ready().await?;
    if let Some(sink) = &args.sink {
        say(&format!("{}: {sink}\n", preview::send(&stage.channels()?).await?))?;
    }
    for round in 1.. {
        let score = tell(&mut stage, acts(round)).await?;
        say(&format!("\n{}", score.summary()))?;
        if args.once {
            ensure!(
                score.is_perfect(),
                "not every trouble was told once and ended once; the agent said:\n{}",
                stage.log()
            );
            return Ok(ExitCode::SUCCESS);
        }
        if args.sink.is_some() {
            // A sink that stays would soon have room for nothing else.
            say("The story is over, and kpulse goes on watching. Ctrl-C ends it.")?;
            pending::<()>().await;
        }
        say(&format!("The story begins again in {} seconds. Ctrl-C ends it.\n", PAUSE.as_secs()))?;
        sleep(PAUSE).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Plays one round and prints what happens and what is told of it.
async fn tell(stage: &mut Stage, acts: Vec<Act>) -> anyhow::Result<Score> {
    let begin = Instant::now();
    let mut score = Score::default();
    for act in acts {
        let at = begin + act.at;
        tokio::select! {
            () = sleep_until(at.into()) => {}
            never = listen(stage, &mut score, begin) => never?,
        }
        say(&format!("{:>5.1}s  {}", begin.elapsed().as_secs_f64(), act.says))?;
        act.play(stage.cluster())?;
        score.happened(&act, Instant::now());
    }
    let last = Instant::now() + PATIENCE;
    while !score.is_complete() && Instant::now() < last {
        tokio::select! {
            () = sleep_until(last.into()) => {}
            told = stage.next_message() => print(&told?, &mut score, begin)?,
        }
    }
    // Whatever should not come has a moment to come all the same.
    tokio::select! {
        () = sleep(Duration::from_secs(1)) => {}
        never = listen(stage, &mut score, begin) => never?,
    }
    Ok(score)
}

/// Prints what arrives, for ever.
async fn listen(stage: &mut Stage, score: &mut Score, begin: Instant) -> anyhow::Result<()> {
    loop {
        let told = stage.next_message().await?;
        print(&told, score, begin)?;
    }
}

fn print(told: &stage::Told, score: &mut Score, begin: Instant) -> io::Result<()> {
    let after = score.told(told).map_or(String::new(), |after| format!("  ({:.2}s after)", after.as_secs_f64()));
    say(&format!("{:>5.1}s  ┌{after}", begin.elapsed().as_secs_f64()))?;
    for line in told.text.lines() {
        say(&format!("        │ {line}"))?;
    }
    Ok(())
}

/// The demo speaks to a person on standard output.
fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
