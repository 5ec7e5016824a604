//! The mail server as a client sees it, line by line.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use kpulse_testkit::smtp::{Command, Does, Encryption, MAX_MAIL, SmtpSettings, SmtpSink};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

struct Client(BufReader<TcpStream>);

impl Client {
    async fn greet(sink: &SmtpSink) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", sink.port())).await.unwrap();
        let mut client = Self(BufReader::new(stream));
        assert!(client.reply().await.starts_with("220 "));
        client.says("EHLO there", "250 ").await;
        client
    }

    /// The last line of a reply.
    async fn reply(&mut self) -> String {
        let mut line = String::new();
        while self.0.read_line(&mut line).await.unwrap() > 0 && line.as_bytes().get(3) == Some(&b'-') {
            line.clear();
        }
        line.trim_end().to_owned()
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    async fn says(&mut self, line: &str, expect: &str) {
        self.send(&format!("{line}\r\n")).await;
        let reply = self.reply().await;
        assert!(reply.starts_with(expect), "{line:.60}: {reply}");
    }

    async fn address(&mut self) {
        self.says("MAIL FROM:<a@example.com>", "250 2.1.0").await;
        self.says("RCPT TO:<b@example.com>", "250 2.1.5").await;
    }
}

async fn open() -> SmtpSink {
    SmtpSink::start(SmtpSettings::default()).await.unwrap()
}

#[tokio::test]
async fn a_mail_is_remembered_as_it_was_written_and_as_it_came() {
    let sink = open().await;
    let mut client = Client::greet(&sink).await;
    client.says("DATA", "503").await;
    client.says("RCPT TO:<b@example.com>", "503").await;
    client.address().await;
    client.says("RCPT TO:<c@example.com>", "250").await;
    client.says("DATA", "354").await;
    client.says("Subject: folded\r\n here\r\n\r\n..dot\r\n.", "250 2.0.0").await;
    client.says("QUIT", "221").await;
    let mails = sink.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((mail.hello.as_str(), mail.from.as_str(), mail.encrypted), ("there", "a@example.com", false));
    assert_eq!(mail.to, ["b@example.com", "c@example.com"]);
    assert_eq!(mail.header("subject").as_deref(), Some("folded here"));
    assert!(mail.text().ends_with("\r\n.dot\r\n") && mail.wire.ends_with(b"\r\n..dot\r\n"));
    assert_eq!(sink.connections(), 1);
}

#[tokio::test]
async fn a_command_is_answered_as_scripted_once() {
    let sink = open().await;
    sink.script(Command::Rcpt, [Does::reply(550, "5.1.1 nobody"), Does::Usual]);
    sink.script(Command::Content, [Does::reply(452, "4.3.1 full")]);
    let mut client = Client::greet(&sink).await;
    client.says("MAIL FROM:<a@example.com>", "250").await;
    client.says("RCPT TO:<b@example.com>", "550 5.1.1 nobody").await;
    client.says("RCPT TO:<b@example.com>", "250").await;
    client.says("DATA", "354").await;
    client.says("x\r\n.", "452").await;
    assert_eq!(sink.mails(), []);
    client.address().await;
    client.says("DATA", "354").await;
    client.says("x\r\n.", "250").await;
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test]
async fn whoever_is_told_421_is_hung_up_on() {
    let sink = open().await;
    sink.script(Command::Mail, [Does::reply(421, "4.7.0 try later")]);
    let mut client = Client::greet(&sink).await;
    client.says("MAIL FROM:<a@example.com>", "421").await;
    let mut rest = String::new();
    client.0.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "");
}

#[tokio::test]
async fn a_login_is_needed_where_one_is_named() {
    let login = Some(("ops".to_owned(), "pw".to_owned()));
    let sink = SmtpSink::start(SmtpSettings { login, ..SmtpSettings::default() }).await.unwrap();
    let mut client = Client::greet(&sink).await;
    client.says("MAIL FROM:<a@example.com>", "530").await;
    client.says("AUTH PLAIN AG9wcwB4", "535").await;
    client.says("AUTH LOGIN", "334").await;
    client.says("b3Bz", "334").await;
    client.says("cHc=", "235").await;
    client.says("MAIL FROM:<a@example.com>", "250").await;
    let mut other = Client::greet(&sink).await;
    other.says("AUTH PLAIN AG9wcwBwdw==", "235").await;
}

#[tokio::test]
async fn a_login_is_offered_only_once_the_line_is_encrypted() {
    let login = Some(("ops".to_owned(), "pw".to_owned()));
    let settings = SmtpSettings { encryption: Encryption::StartTls, login, ..SmtpSettings::default() };
    let sink = SmtpSink::start(settings).await.unwrap();
    let mut client = Client::greet(&sink).await;
    client.says("AUTH PLAIN AG9wcwBwdw==", "502").await;
    client.says("STARTTLS", "220").await;
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused() {
    let sink = open().await;
    let mut client = Client::greet(&sink).await;
    client.address().await;
    client.says("DATA", "354").await;
    client.send(&"x".repeat(MAX_MAIL)).await;
    client.says("\r\n.", "552").await;
    client.says("NOOP", "250").await;
    assert_eq!(sink.mails(), []);
}
