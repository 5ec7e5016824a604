//! How one kubelet is asked: at its own address, or by way of the API server.

use std::error::Error;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kpulse_core::Name;
use kpulse_core::facts::SummaryFacts;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tokio::time::timeout;
use tower::{BoxError, ServiceBuilder};

use super::nodes::Node;

/// One that takes longer does not answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// A summary of 500 Pods takes about 2 MB.
const LIMIT: usize = 16 << 20;

/// The way to the kubelets of a cluster.
#[derive(Clone)]
pub struct Kubelets {
    client: Client,
    road: Road,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Road {
    Direct,
    ApiServer,
}

impl std::fmt::Debug for Kubelets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubelets").field("road", &self.road).finish_non_exhaustive()
    }
}

/// Why a kubelet could not be read. All of it can be tried again; where people must do something it says what.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the node names no InternalIP")]
    NoAddress,
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Silent,
    #[error(
        "the kubelet's certificate is not one of this cluster ({0}); have the cluster sign the certificates of kubelets \
         (serverTLSBootstrap), or set kubelet.via_api_server or kubelet.insecure_tls"
    )]
    Untrusted(String),
    #[error("{who} does not know this ServiceAccount (401)")]
    Unknown { who: &'static str },
    #[error("{who} refuses (403); grant `get` on `{right}`")]
    Forbidden { who: &'static str, right: &'static str },
    #[error("{who} answered {code}")]
    Answered { who: &'static str, code: u16 },
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("the summary is larger than {} MiB", LIMIT >> 20)]
    TooLarge,
    #[error("the answer is no summary")]
    Unreadable,
    #[error("another node answers at its address: {0}")]
    AnotherNode(Name),
}

impl Kubelets {
    /// By way of the API server, as whom this client is.
    #[must_use]
    pub fn via_api_server(client: Client) -> Self {
        Self { client, road: Road::ApiServer }
    }

    /// At their own addresses, with the credentials for the API server. A kubelet must show a certificate of the
    /// cluster's authority for its address, unless `insecure_tls` says to believe anybody.
    ///
    /// One stack serves all: the token and the authority are read again as they change, and a login program is not run
    /// for each node.
    pub(crate) fn direct(config: &Config, insecure_tls: bool) -> Result<Self, kube::Error> {
        // That the API server may be anybody, or is called by another name, says nothing of kubelets.
        let mut config = config.clone();
        config.accept_invalid_certs = insecure_tls;
        config.tls_server_name = None;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let https = config.rustls_https_connector_with_connector(connector)?;
        // Minutes pass until the next read: connections are not kept.
        let mut http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
        let http = http.pool_max_idle_per_host(0).build::<_, Body>(https);
        let service = ServiceBuilder::new()
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(http);
        let client = ClientBuilder::new(service, &config.default_namespace).build();
        Ok(Self { client, road: Road::Direct })
    }

    /// What this node's kubelet says now.
    pub(super) async fn read(&self, node: &Node) -> Result<SummaryFacts, Fault> {
        let summary = timeout(TIMEOUT, self.fetch(node)).await.map_err(|_| Fault::Silent)??;
        if summary.node != node.name {
            return Err(if summary.node.is_empty() { Fault::Unreadable } else { Fault::AnotherNode(summary.node) });
        }
        Ok(summary)
    }

    async fn fetch(&self, node: &Node) -> Result<SummaryFacts, Fault> {
        let request = http::Request::get(self.road.address(node)?).body(Body::empty());
        let request = request.map_err(|_| Fault::NoAddress)?;
        let response = self.client.send(request).await.map_err(|error| Fault::of(&error))?;
        let (who, right) = self.road.names();
        match response.status().as_u16() {
            200 => {}
            401 => return Err(Fault::Unknown { who }),
            403 => return Err(Fault::Forbidden { who, right }),
            code => return Err(Fault::Answered { who, code }),
        }
        let body = Limited::new(response.into_body(), LIMIT).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Fault::TooLarge,
            None => Fault::Unreachable(innermost(&*error)),
        })?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| Fault::Unreadable)
    }
}

impl Road {
    fn address(self, node: &Node) -> Result<String, Fault> {
        Ok(match (self, &node.address) {
            (Self::ApiServer, _) => format!("/api/v1/nodes/{}/proxy/stats/summary", node.name),
            (Self::Direct, Some(v6)) if v6.contains(':') => format!("https://[{v6}]:{}/stats/summary", node.port),
            (Self::Direct, Some(ip)) => format!("https://{ip}:{}/stats/summary", node.port),
            (Self::Direct, None) => return Err(Fault::NoAddress),
        })
    }

    /// Who answers, and what it takes to be let in.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Direct => ("the kubelet", "nodes/stats"),
            Self::ApiServer => ("the API server", "nodes/proxy"),
        }
    }
}

impl Fault {
    fn of(error: &kube::Error) -> Self {
        match tls_fault(error) {
            Some(rustls::Error::InvalidCertificate(fault)) => Self::Untrusted(fault.to_string()),
            _ => Self::Unreachable(innermost(error)),
        }
    }
}

/// The TLS library's own error. It comes inside one of I/O, which does not count it among its causes.
fn tls_fault<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inside = |error: &'a std::io::Error| error.get_ref().and_then(|inner| tls_fault(inner));
    error
        .downcast_ref()
        .or_else(|| error.downcast_ref().and_then(inside))
        .or_else(|| error.source().and_then(tls_fault))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, |cause| cause.to_string().chars().take(200).collect())
}
