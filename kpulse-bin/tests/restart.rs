//! The agent killed with SIGKILL while the demo's story plays, and started again each time.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod stage;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kpulse_testkit::story::{TROUBLES, acts};
use stage::{Stage, Told};

/// What was accepted this shortly before a kill may not be saved yet: a save starts at once unless one ran in the last
/// second; the rest is for a busy machine.
const UNSAVED: SignedDuration = SignedDuration::from_millis(2_000);

/// How long an agent that was started again may take to tell what it found, and to save that it did.
const BACK: Duration = Duration::from_millis(1_700);

/// Plays the story with a kill this long after each act, and judges what was told.
async fn play(delay: impl Fn(u64) -> u64) {
    let mut stage = Stage::build().await;
    stage.start();
    stage.wait_until_watching().await;
    let mut killed: Vec<Timestamp> = Vec::new();
    for (index, act) in (0..).zip(acts(1)) {
        act.play(&stage.cluster).unwrap();
        tokio::time::sleep(Duration::from_millis(delay(index))).await;
        stage.kill();
        killed.push(Timestamp::now());
        stage.start();
        tokio::time::sleep(BACK).await;
    }
    let end = std::time::Instant::now() + stage::PATIENCE;
    while !is_complete(&stage.told()) && std::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    judge(&stage.told(), &killed, &stage.log());
}

fn is_complete(told: &[Told]) -> bool {
    TROUBLES.iter().all(|trouble| {
        ["firing", "resolved"]
            .iter()
            .all(|state| told.iter().any(|told| told.state == *state && told.namespace == trouble.namespace))
    })
}

/// Nothing lost: each trouble was told once and ended once. Nothing repeated but what was accepted shortly before a
/// kill, and then with the same key.
fn judge(told: &[Told], killed: &[Timestamp], log: &str) {
    let lines: Vec<String> =
        told.iter().map(|told| format!("{} {} {} {}", told.at, told.line(), told.title, told.key)).collect();
    let shown = format!("{}\n{log}", lines.join("\n"));
    assert!(is_complete(told), "something was lost:\n{shown}");
    for trouble in TROUBLES {
        let mut news: Vec<&Told> = Vec::new();
        for message in told.iter().filter(|told| told.namespace == trouble.namespace) {
            // A repeat carries the same key, so that whoever knows it can pass it over.
            let Some(earlier) = news.iter().find(|earlier| earlier.key == message.key) else {
                news.push(message);
                continue;
            };
            let excused = killed.iter().any(|at| *at >= earlier.at && at.duration_since(earlier.at) < UNSAVED);
            assert!(excused, "told twice without need: {}\n{shown}", message.line());
        }
        let states: Vec<&str> = news.iter().map(|told| told.state.as_str()).collect();
        assert_eq!(states, ["firing", "resolved"], "{shown}");
        assert_eq!(news[1].ending.as_deref(), Some(trouble.ending), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_once_after_every_act_nothing_is_lost_or_repeated() {
    play(|_| 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_telling_nothing_is_lost_or_repeated() {
    play(|index| 2 + index * 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_saving_nothing_is_lost_or_repeated() {
    play(|index| 40 + index * 60).await;
}
