//! `email`: each message as a mail, in HTML and in text, handed to a mail server by SMTP.
//!
//! - **One mail per message.** Its Message-ID is made of the message's idempotency key, so a mail that is sent again is
//!   shown once.
//! - **Threads.** The group's first mail is what later ones follow, by `In-Reply-To` and `References`.
//! - **Encryption.** See [`Tls`]. A login never goes over an open line, but to this machine.
//! - **Recipients that are refused.** The mail goes to the others and counts as told; who did not get it is logged. If
//!   nobody is left, the channel is at fault, not the message: its recipients are always the same.

use std::path::PathBuf;

use async_trait::async_trait;
use kpulse_core::Notification;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::http::{Http, certificates};
use crate::links::Links;
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::Secrets;
use crate::settings::{Channel, SetupError, secret, worst_first};
use crate::text;
use mime::Addresses;
use relay::{Login, Protection, Relay, is_loopback};

mod judge;
mod letter;
mod mime;
mod relay;
mod sheet;
mod wire;

pub use letter::{Letter, letter};

/// Where mail is submitted, with STARTTLS.
const SUBMISSION: u16 = 587;

/// Where mail is submitted over TLS from the first byte.
const SUBMISSIONS: u16 = 465;

// ---- settings

/// What an `email` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The mail server.
    pub smtp_host: Option<String>,
    /// Its port; without one 587, or 465 for `tls: implicit`.
    pub smtp_port: u16,
    /// Who the mail is from: `ops@example.com`, or `kpulse <ops@example.com>`.
    pub from: Option<String>,
    /// Who answers go to.
    pub reply_to: Option<String>,
    /// Who the mail goes to.
    pub to: Option<Vec<String>>,
    /// The key of the secret with the login's name; without it nobody logs in.
    pub user_from_secret: Option<String>,
    /// The key of the secret with the login's password.
    pub pass_from_secret: Option<String>,
    /// How the connection is encrypted.
    pub tls: Option<Tls>,
    /// Links to put under each message.
    pub links: Links,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// How kpulse calls itself to the server; by default this machine's full name, or else the domain of `from`.
    pub helo: Option<String>,
    /// Whether it takes what no route matches.
    pub default: bool,
}

/// How the connection to the mail server is encrypted. A certificate that is not trusted is never passed over.
///
/// Without this setting it is `implicit` on port 465; otherwise `starttls` for a channel that logs in, and
/// `opportunistic` for one that does not, or whose server is this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// By STARTTLS; a server that does not offer it gets nothing.
    StartTls,
    /// By STARTTLS where the server offers it. Whoever sits between can take the offer away, and read the mail.
    Opportunistic,
    /// From the first byte.
    Implicit,
    /// Not at all: for a relay on this machine or in the same network.
    None,
}

// ---- setting up

impl Channel for Settings {
    fn is_default(&self) -> bool {
        self.default
    }

    /// As in the earlier program: no server or no recipients, no channel. A key that is not there at all was forgotten.
    fn is_unset(&self) -> bool {
        self.smtp_host.as_deref() == Some("") || self.to.as_ref().is_some_and(Vec::is_empty)
    }

    fn faults(&self, secrets: &Secrets) -> Vec<SetupError> {
        let login = self.login(secrets);
        let open_line = self.open_line(login.as_ref().is_ok_and(Option::is_some));
        let mut faults = vec![self.host().err(), self.from().err(), self.reply_to().err()];
        faults.extend(self.to().err().unwrap_or_default().into_iter().map(Some));
        faults.extend([self.hello().err(), self.ca_file.as_deref().and_then(|path| certificates(path).err())]);
        faults.extend([open_line.err(), login.err()]);
        worst_first(faults)
    }

    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        if let Some(fault) = self.faults(secrets).into_iter().next() {
            return Err(fault);
        }
        let login = self.login(secrets)?;
        let relay = Relay {
            host: self.host()?.to_owned(),
            port: self.port(),
            protection: self.protection(login.is_some())?,
            hello: self.hello()?,
            login,
            connect_timeout: http.settings().connect_timeout,
            // A little less than whoever calls waits: a cause that is ours says more.
            timeout: http.settings().timeout.mul_f32(0.95),
        };
        Ok(Box::new(Email { relay, addresses: self.addresses()?, links: self.links.clone(), clock: http.clock() }))
    }

    /// The mail as a file that mail programs open.
    fn preview(&self, notification: &Notification) -> String {
        let somebody = || Mailbox::new(Some("kpulse".to_owned()), Address::new_dangerous("kpulse", "example.com"));
        let addresses = self.addresses();
        let addresses =
            addresses.unwrap_or_else(|_| Addresses { from: somebody(), reply_to: None, to: vec![somebody()] });
        let letter = letter(notification, &self.links).map_err(|error| error.to_string());
        let message = letter.and_then(|letter| {
            mime::message(&letter, &addresses, letter.happened_at).map_err(|error| error.to_string())
        });
        match message {
            Ok(message) => String::from_utf8_lossy(&message.formatted()).into_owned(),
            Err(error) => error,
        }
    }
}

impl Settings {
    fn host(&self) -> Result<&str, SetupError> {
        let invalid = |fault: &str| SetupError::invalid("smtp_host", fault, "write it like smtp.example.com");
        match secret::set(self.smtp_host.as_ref()) {
            None => Err(invalid("there is no mail server")),
            Some(host) if host.contains([':', '/', ' ']) && host.parse::<std::net::Ipv6Addr>().is_err() => {
                Err(invalid("is not the name of a server: a port belongs in smtp_port"))
            }
            Some(host) => Ok(host),
        }
    }

    fn port(&self) -> u16 {
        match (self.smtp_port, self.tls) {
            (0, Some(Tls::Implicit)) => SUBMISSIONS,
            (0, _) => SUBMISSION,
            (port, _) => port,
        }
    }

    fn from(&self) -> Result<Mailbox, SetupError> {
        match secret::set(self.from.as_ref()) {
            Some(from) => mailbox("from", from),
            None => Err(SetupError::invalid("from", "there is no sender", "write it like kpulse <kpulse@example.com>")),
        }
    }

    fn reply_to(&self) -> Result<Option<Mailbox>, SetupError> {
        secret::set(self.reply_to.as_ref()).map(|reply_to| mailbox("reply_to", reply_to)).transpose()
    }

    fn to(&self) -> Result<Vec<Mailbox>, Vec<SetupError>> {
        let to = self.to.as_deref().unwrap_or_default();
        if to.is_empty() {
            return Err(vec![SetupError::invalid(
                "to",
                "there is nobody to send to",
                "list addresses: [ops@example.com]",
            )]);
        }
        let read = to.iter().enumerate().map(|(number, address)| mailbox(&format!("to.{number}"), address));
        let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        if bad.is_empty() {
            Ok(good.into_iter().flatten().collect())
        } else {
            Err(bad.into_iter().filter_map(Result::err).collect())
        }
    }

    fn addresses(&self) -> Result<Addresses, SetupError> {
        let to = self.to().map_err(|faults| {
            faults.into_iter().next().unwrap_or_else(|| SetupError::invalid("to", "is empty", "list addresses"))
        });
        Ok(Addresses { from: self.from()?, reply_to: self.reply_to()?, to: to? })
    }

    fn login(&self, secrets: &Secrets) -> Result<Option<Login>, SetupError> {
        let (user, pass) = (secret::set(self.user_from_secret.as_ref()), secret::set(self.pass_from_secret.as_ref()));
        match (user, pass) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Ok(Some(Login {
                name: secret::value("user_from_secret", self.user_from_secret.as_ref(), secrets)?,
                password: secret::value("pass_from_secret", self.pass_from_secret.as_ref(), secrets)?,
            })),
            (Some(_), None) => Err(SetupError::invalid(
                "pass_from_secret",
                "there is user_from_secret without it",
                "name the secret with the password, or remove user_from_secret for a server without a login",
            )),
            (None, Some(_)) => Err(SetupError::invalid(
                "user_from_secret",
                "there is pass_from_secret without it",
                "name the secret with the user, or remove pass_from_secret for a server without a login",
            )),
        }
    }

    fn tls(&self, logs_in: bool) -> Tls {
        let near = self.host().is_ok_and(is_loopback);
        match self.tls {
            Some(tls) => tls,
            None if self.port() == SUBMISSIONS => Tls::Implicit,
            None if logs_in && !near => Tls::StartTls,
            None => Tls::Opportunistic,
        }
    }

    /// Refuses to log in over an open line, except to this machine.
    fn open_line(&self, logs_in: bool) -> Result<(), SetupError> {
        let open = logs_in && self.tls(logs_in) == Tls::None && !self.host().is_ok_and(is_loopback);
        if !open {
            return Ok(());
        }
        Err(SetupError::invalid(
            "tls",
            "the login would go over an open line",
            "set it to starttls or implicit, or remove user_from_secret for a relay that takes mail without a login",
        ))
    }

    fn protection(&self, logs_in: bool) -> Result<Protection, SetupError> {
        let tls = self.tls(logs_in);
        if tls == Tls::None {
            return Ok(Protection::None);
        }
        let mut parameters = TlsParameters::builder(self.host()?.to_owned());
        if let Some(path) = self.ca_file.as_deref() {
            certificates(path)?;
            let added = std::fs::read(path).ok().and_then(|pem| Certificate::from_pem(&pem).ok());
            let added = added.ok_or_else(|| {
                let fault = format!("{}: cannot be read", path.display());
                SetupError::invalid("ca_file", fault, "name a file of PEM certificates that is mounted into the Pod")
            })?;
            parameters = parameters.add_root_certificate(added);
        }
        let parameters = parameters.build().map_err(|error| {
            let remedy = "add the system's certificates to the image, or name a ca_file";
            SetupError::invalid("tls", format!("cannot be set up: {error}"), remedy)
        })?;
        Ok(match tls {
            Tls::StartTls => Protection::StartTls(parameters),
            Tls::Opportunistic => Protection::Opportunistic(parameters),
            Tls::Implicit => Protection::Implicit(parameters),
            Tls::None => Protection::None,
        })
    }

    /// Servers that check it want a full name: a Pod's own has no domain.
    fn hello(&self) -> Result<ClientId, SetupError> {
        let plain =
            |name: &str| name.len() <= 253 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(c));
        match (secret::set(self.helo.as_ref()), ClientId::default()) {
            (Some(name), _) if plain(name) => Ok(ClientId::Domain(name.to_owned())),
            (Some(_), _) => {
                Err(SetupError::invalid("helo", "is no name of a machine", "write it like kpulse.example.com"))
            }
            (None, ClientId::Domain(name)) if name.contains('.') && plain(&name) => Ok(ClientId::Domain(name)),
            (None, _) => Ok(ClientId::Domain(
                self.from().map_or_else(|_| "localhost".to_owned(), |from| from.email.domain().to_owned()),
            )),
        }
    }
}

/// An address, with a name before it or without. The name may hold anything: it is quoted when it is sent.
fn mailbox(setting: &str, text: &str) -> Result<Mailbox, SetupError> {
    let (name, address) = match text.trim().strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => (text::line(name.trim().trim_matches('"')), address),
        None => (String::new(), text),
    };
    let address: Address = address.trim().parse().map_err(|_| {
        let remedy = "write it like ops@example.com, or Ops <ops@example.com>";
        SetupError::invalid(setting, format!("{text:?} is not an address"), remedy)
    })?;
    if !AsRef::<str>::as_ref(&address).is_ascii() {
        let remedy = "write the domain as xn--…; what stands before the @ must be ASCII";
        return Err(SetupError::invalid(
            setting,
            format!("{text:?} is not an address that every server takes"),
            remedy,
        ));
    }
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
}

// ---- sending

struct Email {
    relay: Relay,
    addresses: Addresses,
    links: Links,
    clock: Clock,
}

#[async_trait]
impl Notifier for Email {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let unwritten =
            |error: &dyn std::fmt::Display| DeliveryError::Refused { cause: format!("cannot be written: {error}") };
        let letter = letter(notification, &self.links).map_err(|error| unwritten(&error))?;
        let message = mime::message(&letter, &self.addresses, (self.clock)()).map_err(|error| unwritten(&error))?;
        let taken = self.relay.send(message.envelope(), &message.formatted()).await?;
        for refused in &taken.refused {
            tracing::warn!(channel = %notification.channel, %refused, "a recipient did not get the mail, the others did");
        }
        Ok(Accepted { message_id: Some(letter.root().to_owned()) })
    }
}

#[cfg(test)]
mod tests;
