use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::SignedDuration;
use kpulse_core::NotificationId;
use tokio::time::{Instant, sleep};

use super::*;
use crate::example;

/// What the far end does with each attempt, in order; then it accepts.
#[derive(Debug, Clone)]
enum Does {
    Accept,
    Fail(DeliveryError),
    Hang,
    Panic,
    TakeAWhile,
}

/// A channel whose behaviour is written down.
#[derive(Default)]
struct Script {
    script: Mutex<VecDeque<Does>>,
    seen: Mutex<Vec<u64>>,
    spacing: Duration,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

struct Speaker(Arc<Script>);

#[async_trait]
impl Notifier for Speaker {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let Self(script) = self;
        let at_once = script.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        script.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        script.seen.lock().unwrap().push(notification.id.0);
        let next = script.script.lock().unwrap().pop_front().unwrap_or(Does::Accept);
        let result = match next {
            Does::Accept => Ok(Accepted { message_id: Some(format!("m{}", notification.id.0)) }),
            Does::Fail(error) => Err(error),
            Does::Hang => std::future::pending().await,
            Does::Panic => panic!("as the script says"),
            Does::TakeAWhile => {
                sleep(Duration::from_secs(2)).await;
                Ok(Accepted::default())
            }
        };
        script.at_once.fetch_sub(1, Ordering::SeqCst);
        result
    }

    fn spacing(&self) -> Duration {
        self.0.spacing
    }
}

/// A lane on tokio's clock, which stands at the epoch when the test begins.
struct Bench {
    lane: LaneHandle,
    script: Arc<Script>,
    receipts: mpsc::Receiver<Receipt>,
    start: Instant,
}

impl Bench {
    fn new(script: impl IntoIterator<Item = Does>) -> Self {
        Self::with(Ok, script)
    }

    /// A channel that is left alone for so many seconds between two messages.
    fn spaced(seconds: u64, script: impl IntoIterator<Item = Does>) -> Self {
        let script = script.into_iter().collect();
        Self::of(Ok, Script { spacing: Duration::from_secs(seconds), script: Mutex::new(script), ..Script::default() })
    }

    fn with(source: impl FnOnce(Box<dyn Notifier>) -> Source, script: impl IntoIterator<Item = Does>) -> Self {
        Self::of(source, Script { script: Mutex::new(script.into_iter().collect()), ..Script::default() })
    }

    fn of(source: impl FnOnce(Box<dyn Notifier>) -> Source, script: Script) -> Self {
        let start = Instant::now();
        let clock: Clock = Arc::new(move || time(start.elapsed()));
        let script = Arc::new(script);
        let (sender, receipts) = mpsc::channel(8);
        let source = source(Box::new(Speaker(Arc::clone(&script))));
        let lane = spawn("ops".into(), source, sender, clock, Limits::default());
        Self { lane, script, receipts, start }
    }

    async fn receipt(&mut self) -> Receipt {
        self.receipts.recv().await.unwrap()
    }

    async fn outcome(&mut self, id: u64) -> Outcome {
        self.lane.send(message(id)).unwrap();
        let receipt = self.receipt().await;
        assert_eq!((receipt.id, receipt.channel.as_str()), (NotificationId(id), "ops"));
        receipt.outcome
    }

    /// How many seconds later the message is tried again.
    async fn pause(&mut self, id: u64) -> f64 {
        match self.outcome(id).await {
            Outcome::TryAgain { at, .. } | Outcome::Paused { at, .. } => {
                at.duration_since(time(self.start.elapsed())).as_secs_f64()
            }
            outcome => panic!("not put off: {outcome:?}"),
        }
    }
}

fn time(elapsed: Duration) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::try_from(elapsed).unwrap()
}

fn message(id: u64) -> Notification {
    Notification { id: NotificationId(id), ..example::firing() }
}

fn overloaded(retry_after: Option<u64>) -> Does {
    let retry_after = retry_after.map(Duration::from_secs);
    Does::Fail(DeliveryError::Transient { cause: "answered 503".to_owned(), retry_after, perhaps: false })
}

fn revoked() -> Does {
    Does::Fail(DeliveryError::Unavailable { cause: "answered 401".to_owned() })
}

fn missing() -> SetupError {
    SetupError::MissingSecret { setting: "url_from_secret".to_owned(), key: "WEBHOOK_URL".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn an_accepted_message_has_one_receipt_with_its_id() {
    let mut bench = Bench::new([]);
    assert_eq!(bench.outcome(7).await, Outcome::Accepted { message_id: Some("m7".to_owned()) });
    let health = bench.lane.health();
    assert_eq!((health.state, health.last_accepted_at), (HealthState::Ok, Some(time(Duration::ZERO))));
    assert!(bench.receipts.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn messages_go_out_in_order_and_one_at_a_time() {
    let mut bench = Bench::new([Does::TakeAWhile, Does::TakeAWhile, Does::TakeAWhile]);
    let mut taken = Vec::new();
    for id in 1..=3 {
        while let Err(NotTaken::Busy(_)) = bench.lane.send(message(id)) {
            taken.push(bench.receipt().await.id.0);
        }
    }
    while taken.len() < 3 {
        taken.push(bench.receipt().await.id.0);
    }
    assert_eq!(taken, [1, 2, 3]);
    assert_eq!(*bench.script.seen.lock().unwrap(), [1, 2, 3]);
    assert_eq!(bench.script.most_at_once.load(Ordering::SeqCst), 1);
    assert_eq!(bench.start.elapsed(), Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_left_alone_between_two_messages_as_its_platform_asks() {
    let mut bench = Bench::spaced(3, [Does::Accept, overloaded(None), Does::TakeAWhile]);
    let mut begun = Vec::new();
    for id in 1..=4 {
        bench.outcome(id).await;
        begun.push(bench.start.elapsed().as_secs());
    }
    // The third took two seconds of its three.
    assert_eq!(begun, [0, 3, 8, 9]);
    sleep(Duration::from_secs(60)).await;
    bench.outcome(5).await;
    assert_eq!(bench.start.elapsed().as_secs(), 69, "who was silent for long is not kept waiting");
}

#[tokio::test(start_paused = true)]
async fn a_lane_closed_before_a_messages_turn_ends_at_once() {
    let mut bench = Bench::spaced(60, []);
    bench.outcome(1).await;
    bench.lane.send(message(2)).unwrap();
    sleep(Duration::from_secs(1)).await;
    bench.lane.close().await;
    assert_eq!((bench.start.elapsed(), bench.receipts.recv().await), (Duration::from_secs(1), None));
    assert_eq!(*bench.script.seen.lock().unwrap(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_notifier_replaced_during_the_wait_has_its_own_rate() {
    let mut bench = Bench::spaced(60, []);
    bench.outcome(1).await;
    bench.lane.send(message(2)).unwrap();
    sleep(Duration::from_secs(1)).await;
    bench.lane.replace(Ok(Box::new(Speaker(Arc::default()))));
    assert!(matches!(bench.receipt().await.outcome, Outcome::Accepted { .. }));
    assert_eq!(bench.start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_second_waiting_message_is_handed_back() {
    let bench = Bench::new([Does::Hang]);
    bench.lane.send(message(1)).unwrap();
    tokio::task::yield_now().await;
    bench.lane.send(message(2)).unwrap();
    assert_eq!(bench.lane.send(message(3)), Err(NotTaken::Busy(Box::new(message(3)))));
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_with_failures_and_start_anew_after_acceptance() {
    let mut bench = Bench::new([overloaded(None), overloaded(None), overloaded(None), Does::Accept, overloaded(None)]);
    for (low, high) in [(1.0, 2.0), (2.0, 4.0), (4.0, 8.0)] {
        let pause = bench.pause(1).await;
        assert!((low..=high).contains(&pause), "{pause}");
    }
    let health = bench.lane.health();
    assert_eq!((health.state, health.failures), (HealthState::Failing, 3));
    assert_eq!(health.last_error.as_deref(), Some("answered 503"));
    assert!(matches!(bench.outcome(1).await, Outcome::Accepted { .. }));
    assert_eq!((bench.lane.health().state, bench.lane.health().failures), (HealthState::Ok, 0));
    assert!(bench.pause(2).await <= 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_asks_for_a_pause_gets_it() {
    let mut bench = Bench::new([overloaded(Some(40))]);
    assert!(bench.pause(1).await >= 40.0);
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_channel_starts_with_five_minutes_however_often_it_failed_before() {
    let mut bench = Bench::new([overloaded(None), overloaded(None), overloaded(None), revoked(), revoked()]);
    for _ in 0..3 {
        bench.pause(1).await;
    }
    for (low, high) in [(300.0, 600.0), (600.0, 1_200.0)] {
        let pause = bench.pause(1).await;
        assert!((low..=high).contains(&pause), "{pause}");
    }
    assert_eq!(bench.lane.health().failures, 5);
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_not_the_channels_fault() {
    let refused = DeliveryError::Refused { cause: "answered 413".to_owned() };
    let mut bench = Bench::new([Does::Fail(refused)]);
    assert!(matches!(bench.outcome(1).await, Outcome::Refused { .. }));
    let health = bench.lane.health();
    assert_eq!(
        (health.state, health.failures, health.last_error.as_deref()),
        (HealthState::Ok, 0, Some("answered 413"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up_after_ten_seconds() {
    let mut bench = Bench::new([Does::Hang]);
    assert!(matches!(bench.outcome(1).await, Outcome::TryAgain { .. }));
    assert_eq!(bench.start.elapsed(), Duration::from_secs(10));
    assert!(matches!(bench.outcome(2).await, Outcome::Accepted { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt_and_the_lane_lives_on() {
    let mut bench = Bench::new([Does::Panic]);
    assert!(matches!(bench.outcome(1).await, Outcome::TryAgain { .. }));
    assert!(bench.lane.health().last_error.unwrap().contains("panicked"));
    assert!(matches!(bench.outcome(2).await, Outcome::Accepted { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_channel_in_fault_puts_messages_off_until_it_is_mended() {
    let mut bench = Bench::with(|_| Err(missing()), []);
    assert_eq!(bench.lane.health().state, HealthState::Fault);
    assert!(bench.lane.health().last_error.unwrap().contains("secret WEBHOOK_URL is missing"));
    assert_eq!(bench.pause(1).await, 30.0);
    bench.lane.replace(Ok(Box::new(Speaker(Arc::clone(&bench.script)))));
    assert!(matches!(bench.outcome(1).await, Outcome::Accepted { .. }));
    assert_eq!(bench.lane.health().state, HealthState::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_goes_puts_a_channel_in_fault() {
    let mut bench = Bench::new([]);
    bench.lane.replace(Err(missing()));
    tokio::task::yield_now().await;
    assert_eq!(bench.lane.health().state, HealthState::Fault);
    assert!(matches!(bench.outcome(1).await, Outcome::TryAgain { .. }));
    assert!(bench.script.seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_when_the_notifier_is_replaced_goes_on() {
    let mut bench = Bench::new([Does::TakeAWhile]);
    bench.lane.send(message(1)).unwrap();
    sleep(Duration::from_secs(1)).await;
    bench.lane.replace(Err(missing()));
    assert!(matches!(bench.receipt().await.outcome, Outcome::Accepted { .. }));
    assert!(matches!(bench.outcome(2).await, Outcome::TryAgain { .. }));
    assert_eq!(bench.lane.health().state, HealthState::Fault);
}

#[tokio::test(start_paused = true)]
async fn a_closed_lane_finishes_what_is_in_flight_and_leaves_what_waits() {
    let Bench { lane, script, mut receipts, start } = Bench::new([Does::TakeAWhile]);
    lane.send(message(1)).unwrap();
    tokio::task::yield_now().await;
    lane.send(message(2)).unwrap();
    lane.close().await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert!(matches!(receipts.recv().await.unwrap().outcome, Outcome::Accepted { .. }));
    assert_eq!(receipts.recv().await, None);
    assert_eq!(*script.seen.lock().unwrap(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_lane_gives_up_what_hangs_after_its_grace() {
    let Bench { lane, mut receipts, start, .. } = Bench::new([Does::Hang]);
    lane.send(message(1)).unwrap();
    tokio::task::yield_now().await;
    drop(lane);
    let receipt = receipts.recv().await.unwrap();
    assert_eq!(receipt.outcome, Outcome::TryAgain { at: time(Duration::from_secs(3)), perhaps: true });
    assert_eq!((start.elapsed(), receipts.recv().await), (Duration::from_secs(3), None));
}

#[tokio::test(start_paused = true)]
async fn a_lane_closes_also_when_nobody_reads_its_receipts() {
    let (sender, receipts) = mpsc::channel(1);
    let script = Arc::new(Script::default());
    let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
    let source: Source = Ok(Box::new(Speaker(Arc::clone(&script))));
    let lane = spawn("ops".into(), source, sender, clock, Limits::default());
    for id in 1..=2 {
        lane.send(message(id)).unwrap();
        sleep(Duration::from_millis(1)).await;
    }
    let start = Instant::now();
    lane.close().await;
    assert_eq!((start.elapsed(), receipts.len()), (Duration::from_secs(3), 1));
}

#[tokio::test(start_paused = true)]
async fn a_lane_without_a_reader_ends() {
    let Bench { lane, receipts, .. } = Bench::new([]);
    drop(receipts);
    lane.send(message(1)).unwrap();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(lane.send(message(2)), Err(NotTaken::Ended(Box::new(message(2)))));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_broken_off_when_the_floor_closes_and_that_is_no_failure_of_the_channel() {
    let mut bench = Bench::new([Does::Hang]);
    let (_keeper, floor) = Floor::until(bench.start + Duration::from_secs(4));
    bench.lane.send_while(floor.clone(), message(1)).unwrap();
    let receipt = bench.receipt().await;
    assert_eq!(receipt.outcome, Outcome::TryAgain { at: time(Duration::from_secs(4)), perhaps: true });
    let health = bench.lane.health();
    assert_eq!((health.state, health.failures), (HealthState::Ok, 0));
    // Closed, nothing is begun any more; what has a floor of its own goes out.
    bench.lane.send_while(floor, message(2)).unwrap();
    assert!(matches!(bench.receipt().await.outcome, Outcome::TryAgain { .. }));
    assert!(matches!(bench.outcome(3).await, Outcome::Accepted { .. }));
    assert_eq!(*bench.script.seen.lock().unwrap(), [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_floor_closes_before_its_turn_is_put_off_at_once() {
    let mut bench = Bench::spaced(60, []);
    bench.outcome(1).await;
    let (keeper, floor) = Floor::until(bench.start + Duration::from_secs(10));
    bench.lane.send_while(floor, message(2)).unwrap();
    tokio::spawn(async move {
        sleep(Duration::from_secs(5)).await;
        drop(keeper);
    });
    assert_eq!(bench.receipt().await.outcome, Outcome::TryAgain { at: time(Duration::from_secs(5)), perhaps: true });
    assert_eq!(*bench.script.seen.lock().unwrap(), [1]);
    // What was not attempted does not count as spoken.
    bench.outcome(3).await;
    assert_eq!(bench.start.elapsed(), Duration::from_secs(60));
}
