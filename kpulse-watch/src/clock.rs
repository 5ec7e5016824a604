//! The API server's time. Everything kpulse reckons with was dated by others: by the API server, by controllers and
//! kubelets that keep its time. So our own clock is corrected by how far it is from the server's, which every answer
//! tells in its `Date`.
//!
//! A date has whole seconds, and an answer takes its time: one answer says only within which bounds the offset lies. The
//! estimate starts at nothing, and moves no further than answers force it to: a clock that is right within a second is
//! never corrected at all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::header::DATE;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tower::{Layer, Service};

/// So many answers are looked at together: one that lies, or was kept by a proxy, does not count.
const ANSWERS: usize = 5;
/// The resolution of a date.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Tells the API server's time. A clone is the same clock.
#[derive(Debug, Clone, Default)]
pub struct ApiClock(Arc<Mutex<Estimate>>);

impl ApiClock {
    /// What time it is at the API server, as far as it is known.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.offset()).unwrap_or(now)
    }

    /// How far the API server's clock is ahead of ours.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        self.estimate().offset
    }

    /// Forgets the answers so far, for our own clock was set or stood still. The offset stays until one comes.
    pub fn forget(&self) {
        self.estimate().answers.clear();
    }

    /// Whether an answer has come since it was made, or last forgot.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.estimate().answers.is_empty()
    }

    fn estimate(&self) -> MutexGuard<'_, Estimate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far the API server's clock is ahead of ours, by the answers it gave.
#[derive(Debug, Default)]
struct Estimate {
    answers: VecDeque<Bounds>,
    offset: SignedDuration,
}

/// The offset that one answer allows.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    least: SignedDuration,
    most: SignedDuration,
}

impl Bounds {
    /// By an answer of this date, to a request that took from `sent` to `received` by our own clock.
    fn of(date: Timestamp, sent: Timestamp, received: Timestamp) -> Self {
        // Dated at any time in between, and cut off to a whole second.
        Self { least: date.duration_since(received), most: date.duration_since(sent).saturating_add(SECOND) }
    }
}

impl Estimate {
    fn hear(&mut self, bounds: Bounds) {
        // Our clock was set back while we waited: it says nothing about this answer.
        if bounds.least > bounds.most {
            return;
        }
        self.answers.truncate(ANSWERS - 1);
        self.answers.push_front(bounds);
        let least = median(self.answers.iter().map(|bounds| bounds.least));
        let most = median(self.answers.iter().map(|bounds| bounds.most));
        self.offset = self.offset.max(least).min(most.max(least));
    }
}

/// The one in the middle; of two, the one closer to nothing: it corrects less.
fn median(values: impl Iterator<Item = SignedDuration>) -> SignedDuration {
    let mut values: Vec<SignedDuration> = values.collect();
    values.sort_unstable();
    let (left, right) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    let middle = values.get(left..=right).unwrap_or_default();
    middle.iter().copied().min_by_key(|value| value.abs()).unwrap_or_default()
}

/// Reads the date of every answer on its way.
#[derive(Debug, Clone)]
pub(crate) struct ReadDates(pub(crate) ApiClock);

impl<S> Layer<S> for ReadDates {
    type Service = Dated<S>;

    fn layer(&self, inner: S) -> Dated<S> {
        Dated { inner, clock: self.0.clone() }
    }
}

/// A service whose answers' dates are read.
#[derive(Debug, Clone)]
pub(crate) struct Dated<S> {
    inner: S,
    clock: ApiClock,
}

impl<S, A, B> Service<Request<A>> for Dated<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (clock, sent) = (self.clock.clone(), Timestamp::now());
        let answered = self.inner.call(request);
        Box::pin(async move {
            let response = answered.await?;
            if let Some(date) = date(&response) {
                clock.estimate().hear(Bounds::of(date, sent, Timestamp::now()));
            }
            Ok(response)
        })
    }
}

fn date<B>(response: &Response<B>) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(response.headers().get(DATE)?.to_str().ok()?);
    date.ok().and_then(|date| Timestamp::try_from(date).ok())
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::cluster::{ClusterSettings, FakeCluster};
    use kube::Client;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_dates_of_all_answers_are_read() {
        let epoch = Timestamp::now() + SignedDuration::from_hours(1);
        let cluster = FakeCluster::with(ClusterSettings { epoch: Some(epoch), ..ClusterSettings::default() });
        let clock = ApiClock::default();
        assert!(!clock.is_set());
        let client = Client::new(ReadDates(clock.clone()).layer(cluster.service()), "default");
        client.apiserver_version().await.unwrap();
        assert!(clock.is_set());
        let off = clock.offset() - SignedDuration::from_hours(1);
        assert!(off.abs() < SignedDuration::from_secs(10), "{off:#}");
        assert!(clock.now().duration_since(epoch).abs() < SignedDuration::from_secs(10));
        clock.forget();
        assert!(!clock.is_set() && clock.offset() > SignedDuration::from_mins(50));
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_780_000_000_000 + millis).unwrap()
    }

    /// The offset in milliseconds after answers of a server that is so many milliseconds ahead. Each: when it was asked,
    /// and how long it took there and back.
    fn heard(estimate: &mut Estimate, ahead: i64, answers: &[(i64, i64, i64)]) -> i64 {
        for (sent, there, back) in answers {
            let date = (1_780_000_000_000 + sent + there + ahead).div_euclid(1000);
            let date = Timestamp::from_second(date).unwrap();
            estimate.hear(Bounds::of(date, at(*sent), at(sent + there + back)));
        }
        i64::try_from(estimate.offset.as_millis()).unwrap()
    }

    #[track_caller]
    fn check(ahead: i64, answers: &[(i64, i64, i64)], expect: i64) {
        assert_eq!(heard(&mut Estimate::default(), ahead, answers), expect, "{ahead} ahead");
    }

    #[test]
    fn a_clock_that_is_right_is_not_corrected_whatever_the_answers_take() {
        for sent in (0..3000).step_by(77) {
            for (there, back) in [(0, 0), (5, 5), (900, 0), (0, 900), (20_000, 1)] {
                check(0, &[(sent, there, back)], 0);
            }
        }
    }

    #[test]
    fn a_clock_that_is_wrong_is_corrected_by_what_is_certain() {
        check(3_600_000, &[(0, 0, 0)], 3_600_000);
        check(-3_600_000, &[(0, 0, 0)], -3_599_000);
        // Somewhere in the second: the later answers narrow it down.
        check(60_000, &[(500, 10, 10)], 59_480);
        let answers: Vec<_> = (0..50).map(|count| (count * 1_110, 10, 10)).collect();
        let mut estimate = Estimate::default();
        let offset = heard(&mut estimate, 60_000, &answers);
        assert!((59_000..=60_100).contains(&offset), "{offset}");
    }

    #[test]
    fn an_answer_that_took_long_says_little() {
        check(5_000, &[(0, 4_000, 4_000)], 1_000);
        check(5_000, &[(0, 4_000, 4_000), (9_000, 0, 0)], 1_000);
        check(5_000, &[(0, 4_000, 4_000), (9_000, 0, 0), (10_000, 0, 0)], 5_000);
    }

    #[test]
    fn one_lie_among_five_does_not_count() {
        let mut estimate = Estimate::default();
        let true_ones = [(0, 1, 1), (1_000, 1, 1), (2_000, 1, 1)];
        assert_eq!(heard(&mut estimate, 0, &true_ones), 0);
        assert_eq!(heard(&mut estimate, 86_400_000, &[(3_000, 1, 1)]), 0);
        assert_eq!(heard(&mut estimate, 0, &[(4_000, 1, 1)]), 0);
    }

    #[test]
    fn a_clock_that_is_set_right_is_followed_within_a_few_answers() {
        let mut estimate = Estimate::default();
        let answers: Vec<_> = (0..5).map(|count| (count * 1_000, 1, 1)).collect();
        assert!(heard(&mut estimate, -7_200_000, &answers) < -7_198_000);
        assert!(heard(&mut estimate, 0, &answers[..3]).abs() <= 1_000);
        estimate.answers.clear();
        assert!(heard(&mut estimate, 30_000, &answers[..1]) > 28_000, "forgotten, the first answer counts at once");
    }

    #[test]
    fn what_was_measured_while_our_clock_was_set_back_is_passed_over() {
        let mut estimate = Estimate::default();
        estimate.hear(Bounds::of(at(0), at(0), at(-3_600_000)));
        assert_eq!((estimate.offset, estimate.answers.len()), (SignedDuration::ZERO, 0));
    }
}
