//! What the mail channel must do, against a server that does as told.
//!
//! Sockets and a paused clock do not go together, so timeouts here are real and short; nothing sleeps.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

#[path = "email/bench.rs"]
mod bench;
#[path = "log/capture.rs"]
mod capture;

use std::time::{Duration, Instant};

use bench::{Bench, Plan, USER, logged};
use kpulse_core::{Notification, NotificationId, Outcome};
use kpulse_notify::lane::{self, Limits};
use kpulse_notify::{Accepted, DeliveryError, example, wall_clock};
use kpulse_testkit::smtp::{Command, Does, Encryption};
use serde_json::json;
use tokio::sync::mpsc;

/// How an attempt ends, in a word.
fn word(result: &Result<Accepted, DeliveryError>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(DeliveryError::Transient { .. }) => "transient",
        Err(DeliveryError::Refused { .. }) => "refused",
        Err(DeliveryError::Unavailable { .. }) => "unavailable",
    }
}

// ---- ways to a server

#[tokio::test]
async fn a_message_is_one_mail_to_all_recipients() {
    let bench = Bench::open().await;
    let accepted = bench.deliver(&example::firing()).await.unwrap();
    let mails = bench.sink.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((mail.from.as_str(), mail.encrypted, &mail.login), ("kpulse@example.com", false, &None));
    assert_eq!(mail.to, ["a@example.com", "b@example.com"]);
    assert!(mail.hello.contains('.'), "{}", mail.hello);
    let header = |name: &str| mail.header(name).unwrap();
    assert_eq!(header("subject"), "[prod-eu] [!!] checkout/api: 3 Pods crash-looping");
    assert_eq!(header("from"), "kpulse <kpulse@example.com>");
    assert_eq!(header("reply-to"), "Ops <ops@example.com>");
    assert_eq!(header("list-id"), "kpulse-prod-eu <kpulse.prod-eu.local>");
    assert_eq!((header("x-kpulse-state"), header("x-kpulse-severity")), ("firing".to_owned(), "critical".to_owned()));
    assert_eq!(accepted.message_id.unwrap(), header("message-id"));
    assert_eq!(bench.sink.connections(), 1);
}

#[tokio::test]
async fn every_way_to_a_server_works_with_and_without_a_login() {
    for encryption in [Encryption::None, Encryption::StartTls, Encryption::Implicit] {
        for (login, mechanisms) in [(false, vec![]), (true, vec!["PLAIN"]), (true, vec!["LOGIN"])] {
            let plan = Plan { encryption, login, mechanisms: mechanisms.clone(), ..Plan::default() };
            let bench = Bench::new(plan).await;
            let result = bench.deliver(&example::firing()).await;
            assert!(result.is_ok(), "{encryption:?} {mechanisms:?}: {result:?}");
            let mail = bench.sink.mails().remove(0);
            assert_eq!(mail.encrypted, encryption != Encryption::None);
            assert_eq!(mail.login.as_deref(), login.then_some(USER));
        }
    }
}

#[tokio::test]
async fn a_server_that_offers_no_starttls_gets_nothing_that_needs_it() {
    let bench = Bench::new(Plan { settings: json!({"tls": "starttls"}), ..Plan::default() }).await;
    let error = bench.deliver(&example::firing()).await.unwrap_err();
    assert!(matches!(&error, DeliveryError::Unavailable { cause } if cause.contains("STARTTLS")), "{error:?}");
    assert!(!bench.sink.commands().iter().any(|line| line.starts_with("MAIL")));
    let bench = Bench::new(Plan { settings: json!({"tls": "opportunistic"}), ..Plan::default() }).await;
    bench.deliver(&example::firing()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_never_passed_over() {
    for (encryption, tls) in [
        (Encryption::StartTls, "starttls"),
        (Encryption::StartTls, "opportunistic"),
        (Encryption::Implicit, "implicit"),
    ] {
        let plan = Plan { encryption, login: true, trust: false, settings: json!({"tls": tls}), ..Plan::default() };
        let bench = Bench::new(plan).await;
        let error = bench.deliver(&example::firing()).await.unwrap_err();
        assert!(
            matches!(&error, DeliveryError::Transient { cause, .. } if cause.contains("ca_file")),
            "{tls}: {error:?}"
        );
        assert!(!bench.sink.commands().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
    }
}

/// `0.0.0.0` leads to this machine as well, and is not its name.
#[tokio::test]
async fn a_login_does_not_go_over_an_open_line() {
    let settings = json!({"smtp_host": "0.0.0.0", "tls": "opportunistic"});
    let bench = Bench::new(Plan { login: true, settings, ..Plan::default() }).await;
    let error = bench.deliver(&example::firing()).await.unwrap_err();
    assert!(matches!(&error, DeliveryError::Unavailable { cause } if cause.contains("login is not sent")), "{error:?}");
    let commands = bench.sink.commands();
    assert!(commands.iter().any(|line| line.starts_with("EHLO")), "{commands:?}");
    assert!(!commands.iter().any(|line| line.starts_with("AUTH")), "{commands:?}");
}

#[tokio::test]
async fn what_stands_behind_the_answer_to_starttls_is_not_believed() {
    let bench = Bench::new(Plan { encryption: Encryption::StartTls, ..Plan::default() }).await;
    let injected = "220 go ahead\r\n250-evil\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n";
    bench.sink.script(Command::StartTls, [Does::Send(injected.into())]);
    let result = bench.deliver(&example::firing()).await;
    assert_eq!(word(&result), "transient", "{result:?}");
    assert_eq!(bench.sink.mails(), []);
}

#[tokio::test]
async fn a_server_that_wants_a_login_says_so() {
    let settings = json!({"user_from_secret": null, "pass_from_secret": null});
    let bench = Bench::new(Plan { login: true, settings, ..Plan::default() }).await;
    let error = bench.deliver(&example::firing()).await.unwrap_err();
    assert!(
        matches!(&error, DeliveryError::Unavailable { cause } if cause.contains("set user_from_secret")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_login_that_is_wrong_or_not_taken_is_the_channels_trouble() {
    let plan = Plan { login: true, ..Plan::default() };
    let bench = Bench::new(plan.clone()).await;
    // The server repeats what it was told: the channel must not.
    bench.sink.script(Command::Auth, [Does::reply(535, "5.7.8 no: AHMzY3IzdC11c2VyAHMzY3IzdC1wYXNz s3cr3t-pass")]);
    let error = bench.deliver(&example::firing()).await.unwrap_err();
    assert!(matches!(&error, DeliveryError::Unavailable { cause } if cause.contains("535 5.7.8")), "{error:?}");
    bench.sink.script(Command::Auth, [Does::reply(454, "4.7.0 later")]);
    assert_eq!(word(&bench.deliver(&example::firing()).await), "transient");
    let bench = Bench::new(Plan { mechanisms: vec!["GSSAPI"], ..plan }).await;
    let error = bench.deliver(&example::firing()).await.unwrap_err();
    assert!(matches!(&error, DeliveryError::Unavailable { cause } if cause.contains("PLAIN or LOGIN")), "{error:?}");
}

// ---- refusals

#[tokio::test]
async fn what_a_refusal_means_depends_on_what_was_refused() {
    for (command, code, expect) in [
        (Command::Connect, 421, "transient"),
        (Command::Connect, 554, "unavailable"),
        (Command::Hello, 421, "transient"),
        (Command::Mail, 421, "transient"),
        (Command::Mail, 450, "transient"),
        (Command::Mail, 550, "unavailable"),
        (Command::Mail, 552, "refused"),
        (Command::Data, 451, "transient"),
        (Command::Data, 554, "refused"),
        (Command::Content, 421, "transient"),
        (Command::Content, 450, "transient"),
        (Command::Content, 550, "refused"),
        (Command::Content, 552, "refused"),
        (Command::Content, 530, "unavailable"),
    ] {
        let bench = Bench::open().await;
        bench.sink.script(command, [Does::reply(code, "x.y.z as the script says, s3cr3t-none")]);
        let result = bench.deliver(&example::firing()).await;
        assert_eq!(word(&result), expect, "{command:?} {code}: {result:?}");
        let cause = result.unwrap_err().to_string();
        assert!(cause.starts_with("localhost:") && cause.contains(&format!("answered {code}")), "{cause}");
        assert_eq!(bench.sink.mails(), []);
        // The channel has learnt nothing lasting from it.
        bench.deliver(&example::firing()).await.unwrap();
    }
}

#[tokio::test]
async fn a_mail_goes_to_the_recipients_that_are_left() {
    let bench = Bench::open().await;
    bench.sink.script(Command::Rcpt, [Does::reply(550, "5.1.1 no such user")]);
    bench.deliver(&example::firing()).await.unwrap();
    let mail = bench.sink.mails().remove(0);
    assert_eq!(mail.to, ["b@example.com"]);
    let logged = logged();
    let told = logged.lines().find(|line| line.contains("a@example.com") && line.contains("no such user"));
    assert!(told.is_some_and(|line| line.contains("WARN")), "{logged}");
}

#[tokio::test]
async fn with_no_recipient_left_the_worst_that_may_pass_decides() {
    for (codes, expect) in [
        ([550, 550], "unavailable"),
        ([550, 450], "transient"),
        ([450, 550], "transient"),
        ([552, 552], "refused"),
        ([421, 250], "transient"),
    ] {
        let bench = Bench::open().await;
        bench.sink.script(Command::Rcpt, codes.map(|code| Does::reply(code, "as the script says")));
        let result = bench.deliver(&example::firing()).await;
        assert_eq!(word(&result), expect, "{codes:?}: {result:?}");
        assert_eq!(bench.sink.mails(), [], "{codes:?}");
    }
}

// ---- silence and noise

const STAGES: [(Command, &str); 6] = [
    (Command::Connect, "the greeting"),
    (Command::Hello, "the greeting"),
    (Command::Mail, "the sender"),
    (Command::Rcpt, "the recipients"),
    (Command::Data, "DATA"),
    (Command::Content, "the mail"),
];

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_and_it_is_said_where() {
    for (command, place) in STAGES {
        let bench = Bench::hasty().await;
        bench.sink.script(command, [Does::Hang]);
        let begun = Instant::now();
        let error = bench.deliver(&example::firing()).await.unwrap_err();
        let expect = format!("did not answer {place} within");
        assert!(matches!(&error, DeliveryError::Transient { cause, .. } if cause.contains(&expect)), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{command:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_or_never_ends_its_line_is_a_passing_failure() {
    for (command, place) in STAGES {
        for does in [Does::Drop, Does::Flood] {
            let bench = Bench::hasty().await;
            bench.sink.script(command, [does.clone()]);
            let result = bench.deliver(&example::firing()).await;
            assert_eq!(word(&result), "transient", "{command:?} {does:?}: {result:?}");
            let cause = result.unwrap_err().to_string();
            assert!(cause.contains(place) && cause.len() < 300, "{command:?} {does:?}: {cause}");
        }
    }
}

#[tokio::test]
async fn nobody_listening_is_a_passing_failure() {
    for encryption in [Encryption::None, Encryption::Implicit] {
        let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let bench = Bench::new(Plan { encryption, settings: json!({"smtp_port": port}), ..Plan::default() }).await;
        let error = bench.deliver(&example::firing()).await.unwrap_err();
        assert!(matches!(&error, DeliveryError::Transient { cause, .. } if cause.contains("refused")), "{error:?}");
    }
}

#[tokio::test]
async fn a_goodbye_that_never_comes_holds_nobody_up() {
    let bench = Bench::open().await;
    bench.sink.script(Command::Quit, [Does::Hang]);
    let begun = Instant::now();
    bench.deliver(&example::firing()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
}

// ---- what arrives

#[tokio::test]
async fn dots_and_long_lines_arrive_as_they_were_written() {
    let bench = Bench::open().await;
    let mut odd = example::firing();
    let report = odd.content.report_mut().unwrap();
    report.cause = format!(".\n..two\n.from: evil\n{}", "x".repeat(290));
    report.log = vec![".".to_owned(), "é".repeat(380)];
    bench.deliver(&odd).await.unwrap();
    let mail = bench.sink.mails().remove(0);
    let text = mail.text();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(mail.raw.is_ascii() && body.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n'])));
    assert!(mail.text().contains("\r\n.\r\n..two\r\n.from: evil\r\nxxx"));
    assert!(String::from_utf8_lossy(&mail.wire).contains("\r\n..\r\n...two\r\n..from: evil\r\n"));
}

#[tokio::test]
async fn in_a_lane_a_group_is_one_thread() {
    let bench = Bench::open().await;
    let (sender, mut receipts) = mpsc::channel(8);
    // The second message has to be sent twice.
    bench.sink.script(Command::Content, [Does::Usual, Does::Drop]);
    let lane = lane::spawn("mail".into(), Ok(bench.notifier), sender, wall_clock(), Limits::default());
    let mut root = None;
    let grown = |id, count| {
        let mut grown = Notification { id: NotificationId(id), ..example::firing() };
        grown.content.report_mut().unwrap().count = count;
        grown.idempotency_key = format!("{}-{count}", grown.idempotency_key);
        grown
    };
    let messages = [
        Notification { id: NotificationId(1), ..example::firing() },
        grown(2, 5),
        grown(3, 5),
        Notification { id: NotificationId(4), ..example::resolved() },
    ];
    for message in messages {
        lane.send(Notification { message_id: root.clone(), ..message }).unwrap();
        match receipts.recv().await.unwrap().outcome {
            Outcome::Accepted { message_id } => root = message_id,
            Outcome::TryAgain { .. } => {}
            Outcome::Refused { .. } | Outcome::Paused { .. } => panic!("refused"),
        }
    }
    lane.close().await;
    let mails = bench.sink.mails();
    let header = |name: &str| mails.iter().map(|mail| mail.header(name)).collect::<Vec<_>>();
    let ids = header("message-id");
    assert_eq!(mails.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] == root, "{ids:?} {root:?}");
    assert_eq!(header("references"), [None, ids[0].clone(), ids[0].clone()]);
    assert_eq!(header("in-reply-to"), header("references"));
}
