//! A mail server that takes mail, remembers it, and misbehaves when told to.
//!
//! It speaks plainly, offers STARTTLS or speaks TLS from the first byte, asks for a login by PLAIN or LOGIN or for none,
//! and listens on loopback only. Its certificate is its own: [`SmtpSink::certificate`] is what a client must be told to
//! trust.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use kpulse_testkit::smtp::{Command, Does, Encryption, SmtpSettings, SmtpSink};
//!
//! let settings = SmtpSettings { encryption: Encryption::StartTls, ..SmtpSettings::default() };
//! let sink = SmtpSink::start(settings).await.unwrap();
//! sink.script(Command::Rcpt, [Does::reply(450, "4.2.0 greylisted")]); // then as usual
//!
//! let port = sink.port(); // into the channel's configuration
//! # assert!(port > 0);
//! // … the channel sends …
//! assert_eq!(sink.mails(), []);
//! # });
//! ```
//!
//! # Memory
//!
//! Mail over 1 MiB is refused with 552. The oldest of 1,000 mails and of 10,000 command lines make room for the next.

mod script;
mod session;
mod tls;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use script::Scripts;
pub use script::{Command, Does};
use tls::Certificate;

/// The most mails that are remembered.
pub const CAPACITY: usize = 1_000;

/// The largest mail that is taken, in bytes.
pub const MAX_MAIL: usize = 1 << 20;

/// The most command lines that are remembered.
const MAX_COMMANDS: usize = 10_000;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    #[default]
    None,
    /// From when the client asks for it. A login is offered only then.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// What kind of server it is.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// How connections are protected.
    pub encryption: Encryption,
    /// Who may send, by name and password; anybody without a login if nobody is named.
    pub login: Option<(String, String)>,
    /// How a login may be made.
    pub mechanisms: Vec<&'static str>,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self { encryption: Encryption::None, login: None, mechanisms: vec!["PLAIN", "LOGIN"] }
    }
}

/// One mail that was accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// How the client called itself.
    pub hello: String,
    /// Whether the connection was encrypted.
    pub encrypted: bool,
    /// Who was logged in.
    pub login: Option<String>,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients, those that were refused left out.
    pub to: Vec<String>,
    /// The mail as its author wrote it.
    pub raw: Vec<u8>,
    /// The same as it came over the wire: a dot before each line that starts with one.
    pub wire: Vec<u8>,
}

impl Mail {
    /// The mail as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// The value of a header, unfolded; the first one, where there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (head, _body) = text.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, raw, .. } = self;
        f.debug_struct("Mail").field("from", from).field("to", to).field("bytes", &raw.len()).finish_non_exhaustive()
    }
}

/// A mail server that listens until it is dropped.
pub struct SmtpSink {
    port: u16,
    certificate: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What sessions share with the handle.
struct Shared {
    settings: SmtpSettings,
    certificate: Certificate,
    desk: Mutex<Desk>,
    /// How many mails came; whoever waits for one waits for this to move.
    arrived: watch::Sender<u64>,
}

#[derive(Default)]
struct Desk {
    mails: VecDeque<Mail>,
    commands: VecDeque<String>,
    connections: usize,
    scripts: Scripts,
}

/// Why a sink could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// No port could be bound.
    #[error("no port on loopback: {0}")]
    Listen(#[from] io::Error),
    /// No certificate could be made.
    #[error("no certificate: {0}")]
    Certificate(String),
}

impl SmtpSink {
    /// Listens on a free port of `127.0.0.1`, as `localhost`.
    ///
    /// # Errors
    ///
    /// When there is no port, or no certificate can be made.
    pub async fn start(settings: SmtpSettings) -> Result<Self, SmtpError> {
        let certificate = Certificate::generate()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let pem = certificate.pem.clone();
        let (desk, arrived) = (Mutex::default(), watch::Sender::new(0));
        let shared = Arc::new(Shared { settings, certificate, desk, arrived });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { port, certificate: pem, shared, server })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate for `localhost`, as PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Answers the next commands of this kind as told, one each, after those already queued; then as usual.
    pub fn script(&self, command: Command, does: impl IntoIterator<Item = Does>) {
        self.shared.desk().scripts.queue(command, does);
    }

    /// Every mail that was accepted, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.desk().mails.iter().cloned().collect()
    }

    /// Every line that clients sent outside of mails, oldest first. Logins are among them.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.shared.desk().commands.iter().cloned().collect()
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.desk().connections
    }

    /// Whether `count` mails have come, or come within this time.
    pub async fn wait_for(&self, count: u64, within: Duration) -> bool {
        let mut arrived = self.shared.arrived.subscribe();
        tokio::time::timeout(within, arrived.wait_for(|so_far| *so_far >= count)).await.is_ok()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for SmtpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSink").field("port", &self.port).field("mails", &self.mails().len()).finish_non_exhaustive()
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A test that panicked while it looked left nothing half done.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a command line and says what is done about it.
    fn heard(&self, command: Command, line: &str) -> Option<Does> {
        let mut desk = self.desk();
        if desk.commands.len() == MAX_COMMANDS {
            desk.commands.pop_front();
        }
        if !line.is_empty() {
            desk.commands.push_back(line.to_owned());
        }
        desk.scripts.take(command)
    }

    fn accept(&self, mail: Mail) {
        let mut desk = self.desk();
        if desk.mails.len() == CAPACITY {
            desk.mails.pop_front();
        }
        desk.mails.push_back(mail);
        drop(desk);
        self.arrived.send_modify(|count| *count += 1);
    }
}

/// Takes connections until it is aborted, and ends their sessions then.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                shared.desk().connections += 1;
                sessions.spawn(session::run(stream, Arc::clone(&shared)));
            }
            // A session that ended badly was the client's business.
            Some(_) = sessions.join_next() => {}
            else => return,
        }
    }
}
