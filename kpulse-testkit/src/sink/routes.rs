//! The paths of the sink: any kind's wire format, the page, and JSON for scripts.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::stream::{self, Stream};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::behaviour::Behaviour;
use super::page::{self, View};
use super::record::{Answer, Arrival, Kind, Message};
use super::serve::Line;
use super::{Admitted, EchoSink, MAX_BODY, mask, reply};

/// Scripts and styles come from here only and none stand in the page; nothing may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where a service that waits for signs of life is played: what arrives there is a GET.
const HEARTBEAT: &str = "heartbeat";

pub(super) fn router(sink: EchoSink) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/app.js", get(async || embedded("text/javascript; charset=utf-8", page::SCRIPT)))
        .route("/style.css", get(async || embedded("text/css; charset=utf-8", page::STYLE)))
        .route("/favicon.svg", get(async || embedded("image/svg+xml", page::ICON)))
        .route("/healthz", get(async || "ok"))
        .route("/api/messages", get(list).delete(clear))
        .route("/api/events", get(events))
        .fallback(receive)
        .with_state(sink)
}

fn embedded(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

async fn receive(State(sink): State<EchoSink>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(kind) = Kind::of_path(parts.uri.path()) else {
        return (StatusCode::NOT_FOUND, "send to /<kind>, for example /webhook or /slack\n").into_response();
    };
    let is_heartbeat = kind.as_str() == HEARTBEAT && parts.method == Method::GET;
    if !is_heartbeat && !matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) {
        let help = "this takes POST, PUT and PATCH; what arrived is shown at /\n";
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST, PUT, PATCH")], help).into_response();
    }
    let line = parts.extensions.get::<ConnectInfo<Line>>().map(|ConnectInfo(line)| line.clone());
    match read(body).await {
        Ok(body) => {
            let admitted = sink.admit(arrival(kind, parts, body));
            answer(&sink, admitted, line).await
        }
        Err(Unread::TooLarge) => {
            sink.refuse(arrival(kind, parts, Bytes::new()));
            (StatusCode::PAYLOAD_TOO_LARGE, "bodies over 1 MiB are not taken\n").into_response()
        }
        Err(Unread::Broken) => StatusCode::BAD_REQUEST.into_response(),
    }
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}

fn arrival(kind: Kind, parts: Parts, body: Bytes) -> Arrival {
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().map(str::to_owned);
    Arrival { kind, method: parts.method, path, query, headers: parts.headers, body }
}

async fn answer(sink: &EchoSink, admitted: Admitted, line: Option<Line>) -> Response {
    let Admitted { message, behaviour, held } = admitted;
    match behaviour {
        Behaviour::Accept => reply::accepted(&message),
        Behaviour::Status { code, headers, body } => (code, headers, body).into_response(),
        Behaviour::RetryAfter(when) => reply::too_many(&message.kind, when),
        Behaviour::SlowBody { pause } => reply::slow(&message, pause),
        Behaviour::Redirect(to) => reply::redirect(&to),
        Behaviour::OversizedReply => reply::oversized(),
        Behaviour::Reset => match line {
            Some(line) => {
                line.cut();
                std::future::pending().await
            }
            None => reply::broken(),
        },
        Behaviour::Hang => {
            let mut leaving = Leaving { sink, id: message.id, answer: Answer::Abandoned };
            if let Some(held) = held
                && held.await.is_err()
            {
                std::future::pending::<()>().await;
            }
            let response = reply::accepted(&message);
            leaving.answer = Answer::Accepted(response.status());
            response
        }
    }
}

/// Says how a held request ended, also when its future is dropped because the sender left.
struct Leaving<'a> {
    sink: &'a EchoSink,
    id: u64,
    answer: Answer,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.sink.settle(self.id, self.answer);
    }
}

async fn show(
    State(sink): State<EchoSink>,
    Query(asked): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8081");
    let view = View {
        kind: asked.get("kind").map(|kind| Kind::from(kind.as_str())),
        before: asked.get("before").and_then(|id| id.parse().ok()),
        host,
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(page::page(&sink.snapshot(), &view))).into_response()
}

async fn list(State(sink): State<EchoSink>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let after = match asked.get("after").map(|after| after.parse::<u64>()) {
        None => 0,
        Some(Ok(after)) => after,
        Some(Err(_)) => {
            return (StatusCode::BAD_REQUEST, "`after` is the id of a message, for example 12\n").into_response();
        }
    };
    let snapshot = sink.snapshot();
    let new: Vec<_> =
        snapshot.messages.iter().filter(|message| message.id > after).map(|message| view(message)).collect();
    Json(json!({"count": snapshot.messages.len(), "dropped": snapshot.dropped, "messages": new})).into_response()
}

async fn clear(State(sink): State<EchoSink>) -> StatusCode {
    sink.clear();
    StatusCode::NO_CONTENT
}

/// A message for scripts. Secrets are masked here as on the page; a test in this process reads them from the library.
fn view(message: &Message) -> Value {
    let rendered = message.rendered();
    let body = match message.json() {
        Some(mut body) => {
            mask::json(&mut body);
            body
        }
        None => Value::String(message.text()),
    };
    json!({
        "id": message.id,
        "at": message.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "kind": message.kind.as_str(),
        "method": message.method.as_str(),
        "path": mask::path(&message.path),
        "query": message.query.as_deref().map(mask::query),
        "headers": mask::headers(&message.headers),
        "accepted": message.accepted(),
        "answer": message.answer.to_string(),
        "line": rendered.line(),
        "text": rendered.plain(),
        "body": body,
    })
}

/// What is new to the reader, then what comes. A message whose answer changes is sent again with the same `id`.
///
/// The id of each event names this run of the sink and a revision of its log; a browser that comes back with one of an
/// earlier run is told to start anew (`event: anew`).
async fn events(
    State(sink): State<EchoSink>,
    Query(asked): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = last.or_else(|| asked.get("from").map(String::as_str));
    let feed = Feed::resume(sink, last);
    let stream = stream::unfold(feed, async |mut feed| {
        let event = feed.next().await;
        Some((Ok(event), feed))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// Where one reader of the event stream stands.
struct Feed {
    revision: watch::Receiver<u64>,
    sink: EchoSink,
    seen: u64,
    /// Set when what the reader shows is no longer what there is.
    anew: bool,
    waiting: VecDeque<(u64, Arc<Message>)>,
}

impl Feed {
    fn resume(sink: EchoSink, last: Option<&str>) -> Self {
        let now = sink.desk().log.revision();
        let (seen, anew) = match last.map(|last| sink.revision_of(last)) {
            None => (now, false),
            Some(Some(seen)) if seen <= now => (seen, false),
            Some(_) => (now, true),
        };
        let revision = sink.shared.revision.subscribe();
        Self { revision, sink, seen, anew, waiting: VecDeque::new() }
    }

    async fn next(&mut self) -> Event {
        loop {
            if std::mem::take(&mut self.anew) {
                return Event::default().event("anew").id(self.sink.event_id(self.seen)).data("reload");
            }
            if let Some((revision, message)) = self.waiting.pop_front() {
                let known = self.sink.messages();
                let data = json!({"html": page::card(&message, &known), "message": view(&message)});
                return Event::default().event("message").id(self.sink.event_id(revision)).data(data.to_string());
            }
            self.revision.mark_unchanged();
            self.look();
            if self.waiting.is_empty() && !self.anew && self.revision.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn look(&mut self) {
        let desk = self.sink.desk();
        self.anew = desk.log.cleared() > self.seen;
        let new = desk.log.since(self.seen);
        self.seen = desk.log.revision();
        drop(desk);
        if self.anew {
            return;
        }
        self.waiting.extend(new.into_iter().map(|message| (message.revision(), message)));
    }
}
