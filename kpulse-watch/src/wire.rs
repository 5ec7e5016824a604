//! What one session's requests pass through: it spaces them, gives up on what hangs, and hears whether anything comes.
//!
//! kube's watcher starts a watch anew as soon as the last one ended, waits for an answer as long as it takes, and
//! keeps bookmarks to itself. So the session looks at the bytes instead: a byte of a body, or its proper end, is a
//! sign of life; a connection that was accepted and stays silent is not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::header::RETRY_AFTER;
use http::{Request, Response};
use http_body_util::{BodyStream, StreamBody};
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tower::BoxError;

/// How long requests may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At least this between the starts of two watches.
    pub(crate) spacing: Duration,
    /// At most this until an answer begins, and between two pieces of a list.
    pub(crate) answer: Duration,
}

/// The API server did not answer, or fell silent in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} s", .0.as_secs())]
pub(crate) struct NoAnswer(Duration);

/// One session's line to the API server.
#[derive(Debug, Clone)]
pub(crate) struct Wire(Arc<Mutex<Heard>>);

#[derive(Debug)]
struct Heard {
    next_watch: Instant,
    /// When a byte of a body came last, or its end.
    last_sign: Instant,
    /// Silence before this is not held against the connection.
    excused: Instant,
    /// When an answer began; nothing since the session began anew.
    answered: Option<Instant>,
    retry_after: Option<Duration>,
}

impl Wire {
    /// A client whose requests go through a wire of their own.
    pub(crate) fn tap(client: &Client, limits: Limits) -> (Client, Self) {
        let now = Instant::now();
        let heard = Heard { next_watch: now, last_sign: now, excused: now, answered: None, retry_after: None };
        let wire = Self(Arc::new(Mutex::new(heard)));
        let service = tower::service_fn({
            let (client, wire) = (client.clone(), wire.clone());
            move |request| wire.clone().carry(client.clone(), limits, request)
        });
        (Client::new(service, client.default_namespace()), wire)
    }

    /// Whether it is the same one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    async fn carry(
        self,
        client: Client,
        limits: Limits,
        request: Request<Body>,
    ) -> Result<Response<impl http_body_util::BodyExt<Data = Bytes, Error = BoxError>>, BoxError> {
        let watching = is_watch(request.uri());
        if watching {
            sleep_until(self.next_watch(limits.spacing)).await;
        }
        let answered = timeout(limits.answer, client.send(request)).await;
        let response = answered.map_err(|_| NoAnswer(limits.answer))??;
        self.hear_answer(&response);
        // The body of a watch may be silent for long; the session judges that.
        let pause = (!watching).then_some(limits.answer);
        Ok(response.map(|body| self.listen(body, pause)))
    }

    /// The body, passed on; what comes of it is heard. It fails after a pause of this length.
    fn listen(
        self,
        body: Body,
        pause: Option<Duration>,
    ) -> impl http_body_util::BodyExt<Data = Bytes, Error = BoxError> {
        let frames = BodyStream::new(body).map(|frame| frame.map_err(BoxError::from));
        StreamBody::new(futures::stream::unfold(Some(frames), move |frames| {
            let wire = self.clone();
            async move {
                let mut frames = frames?;
                let next = match pause {
                    Some(pause) => timeout(pause, frames.next()).await.map_err(|_| NoAnswer(pause)),
                    None => Ok(frames.next().await),
                };
                match next {
                    Ok(Some(Ok(frame))) => {
                        wire.hear_sign();
                        Some((Ok(frame), Some(frames)))
                    }
                    Ok(Some(Err(error))) => Some((Err(error), None)),
                    Ok(None) => {
                        wire.hear_sign();
                        None
                    }
                    Err(silent) => Some((Err(silent.into()), None)),
                }
            }
        }))
    }

    /// When the next watch may start; it counts as started then.
    fn next_watch(&self, spacing: Duration) -> Instant {
        let mut heard = self.heard();
        let at = heard.next_watch.max(Instant::now());
        heard.next_watch = at + spacing;
        at
    }

    fn hear_answer<B>(&self, response: &Response<B>) {
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut heard = self.heard();
        heard.answered = Some(Instant::now());
        heard.retry_after = seconds.map(Duration::from_secs);
    }

    fn hear_sign(&self) {
        self.heard().last_sign = Instant::now();
    }

    /// Counts silence anew: until now nobody listened, or nothing was to be expected.
    pub(crate) fn excuse_silence(&self) {
        self.heard().excused = Instant::now();
    }

    /// When a byte came last, or the proper end of an answer.
    pub(crate) fn last_sign(&self) -> Instant {
        self.heard().last_sign
    }

    /// Forgets what was heard: the session begins with a new watcher.
    pub(crate) fn renew(&self) {
        let mut heard = self.heard();
        heard.excused = Instant::now();
        heard.answered = None;
    }

    /// Returns once an answer has begun and this much time has passed since then and since this was called. How long
    /// the answer itself may take is limited elsewhere.
    pub(crate) async fn answered_for(&self, patience: Duration) {
        loop {
            sleep(patience).await;
            let answered = self.heard().answered;
            if let Some(answered) = answered {
                return sleep_until(answered + patience).await;
            }
        }
    }

    /// How long the last answer asked us to stay away.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.heard().retry_after
    }

    /// Returns once there was no sign of life for this long.
    pub(crate) async fn silence(&self, limit: Duration) {
        loop {
            let until = {
                let heard = self.heard();
                heard.last_sign.max(heard.excused) + limit
            };
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_watch(uri: &http::Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true" || pair == "watch=1"))
}
