//! A channel behind a certificate that no platform knows: `ca_file` is what makes it known.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::path::PathBuf;
use std::sync::Arc;

use kpulse_notify::{
    Channels, DeliveryError, Http, HttpSettings, Notifier, Secrets, example, install_crypto, wall_clock,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server with a certificate of its own making, and the file that holds it.
struct Private {
    port: u16,
    ca_file: PathBuf,
}

impl Private {
    async fn start() -> Self {
        install_crypto();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ca_file = std::env::temp_dir().join(format!("kpulse-notify-{}-{port}.pem", std::process::id()));
        std::fs::write(&ca_file, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
        Self { port, ca_file }
    }

    fn notifier(&self, ca_file: bool) -> Box<dyn Notifier> {
        let url = format!("https://localhost:{}/alerts", self.port);
        let ca_file = ca_file.then_some(&self.ca_file);
        let channels = json!({"webhook": {"url": url, "ca_file": ca_file}});
        let channels: Channels = serde_json::from_value(channels).unwrap();
        let http = HttpSettings { proxies: false, ..HttpSettings::default() };
        let http = Http::new(http, wall_clock()).unwrap();
        let (name, settings) = channels.iter().next().unwrap();
        settings.notifier(name, &Secrets::default(), &http).unwrap()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        std::fs::remove_file(&self.ca_file).ok();
    }
}

/// Takes one request per connection and accepts it; a client that breaks off is the client's business.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let answered = async {
            let mut stream = BufReader::new(acceptor.accept(stream).await?);
            let mut line = String::new();
            while stream.read_line(&mut line).await? > 2 {
                line.clear();
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await?;
            stream.shutdown().await
        };
        drop(answered.await);
    }
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_its_file_is_named() {
    let private = Private::start().await;
    private.notifier(true).deliver(&example::firing()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_authority_is_a_failure_that_says_so() {
    let private = Private::start().await;
    let error = private.notifier(false).deliver(&example::firing()).await.unwrap_err();
    assert!(matches!(&error, DeliveryError::Transient { cause, .. } if cause.contains("certificate")), "{error:?}");
}
