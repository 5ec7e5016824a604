//! Mail to a server that is not ours, read by a library that is not ours: aiosmtpd, and Python's `email`.
//!
//! `just mail` installs the server and runs this. Where it is not installed this says so on standard error, and passes.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use kpulse_core::Notification;
use kpulse_notify::{
    Channels, DeliveryError, Http, HttpSettings, Notifier, Secrets, example, install_crypto, wall_clock,
};
use serde_json::{Value, json};

/// The ways of the server, each with and without a login.
const WAYS: [(&str, &str); 3] = [("plain", "none"), ("starttls", "starttls"), ("implicit", "implicit")];

const TITLE: &str = "checkout/api: <b>3</b> Pods – שלום 👩‍💻 крэш, \"quoted\"";

/// Said whatever is captured, which `eprintln!` is: a test that was skipped looks like one that passed.
fn say(text: &str) {
    std::io::stderr().write_all(format!("real_smtp: {text}\n").as_bytes()).unwrap();
}

/// A Python that has aiosmtpd: the one of `just mail`, or the system's.
fn python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("mail-venv").join("bin/python");
    [venv, "python3".into()].into_iter().find(|python| {
        let asked = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

struct Server {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    ports: Value,
    ca_file: PathBuf,
}

impl Server {
    fn start(python: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = |name: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        let (ca_file, key_file) = (file("cert.pem"), file("key.pem"));
        std::fs::write(&ca_file, made.cert.pem()).unwrap();
        std::fs::write(&key_file, made.signing_key.serialize_pem()).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_smtp/server.py");
        let mut command = Command::new(python);
        command.args(["-W", "ignore", script]).args([&ca_file, &key_file]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ports = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        std::fs::remove_file(key_file).unwrap();
        Self { process, lines, ports, ca_file }
    }

    fn notifier(&self, way: &str, tls: &str, more: &Value) -> Box<dyn Notifier> {
        let mut settings = json!({
            "smtp_host": "localhost",
            "smtp_port": self.ports[way],
            "from": "kpulse, prod <kpulse@example.com>",
            "to": ["a@example.com", "Bé Ops <b@example.com>"],
            "tls": tls,
            "ca_file": self.ca_file,
            "helo": "kpulse.example.com",
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let channels: Channels = serde_json::from_value(json!({"email": settings})).unwrap();
        let secrets: Secrets = [("USER", "ops"), ("PASS", "pa ss:wörd"), ("WRONG", "wrong")].into_iter().collect();
        let http = Http::new(HttpSettings { proxies: false, ..HttpSettings::default() }, wall_clock()).unwrap();
        let (name, settings) = channels.iter().next().unwrap();
        settings.notifier(name, &secrets, &http).unwrap()
    }

    /// What the server made of the next mail.
    fn mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.process.stdin.take());
        self.process.wait().ok();
        std::fs::remove_file(&self.ca_file).ok();
    }
}

fn odd() -> Notification {
    let mut odd = example::firing();
    let report = odd.content.report_mut().unwrap();
    report.title = TITLE.to_owned();
    report.cause = format!(".\n..\nFrom here\n{} =3D & <i>", "long ".repeat(50));
    report.log = vec!["\tat <main>".to_owned(), ".".to_owned()];
    odd
}

#[tokio::test]
async fn a_server_and_a_library_that_are_not_ours_take_our_mail() {
    let Some(python) = python() else {
        say("SKIPPED: no Python with aiosmtpd; `just mail` installs it");
        return;
    };
    install_crypto();
    let mut server = Server::start(&python);
    let mut mails = 0;
    for (way, tls) in WAYS {
        for login in [false, true] {
            let (way, more) = match login {
                true => (format!("{way}+login"), json!({"user_from_secret": "USER", "pass_from_secret": "PASS"})),
                false => (way.to_owned(), json!({})),
            };
            let notifier = server.notifier(&way, tls, &more);
            let first = notifier.deliver(&odd()).await.unwrap().message_id;
            check_first(&server.mail(), &way, first.as_deref());
            let resolved = Notification { message_id: first.clone(), ..example::resolved() };
            assert_eq!(
                notifier.deliver(&resolved).await.unwrap().message_id,
                first,
                "{way}: the thread keeps its root"
            );
            check_second(&server.mail(), first.as_deref());
            mails += 2;
        }
    }
    check_wrong_logins(&server).await;
    say(&format!("RAN: {mails} mails over plain, STARTTLS and implicit TLS, with and without a login, by aiosmtpd"));
}

fn check_first(mail: &Value, way: &str, id: Option<&str>) {
    assert_eq!(mail["defects"], json!([]), "{mail:#}");
    assert_eq!((&mail["way"], &mail["hello"]), (&json!(way), &json!("kpulse.example.com")));
    assert_eq!(
        (&mail["encrypted"], &mail["login"]),
        (&json!(!way.starts_with("plain")), &json!(way.ends_with("login")))
    );
    assert_eq!(mail["envelope"], json!({"from": "kpulse@example.com", "to": ["a@example.com", "b@example.com"]}));
    assert_eq!(mail["from"], json!([["kpulse, prod", "kpulse@example.com"]]));
    assert_eq!(mail["to"], json!([["", "a@example.com"], ["Bé Ops", "b@example.com"]]));
    let headers = &mail["headers"];
    for (name, value) in [
        ("subject", format!("[prod-eu] [!!] {TITLE}").as_str()),
        ("list-id", "kpulse-prod-eu <kpulse.prod-eu.local>"),
        ("auto-submitted", "auto-generated"),
        ("x-kpulse-cluster", "prod-eu"),
        ("x-kpulse-monitor", "pod_crashes"),
        ("x-kpulse-severity", "critical"),
        ("x-kpulse-state", "firing"),
        ("mime-version", "1.0"),
    ] {
        assert_eq!(headers[name], json!(value), "{name}");
    }
    assert_eq!(headers["message-id"].as_str(), id);
    assert!(headers["in-reply-to"].is_null() && headers["references"].is_null());
    let age = wall_clock()().as_second() as f64 - mail["date"].as_f64().unwrap();
    assert!((-2.0..60.0).contains(&age), "{age}");
    check_parts(mail);
}

fn check_parts(mail: &Value) {
    assert_eq!((&mail["content_type"], &mail["preferred"]), (&json!("multipart/alternative"), &json!("text/html")));
    assert_eq!(mail["ascii"], json!(true));
    let parts = mail["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    for (part, kind) in parts.iter().zip(["text/plain", "text/html"]) {
        assert_eq!(part["defects"], json!([]), "{part:#}");
        assert_eq!((&part["type"], &part["charset"]), (&json!(kind), &json!("utf-8")));
        let text = part["text"].as_str().unwrap();
        for said in [
            TITLE,
            "=3D & <i>",
            "CrashLoopBackOff",
            "at <main>",
            "kubectl -n checkout logs deploy/api -c api --previous",
        ] {
            assert!(text.contains(said), "{kind}: {said}\n{text}");
        }
    }
    let text = mail["body"].as_str().unwrap().replace("\r\n", "\n");
    assert!(text.contains("\n.\n..\nFrom here\nlong ") && text.contains("\n    .\n"), "{text}");
}

fn check_second(mail: &Value, first: Option<&str>) {
    assert_eq!(mail["defects"], json!([]), "{mail:#}");
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "[prod-eu] [RESOLVED] checkout/api recovered after 18m");
    assert_eq!(headers["x-kpulse-state"], "resolved");
    assert_eq!((headers["in-reply-to"].as_str(), headers["references"].as_str()), (first, first));
    assert_ne!(headers["message-id"].as_str(), first);
}

/// A wrong password, no login where one is wanted, and no STARTTLS where it is required.
async fn check_wrong_logins(server: &Server) {
    let wrong = json!({"user_from_secret": "USER", "pass_from_secret": "WRONG"});
    for (way, tls, more, expect) in [
        ("implicit+login", "implicit", &wrong, "answered 535"),
        ("plain+login", "none", &json!({}), "answered 530"),
        ("starttls", "none", &json!({}), "answered 530"),
        ("plain", "starttls", &json!({}), "does not offer STARTTLS"),
    ] {
        let error = server.notifier(way, tls, more).deliver(&example::firing()).await.unwrap_err();
        assert!(matches!(&error, DeliveryError::Unavailable { cause } if cause.contains(expect)), "{way}: {error:?}");
    }
    let error = server.notifier("starttls", "starttls", &json!({"ca_file": null})).deliver(&example::firing()).await;
    assert!(matches!(&error, Err(DeliveryError::Transient { cause, .. }) if cause.contains("ca_file")), "{error:?}");
}
