//! The one way out over HTTP: how clients are made, how a body is sent, and what an answer means.
//!
//! No redirect is followed: a POST that is redirected may lose its body, and whoever moved the address must tell its
//! owner. Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`).

mod answer;
mod judge;

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Certificate, Method, StatusCode};

use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::notifier::DeliveryError;
use crate::retry_after::http_date;
use crate::settings::SetupError;
pub(crate) use answer::Answer;
pub use judge::judge;

/// The most that is read of an answer, in bytes.
const MAX_REPLY: usize = 64 << 10;

/// How requests are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// How long a request may take, with its answer.
    pub timeout: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// Whether the environment's proxies are used.
    pub proxies: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), connect_timeout: Duration::from_secs(5), proxies: true }
    }
}

/// Why no HTTP client can be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The process has not said who does its cryptography.
    #[error("no TLS provider is installed: call kpulse_notify::install_crypto() at the start of the program")]
    NoCrypto,
    /// The client could not be set up, for example because there are no root certificates.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// Makes ring the provider of cryptography of this process, for everything that speaks TLS. To be called at the start of
/// the program, and by tests; a provider that is already there stays.
pub fn install_crypto() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
}

/// Makes HTTP clients; one is shared by all channels without a `ca_file`. A clone shares it too.
#[derive(Clone)]
pub struct Http {
    settings: HttpSettings,
    clock: Clock,
    shared: reqwest::Client,
}

impl Http {
    /// Sets up the client that channels share. `clock` judges the dates in `Retry-After`.
    ///
    /// # Errors
    ///
    /// When [`install_crypto`] was not called, or the platform's root certificates cannot be had.
    pub fn new(settings: HttpSettings, clock: Clock) -> Result<Self, HttpError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(HttpError::NoCrypto);
        }
        let shared = builder(&settings).build().map_err(|error| HttpError::Client(innermost(&error)))?;
        Ok(Self { settings, clock, shared })
    }

    /// How requests are made, for channels that are not spoken to over HTTP too.
    pub(crate) fn settings(&self) -> &HttpSettings {
        &self.settings
    }

    /// What tells the time.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The client for a channel: the shared one, or one that trusts the certificates in `ca_file` besides the platform's.
    pub(crate) fn client(&self, ca_file: Option<&Path>) -> Result<HttpClient, SetupError> {
        let client = match ca_file {
            None => self.shared.clone(),
            Some(path) => builder(&self.settings)
                .tls_certs_merge(certificates(path)?)
                .build()
                .map_err(|error| bad_ca_file(path, &innermost(&error)))?,
        };
        Ok(HttpClient { client, timeout: self.settings.timeout, clock: self.clock.clone() })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn builder(settings: &HttpSettings) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .timeout(settings.timeout)
        .connect_timeout(settings.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1)
        .user_agent(concat!("kpulse/", env!("CARGO_PKG_VERSION")));
    if settings.proxies { builder } else { builder.no_proxy() }
}

/// The certificates in a PEM file.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, SetupError> {
    let pem = std::fs::read(path).map_err(|error| bad_ca_file(path, &error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|_| bad_ca_file(path, "not a PEM file"))?;
    if certificates.is_empty() { Err(bad_ca_file(path, "no certificate in it")) } else { Ok(certificates) }
}

fn bad_ca_file(path: &Path, fault: &str) -> SetupError {
    SetupError::invalid(
        "ca_file",
        format!("{}: {fault}", path.display()),
        "name a file of PEM certificates that is mounted into the Pod",
    )
}

/// Sends to one channel.
#[derive(Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    timeout: Duration,
    clock: Clock,
}

impl HttpClient {
    /// Sends a JSON body and returns the head of the answer, whatever it says. `headers` win over the usual ones.
    pub(crate) async fn post_json(
        &self,
        to: &Endpoint,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, DeliveryError> {
        self.send_json(Method::POST, to, headers, body).await
    }

    /// Gets an address and returns the head of the answer, whatever it says.
    pub(crate) async fn get(&self, from: &Endpoint) -> Result<Reply, DeliveryError> {
        let response = self.client.get(from.url()).send().await.map_err(|error| self.failed(&error).at(from))?;
        Ok(Reply { response, from: from.clone(), client: self.clone() })
    }

    /// As [`post_json`](Self::post_json), with another method: an edit is a PATCH on some platforms.
    pub(crate) async fn send_json(
        &self,
        method: Method,
        to: &Endpoint,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, DeliveryError> {
        let json = HeaderValue::from_static("application/json");
        let request =
            self.client.request(method, to.url()).header(header::CONTENT_TYPE, json).headers(headers).body(body);
        let response = request.send().await.map_err(|error| self.failed(&error).at(to))?;
        Ok(Reply { response, from: to.clone(), client: self.clone() })
    }

    /// What a request that got no answer means: it may get one next time. The error's own text would say the address.
    fn failed(&self, error: &reqwest::Error) -> DeliveryError {
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => DeliveryError::transient(format!("takes too long to connect to: {WAY}")),
            (true, false) => DeliveryError::unanswered(format!("did not answer within {:?}", self.timeout)),
            (false, true) => DeliveryError::transient(unreachable(&innermost(error))),
            (false, false) => DeliveryError::unanswered(format!("did not answer: {}", innermost(error))),
        }
    }
}

/// What to look at where nobody answers.
const WAY: &str = "check the address, and the way there (DNS, proxy, NetworkPolicy)";

fn unreachable(fault: &str) -> String {
    let remedy = if fault.contains("certificate") { "name the authority that signed it in ca_file" } else { WAY };
    format!("cannot be connected to: {fault}: {remedy}")
}

/// The head of an answer; its body can be read, or left.
pub(crate) struct Reply {
    response: reqwest::Response,
    from: Endpoint,
    client: HttpClient,
}

impl Reply {
    /// What the status means. Enough for a channel whose answers say nothing in their bodies.
    pub(crate) fn verdict(&self) -> Result<(), DeliveryError> {
        // A date is best judged by the clock of whoever wrote it.
        let now = self.header(header::DATE).and_then(http_date).unwrap_or_else(|| (self.client.clock)());
        judge(self.status(), self.header(header::RETRY_AFTER), now).map_err(|error| error.at(&self.from))
    }

    /// The body, as much of it as is read of any: 64 KiB. For channels whose refusals are in the body.
    pub(crate) async fn text(mut self) -> Result<String, DeliveryError> {
        let mut body = Vec::new();
        while body.len() < MAX_REPLY {
            match self.response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(self.client.failed(&error).at(&self.from)),
            }
        }
        body.truncate(MAX_REPLY);
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    fn status(&self) -> StatusCode {
        self.response.status()
    }

    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }
}

/// What lies at the bottom of an error: the system's or TLS's own word, which knows of no address.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(deeper) = innermost.and_then(|cause| cause.source()) {
        innermost = Some(deeper);
    }
    innermost.map_or_else(|| "no reason given".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::sink::{Behaviour, EchoSink};

    use super::*;
    use crate::clock::wall_clock;

    /// What `read` makes of the answer of a sink that behaves so.
    pub(super) async fn exchange<T>(
        behaviour: Behaviour,
        read: impl AsyncFnOnce(Reply) -> Result<T, DeliveryError>,
    ) -> Result<T, DeliveryError> {
        install_crypto();
        let sink = EchoSink::new();
        let server = sink.serve("127.0.0.1:0").await.unwrap();
        sink.script("webhook", [behaviour]);
        let settings = HttpSettings { timeout: Duration::from_millis(300), proxies: false, ..HttpSettings::default() };
        let client = Http::new(settings, wall_clock()).unwrap().client(None).unwrap();
        let endpoint = Endpoint::parse(&server.url_of("webhook/s3cr3t")).unwrap();
        read(client.post_json(&endpoint, HeaderMap::new(), b"{}".to_vec()).await?).await
    }

    async fn reply(behaviour: Behaviour) -> Result<String, DeliveryError> {
        exchange(behaviour, Reply::text).await
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(reply(Behaviour::reply(200, "ok")).await.unwrap(), "ok");
        assert_eq!(reply(Behaviour::reply(503, vec![0xff, b'x'])).await.unwrap(), "\u{fffd}x");
        assert_eq!(reply(Behaviour::OversizedReply).await.unwrap().len(), MAX_REPLY);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_a_passing_failure() {
        let error = reply(Behaviour::SlowBody { pause: Duration::from_secs(60) }).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Transient { .. }) && !error.to_string().contains("s3cr3t"), "{error}");
    }

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let path = std::env::temp_dir().join(format!("kpulse-notify-{}-ca.pem", std::process::id()));
        let fault = |text: &str| {
            std::fs::write(&path, text).unwrap();
            certificates(&path).unwrap_err().to_string()
        };
        assert!(fault("").contains("no certificate in it"));
        assert!(fault("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n").contains("not a PEM file"));
        std::fs::remove_file(&path).unwrap();
        assert!(certificates(&path).unwrap_err().to_string().contains("No such file"));
    }
}
