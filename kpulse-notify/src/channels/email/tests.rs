use kpulse_core::monitors::MonitorName;
use kpulse_core::{Ending, Kind, ObjectRef, Severity, TroubleKey, Why};

use super::*;
use crate::example;
use crate::settings::{ChannelSettings, Channels, Problem};

// ---- settings

fn settings(json: &str) -> Settings {
    serde_json::from_str(json).unwrap()
}

/// Settings that can be set up, and `more`.
fn with(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(
        r#"{{"smtp_host": "smtp.example.com", "from": "kpulse@example.com", "to": ["a@example.com"]{comma}{more}}}"#
    )
}

#[track_caller]
fn check(json: &str, expect: &[(&str, &str)]) {
    let secrets: Secrets = [("SMTP_USER", "s3cr3t-user"), ("SMTP_PASS", "s3cr3t")].into_iter().collect();
    let problems: Vec<Problem> = settings(json).faults(&secrets).into_iter().map(Problem::from).collect();
    let found: Vec<_> = problems.iter().map(|problem| (problem.key.as_str(), problem.fault.as_str())).collect();
    assert_eq!(found, expect, "{json}");
    assert!(!format!("{problems:?}").contains("s3cr3t"), "{problems:?}");
}

#[test]
fn what_can_be_set_up_has_no_fault() {
    check(&with(""), &[]);
    check(
        &with(r#""smtp_port": 25, "reply_to": "Ops <ops@example.com>", "user_from_secret": "", "ca_file": null"#),
        &[],
    );
    check(&with(r#""user_from_secret": "SMTP_USER", "pass_from_secret": "SMTP_PASS""#), &[]);
    check(&with(r#""tls": "none", "helo": "kpulse.example.com""#), &[]);
}

#[test]
fn a_mail_needs_a_server_a_sender_and_somebody_to_read_it() {
    check(
        "{}",
        &[
            ("smtp_host", "there is no mail server"),
            ("from", "there is no sender"),
            ("to", "there is nobody to send to"),
        ],
    );
    check(
        r#"{"smtp_host": "smtp.example.com:25", "from": "kpulse", "to": ["a@example.com", "b", "ü@example.com"]}"#,
        &[
            ("smtp_host", "is not the name of a server: a port belongs in smtp_port"),
            ("from", "\"kpulse\" is not an address"),
            ("to.1", "\"b\" is not an address"),
            ("to.2", "\"ü@example.com\" is not an address that every server takes"),
        ],
    );
    check(
        &with(r#""reply_to": "x\r\nBcc: y@example.com""#),
        &[("reply_to", "\"x\\r\\nBcc: y@example.com\" is not an address")],
    );
    check(&with(r#""helo": "a b""#), &[("helo", "is no name of a machine")]);
    check(
        &with(r#""ca_file": "/nowhere/ca.pem""#),
        &[("ca_file", "/nowhere/ca.pem: No such file or directory (os error 2)")],
    );
}

#[test]
fn a_name_before_an_address_may_hold_anything() {
    let read =
        |text: &str| mailbox("from", text).map(|mailbox| (mailbox.name.unwrap_or_default(), mailbox.email.to_string()));
    for (text, name) in [
        ("a@example.com", ""),
        (" <a@example.com> ", ""),
        ("Ops <a@example.com>", "Ops"),
        ("kpulse, prod (eu) @night <a@example.com>", "kpulse, prod (eu) @night"),
        ("\"Ops, Night\" <a@example.com>", "Ops, Night"),
        ("Bé\r\nBcc: x <a@example.com>", "Bé Bcc: x"),
    ] {
        assert_eq!(read(text), Ok((name.to_owned(), "a@example.com".to_owned())), "{text}");
    }
    for text in ["", "Ops", "<>", "a@b@c <d>", "a@example.com, b@example.com", "Ops <a@example.com> x"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_login_whose_secrets_are_missing_is_a_fault_and_not_no_login() {
    check(
        &with(r#""user_from_secret": "NOPE", "pass_from_secret": "SMTP_PASS""#),
        &[("user_from_secret", "secret NOPE is missing")],
    );
    check(
        &with(r#""user_from_secret": "SMTP_USER", "pass_from_secret": "NOPE""#),
        &[("pass_from_secret", "secret NOPE is missing")],
    );
    check(&with(r#""user_from_secret": "SMTP_USER""#), &[("pass_from_secret", "there is user_from_secret without it")]);
    check(&with(r#""pass_from_secret": "SMTP_PASS""#), &[("user_from_secret", "there is pass_from_secret without it")]);
}

#[test]
fn a_login_over_an_open_line_is_a_fault_except_to_this_machine() {
    let login = r#""tls": "none", "user_from_secret": "SMTP_USER", "pass_from_secret": "SMTP_PASS""#;
    check(&with(login), &[("tls", "the login would go over an open line")]);
    for near in ["localhost", "127.0.0.1", "::1"] {
        check(&with(login).replace("smtp.example.com", near), &[]);
    }
}

#[test]
fn the_way_of_encryption_follows_from_port_and_login() {
    let tls = |json: &str, logs_in| settings(&with(json)).tls(logs_in);
    assert_eq!((tls("", true), tls("", false)), (Tls::StartTls, Tls::Opportunistic));
    assert_eq!(tls(r#""smtp_port": 465"#, true), Tls::Implicit);
    assert_eq!(tls(r#""smtp_port": 465, "tls": "starttls""#, true), Tls::StartTls);
    assert_eq!(tls(r#""tls": "opportunistic""#, true), Tls::Opportunistic);
    assert_eq!(settings(&with("").replace("smtp.example.com", "localhost")).tls(true), Tls::Opportunistic);
    let port = |json: &str| settings(&with(json)).port();
    assert_eq!((port(""), port(r#""smtp_port": 0"#), port(r#""tls": "implicit""#)), (587, 587, 465));
    assert_eq!(port(r#""smtp_port": 2525, "tls": "implicit""#), 2525);
}

#[test]
fn empty_values_are_no_channel_as_the_earlier_program_had_it() {
    let count = |json: &str| serde_json::from_str::<Channels>(json).unwrap().iter().count();
    let earlier = r#"{"email": {"smtp_host": "", "smtp_port": 0, "from": "", "reply_to": "", "to": [],
        "user_from_secret": "", "pass_from_secret": ""}}"#;
    assert_eq!(count(earlier), 0);
    assert_eq!(count(r#"{"email": {"smtp_host": "smtp.example.com", "to": []}}"#), 0);
    assert_eq!(count(r#"{"email": {"smtp_host": "smtp.example.com"}}"#), 1, "a key that is not there was forgotten");
    let channels: Channels = serde_json::from_str(&format!(r#"{{"email": {}}}"#, with(""))).unwrap();
    assert!(matches!(channels.get("email"), Some(ChannelSettings::Email(_))));
}

#[test]
fn the_name_said_to_the_server_is_a_full_one() {
    let hello = |json: &str| settings(&with(json)).hello().unwrap().to_string();
    assert_eq!(hello(r#""helo": "kpulse.example.com""#), "kpulse.example.com");
    assert!(hello("").contains('.'), "{}", hello(""));
}

// ---- the message

const LOG: [&str; 6] = [
    "2026-11-22T14:06:03Z WARN  connect postgres-rw:5432: connection refused, attempt 2 of 3",
    "2026-11-22T14:06:04Z ERROR connect postgres-rw:5432: connection refused, attempt 3 of 3",
    "panic: no database",
    "",
    "goroutine 1 [running]:",
    "\tmain.mustOpen({0xc00011e000, 0x5a}) /src/cmd/api/main.go:118 +0x1d4",
];

fn logged(log: &[&str]) -> Notification {
    let mut notification = example::firing();
    notification.content.report_mut().unwrap().log = log.iter().map(|line| (*line).to_owned()).collect();
    notification
}

fn crowd(count: usize) -> Notification {
    let mut notification = logged(&[]);
    let report = notification.content.report_mut().unwrap();
    let pod = |number| ObjectRef::new(Kind::Pod, "checkout", format!("api-7c9d5f6b8-{number:05}"));
    report.members = (0..count.min(100)).map(pod).collect();
    report.object = pod(0);
    report.count = count;
    report.title = format!("checkout/api: {count} Pods crash-looping");
    notification
}

fn escalated() -> Notification {
    let mut notification = logged(&[]);
    notification.why = Why::Escalated;
    notification.delayed = Some(jiff::SignedDuration::from_mins(14));
    let report = notification.content.report_mut().unwrap();
    report.monitor = MonitorName::TlsCertExpiry;
    report.object = ObjectRef::new(Kind::Secret, "shop", "web-tls");
    (report.members, report.count) = (vec![report.object.clone()], 1);
    (report.workload, report.node) = (None, None);
    report.trouble = TroubleKey::object("expiry");
    (report.severity, report.reason) = (Severity::Critical, "CertificateExpiring".into());
    report.title = "Certificate shop.example.com ends in 2d (24 Nov 09:14 UTC)".to_owned();
    report.cause = "Secret shop/web-tls (+3 copies: blog, api, docs)\nissuer Let's Encrypt R11".to_owned();
    report.command = Some("kubectl -n shop describe secret web-tls".to_owned());
    report.cluster = "REPLACE_ME".into();
    notification
}

fn ended(how: Ending) -> Notification {
    let mut notification = example::resolved();
    notification.message_id = Some("<first@prod-eu.kpulse.local>".to_owned());
    let report = notification.content.report_mut().unwrap();
    report.log = Vec::new();
    if how == Ending::Gone {
        report.title = "checkout/api is gone after 18m: Deployment deleted".to_owned();
        report.body = "Was crash-looping (CrashLoopBackOff); its Deployment was deleted.".to_owned();
        report.ending = Some(how);
    }
    notification
}

/// What a person sees of a mail, and what programs do.
fn shown(notification: &Notification) -> String {
    let Letter { subject, id, follows, headers, happened_at, html, text } =
        letter(notification, &example::links()).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let follows = follows.unwrap_or_default();
    format!(
        "Subject: {subject}\nMessage-ID: {id}\nReferences: {follows}\nDate: {happened_at}\n{headers}\n{text}\n\n{html}"
    )
}

#[test]
fn each_kind_of_message_is_a_mail() {
    insta::assert_snapshot!("firing", shown(&logged(&LOG)));
    insta::assert_snapshot!("grown", shown(&Notification { why: Why::Grown, ..crowd(12) }));
    insta::assert_snapshot!("escalated", shown(&escalated()));
    insta::assert_snapshot!("recovered", shown(&ended(Ending::Recovered)));
    insta::assert_snapshot!("gone", shown(&ended(Ending::Gone)));
}

#[test]
fn of_many_members_the_first_are_named() {
    let named = |count| {
        let text = letter(&crowd(count), &Links::default()).unwrap().text;
        let more = text.lines().find(|line| line.trim_start().starts_with("and ")).map(|line| line.trim().to_owned());
        (text.lines().filter(|line| line.starts_with("  pod/")).count(), more.unwrap_or_default())
    };
    assert_eq!(named(1), (0, String::new()), "a single one is the object");
    assert_eq!(named(20), (20, String::new()));
    assert_eq!(named(50), (20, "and 30 more".to_owned()));
    assert_eq!(named(5_000), (20, "and 4980 more".to_owned()));
    let mut abroad = crowd(2);
    abroad.content.report_mut().unwrap().members[1].namespace = "blog".into();
    let text = letter(&abroad, &Links::default()).unwrap().text;
    assert!(text.contains("pod/api-7c9d5f6b8-00001  (namespace blog)"), "{text}");
}

#[test]
fn nothing_in_a_message_is_markup_or_a_line_of_its_own() {
    let hostile =
        "</td></table><script>alert('x')</script>&amp;\"\r\nX-Evil: 1\r\n\r\n.\r\n\u{202e}\u{0}\u{1b}[2J{{ sheet }}";
    let mut notification = logged(&[hostile; 3]);
    let report = notification.content.report_mut().unwrap();
    for text in [&mut report.title, &mut report.cause, &mut report.body] {
        hostile.clone_into(text);
    }
    report.command = Some(hostile.to_owned());
    (report.reason, report.cluster, report.object.name) = (hostile.into(), hostile.into(), hostile.into());
    report.members.iter_mut().for_each(|member| member.name = hostile.into());
    hostile.clone_into(&mut notification.idempotency_key);
    notification.message_id = Some(hostile.to_owned());
    let Letter { html, text, .. } = letter(&notification, &Links::default()).unwrap();
    assert!(!html.contains("<script") && html.matches("</table>").count() == html.matches("<table").count());
    for shown in [&html, &text] {
        assert!(!shown.contains(['\u{202e}', '\u{0}', '\u{1b}', '\r']), "{shown}");
        assert!(shown.contains("{{ sheet }}"), "{shown}");
    }
    let (head, _) = settings("{}")
        .preview(&notification)
        .split_once("\r\n\r\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(head.is_ascii() && !head.contains("\r\nX-Evil") && !head.contains("\r\nIn-Reply-To"), "{head}");
    assert!(head.lines().all(|line| line.len() <= 200), "{head}");
}

/// How many bytes the HTML has if everything there is to say is this, again and again.
fn size(text: &str) -> usize {
    let long = text.repeat(1_000);
    let mut notification = logged(&[long.as_str(); 200]);
    let report = notification.content.report_mut().unwrap();
    (report.title, report.cause) = (long.clone(), format!("{long}\n").repeat(50));
    report.command = Some(long.clone());
    report.members = vec![ObjectRef::new(Kind::Pod, "checkout", long.as_str()); 5_000];
    report.count = 5_000;
    let mail = settings("{}").preview(&notification);
    assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 200));
    letter(&notification, &Links::default()).unwrap().html.len()
}

#[test]
fn a_mail_is_small_however_much_there_is_to_say() {
    // Gmail cuts HTML off after 102 kB.
    assert!(size("some more words ") < 60_000);
    assert!(size("é👩‍👩‍👧‍👦 word ") < 150_000);
    assert!(size("<&\">") < 200_000);
}

#[test]
fn a_log_keeps_its_blanks_and_its_last_lines() {
    let lines: Vec<String> = (1..=100).map(|number| format!("\tline {number}  end")).collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let text = letter(&logged(&lines), &Links::default()).unwrap().text;
    assert!(text.contains("The last 60 lines of container api, pod/api-7c9d5f6b8-2xk4q"), "{text}");
    assert!(text.contains("\n        line 100  end") && !text.contains("line 40 "), "{text}");
    assert!(letter(&logged(&["one"]), &Links::default()).unwrap().text.contains("The last line of container api"));
}

#[test]
fn a_preview_is_a_whole_mail() {
    let mail = settings(&with("")).preview(&ended(Ending::Recovered));
    for line in [
        "From: kpulse@example.com",
        "To: a@example.com",
        "Date: Sun, 22 Nov 2026 14:20:11 +0000",
        "In-Reply-To: <first@prod-eu.kpulse.local>",
        "References: <first@prod-eu.kpulse.local>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(mail.contains(&format!("{line}\r\n")), "{line}\n{mail}");
    }
}
