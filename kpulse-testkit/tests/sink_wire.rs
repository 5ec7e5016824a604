//! The sink answers as each platform does, and remembers what it was sent.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kpulse_testkit::sink::{Answer, EchoSink, MAX_BODY};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn send(router: &Router, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn post(router: &Router, path: &str, body: Value) -> (StatusCode, String) {
    send(router, "POST", path, body.to_string()).await
}

#[tokio::test]
async fn each_platform_is_answered_as_it_answers_itself() {
    let cases = [
        ("/webhook", json!({}), 200, "ok"),
        ("/slack", json!({"text": "x"}), 200, "ok"),
        ("/slack/services/T/B/X", json!({"text": "x"}), 200, "ok"),
        ("/discord", json!({}), 204, ""),
        ("/teams", json!({"type": "message"}), 202, ""),
        ("/teams", json!({"@type": "MessageCard"}), 200, "1"),
        ("/mattermost/hooks/x", json!({}), 200, "ok"),
        ("/alertmanager/api/v2/alerts", json!([]), 200, ""),
        ("/something/else", json!({}), 200, "ok"),
    ];
    let router = EchoSink::new().router();
    for (path, body, status, answer) in cases {
        let (told, text) = post(&router, path, body).await;
        assert_eq!((told.as_u16(), text.as_str()), (status, answer), "{path}");
    }
}

#[tokio::test]
async fn platforms_that_name_messages_do() {
    let cases = [
        ("/slack/api/chat.postMessage", json!({"channel": "#x"}), "/channel", json!("C1")),
        ("/slack/api/chat.update", json!({"channel": "C9", "ts": "1.2"}), "/ts", json!("1.2")),
        ("/discord/api/webhooks/1/t?wait=true", json!({}), "/id", json!("3")),
        ("/pagerduty/v2/enqueue", json!({"dedup_key": "abc"}), "/dedup_key", json!("abc")),
        ("/telegram/bot1:x/sendMessage", json!({"chat_id": 7}), "/result/message_id", json!(5)),
        ("/telegram/bot1:x/editMessageText", json!({"message_id": 2}), "/result/message_id", json!(2)),
        ("/googlechat/v1/spaces/S/messages", json!({}), "/name", json!("spaces/S1/messages/M7.M7")),
        ("/ntfy/alerts", json!("x"), "/topic", json!("alerts")),
        ("/ntfy", json!({"topic": "pages"}), "/topic", json!("pages")),
    ];
    let router = EchoSink::new().router();
    for (path, body, pointer, value) in cases {
        let (_, text) = post(&router, path, body).await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer.pointer(pointer), Some(&value), "{path}: {text}");
    }
}

#[tokio::test]
async fn two_slack_messages_have_two_timestamps() {
    let router = EchoSink::new().router();
    let (_, first) = post(&router, "/slack/api/chat.postMessage", json!({})).await;
    let (_, second) = post(&router, "/slack/api/chat.postMessage", json!({})).await;
    assert_ne!(first, second);
}

#[tokio::test]
async fn an_edited_discord_message_keeps_its_id() {
    let router = EchoSink::new().router();
    let (status, text) = send(&router, "PATCH", "/discord/api/webhooks/1/t/messages/42", "{}").await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &answer["id"]), (StatusCode::OK, &json!("42")));
}

#[tokio::test]
async fn a_request_is_remembered_as_it_came() {
    let sink = EchoSink::new();
    let request = Request::post("/webhook/deeper?a=b")
        .header("authorization", "Bearer very-secret")
        .body(Body::from(r#"{"title":"x"}"#))
        .unwrap();
    sink.router().oneshot(request).await.unwrap();
    let message = sink.messages_of("webhook").remove(0);
    assert_eq!((message.id, message.path.as_str(), message.query.as_deref()), (1, "/webhook/deeper", Some("a=b")));
    assert_eq!(message.header("authorization"), Some("Bearer very-secret"));
    assert_eq!(message.json(), Some(json!({"title": "x"})));
    assert!(message.accepted());
    assert!(!format!("{message:?}").contains("very-secret"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_recorded_without_it() {
    let sink = EchoSink::new();
    let router = sink.router();
    assert_eq!(send(&router, "POST", "/webhook", vec![b'x'; MAX_BODY]).await.0, StatusCode::OK);
    assert_eq!(send(&router, "POST", "/webhook", vec![b'x'; MAX_BODY + 1]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let last = sink.messages().pop().unwrap();
    assert_eq!((last.answer, last.body.len()), (Answer::TooLarge, 0));
}

#[tokio::test]
async fn the_oldest_makes_room_and_is_counted() {
    let sink = EchoSink::new();
    let router = sink.router();
    for _ in 0..1_002 {
        send(&router, "POST", "/webhook", "{}").await;
    }
    assert_eq!((sink.count(), sink.dropped(), sink.messages()[0].id), (1_000, 2, 3));
    sink.clear();
    assert_eq!((sink.count(), sink.dropped()), (0, 0));
}

#[tokio::test]
async fn only_sending_methods_are_taken() {
    let sink = EchoSink::new();
    let router = sink.router();
    assert_eq!(send(&router, "PUT", "/webhook", "{}").await.0, StatusCode::OK);
    assert_eq!(send(&router, "GET", "/webhook", "").await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(send(&router, "POST", "//", "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(sink.count(), 1);
}

#[tokio::test]
async fn scripts_read_messages_after_the_last_they_know_with_secrets_masked() {
    let sink = EchoSink::new();
    let router = sink.router();
    post(&router, "/webhook", json!({"title": "first"})).await;
    post(&router, "/pagerduty", json!({"routing_key": "R0UT1NG"})).await;
    let (_, text) = send(&router, "GET", "/api/messages?after=1", "").await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["count"], &answer["messages"][0]["id"]), (&json!(2), &json!(2)));
    assert!(!text.contains("R0UT1NG"));
    assert_eq!(send(&router, "GET", "/api/messages?after=x", "").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(send(&router, "DELETE", "/api/messages", "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(sink.count(), 0);
}
