//! A channel, the sink it sends to, and everything that was logged meanwhile.

use std::time::Duration;

use async_trait::async_trait;
use kpulse_core::Notification;
use kpulse_notify::{
    Accepted, Channels, DeliveryError, Http, HttpSettings, Notifier, Secrets, install_crypto, wall_clock,
};
use kpulse_testkit::sink::{EchoSink, Message, Serving};
use serde_json::json;

pub(crate) use crate::capture::logged;
use crate::capture::take_log;
use crate::channels::Channel;

/// Stands for every secret there is: it must never be seen but at the sink.
pub(crate) const SECRET: &str = "s3cr3t-4f9c";

pub(crate) struct Bench {
    pub(crate) sink: EchoSink,
    pub(crate) server: Serving,
    pub(crate) notifier: Box<dyn Notifier>,
}

impl Bench {
    pub(crate) async fn new(channel: &Channel) -> Self {
        Self::with(channel, Duration::from_millis(500)).await
    }

    /// With the timeout of everyday use.
    pub(crate) async fn patient(channel: &Channel) -> Self {
        Self::with(channel, Duration::from_secs(10)).await
    }

    async fn with(channel: &Channel, timeout: Duration) -> Self {
        install_crypto();
        take_log();
        let sink = EchoSink::new();
        let server = sink.serve("127.0.0.1:0").await.unwrap();
        let url = server.url_of(format!("{}/{SECRET}?token={SECRET}", channel.kind));
        let url = url.replace("http://", &format!("http://user:{SECRET}@"));
        let secrets: Secrets = [("URL", url.as_str()), ("TOKEN", SECRET)].into_iter().collect();
        let channels: Channels = serde_json::from_value(json!({channel.kind: (channel.settings)(&server)})).unwrap();
        let http = HttpSettings { timeout, connect_timeout: timeout, proxies: false };
        let http = Http::new(http, wall_clock()).unwrap();
        let (name, settings) = channels.iter().next().unwrap();
        assert_eq!(settings.problems(&secrets), []);
        let notifier = settings.notifier(name, &secrets, &http).unwrap();
        assert_secret_unseen_in(&format!("{channels:?} {secrets:?} {http:?}"));
        assert_secret_unseen_in(&format!("{:?}", settings.problems(&Secrets::default())));
        Self { sink, server, notifier }
    }

    pub(crate) async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        self.notifier.deliver(notification).await
    }

    /// Looks for the secret in a text and in everything that was logged.
    #[track_caller]
    pub(crate) fn assert_secret_unseen(&self, text: &str) {
        let used = |message: &Message| {
            let headers =
                || message.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(SECRET));
            message.path.contains(SECRET) || message.text().contains(SECRET) || headers()
        };
        assert!(self.sink.messages().iter().all(|message| used(message)), "the secret was used");
        assert_secret_unseen_in(text);
        assert_secret_unseen_in(&logged());
    }
}

/// A channel without its platform's pace.
pub(crate) struct Hurried(pub(crate) Box<dyn Notifier>);

#[async_trait]
impl Notifier for Hurried {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        self.0.deliver(notification).await
    }
}

#[track_caller]
pub(crate) fn assert_secret_unseen_in(text: &str) {
    let lines: Vec<_> = text.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(lines.is_empty(), "a secret is seen: {lines:#?}");
}
