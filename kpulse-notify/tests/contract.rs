//! What every HTTP channel must do, whatever its platform: one table of channels, one suite.
//!
//! A new channel adds a line to [`CHANNELS`](channels::CHANNELS). Sockets and a paused clock do not go together, so timeouts here are real
//! and short; nothing sleeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

#[path = "contract/bench.rs"]
mod bench;
#[path = "log/capture.rs"]
mod capture;
#[path = "contract/channels.rs"]
mod channels;
#[path = "contract/living.rs"]
mod living;

use std::time::Duration;

use bench::{Bench, Hurried, SECRET, logged};
use channels::{CHANNELS, Channel, Ends};
use jiff::{SignedDuration, Timestamp};
use kpulse_core::{Notification, NotificationId, Outcome, Receipt};
use kpulse_notify::lane::{self, HealthState, Limits};
use kpulse_notify::{DeliveryError, example, wall_clock};
use kpulse_testkit::sink::{Answer, Behaviour};
use tokio::sync::mpsc;

/// Plays `behaviour` to every channel, once, and looks at how the attempt ends.
#[track_caller]
fn check(behaviour: impl Fn(&Bench) -> Behaviour, expect: Ends) {
    for channel in CHANNELS {
        check_one(channel, &behaviour, expect);
    }
}

#[track_caller]
fn check_one(channel: &Channel, behaviour: impl Fn(&Bench) -> Behaviour, expect: Ends) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bench = Bench::new(channel).await;
        let behaviour = behaviour(&bench);
        bench.sink.script(channel.kind, [behaviour.clone()]);
        let result = bench.deliver(&example::firing()).await;
        assert!(expect.agrees(&result), "{}: {behaviour:?}: not {expect:?}: {result:?}", channel.label);
        assert_eq!(bench.sink.count(), 1, "{}: one attempt is one request", channel.label);
        bench.assert_secret_unseen(&format!("{result:?} {}", result.as_ref().err().map_or("", DeliveryError::cause)));
    });
}

#[test]
fn a_message_is_accepted() {
    check(|_| Behaviour::Accept, Ends::Accepted);
}

#[test]
fn a_channel_that_is_overloaded_says_for_how_long() {
    check(|_| Behaviour::status(429), Ends::Transient);
    check(|_| Behaviour::retry_after(39), Ends::Pause(39, 39));
    let soon = || Timestamp::now() + SignedDuration::from_secs(60);
    check(|_| Behaviour::retry_after(soon()), Ends::Pause(58, 60));
    check(|_| Behaviour::status(503).with_header("retry-after", "19"), Ends::Pause(19, 19));
    check(|_| Behaviour::reply(429, "rate_limited").with_header("retry-after", "30"), Ends::Pause(30, 30));
}

#[test]
fn a_server_that_fails_may_work_later() {
    for status in [408, 425, 500, 502, 503, 504] {
        check(|_| Behaviour::status(status), Ends::Transient);
    }
}

#[test]
fn a_message_that_the_channel_will_never_take_is_refused() {
    for status in [400, 413, 422] {
        check(|_| Behaviour::status(status), Ends::Refused);
    }
}

#[test]
fn a_channel_that_is_closed_to_us_is_unavailable() {
    for status in [401, 403, 404, 410] {
        check(|_| Behaviour::status(status), Ends::Unavailable);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    check(|bench| Behaviour::Redirect(bench.server.url_of("elsewhere")), Ends::Unavailable);
}

#[test]
fn an_answer_that_does_not_come_is_a_passing_failure() {
    check(|_| Behaviour::Hang, Ends::Transient);
    check(|_| Behaviour::Reset, Ends::Transient);
}

/// Where the status says all, it has been given; where a 200 may be a refusal, nothing has been said yet.
#[test]
fn an_answer_whose_body_is_slow_or_huge_is_one_where_the_status_says_all() {
    for channel in CHANNELS {
        check_one(channel, |_| Behaviour::SlowBody { pause: Duration::from_secs(60) }, channel.unread);
        check_one(channel, |_| Behaviour::OversizedReply, channel.huge);
    }
}

#[test]
fn each_platforms_own_words_are_understood() {
    for channel in CHANNELS {
        for (status, body, expect) in channel.words {
            check_one(channel, |_| Behaviour::reply(*status, *body), *expect);
        }
    }
}

#[test]
fn an_error_that_repeats_our_secrets_is_not_repeated() {
    check(|_| Behaviour::reply(400, format!("bad token {SECRET}")), Ends::Refused);
    check(|_| Behaviour::Redirect(format!("http://127.0.0.1:1/{SECRET}")), Ends::Unavailable);
}

#[tokio::test]
async fn nobody_listening_is_a_passing_failure() {
    for channel in CHANNELS {
        let bench = Bench::new(channel).await;
        let (notifier, server) = (bench.notifier, bench.server);
        server.stop().await;
        let error = notifier.deliver(&example::firing()).await.unwrap_err();
        assert!(matches!(&error, DeliveryError::Transient { cause, .. } if cause.contains("refused")), "{error:?}");
    }
}

#[tokio::test]
async fn hostile_texts_arrive_as_they_are() {
    let texts = [
        "x".repeat(100_000),
        "line\nline\r\n\u{0}\u{1b}[2J\u{7}".to_owned(),
        "\u{202e}ltr \u{2066}שלום مرحبا\u{2069}".to_owned(),
        "👩‍👩‍👧‍👦🏳️‍🌈 é e\u{301}".to_owned(),
        "<script>alert(1)</script> *b* _i_ `c` <!channel> @everyone [a](http://h) \"\\ {{x}} ${x} %s".to_owned(),
    ];
    for channel in CHANNELS {
        let bench = Bench::new(channel).await;
        for text in &texts {
            let mut hostile = example::firing();
            let report = hostile.content.report_mut().unwrap();
            (report.title, report.cause, report.body) = (text.clone(), text.clone(), text.clone());
            report.reason = text.as_str().into();
            report.object.name = text.as_str().into();
            hostile.idempotency_key.clone_from(text);
            bench.deliver(&hostile).await.unwrap();
        }
        let arrived = bench.sink.accepted();
        assert_eq!(arrived.len(), texts.len());
        for (message, text) in arrived.iter().zip(&texts) {
            let body = message.json().unwrap();
            assert!(channel.kind != "webhook" || (body["title"] == **text && body["body"] == **text), "{text}");
            let told = message.told();
            let raw = ["\u{1b}", "\u{7}", "\u{202e}", "\u{2066}"];
            assert!(channel.kind == "webhook" || !raw.iter().any(|mark| told.contains(mark)), "{told:?}");
        }
    }
}

#[tokio::test]
async fn the_same_message_carries_the_same_idempotency_key() {
    for channel in CHANNELS.iter().filter(|channel| channel.kind == "webhook") {
        let bench = Bench::new(channel).await;
        bench.sink.script(channel.kind, [Behaviour::Reset]);
        bench.deliver(&example::firing()).await.unwrap_err();
        bench.deliver(&example::firing()).await.unwrap();
        bench.deliver(&example::resolved()).await.unwrap();
        let keys: Vec<_> =
            bench.sink.messages().iter().map(|message| message.header("idempotency-key").unwrap().to_owned()).collect();
        assert_eq!(keys[0], example::firing().idempotency_key);
        assert!(keys[0] == keys[1] && keys[1] != keys[2], "{keys:?}");
    }
}

#[tokio::test]
async fn in_a_lane_each_attempt_has_one_receipt_and_firing_comes_before_resolved() {
    for channel in CHANNELS {
        let bench = Bench::new(channel).await;
        let script = [Behaviour::status(503), Behaviour::Reset, Behaviour::status(401), Behaviour::status(413)];
        bench.sink.script(channel.kind, script);
        let (sender, mut receipts) = mpsc::channel(8);
        let notifier = Box::new(Hurried(bench.notifier));
        let lane = lane::spawn("ops".into(), Ok(notifier), sender, wall_clock(), Limits::default());

        let mut outcomes = Vec::new();
        for id in 1..=6 {
            let message = if id < 6 { example::firing() } else { example::resolved() };
            lane.send(Notification { id: NotificationId(id), ..message }).unwrap();
            let Receipt { id: of, outcome, .. } = receipts.recv().await.unwrap();
            assert_eq!(of, NotificationId(id));
            outcomes.push(match outcome {
                Outcome::Accepted { .. } => "accepted",
                Outcome::Refused { .. } => "refused",
                Outcome::TryAgain { .. } | Outcome::Paused { .. } => "again",
            });
        }
        assert_eq!(outcomes, ["again", "again", "again", "refused", "accepted", "accepted"]);
        assert_eq!(lane.health().state, HealthState::Ok);
        bench::assert_secret_unseen_in(&format!("{:?} {lane:?}", lane.health()));
        lane.close().await;
        assert_eq!(receipts.recv().await, None);
        assert_eq!(bench.sink.count(), 6);
        let last: Vec<_> = bench.sink.accepted().iter().map(|message| message.id).collect();
        assert!(last.is_sorted() && last.len() == 2);
        assert!(logged().contains("answered 503"), "the lane says why");
        bench::assert_secret_unseen_in(&logged());
    }
}

#[tokio::test]
async fn a_closed_lane_aborts_a_request_that_hangs() {
    for channel in CHANNELS {
        let bench = Bench::patient(channel).await;
        bench.sink.script(channel.kind, [Behaviour::Hang]);
        let (sender, mut receipts) = mpsc::channel(8);
        let limits = Limits { grace: Duration::from_millis(20), ..Limits::default() };
        let lane = lane::spawn("ops".into(), Ok(bench.notifier), sender, wall_clock(), limits);
        lane.send(example::firing()).unwrap();
        bench.sink.wait_for(|message| message.answer == Answer::Held, Duration::from_secs(5)).await.unwrap();
        lane.close().await;
        assert!(matches!(receipts.recv().await.unwrap().outcome, Outcome::TryAgain { .. }));
        bench.sink.wait_for(|message| message.answer == Answer::Abandoned, Duration::from_secs(5)).await.unwrap();
    }
}
