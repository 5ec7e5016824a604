//! What each platform answers on success, and what a scripted fault looks like on the wire.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Json, Response};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::behaviour::RetryAfter;
use super::record::{Arrival, Kind, Message};

const OVERSIZED: usize = 64 << 20;

/// What a platform answers on success.
struct Success {
    status: StatusCode,
    body: Said,
}

enum Said {
    Nothing,
    Text(&'static str),
    Json(Value),
}

/// What distinguishes one way of speaking to a platform from another.
struct Request<'a> {
    kind: &'a Kind,
    method: &'a Method,
    path: &'a str,
    query: &'a str,
    body: Value,
}

/// The status the platform gives this request on success.
pub(super) fn status(arrival: &Arrival) -> StatusCode {
    let request = Request {
        kind: &arrival.kind,
        method: &arrival.method,
        path: &arrival.path,
        query: arrival.query.as_deref().unwrap_or_default(),
        body: serde_json::from_slice(&arrival.body).unwrap_or_default(),
    };
    success(&request, 0, 0).status
}

/// The platform's answer of success.
pub(super) fn accepted(message: &Message) -> Response {
    let (status, body) = spoken(message);
    match body {
        Said::Nothing => status.into_response(),
        Said::Text(text) => (status, text).into_response(),
        Said::Json(json) => (status, Json(json)).into_response(),
    }
}

/// The platform's answer of success, its body one byte per `pause`.
pub(super) fn slow(message: &Message, pause: Duration) -> Response {
    let (status, body) = spoken(message);
    let (content_type, body) = match body {
        Said::Nothing => ("text/plain", String::new()),
        Said::Text(text) => ("text/plain", text.to_owned()),
        Said::Json(json) => ("application/json", json.to_string()),
    };
    // An empty body is kept open for one pause; 204 has none that could be slow.
    let mut pieces: Vec<Bytes> = body.bytes().map(|byte| Bytes::copy_from_slice(&[byte])).collect();
    if pieces.is_empty() {
        pieces.push(Bytes::new());
    }
    let pieces = stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(piece)
    });
    (status, [(header::CONTENT_TYPE, content_type)], Body::from_stream(pieces)).into_response()
}

/// 429 in the platform's words.
pub(super) fn too_many(kind: &Kind, when: RetryAfter) -> Response {
    let seconds = when.seconds();
    let body = match kind {
        Kind::Telegram => {
            json!({"ok": false, "error_code": 429, "description": format!("Too Many Requests: retry after {seconds}"),
            "parameters": {"retry_after": seconds}})
        }
        Kind::Discord => json!({"message": "You are being rate limited.", "retry_after": seconds, "global": false}),
        Kind::Slack => json!({"ok": false, "error": "ratelimited"}),
        _ => json!({"error": "too many requests"}),
    };
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, when.header())], Json(body)).into_response()
}

/// 307 to `to`; a 500 that says so when `to` cannot stand in a header.
pub(super) fn redirect(to: &str) -> Response {
    match header::HeaderValue::from_str(to) {
        Ok(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the scripted redirect cannot stand in a header").into_response(),
    }
}

/// 200 with a body no sender should read to its end.
pub(super) fn oversized() -> Response {
    let piece = Bytes::from_static(&[b'x'; 1 << 16]);
    let body = stream::iter(std::iter::repeat_n(Ok::<_, Infallible>(piece), OVERSIZED >> 16));
    (StatusCode::OK, [(header::CONTENT_LENGTH, OVERSIZED)], Body::from_stream(body)).into_response()
}

/// What stands for a cut connection where there is none to cut.
pub(super) fn broken() -> Response {
    (StatusCode::BAD_GATEWAY, Body::from_stream(failing())).into_response()
}

fn failing() -> impl Stream<Item = io::Result<Bytes>> {
    stream::once(async { Err(io::Error::from(io::ErrorKind::ConnectionReset)) })
}

fn spoken(message: &Message) -> (StatusCode, Said) {
    let request = Request {
        kind: &message.kind,
        method: &message.method,
        path: &message.path,
        query: message.query.as_deref().unwrap_or_default(),
        body: message.json().unwrap_or_default(),
    };
    let Success { status, body } = success(&request, message.id, message.at.as_second());
    (status, body)
}

fn success(request: &Request<'_>, id: u64, at: i64) -> Success {
    let Request { kind, method, path, query, body } = request;
    let last = path.rsplit('/').next().unwrap_or_default();
    match kind {
        Kind::Slack if path.contains("/api/") => json_with(StatusCode::OK, slack_api(body, id, at)),
        Kind::Discord if **method == Method::PATCH => json_with(StatusCode::OK, discord(body, last)),
        Kind::Discord if query.split('&').any(|pair| pair == "wait=true") => {
            json_with(StatusCode::OK, discord(body, &id.to_string()))
        }
        Kind::Discord => nothing(StatusCode::NO_CONTENT),
        Kind::Teams if body["@type"] == "MessageCard" => text(StatusCode::OK, "1"),
        Kind::Teams => nothing(StatusCode::ACCEPTED),
        Kind::PagerDuty => json_with(StatusCode::ACCEPTED, pagerduty(body, id)),
        Kind::Telegram => json_with(StatusCode::OK, telegram(body, id, at)),
        Kind::Mattermost if path.contains("/api/") => {
            let status = if **method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
            let name = if last == "posts" || last == "patch" { id.to_string() } else { last.to_owned() };
            json_with(status, json!({"id": name, "create_at": at * 1_000, "message": body["message"]}))
        }
        Kind::GoogleChat => {
            let thread =
                body["thread"]["name"].as_str().map_or_else(|| format!("spaces/S1/threads/T{id}"), str::to_owned);
            json_with(
                StatusCode::OK,
                json!({"name": format!("spaces/S1/messages/M{id}.M{id}"), "thread": {"name": thread}}),
            )
        }
        Kind::Ntfy => {
            let topic = body["topic"].as_str().unwrap_or(last);
            json_with(StatusCode::OK, json!({"id": format!("n{id}"), "time": at, "event": "message", "topic": topic}))
        }
        Kind::Alertmanager => nothing(StatusCode::OK),
        Kind::Slack | Kind::Mattermost | Kind::Webhook | Kind::Other(_) => text(StatusCode::OK, "ok"),
    }
}

/// A channel's name is answered with an id, as Slack does. An edit keeps the message's `ts`; a new message gets one that is
/// unlike any other of this sink.
fn slack_api(body: &Value, id: u64, at: i64) -> Value {
    let channel = body["channel"].as_str().filter(|channel| channel.starts_with('C')).unwrap_or("C1");
    let ts = body["ts"].as_str().map_or_else(|| format!("{at}.{id:06}"), str::to_owned);
    json!({"ok": true, "channel": channel, "ts": ts})
}

fn discord(body: &Value, id: &str) -> Value {
    json!({"id": id, "channel_id": "1", "type": 0, "content": body["content"].as_str().unwrap_or_default()})
}

fn pagerduty(body: &Value, id: u64) -> Value {
    let key = body["dedup_key"].as_str().map_or_else(|| format!("d{id}"), str::to_owned);
    json!({"status": "success", "message": "Event processed", "dedup_key": key})
}

/// An edit keeps the message's number.
fn telegram(body: &Value, id: u64, at: i64) -> Value {
    let number = body["message_id"].as_u64().unwrap_or(id);
    json!({"ok": true, "result": {"message_id": number, "date": at, "chat": {"id": body["chat_id"]}, "text": body["text"]}})
}

fn json_with(status: StatusCode, body: Value) -> Success {
    Success { status, body: Said::Json(body) }
}

fn text(status: StatusCode, body: &'static str) -> Success {
    Success { status, body: Said::Text(body) }
}

fn nothing(status: StatusCode) -> Success {
    Success { status, body: Said::Nothing }
}
