//! Scripted faults, in process and over TCP, on a clock that does not pass by itself.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kpulse_testkit::sink::{Answer, Behaviour, EchoSink};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower::ServiceExt;

const SOON: Duration = Duration::from_secs(5);

async fn post(router: &Router, path: &str) -> Response<Body> {
    router.clone().oneshot(Request::post(path).body(Body::from("{}")).unwrap()).await.unwrap()
}

async fn bytes_of(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

/// Sends a POST over a connection of its own and reads until it ends.
async fn post_over_tcp(addr: std::net::SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!("POST {path} HTTP/1.1\r\nHost: sink\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_script_is_played_once_and_only_to_its_kind() {
    let sink = EchoSink::new();
    let router = sink.router();
    sink.script("slack", [Behaviour::status(503), Behaviour::reply(200, r#"{"ok":false}"#)]);
    let mut statuses = Vec::new();
    for path in ["/slack", "/discord", "/slack", "/slack"] {
        statuses.push(post(&router, path).await.status().as_u16());
    }
    assert_eq!(statuses, [503, 204, 200, 200]);
    assert_eq!((sink.messages_of("slack").len(), sink.accepted().len()), (3, 2));
    assert_eq!(sink.messages()[2].answer, Answer::Scripted(StatusCode::OK));
}

#[tokio::test]
async fn a_lasting_behaviour_waits_for_the_queue_and_ends_with_heal() {
    let sink = EchoSink::new();
    let router = sink.router();
    sink.from_now_on("teams", Behaviour::status(500));
    sink.script_times("teams", 2, Behaviour::status(404).with_header("x-why", "gone"));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(post(&router, "/teams").await.status().as_u16());
    }
    sink.heal();
    statuses.push(post(&router, "/teams").await.status().as_u16());
    assert_eq!(statuses, [404, 404, 500, 500, 202]);
}

#[tokio::test]
async fn retry_after_comes_as_seconds_as_a_date_and_in_the_platforms_words() {
    let sink = EchoSink::new();
    let router = sink.router();
    sink.script("telegram", [Behaviour::retry_after(7)]);
    let response = post(&router, "/telegram/bot1/sendMessage").await;
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    let body: Value = serde_json::from_slice(&bytes_of(response).await).unwrap();
    assert_eq!(body["parameters"]["retry_after"], 7);

    let at: jiff::Timestamp = "2026-11-06T08:49:37Z".parse().unwrap();
    sink.script("slack", [Behaviour::retry_after(at)]);
    let response = post(&router, "/slack").await;
    assert_eq!(response.headers()["retry-after"], "Fri, 06 Nov 2026 08:49:37 GMT");
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_takes_its_pause_per_byte_of_paused_time() {
    let sink = EchoSink::new();
    sink.script("slack", [Behaviour::SlowBody { pause: Duration::from_secs(60) }]);
    let start = Instant::now();
    let response = post(&sink.router(), "/slack").await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(bytes_of(response).await, b"ok");
    assert_eq!(start.elapsed(), Duration::from_secs(120));
}

#[tokio::test]
async fn a_redirect_names_its_target_and_an_oversized_reply_says_so() {
    let sink = EchoSink::new();
    let router = sink.router();
    sink.script("webhook", [Behaviour::Redirect("http://other/".to_owned()), Behaviour::OversizedReply]);
    let response = post(&router, "/webhook").await;
    assert_eq!((response.status().as_u16(), &response.headers()["location"]), (307, &"http://other/".parse().unwrap()));
    let response = post(&router, "/webhook").await;
    assert_eq!(response.headers()["content-length"], "67108864");
    assert_eq!(bytes_of(response).await.len(), 64 << 20);
}

#[tokio::test(start_paused = true)]
async fn a_held_request_is_accepted_when_it_is_let_go() {
    let sink = EchoSink::new();
    sink.script("slack", [Behaviour::Hang]);
    let router = sink.router();
    let sender = tokio::spawn(async move { post(&router, "/slack").await.status() });
    let held = sink.wait_for(|message| message.answer == Answer::Held, SOON).await.unwrap();
    assert!(!sender.is_finished());
    assert_eq!(sink.release("slack"), 1);
    assert_eq!(sender.await.unwrap(), StatusCode::OK);
    let accepted = sink.wait_for(|message| message.accepted(), SOON).await.unwrap();
    assert_eq!(accepted.id, held.id);
    assert_eq!(sink.release("slack"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_times_out_is_recorded_as_gone() {
    let sink = EchoSink::new();
    sink.from_now_on("slack", Behaviour::Hang);
    let router = sink.router();
    assert!(tokio::time::timeout(Duration::from_secs(10), post(&router, "/slack")).await.is_err());
    assert_eq!(sink.messages()[0].answer, Answer::Abandoned);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_what_never_comes_ends_on_time_and_names_what_came() {
    let sink = EchoSink::new();
    post(&sink.router(), "/slack").await;
    let start = Instant::now();
    let error = sink.wait_for(|message| message.kind == "discord".into(), SOON).await.unwrap_err();
    assert_eq!(start.elapsed(), SOON);
    assert!(error.to_string().contains("slack"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_several_returns_when_the_last_is_there() {
    let sink = EchoSink::new();
    let router = sink.router();
    let sender = tokio::spawn(async move {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            post(&router, "/slack").await;
        }
    });
    let start = Instant::now();
    let seen = sink.wait_for_count(3, |message| message.accepted(), SOON).await.unwrap();
    assert_eq!((seen.len(), start.elapsed()), (3, Duration::from_secs(3)));
    assert_eq!(seen[2].arrived - seen[0].arrived, Duration::from_secs(2));
    sender.await.unwrap();
}

#[tokio::test]
async fn over_tcp_a_message_arrives_and_a_reset_leaves_no_answer() {
    let sink = EchoSink::new();
    let server = sink.serve("127.0.0.1:0").await.unwrap();
    assert_eq!(server.url_of("slack/x"), format!("http://{}/slack/x", server.addr()));
    assert!(post_over_tcp(server.addr(), "/slack").await.unwrap().ends_with("ok"));

    sink.script("slack", [Behaviour::Reset]);
    let error = post_over_tcp(server.addr(), "/slack").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(sink.messages()[1].answer, Answer::Cut);
    server.stop().await;
}

#[tokio::test]
async fn in_process_a_reset_is_a_body_that_fails() {
    let sink = EchoSink::new();
    sink.script("slack", [Behaviour::Reset]);
    let response = post(&sink.router(), "/slack").await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn over_tcp_a_sender_that_hangs_up_is_recorded_as_gone() {
    let sink = EchoSink::new();
    let server = sink.serve("127.0.0.1:0").await.unwrap();
    sink.script("slack", [Behaviour::Hang]);
    let addr = server.addr();
    let sender = tokio::spawn(async move { post_over_tcp(addr, "/slack").await });
    sink.wait_for(|message| message.answer == Answer::Held, SOON).await.unwrap();
    sender.abort();
    sink.wait_for(|message| message.answer == Answer::Abandoned, SOON).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_what_is_held_and_closes_the_port() {
    let sink = EchoSink::new();
    let server = sink.serve("127.0.0.1:0").await.unwrap();
    sink.script("slack", [Behaviour::Hang]);
    let addr = server.addr();
    let sender = tokio::spawn(async move { post_over_tcp(addr, "/slack").await });
    sink.wait_for(|message| message.answer == Answer::Held, SOON).await.unwrap();
    tokio::time::timeout(SOON, server.stop()).await.unwrap();
    assert!(sender.await.unwrap().is_err());
    assert!(TcpStream::connect(addr).await.is_err());
}
