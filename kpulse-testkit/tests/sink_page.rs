//! The page and its event stream.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use http_body_util::BodyExt;
use kpulse_testkit::sink::{Behaviour, EchoSink};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn request(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

async fn post(router: &Router, path: &str, body: Value) {
    let body = Body::from(body.to_string());
    request(router, Request::post(path).header("authorization", "Bearer s3cr3t").body(body).unwrap()).await;
}

async fn page(router: &Router, path: &str) -> String {
    let response =
        request(router, Request::get(path).header("host", "localhost:8081").body(Body::empty()).unwrap()).await;
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn listen(router: &Router, last_event_id: Option<&str>) -> Body {
    let mut asked = Request::get("/api/events");
    if let Some(id) = last_event_id {
        asked = asked.header("last-event-id", id);
    }
    request(router, asked.body(Body::empty()).unwrap()).await.into_body()
}

/// The next event as it is on the wire; `None` if none comes.
async fn event(events: &mut Body) -> Option<String> {
    let frame = tokio::time::timeout(Duration::from_secs(5), events.frame()).await.ok()??;
    Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
}

fn field<'a>(event: &'a str, name: &str) -> &'a str {
    event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

#[tokio::test]
async fn an_empty_page_tells_how_to_send_a_message_to_the_host_it_was_asked_as() {
    let html = page(&EchoSink::new().router(), "/").await;
    assert!(html.contains("curl http://localhost:8081/webhook"), "{html}");
}

#[tokio::test]
async fn the_policy_forbids_all_but_its_own_files_and_the_page_keeps_to_it() {
    let router = EchoSink::new().router();
    post(&router, "/discord", json!({"embeds": [{"title": "t", "color": 255}]})).await;
    let response = request(&router, Request::get("/").body(Body::empty()).unwrap()).await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    let html = page(&router, "/").await;
    for forbidden in ["<style", " style=", " onclick=", "<script>", "<img", "src=\"http"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    for file in ["/app.js", "/style.css", "/favicon.svg"] {
        assert!(html.contains(&format!("\"{file}\"")) && !page(&router, file).await.is_empty(), "{file}");
    }
}

#[tokio::test]
async fn messages_stand_newest_first_with_severity_in_words_and_time() {
    let router = EchoSink::new().router();
    post(&router, "/webhook", json!({"monitor": "m", "severity": "critical", "state": "firing", "title": "first"}))
        .await;
    post(&router, "/webhook", json!({"monitor": "m", "severity": "critical", "state": "resolved", "title": "second"}))
        .await;
    let html = page(&router, "/").await;
    assert!(html.find("<h2>second</h2>").unwrap() < html.find("<h2>first</h2>").unwrap());
    assert!(html.contains(">critical</span>") && html.contains(">resolved</span>") && html.contains("<time datetime="));
}

#[tokio::test]
async fn hostile_text_is_shown_and_not_run() {
    let router = EchoSink::new().router();
    let hostile = "\"><script>alert(1)</script>";
    post(&router, "/webhook", json!({"monitor": hostile, "title": hostile, "members": [hostile]})).await;
    post(&router, "/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", json!({hostile: hostile})).await;
    let html = page(&router, "/").await;
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !html.contains("<script>alert"));
}

#[tokio::test]
async fn secrets_are_masked_on_the_page() {
    let router = EchoSink::new().router();
    post(&router, "/slack/services/T1/B1/a1b2c3d4e5f6a7b8c9d0e1f2?sig=s3cr3t", json!({"token": "s3cr3t", "text": "x"}))
        .await;
    let html = page(&router, "/").await;
    assert!(!html.contains("s3cr3t") && !html.contains("a1b2c3d4e5f6"), "{html}");
    assert!(html.contains("Bearer •••"));
}

#[tokio::test]
async fn the_raw_form_keeps_order_and_numbers_as_sent() {
    let router = EchoSink::new().router();
    request(&router, Request::post("/x").body(Body::from(r#"{"z":1.50,"a":2}"#)).unwrap()).await;
    assert!(page(&router, "/").await.contains("{\n  &quot;z&quot;: 1.50,\n  &quot;a&quot;: 2\n}"));
}

#[tokio::test]
async fn a_fault_is_shown_with_its_answer() {
    let sink = EchoSink::new();
    let router = sink.router();
    sink.script("slack", [Behaviour::status(503)]);
    post(&router, "/slack", json!({"text": "x"})).await;
    assert!(page(&router, "/").await.contains("answered 503, as scripted"));
}

#[tokio::test]
async fn one_kind_can_be_read_alone_and_older_messages_by_page() {
    let router = EchoSink::new().router();
    for n in 0..101 {
        post(&router, "/slack", json!({"text": format!("number {n}.")})).await;
    }
    post(&router, "/odd%20kind", json!({})).await;
    let slack = page(&router, "/?kind=slack").await;
    assert!(
        slack.contains("number 100.") && !slack.contains("number 0.") && !slack.contains("data-kind=\"odd%20kind\"")
    );
    assert!(slack.contains("href=\"/?before=2&amp;kind=slack\""), "{slack}");
    let older = page(&router, "/?before=2&kind=slack").await;
    assert!(older.contains("number 0.") && !older.contains("number 1.") && !older.contains("data-from"));
}

#[tokio::test(start_paused = true)]
async fn an_arrival_is_told_at_once_with_its_card() {
    let router = EchoSink::new().router();
    let mut events = listen(&router, None).await;
    assert_eq!(event(&mut events).await, None);
    post(&router, "/slack", json!({"text": "hello"})).await;
    let told = event(&mut events).await.unwrap();
    let data: Value = serde_json::from_str(field(&told, "data")).unwrap();
    assert_eq!((field(&told, "event"), &data["message"]["line"]), ("message", &json!("hello")));
    assert!(data["html"].as_str().unwrap().contains("<p>hello</p>"));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_told_what_was_missed_and_only_that() {
    let router = EchoSink::new().router();
    let mut events = listen(&router, None).await;
    post(&router, "/slack", json!({"text": "seen"})).await;
    let last = event(&mut events).await.unwrap();
    drop(events);
    post(&router, "/slack", json!({"text": "missed"})).await;
    let mut events = listen(&router, Some(field(&last, "id"))).await;
    assert!(event(&mut events).await.unwrap().contains("missed"));
    assert_eq!(event(&mut events).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_clear_or_a_restart_tells_the_page_to_start_anew() {
    let sink = EchoSink::new();
    let router = sink.router();
    let mut events = listen(&router, None).await;
    post(&router, "/slack", json!({"text": "x"})).await;
    event(&mut events).await.unwrap();
    sink.clear();
    let told = event(&mut events).await.unwrap();
    // A browser drops an event without data.
    assert_eq!((field(&told, "event"), field(&told, "data")), ("anew", "reload"));
    assert_eq!(event(&mut events).await, None);

    let restarted = EchoSink::new().router();
    let mut events = listen(&restarted, Some(field(&told, "id"))).await;
    assert_eq!(field(&event(&mut events).await.unwrap(), "event"), "anew");
}

#[tokio::test(start_paused = true)]
async fn a_held_message_is_told_again_when_it_is_accepted() {
    let sink = EchoSink::new();
    let router = sink.router();
    sink.script("slack", [Behaviour::Hang]);
    let mut events = listen(&router, None).await;
    let sender = tokio::spawn({
        let router = router.clone();
        async move { post(&router, "/slack", json!({"text": "x"})).await }
    });
    assert!(event(&mut events).await.unwrap().contains("held, no answer yet"));
    sink.release("slack");
    let told = event(&mut events).await.unwrap();
    let data: Value = serde_json::from_str(field(&told, "data")).unwrap();
    assert_eq!((&data["message"]["id"], &data["message"]["accepted"]), (&json!(1), &json!(true)));
    sender.await.unwrap();
}

#[tokio::test]
async fn what_is_told_again_stands_on_one_line_and_what_is_new_is_shown() {
    let router = EchoSink::new().router();
    let told = |pods: u8, cause: &str| {
        let body = format!("api {cause}\nkubectl -n checkout logs deploy/api --previous");
        json!({"monitor": "m", "severity": "critical", "state": "firing", "body": body,
            "title": format!("checkout/api: {pods} of 12 Pods crash-looping")})
    };
    post(&router, "/webhook", told(3, "exits 1 after 6s")).await;
    let first = page(&router, "/").await;
    assert!(!first.contains("class=\"again\"") && !first.contains("class=\"changes\""));
    post(&router, "/slack", json!({"text": "checkout/api: 3 of 12 Pods crash-looping"})).await;
    post(&router, "/webhook", told(12, "exits 1 after 9s")).await;
    let again = page(&router, "/?kind=webhook").await;
    assert!(again.contains("12 of 12 Pods crash-looping <a href=\"#m1\">as message 1</a></summary>"), "{again}");
    post(&router, "/webhook", told(12, "ended with code 1 <after> 9s")).await;
    let changed = page(&router, "/?kind=webhook").await;
    let lines = "<del>- api exits 1 after 9s</del>\n<ins>+ api ended with code 1 &lt;after&gt; 9s</ins>\n</pre>";
    assert!(changed.contains("Against <a href=\"#m3\">message 3</a>") && changed.contains(lines), "{changed}");
    let ended = json!({"monitor": "m", "state": "resolved", "title": "checkout/api: 12 of 12 Pods crash-looping"});
    post(&router, "/webhook", ended).await;
    let card = page(&router, "/?kind=webhook").await;
    let card = card.split("</article>").next().unwrap();
    assert!(!card.contains("class=\"again\"") && !card.contains("class=\"changes\""), "an end is not its beginning");
}

#[tokio::test(start_paused = true)]
async fn an_arrival_comes_with_what_is_new_in_it() {
    let router = EchoSink::new().router();
    post(&router, "/slack", json!({"text": "checkout/api is crash-looping"})).await;
    let mut events = listen(&router, None).await;
    post(&router, "/slack", json!({"text": "checkout/api is *still* crash-looping"})).await;
    let told = event(&mut events).await.unwrap();
    let data: Value = serde_json::from_str(field(&told, "data")).unwrap();
    let html = data["html"].as_str().unwrap();
    assert!(html.contains("<ins>+ checkout/api is still crash-looping</ins>"), "{html}");
}
