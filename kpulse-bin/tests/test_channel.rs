//! `kpulse test-channel` as people run it: the real program, and far ends that take a message or do not.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use kpulse_testkit::sink::{Behaviour, EchoSink, Serving};
use tokio::process::Command;

struct Place {
    sink: EchoSink,
    serving: Serving,
    directory: PathBuf,
}

impl Place {
    async fn new(name: &str) -> Self {
        let sink = EchoSink::new();
        let serving = sink.serve("127.0.0.1:0").await.unwrap();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("test-channel").join(name);
        std::fs::remove_dir_all(&directory).ok();
        std::fs::create_dir_all(directory.join("secrets")).unwrap();
        Self { sink, serving, directory }
    }

    /// The exit code, and what was printed, of `kpulse test-channel …`; there is no secret in it.
    async fn test(&self, channels: &str, arguments: &[&str]) -> (i32, String) {
        let config = format!("cluster: {{name: prod-eu}}\nchannels: {channels}\n");
        std::fs::write(self.directory.join("config.yaml"), config).unwrap();
        let slack = self.serving.url_of("slack/T0/s3cr3t");
        std::fs::write(self.directory.join("secrets/SLACK"), slack).unwrap();
        let mut kpulse = Command::new(env!("CARGO_BIN_EXE_kpulse"));
        kpulse.env_clear().arg("test-channel").args(arguments);
        kpulse.arg("--config").arg(self.directory.join("config.yaml"));
        kpulse.arg("--secrets").arg(self.directory.join("secrets"));
        let Output { status, stdout, stderr } = kpulse.output().await.unwrap();
        let printed = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!printed.contains("s3cr3t"), "{printed}");
        (status.code().unwrap(), printed.replace(&self.directory.display().to_string(), "DIR"))
    }

    fn host(&self) -> String {
        self.serving.url_of("x").split('/').nth(2).unwrap().to_owned()
    }
}

const SLACK: &str = "{slack: {ops: {webhook_url_from_secret: SLACK}}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_arrives_is_said_in_one_line() {
    let place = Place::new("sent").await;
    let channels = format!("{{webhook: {{url: {}}}}}", place.serving.url_of("webhook/s3cr3t"));
    let (code, printed) = place.test(&channels, &["webhook"]).await;
    assert_eq!((code, printed.lines().count()), (0, 1), "{printed}");
    assert!(printed.starts_with("webhook: sent; webhook took it within "), "{printed}");
    let body = place.sink.messages()[0].json().unwrap();
    let said = |key: &str| body[key].as_str().unwrap().to_owned();
    assert_eq!(
        [said("monitor"), said("severity"), said("state"), said("cluster"), said("namespace"), said("title")],
        ["test", "info", "firing", "prod-eu", "kpulse", "kpulse test alert"]
    );
    assert!(!said("body").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_says_why_and_what_to_do() {
    let place = Place::new("not-sent").await;
    for (behaviour, expect) in [
        (
            Behaviour::reply(404, "no_service"),
            "HOST says no_service: make a new incoming webhook and put its address into the secret",
        ),
        (
            Behaviour::reply(403, ""),
            "HOST answered 403 Forbidden: check that the token or address in its secret is still good, and what it is allowed",
        ),
        (Behaviour::reply(503, ""), "HOST answered 503 Service Unavailable; this may pass: try again in a moment"),
        (
            Behaviour::reply(400, "s3cr3t"),
            "HOST answered 400 Bad Request; it takes no such message: look at it with `kpulse preview slack`",
        ),
        (Behaviour::reply(302, ""), "HOST answered 302 Found: redirects are not followed, set the address it leads to"),
    ] {
        place.sink.script("slack", [behaviour]);
        let (code, printed) = place.test(SLACK, &["ops"]).await;
        assert_eq!(
            (code, printed.as_str()),
            (1, format!("ops: not sent: {expect}\n").replace("HOST", &place.host()).as_str())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_where_nobody_answers_says_what_to_look_at() {
    let place = Place::new("nobody").await;
    // Bound and then free again: nobody listens.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let channels = format!("{{webhook: {{url: 'http://127.0.0.1:{port}/s3cr3t'}}}}");
    let (code, printed) = place.test(&channels, &["webhook"]).await;
    assert_eq!((code, printed.lines().count()), (1, 1), "{printed}");
    for words in ["webhook: not sent: 127.0.0.1:", "refused", "check the address, and the way there"] {
        assert!(printed.contains(words), "no `{words}` in {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_are_tried_whatever_becomes_of_one() {
    let place = Place::new("all").await;
    let channels = format!(
        "{{slack: {{ops: {{webhook_url_from_secret: SLACK}}, night: {{webhook_url_from_secret: NIGHT}}}}, webhook: {{url: {}}}}}",
        place.serving.url_of("webhook")
    );
    let (code, printed) = place.test(&channels, &["--all"]).await;
    assert_eq!(code, 1, "{printed}");
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    let missing = "night: not sent: webhook_url_from_secret: secret NIGHT is missing: add the key NIGHT to the Secret that is mounted as the secrets directory";
    assert!(lines.contains(&missing), "{printed}");
    assert!(printed.contains("ops: sent; slack took it") && printed.contains("webhook: sent;"), "{printed}");
    assert_eq!(place.sink.count(), 2);
    let (code, printed) = place.test(SLACK, &["ops", "opps"]).await;
    assert_eq!((code, printed.as_str()), (2, "kpulse: there is no channel `opps`: DIR/config.yaml has ops\n"));
    assert_eq!(place.sink.count(), 2, "nothing is sent where a name is wrong");
}
