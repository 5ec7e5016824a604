//! The mail server, and one conversation with it for each mail.
//!
//! lettre knows the commands and how to encrypt; the order of the conversation is ours, because what a refusal means
//! depends on what was refused, and because a login must never go over an open line.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::judge::{Refusal, Stage, judge};
use super::letter::words;
use super::wire::Wire;
use crate::notifier::DeliveryError;

/// How long a server may take to say goodbye, after the mail is with it.
const GOODBYE: Duration = Duration::from_secs(2);

/// The answer to anything of a server that hangs up.
const CLOSING: u16 = 421;

/// How connections are protected.
#[derive(Clone)]
pub(super) enum Protection {
    /// Not at all.
    None,
    /// By STARTTLS where the server offers it.
    Opportunistic(TlsParameters),
    /// By STARTTLS, or not used.
    StartTls(TlsParameters),
    /// From the first byte.
    Implicit(TlsParameters),
}

/// Who logs in.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) name: SecretString,
    pub(super) password: SecretString,
}

/// A mail server that takes mail from us.
pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) hello: ClientId,
    pub(super) login: Option<Login>,
    /// For a connection to be made.
    pub(super) connect_timeout: Duration,
    /// For a whole conversation.
    pub(super) timeout: Duration,
}

/// A mail is with the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Recipients that it is not for, each with the server's words.
    pub(super) refused: Vec<String>,
}

impl Relay {
    /// Hands a mail over.
    pub(super) async fn send(&self, envelope: &Envelope, mail: &[u8]) -> Result<Taken, DeliveryError> {
        let talk = Talk { relay: self, deadline: Instant::now() + self.timeout };
        let result = talk.send(envelope, mail).await;
        result.map_err(|error| error.at(format_args!("{}:{}", self.host, self.port)))
    }

    /// Whether nobody but this machine hears what is said.
    fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// What must not be repeated; longer ones first, for one may be within another.
    fn secrets(&self) -> Vec<&str> {
        let both = self.login.iter().flat_map(|Login { name, password }| [name, password]);
        let mut secrets: Vec<_> = both.map(ExposeSecret::expose_secret).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// One conversation and the time by which it must be over.
struct Talk<'a> {
    relay: &'a Relay,
    deadline: Instant,
}

impl Talk<'_> {
    async fn send(&self, envelope: &Envelope, mail: &[u8]) -> Result<Taken, DeliveryError> {
        let mut line = self.open().await?;
        let result = self.hand_over(&mut line, envelope, mail).await;
        // The mail is accepted or not; how the goodbye goes changes nothing, and nobody waits for it.
        tokio::spawn(async move { drop(timeout(GOODBYE, line.quit()).await) });
        result
    }

    /// Connects, greets and encrypts.
    async fn open(&self) -> Result<AsyncSmtpConnection, DeliveryError> {
        let Relay { host, port, hello, connect_timeout, .. } = self.relay;
        if let Protection::Implicit(tls) = &self.relay.protection {
            let tls = Some(tls.clone());
            let connected =
                AsyncSmtpConnection::connect_tokio1((host.as_str(), *port), Some(*connect_timeout), hello, tls, None);
            return Ok(self.step(Stage::Greeting, connected).await?);
        }
        let wire = Box::new(self.connect().await?);
        let mut line = self.step(Stage::Greeting, AsyncSmtpConnection::connect_with_transport(wire, hello)).await?;
        match &self.relay.protection {
            Protection::StartTls(tls) | Protection::Opportunistic(tls) if line.can_starttls() => {
                self.step(Stage::StartTls, line.starttls(tls.clone(), hello)).await?;
            }
            Protection::StartTls(_) => {
                return Err(DeliveryError::Unavailable {
                    cause: "does not offer STARTTLS: set tls to what it offers (implicit, or none without a login)"
                        .to_owned(),
                });
            }
            _ => {}
        }
        Ok(line)
    }

    async fn connect(&self) -> Result<Wire, DeliveryError> {
        let Relay { host, port, connect_timeout, .. } = self.relay;
        match timeout(*connect_timeout, TcpStream::connect((host.as_str(), *port))).await {
            Ok(Ok(stream)) => Ok(Wire::new(stream)),
            Ok(Err(error)) => Err(DeliveryError::transient(format!("cannot be connected to: {error}"))),
            Err(_) => Err(DeliveryError::transient("takes too long to connect to")),
        }
    }

    async fn hand_over(
        &self,
        line: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        mail: &[u8],
    ) -> Result<Taken, DeliveryError> {
        self.log_in(line).await?;
        let sender = Mail::new(envelope.from().cloned(), Vec::new());
        self.step(Stage::Sender, line.command(sender)).await?;
        let refused = self.address(line, envelope.to()).await?;
        self.step(Stage::Data, line.command(Data)).await?;
        self.step(Stage::Content, line.message(mail)).await?;
        Ok(Taken { refused })
    }

    async fn log_in(&self, line: &mut AsyncSmtpConnection) -> Result<(), DeliveryError> {
        let Some(Login { name, password }) = &self.relay.login else { return Ok(()) };
        let unavailable = |cause: &str| Err(DeliveryError::Unavailable { cause: cause.to_owned() });
        if !line.is_encrypted() && !self.relay.is_loopback() {
            return unavailable("does not encrypt the connection, so the login is not sent: set tls to what it offers");
        }
        if line.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            return unavailable("takes no login by PLAIN or LOGIN here: remove user_from_secret, or try another port");
        }
        let credentials = Credentials::new(name.expose_secret().to_owned(), password.expose_secret().to_owned());
        self.step(Stage::Login, line.auth(DEFAULT_MECHANISMS, &credentials)).await?;
        Ok(())
    }

    /// Names the recipients. A mail goes to those that are taken, if any is: sent again for the sake of the others, it
    /// would reach these twice.
    async fn address(&self, line: &mut AsyncSmtpConnection, to: &[Address]) -> Result<Vec<String>, DeliveryError> {
        let (mut refused, mut worst) = (Vec::new(), None);
        for address in to {
            let recipient = Rcpt::new(address.clone(), Vec::new());
            let Err(Failed { error, code }) = self.step(Stage::Recipient, line.command(recipient)).await else {
                continue;
            };
            if code.is_none_or(|code| code == CLOSING) {
                return Err(error);
            }
            refused.push(format!("{address}: {error}"));
            // If nobody is left: what may pass is the reason to try again.
            if !matches!(worst, Some(DeliveryError::Transient { .. })) {
                worst = Some(error);
            }
        }
        match worst {
            Some(error) if refused.len() == to.len() => Err(error),
            _ => Ok(refused),
        }
    }

    /// One exchange, within what is left of the time.
    async fn step<T>(&self, stage: Stage, exchange: impl Future<Output = Result<T, Error>>) -> Result<T, Failed> {
        let what = stage.what();
        let error = match timeout_at(self.deadline, exchange).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => error,
            Err(_) => {
                let cause = format!("did not answer {what} within {:?}", self.relay.timeout);
                return Err(Failed { error: stage.unanswered(cause), code: None });
            }
        };
        let text = innermost(&error);
        let code = error.status().map(u16::from);
        let error = match code {
            Some(code) => judge(stage, &Refusal { code, text }, &self.relay.secrets()),
            // No refusal: it may go well next time.
            None if text.contains("certificate") => DeliveryError::transient(format!(
                "cannot be trusted: {}: if an authority of your own made it, name that in ca_file",
                words(&text)
            )),
            None => stage.unanswered(format!("failed at {what}: {}", words(&text))),
        };
        Err(Failed { error, code })
    }
}

/// An exchange that went wrong, and the code of the answer if there was one.
struct Failed {
    error: DeliveryError,
    code: Option<u16>,
}

impl From<Failed> for DeliveryError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// What lies at the bottom of an error: the server's, the system's or TLS's own word.
fn innermost(error: &Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(deeper) = innermost.source() {
        innermost = deeper;
    }
    innermost.to_string()
}
