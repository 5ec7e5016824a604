//! One conversation with a client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Command, Does, Encryption, MAX_MAIL, Mail, Shared};

/// The longest line of a command, in bytes.
const MAX_LINE: u64 = 4_096;

/// How long a client may keep silent.
const IDLE: Duration = Duration::from_secs(60);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Line = BufReader<Box<dyn Stream>>;

struct Session {
    line: Line,
    shared: Arc<Shared>,
    /// What is known of the client, and the mail it is about to send.
    draft: Mail,
    draft_begun: bool,
}

/// Whether the conversation goes on.
enum Next {
    Continue,
    StartTls,
    HangUp,
}

pub(super) async fn run(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let implicit = shared.settings.encryption == Encryption::Implicit;
    let stream: Box<dyn Stream> =
        if implicit { Box::new(shared.certificate.acceptor.accept(stream).await?) } else { Box::new(stream) };
    let mut session = Session { line: BufReader::new(stream), shared, draft: nobody(implicit), draft_begun: false };
    if !session.say(Command::Connect, "", "220 localhost ESMTP kpulse-testkit").await? {
        return Ok(());
    }
    loop {
        let Some(line) = session.listen().await? else { return Ok(()) };
        match session.answer(&line).await? {
            Next::Continue => {}
            Next::HangUp => return session.line.shutdown().await,
            Next::StartTls => {
                let Session { line, shared, .. } = session;
                // Whatever was sent before the handshake is not believed.
                let stream: Box<dyn Stream> = Box::new(shared.certificate.acceptor.accept(line.into_inner()).await?);
                session = Session { line: BufReader::new(stream), shared, draft: nobody(true), draft_begun: false };
            }
        }
    }
}

fn nobody(encrypted: bool) -> Mail {
    let (hello, from, login) = (String::new(), String::new(), None);
    Mail { hello, encrypted, login, from, to: Vec::new(), raw: Vec::new(), wire: Vec::new() }
}

impl Session {
    /// A command's line without its end; nothing when the client has hung up or keeps silent.
    async fn listen(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.line).take(MAX_LINE);
        match timeout(IDLE, limited.read_until(b'\n', &mut line)).await {
            Ok(Ok(length)) if length > 0 => Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned())),
            Ok(Err(error)) => Err(error),
            _ => Ok(None),
        }
    }

    async fn answer(&mut self, line: &str) -> io::Result<Next> {
        let upper = line.to_ascii_uppercase();
        let word = upper.split([' ', ':']).next().unwrap_or_default();
        match word {
            "EHLO" | "HELO" => self.hello(line).await,
            "STARTTLS" if self.offers_tls() => {
                let goes_on = self.say(Command::StartTls, line, "220 2.0.0 go ahead").await?;
                Ok(if goes_on { Next::StartTls } else { Next::Continue })
            }
            "AUTH" if self.offers_login() => self.log_in(line).await,
            "MAIL" if self.must_log_in() => self.reply(Command::Mail, line, "530 5.7.0 Authentication required").await,
            "MAIL" => {
                (self.draft.to, self.draft_begun) = (Vec::new(), true);
                self.draft.from = address(line);
                self.reply(Command::Mail, line, "250 2.1.0 Ok").await
            }
            "RCPT" if self.draft_begun => {
                if self.say(Command::Rcpt, line, "250 2.1.5 Ok").await? {
                    self.draft.to.push(address(line));
                }
                Ok(Next::Continue)
            }
            "DATA" if !self.draft.to.is_empty() => self.data(line).await,
            "QUIT" => {
                self.say(Command::Quit, line, "221 2.0.0 Bye").await?;
                Ok(Next::HangUp)
            }
            "RSET" | "NOOP" => self.reply(Command::Other, line, "250 2.0.0 Ok").await,
            "RCPT" | "DATA" => self.reply(Command::Other, line, "503 5.5.1 Bad sequence of commands").await,
            _ => self.reply(Command::Other, line, "502 5.5.2 Not understood").await,
        }
    }

    async fn hello(&mut self, line: &str) -> io::Result<Next> {
        self.draft.hello = line.split_once(' ').map(|(_, name)| name.to_owned()).unwrap_or_default();
        let mut offers = vec!["localhost greets you".to_owned(), format!("SIZE {MAX_MAIL}"), "8BITMIME".to_owned()];
        if self.offers_tls() {
            offers.push("STARTTLS".to_owned());
        }
        if self.offers_login() {
            offers.push(format!("AUTH {}", self.shared.settings.mechanisms.join(" ")));
        }
        let last = offers.len() - 1;
        let dash = |number| if number == last { ' ' } else { '-' };
        let lines: Vec<_> = offers.iter().enumerate().map(|(n, offer)| format!("250{}{offer}", dash(n))).collect();
        self.reply(Command::Hello, line, &lines.join("\r\n")).await
    }

    async fn log_in(&mut self, line: &str) -> io::Result<Next> {
        let words: Vec<_> = line.split(' ').collect();
        if let Some(does) = self.shared.heard(Command::Auth, line) {
            return Ok(if self.act(does).await? { Next::Continue } else { Next::HangUp });
        }
        let (name, password) = match (words.get(1).copied(), words.get(2).copied()) {
            (Some("PLAIN"), initial) => {
                let response = match initial {
                    Some(response) => response.to_owned(),
                    None => self.ask("").await?,
                };
                let decoded = decode(&response);
                let mut parts = decoded.split('\0').skip(1);
                (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned())
            }
            (Some("LOGIN"), _) => (decode(&self.ask("VXNlcm5hbWU6").await?), decode(&self.ask("UGFzc3dvcmQ6").await?)),
            _ => return self.write("504 5.5.4 Unrecognized authentication type").await,
        };
        if self.shared.settings.login == Some((name.clone(), password)) {
            self.draft.login = Some(name);
            return self.write("235 2.7.0 Authentication successful").await;
        }
        // As some servers do, it repeats what it was told: a client must not.
        self.write(&format!("535 5.7.8 Authentication failed: {line}")).await
    }

    async fn ask(&mut self, challenge: &str) -> io::Result<String> {
        self.write(&format!("334 {challenge}")).await?;
        let line = self.listen().await?.unwrap_or_default();
        self.shared.heard(Command::Other, &line);
        Ok(line)
    }

    async fn data(&mut self, line: &str) -> io::Result<Next> {
        if !self.say(Command::Data, line, "354 End data with <CR><LF>.<CR><LF>").await? {
            return Ok(Next::Continue);
        }
        let (mut raw, mut wire) = (Vec::new(), Vec::new());
        loop {
            let mut piece = Vec::new();
            if (&mut self.line).take(MAX_MAIL as u64 + 2).read_until(b'\n', &mut piece).await? == 0 {
                return Ok(Next::HangUp);
            }
            if piece == b".\r\n" {
                break;
            }
            if wire.len() + piece.len() <= MAX_MAIL {
                raw.extend_from_slice(piece.strip_prefix(b".").unwrap_or(&piece));
                wire.extend_from_slice(&piece);
            } else {
                wire.resize(MAX_MAIL + 1, 0);
            }
        }
        self.draft_begun = false;
        let mail = Mail { raw, wire, ..self.draft.clone() };
        self.draft.to.clear();
        if mail.wire.len() > MAX_MAIL {
            return self.write("552 5.3.4 Message too big").await;
        }
        match self.shared.heard(Command::Content, "") {
            Some(does) => Ok(if self.act(does).await? { Next::Continue } else { Next::HangUp }),
            None => {
                self.shared.accept(mail);
                self.write("250 2.0.0 Ok: queued").await
            }
        }
    }

    /// Answers as usual or as scripted; tells whether it was as usual.
    async fn say(&mut self, command: Command, line: &str, usual: &str) -> io::Result<bool> {
        match self.shared.heard(command, line) {
            None => self.write(usual).await.map(|_| true),
            Some(Does::Send(bytes)) => self.act(Does::Send(bytes)).await,
            Some(does) => {
                let goes_on = self.act(does).await?;
                if goes_on { Ok(false) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
            }
        }
    }

    async fn reply(&mut self, command: Command, line: &str, usual: &str) -> io::Result<Next> {
        self.say(command, line, usual).await.map(|_| Next::Continue)
    }

    /// Does what the script says; tells whether the conversation goes on.
    async fn act(&mut self, does: Does) -> io::Result<bool> {
        match does {
            Does::Reply(code, text) => {
                self.write(&format!("{code} {text}")).await?;
                return Ok(code != 421);
            }
            Does::Hang => std::future::pending::<()>().await,
            Does::Drop => return Ok(false),
            Does::Send(bytes) => self.line.write_all(&bytes).await?,
            Does::Flood => loop {
                self.line.write_all(&[b'x'; 4_096]).await?;
            },
            Does::Usual => {}
        }
        self.line.flush().await?;
        Ok(true)
    }

    async fn write(&mut self, reply: &str) -> io::Result<Next> {
        self.line.write_all(format!("{reply}\r\n").as_bytes()).await?;
        self.line.flush().await?;
        Ok(Next::Continue)
    }

    fn offers_tls(&self) -> bool {
        self.shared.settings.encryption == Encryption::StartTls && !self.draft.encrypted
    }

    fn offers_login(&self) -> bool {
        self.shared.settings.login.is_some() && !self.offers_tls()
    }

    fn must_log_in(&self) -> bool {
        self.shared.settings.login.is_some() && self.draft.login.is_none()
    }
}

/// What stands between `<` and `>`.
fn address(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map(|(address, _)| address.to_owned()).unwrap_or_default()
}

fn decode(text: &str) -> String {
    Base64::decode_vec(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
