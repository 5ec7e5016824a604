//! A mail channel, the server it sends to, and everything that was logged meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use kpulse_core::Notification;
use kpulse_notify::{
    Accepted, Channels, DeliveryError, Http, HttpSettings, Notifier, Secrets, install_crypto, wall_clock,
};
use kpulse_testkit::smtp::{Encryption, SmtpSettings, SmtpSink};
use serde_json::{Value, json};

pub(crate) use crate::capture::logged;
use crate::capture::take_log;

pub(crate) const USER: &str = "s3cr3t-user";
pub(crate) const PASSWORD: &str = "s3cr3t-pass";

/// Both as they go over the wire by AUTH PLAIN.
const PLAIN: &str = "AHMzY3IzdC11c2VyAHMzY3IzdC1wYXNz";

/// What a test wants of server and channel.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) encryption: Encryption,
    /// Whether the server wants a login, and the channel has one.
    pub(crate) login: bool,
    pub(crate) mechanisms: Vec<&'static str>,
    /// Whether the channel trusts the server's certificate.
    pub(crate) trust: bool,
    /// Settings of the channel that win over the usual ones.
    pub(crate) settings: Value,
    pub(crate) timeout: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            encryption: Encryption::None,
            login: false,
            mechanisms: vec!["PLAIN", "LOGIN"],
            trust: true,
            settings: json!({}),
            timeout: Duration::from_secs(10),
        }
    }
}

pub(crate) struct Bench {
    pub(crate) sink: SmtpSink,
    pub(crate) notifier: Box<dyn Notifier>,
    _ca_file: CaFile,
}

impl Bench {
    pub(crate) async fn open() -> Self {
        Self::new(Plan::default()).await
    }

    /// With a timeout that a test can wait for.
    pub(crate) async fn hasty() -> Self {
        Self::new(Plan { timeout: Duration::from_millis(700), ..Plan::default() }).await
    }

    pub(crate) async fn new(plan: Plan) -> Self {
        install_crypto();
        take_log();
        let login = plan.login.then(|| (USER.to_owned(), PASSWORD.to_owned()));
        let server = SmtpSettings { encryption: plan.encryption, login, mechanisms: plan.mechanisms };
        let sink = SmtpSink::start(server).await.unwrap();
        let ca_file = std::env::temp_dir().join(format!("kpulse-mail-{}-{}.pem", std::process::id(), sink.port()));
        std::fs::write(&ca_file, sink.certificate()).unwrap();
        let mut settings = json!({
            "smtp_host": "localhost",
            "smtp_port": sink.port(),
            "from": "kpulse <kpulse@example.com>",
            "reply_to": "Ops <ops@example.com>",
            "to": ["a@example.com", "Bé <b@example.com>"],
            "tls": match plan.encryption {
                Encryption::None => "none",
                Encryption::StartTls => "starttls",
                Encryption::Implicit => "implicit",
            },
            "ca_file": plan.trust.then_some(&ca_file),
            "user_from_secret": plan.login.then_some("SMTP_USER"),
            "pass_from_secret": plan.login.then_some("SMTP_PASS"),
        });
        settings.as_object_mut().unwrap().extend(plan.settings.as_object().unwrap().clone());
        let channels: Channels = serde_json::from_value(json!({"email": settings})).unwrap();
        let secrets: Secrets = [("SMTP_USER", USER), ("SMTP_PASS", PASSWORD)].into_iter().collect();
        let http = HttpSettings { timeout: plan.timeout, connect_timeout: plan.timeout, proxies: false };
        let http = Http::new(http, wall_clock()).unwrap();
        let (name, settings) = channels.iter().next().unwrap();
        assert_eq!(settings.problems(&secrets), []);
        let notifier = settings.notifier(name, &secrets, &http).unwrap();
        assert_secret_unseen(&format!("{channels:?}"));
        Self { sink, notifier, _ca_file: CaFile(ca_file) }
    }

    /// Hands a message over; whatever comes of it, no secret is seen.
    pub(crate) async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let result = self.notifier.deliver(notification).await;
        let cause = result.as_ref().err().map_or("", DeliveryError::cause);
        assert_secret_unseen(&format!("{result:?} {cause}"));
        assert_secret_unseen(&logged());
        result
    }
}

/// Gone at the end of the test.
struct CaFile(PathBuf);

impl Drop for CaFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

#[track_caller]
fn assert_secret_unseen(text: &str) {
    let seen = |line: &&str| [USER, PASSWORD, PLAIN].iter().any(|secret| line.contains(secret));
    let lines: Vec<_> = text.lines().filter(seen).collect();
    assert!(lines.is_empty(), "a secret is seen: {lines:#?}");
}
