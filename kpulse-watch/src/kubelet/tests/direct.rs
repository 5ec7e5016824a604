//! Kubelets at their own addresses: whom they are believed to be, and who we are to them.

use std::sync::Arc;

use kube::Config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::line::{Fault, Kubelets};
use super::super::nodes::Node;

/// The cluster's authority, which signs certificates.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    authority_named("kubernetes")
}

fn authority_named(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A kubelet whose certificate is for this address, signed by this authority. It asks for the token `s3cr3t`.
async fn kubelet(signer: &CertifiedIssuer<'static, KeyPair>, address: &str) -> Node {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![address.to_owned()]).unwrap().signed_by(&key, signer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
    Node { name: "worker-1".into(), address: Some("127.0.0.1".to_owned()), port, is_unready: false }
}

/// Answers one request per connection; a client that breaks off is the client's business.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let answered = async {
            let mut stream = BufReader::new(acceptor.accept(stream).await?);
            let (mut request, mut line) = (String::new(), String::new());
            while stream.read_line(&mut line).await? > 2 {
                request.push_str(&std::mem::take(&mut line));
            }
            let (asks, knows) =
                (request.starts_with("GET /stats/summary "), request.contains("authorization: Bearer s3cr3t"));
            let answer = match (asks, knows) {
                (false, _) => "404 Not Found\r\n\r\n",
                (_, false) => "401 Unauthorized\r\n\r\n",
                _ => "200 OK\r\nconnection: close\r\n\r\n{\"node\": {\"nodeName\": \"worker-1\"}, \"pods\": []}",
            };
            stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await?;
            stream.shutdown().await
        };
        drop(answered.await);
    }
}

/// The settings of a cluster with this authority, as a kubeconfig for this user gives them.
fn config(authority: &CertifiedIssuer<'static, KeyPair>, token: &str) -> Config {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut config = Config::new("https://api.example.com".parse().unwrap());
    config.root_cert = Some(vec![authority.der().to_vec()]);
    config.auth_info.token = Some(token.to_owned().into());
    // Both are about the API server alone.
    config.accept_invalid_certs = true;
    config.tls_server_name = Some("api.example.com".to_owned());
    config
}

#[tokio::test]
async fn a_kubelet_with_a_certificate_of_the_cluster_is_read_with_our_token() {
    let authority = authority();
    let node = kubelet(&authority, "127.0.0.1").await;
    let kubelets = Kubelets::direct(&config(&authority, "s3cr3t"), false).unwrap();
    assert_eq!(kubelets.read(&node).await.unwrap().node, "worker-1");
    let stranger = Kubelets::direct(&config(&authority, "other"), false).unwrap();
    let fault = stranger.read(&node).await.unwrap_err();
    assert_eq!(fault.to_string(), "the kubelet does not know this ServiceAccount (401)");
}

#[tokio::test]
async fn a_kubelet_that_signed_its_own_certificate_is_not_believed_unless_the_user_says_so() {
    let (ours, another) = (authority(), authority_named("worker-1-ca"));
    let node = kubelet(&another, "127.0.0.1").await;
    let fault = Kubelets::direct(&config(&ours, "s3cr3t"), false).unwrap().read(&node).await.unwrap_err();
    let text = fault.to_string();
    for words in ["the kubelet's certificate is not one of this cluster (", "UnknownIssuer", "kubelet.insecure_tls"] {
        assert!(text.contains(words), "{text}");
    }
    let kubelets = Kubelets::direct(&config(&ours, "s3cr3t"), true).unwrap();
    assert_eq!(kubelets.read(&node).await.unwrap().node, "worker-1");
}

#[tokio::test]
async fn a_certificate_for_another_address_is_not_believed() {
    let authority = authority();
    let node = kubelet(&authority, "10.0.0.7").await;
    let fault = Kubelets::direct(&config(&authority, "s3cr3t"), false).unwrap().read(&node).await.unwrap_err();
    assert!(matches!(fault, Fault::Untrusted(_)), "{fault}");
}

#[tokio::test]
async fn a_kubelet_that_is_not_there_is_said() {
    let authority = authority();
    let kubelets = Kubelets::direct(&config(&authority, "s3cr3t"), false).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let gone = Node { name: "worker-1".into(), address: Some("127.0.0.1".to_owned()), port, is_unready: false };
    let fault = kubelets.read(&gone).await.unwrap_err();
    assert!(fault.to_string().starts_with("cannot be reached: Connection refused"), "{fault}");
    let nowhere = Node { address: None, ..gone };
    assert!(matches!(kubelets.read(&nowhere).await, Err(Fault::NoAddress)));
}

#[tokio::test]
async fn an_ipv6_address_is_written_as_one() {
    let authority = authority();
    let kubelets = Kubelets::direct(&config(&authority, "s3cr3t"), false).unwrap();
    let node = Node { name: "worker-1".into(), address: Some("::1".to_owned()), port: 1, is_unready: false };
    assert!(matches!(kubelets.read(&node).await, Err(Fault::Unreachable(_))));
}
