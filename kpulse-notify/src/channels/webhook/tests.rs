use super::*;
use crate::example;
use crate::settings::{ChannelSettings, Channels, Problem};

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).unwrap()
}

#[track_caller]
fn check(json: &str, expect: &[(&str, &str)]) {
    let secrets = [
        ("URL", "https://hooks.example.com/s3cr3t"),
        ("BAD_URL", "s3cr3t"),
        ("TOKEN", "s3cr3t"),
        ("LINES", "s3cr3t\nX: y"),
        ("EMPTY", ""),
    ];
    let secrets: Secrets = secrets.into_iter().collect();
    let problems: Vec<Problem> = settings(json).faults(&secrets).into_iter().map(Problem::from).collect();
    let found: Vec<_> = problems.iter().map(|problem| (problem.key.as_str(), problem.fault.as_str())).collect();
    assert_eq!(found, expect, "{json}");
    assert!(!format!("{problems:?}").contains("s3cr3t"), "{problems:?}");
    let missing = problems.iter().filter(|problem| problem.missing_secret.is_some()).count();
    assert_eq!(missing, expect.iter().filter(|(_, fault)| fault.ends_with("is missing")).count());
}

#[test]
fn what_can_be_set_up_has_no_fault() {
    check(r#"{"url": "http://127.0.0.1:8081/webhook"}"#, &[]);
    check(r#"{"url_from_secret": "URL", "url": ""}"#, &[]);
    check(
        r#"{"url_from_secret": "URL", "headers": {"Authorization": "Bearer $TOKEN"}, "secret_from_secret": "TOKEN"}"#,
        &[],
    );
}

#[test]
fn an_address_is_needed_once_and_must_be_one() {
    check("{}", &[("url", "there is no address to send to")]);
    check(r#"{"url": "http://h/", "url_from_secret": "URL"}"#, &[("url", "there is url_from_secret too")]);
    check(r#"{"url": "h/x"}"#, &[("url", "is not a URL")]);
    check(r#"{"url": "ftp://h/x"}"#, &[("url", "is not an http or https URL")]);
    check(r#"{"url": "https://"}"#, &[("url", "is a URL without a host")]);
    check(r#"{"url_from_secret": "NOPE"}"#, &[("url_from_secret", "secret NOPE is missing")]);
    check(r#"{"url_from_secret": "BAD_URL"}"#, &[("url_from_secret", "the value of secret BAD_URL is not a URL")]);
}

#[test]
fn headers_must_be_headers() {
    let with = |headers: &str| format!(r#"{{"url": "http://h/", "headers": {headers}}}"#);
    check(&with(r#"{"X Team": "a"}"#), &[("headers.X Team", "is no name of a header")]);
    check(&with(r#"{"Content-Length": "1"}"#), &[("headers.Content-Length", "is set by HTTP itself")]);
    check(&with(r#"{"X-A": "$NOPE"}"#), &[("headers.X-A", "secret NOPE is missing")]);
    check(&with(r#"{"X-A": "$LINES"}"#), &[("headers.X-A", "its value cannot stand in a header")]);
    let twice = serde_json::from_str::<Settings>(&with(r#"{"X-A": "a", "x-a": "b"}"#)).unwrap_err();
    assert!(twice.to_string().starts_with("header `x-a` is there twice"), "{twice}");
}

#[test]
fn every_fault_is_told_and_what_mends_itself_last() {
    check(
        r#"{"url_from_secret": "NOPE", "headers": {"": "a"}, "secret_from_secret": "EMPTY", "ca_file": "/nowhere/ca.pem"}"#,
        &[
            ("headers.", "is no name of a header"),
            ("secret_from_secret", "the value of secret EMPTY is empty"),
            ("ca_file", "/nowhere/ca.pem: No such file or directory (os error 2)"),
            ("url_from_secret", "secret NOPE is missing"),
        ],
    );
}

#[test]
fn debug_output_shows_neither_address_nor_headers() {
    let channels: Channels = serde_json::from_str(
        r#"{"webhook": {"url": "https://user:s3cr3t@h/s3cr3t", "headers": {"Authorization": "Bearer s3cr3t"}}}"#,
    )
    .unwrap();
    let shown = format!("{channels:?}");
    assert!(!shown.contains("s3cr3t") && shown.contains("Authorization"), "{shown}");
    assert!(matches!(channels.get("webhook"), Some(ChannelSettings::Webhook(_))));
}

#[test]
fn a_body_is_signed_with_hmac_sha256() {
    // RFC 4231, test case 2.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    assert_eq!(
        signature(&key, b"what do ya want for nothing?").unwrap(),
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn firing_has_the_earlier_programs_keys_and_ours() {
    insta::assert_snapshot!(settings("{}").preview(&example::firing()), @r#"
    {
      "monitor": "pod_crashes",
      "severity": "critical",
      "state": "firing",
      "cluster": "prod-eu",
      "namespace": "checkout",
      "object": "pod/api-7c9d5f6b8-2xk4q",
      "reason": "CrashLoopBackOff",
      "title": "checkout/api: 3 Pods crash-looping",
      "body": "api exits 1 after 6s, 5 restarts: connect postgres-rw:5432: connection refused\nkubectl -n checkout logs deploy/api -c api --previous",
      "fired_at": "2026-11-22T14:06:11Z",
      "fingerprint": "bcf7c8ba1bed13f8a28219f0e1b7f3b5c6852227",
      "kind": "Pod",
      "name": "api-7c9d5f6b8-2xk4q",
      "container": "api",
      "workload": "Deployment/api",
      "node": "ip-10-0-3-17",
      "trouble": "crash",
      "started_at": "2026-11-22T14:02:11Z",
      "ended_at": null,
      "ending": null,
      "count": 3,
      "members": [
        "Pod/api-7c9d5f6b8-2xk4q",
        "Pod/api-7c9d5f6b8-9wv7m",
        "Pod/api-7c9d5f6b8-lq5zt"
      ],
      "log": []
    }
    "#);
}

#[test]
fn resolved_says_when_and_how_it_ended() {
    insta::assert_snapshot!(settings("{}").preview(&example::resolved()), @r#"
    {
      "monitor": "pod_crashes",
      "severity": "critical",
      "state": "resolved",
      "cluster": "prod-eu",
      "namespace": "checkout",
      "object": "pod/api-7c9d5f6b8-2xk4q",
      "reason": "CrashLoopBackOff",
      "title": "checkout/api recovered after 18m",
      "body": "Was crash-looping (CrashLoopBackOff); replaced, and no failure since.",
      "fired_at": "2026-11-22T14:06:11Z",
      "fingerprint": "bcf7c8ba1bed13f8a28219f0e1b7f3b5c6852227",
      "kind": "Pod",
      "name": "api-7c9d5f6b8-2xk4q",
      "container": "api",
      "workload": "Deployment/api",
      "node": "ip-10-0-3-17",
      "trouble": "crash",
      "started_at": "2026-11-22T14:02:11Z",
      "ended_at": "2026-11-22T14:20:11Z",
      "ending": "recovered",
      "count": 3,
      "members": [
        "Pod/api-7c9d5f6b8-2xk4q",
        "Pod/api-7c9d5f6b8-9wv7m",
        "Pod/api-7c9d5f6b8-lq5zt"
      ],
      "log": []
    }
    "#);
}

#[test]
fn absent_fields_are_null_and_the_earlier_programs_are_empty() {
    let mut node = example::firing();
    let report = node.content.report_mut().unwrap();
    report.object = kpulse_core::ObjectRef::new(kpulse_core::Kind::Node, "", "worker-1");
    (report.workload, report.node) = (None, None);
    report.trouble.container = None;
    report.body.clear();
    let body = serde_json::to_value(body(&node, &Links::default())).unwrap();
    assert_eq!((&body["namespace"], &body["body"], &body["object"]), (&"".into(), &"".into(), &"node/worker-1".into()));
    for key in ["workload", "node", "container", "ended_at", "ending"] {
        assert!(body[key].is_null(), "{key}");
    }
}

#[test]
fn a_log_is_sent_whole_and_quoted_in_the_body() {
    let mut crashed = example::firing();
    let report = crashed.content.report_mut().unwrap();
    report.cause = "api exits 1 after 6s".to_owned();
    report.log = ["starting", "ERROR no database"].map(str::to_owned).to_vec();
    let body = serde_json::to_value(body(&crashed, &Links::default())).unwrap();
    assert_eq!(body["log"], serde_json::json!(["starting", "ERROR no database"]));
    let said = "api exits 1 after 6s\n> ERROR no database\nkubectl -n checkout logs deploy/api -c api --previous";
    assert_eq!(body["body"], said);
}
