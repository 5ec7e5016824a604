//! Where the API server is and who we are there: the first thing that can go wrong, so its errors say most.

use std::path::PathBuf;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::Client;
use kube::client::ClientBuilder;
use kube::config::{Config, InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::clock::{ApiClock, ReadDates};
use crate::kubelet::{KubeletSettings, Kubelets};

/// Where to look for the API server. With nothing said: the cluster this Pod runs in, else the kubeconfig.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The context of the kubeconfig; its current one if nothing is said. Asking for one means the kubeconfig,
    /// even inside a cluster.
    pub context: Option<String>,
    /// The kubeconfig; `$KUBECONFIG`, else `~/.kube/config`, if nothing is said. Naming one means this file,
    /// even inside a cluster.
    pub kubeconfig: Option<PathBuf>,
}

/// An API server and what is known of it before the first request.
#[derive(Clone)]
pub struct Connection {
    /// Speaks to it. Failed requests are not repeated behind the caller's back: whoever asks also backs off.
    pub client: Client,
    /// Where it is, without credentials.
    pub server_url: String,
    /// The namespace of this Pod, or the context's.
    pub default_namespace: String,
    /// The kubeconfig's context; nothing inside a cluster.
    pub context: Option<String>,
    /// Its time, by the answers the client gets.
    pub clock: ApiClock,
    /// Who we are, for those beside the API server who know the same users.
    config: Config,
}

impl Connection {
    /// The same API server, asked as somebody else: `system:serviceaccount:kpulse:kpulse`. It takes the right to
    /// impersonate. Nothing is sent yet.
    ///
    /// # Errors
    /// Where no client can be made.
    pub fn acting_as(&self, user: &str) -> Result<Self, ConnectError> {
        let mut config = self.config.clone();
        config.auth_info.impersonate = Some(user.to_owned());
        build(config, self.context.clone())
    }

    /// The way to the kubelets of this cluster, as the user wants it. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the settings of this cluster cannot be used for them.
    pub fn kubelets(&self, settings: KubeletSettings) -> Result<Kubelets, ConnectError> {
        if settings.via_api_server {
            return Ok(Kubelets::via_api_server(self.client.clone()));
        }
        let failed = |source| ConnectError::Client { server_url: "kubelets".to_owned(), source: Box::new(source) };
        Kubelets::direct(&self.config, settings.insecure_tls).map_err(failed)
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("server_url", &self.server_url)
            .field("default_namespace", &self.default_namespace)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// Why there is nobody to ask. Trying again helps only after somebody changed something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Neither a Pod's service account nor a kubeconfig was found.
    #[error(
        "no cluster to connect to: not inside one ({in_cluster}), and {kubeconfig}; \
         run kpulse in a Pod with a service account, or set KUBECONFIG"
    )]
    Nowhere {
        /// What a Pod's service account lacks.
        in_cluster: Box<InClusterError>,
        /// What is wrong with the kubeconfig.
        #[source]
        kubeconfig: Box<KubeconfigError>,
    },
    /// The kubeconfig that was asked for cannot be used.
    #[error("{place}: {source}; check that the file is there, is valid, and has the context")]
    Kubeconfig {
        /// The file, and the context in it.
        place: String,
        /// What is wrong with it.
        source: Box<KubeconfigError>,
    },
    /// The settings were found, and no client can be made of them.
    #[error("cannot speak to {server_url}: {source}; check the certificates, the proxy and the login of this cluster")]
    Client {
        /// Where the API server is.
        server_url: String,
        /// What is wrong with the settings.
        source: Box<kube::Error>,
    },
}

/// Finds the API server and prepares to speak to it. Nothing is sent yet.
///
/// # Errors
/// Where there are no settings, or they cannot be used. That the server is away is no error here.
pub async fn connect(options: &ConnectOptions) -> Result<Connection, ConnectError> {
    if options.context.is_some() || options.kubeconfig.is_some() {
        let failed = |source| ConnectError::Kubeconfig { place: place(options), source };
        let (config, context) = outside(options).await.map_err(failed)?;
        return build(config, context);
    }
    // The earlier program looked at KUBECONFIG only where there is no service account; so do we.
    match Config::incluster() {
        Ok(config) => build(config, None),
        Err(in_cluster) => {
            let failed = |kubeconfig| ConnectError::Nowhere { in_cluster: Box::new(in_cluster), kubeconfig };
            let (config, context) = outside(options).await.map_err(failed)?;
            build(config, context)
        }
    }
}

async fn outside(options: &ConnectOptions) -> Result<(Config, Option<String>), Box<KubeconfigError>> {
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    }
    .map_err(Box::new)?;
    let context = options.context.clone().or_else(|| kubeconfig.current_context.clone());
    let wanted = KubeConfigOptions { context: options.context.clone(), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &wanted).await.map_err(Box::new)?;
    Ok((config, context))
}

fn build(mut config: Config, context: Option<String>) -> Result<Connection, ConnectError> {
    config.default_retry = false;
    let name = HeaderValue::from_static(concat!("kpulse/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, name));
    let server_url = printable(&config.cluster_url);
    let default_namespace = config.default_namespace.clone();
    let clock = ApiClock::default();
    let builder = ClientBuilder::try_from(config.clone())
        .map_err(|source| ConnectError::Client { server_url: server_url.clone(), source: Box::new(source) })?;
    let client = builder.with_layer(&ReadDates(clock.clone())).build();
    Ok(Connection { client, server_url, default_namespace, context, clock, config })
}

fn place(options: &ConnectOptions) -> String {
    let file = match &options.kubeconfig {
        Some(path) => format!("kubeconfig {}", path.display()),
        None => "the default kubeconfig".to_owned(),
    };
    match &options.context {
        Some(context) => format!("{file}, context {context}"),
        None => file,
    }
}

/// The URL without the user and password it may hold.
fn printable(url: &http::Uri) -> String {
    let scheme = url.scheme_str().unwrap_or("https");
    let host = url.host().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("kpulse-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        path
    }

    const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: c, cluster: {server: "http://user:secret@127.0.0.1:6443"}}]
contexts:
- {name: here, context: {cluster: c, user: u, namespace: shop}}
- {name: there, context: {cluster: c, user: u}}
users: [{name: u, user: {}}]
"#;

    #[tokio::test]
    async fn a_named_kubeconfig_is_used_with_its_current_context() {
        let kubeconfig = Some(file("current", KUBECONFIG));
        let connection = connect(&ConnectOptions { kubeconfig, context: None }).await.unwrap();
        assert_eq!(connection.default_namespace, "shop");
        assert_eq!(connection.context.as_deref(), Some("here"));
        assert_eq!(connection.server_url, "http://127.0.0.1:6443");
    }

    #[tokio::test]
    async fn a_missing_context_is_named_with_its_file() {
        let kubeconfig = Some(file("missing", KUBECONFIG));
        let error = connect(&ConnectOptions { kubeconfig, context: Some("nowhere".to_owned()) }).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("context nowhere") && text.contains("missing"), "{text}");
    }

    #[tokio::test]
    async fn a_missing_file_is_named() {
        let kubeconfig = Some(PathBuf::from("/nowhere/kubeconfig"));
        let error = connect(&ConnectOptions { kubeconfig, context: None }).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/kubeconfig"), "{error}");
    }

    #[tokio::test]
    async fn whoever_acts_as_somebody_else_says_so_to_the_server() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let kubeconfig = Some(file("acting", &KUBECONFIG.replace("http://user:secret@127.0.0.1:6443", &server)));
        let connection = connect(&ConnectOptions { kubeconfig, context: None }).await.unwrap();
        let other = connection.acting_as("system:serviceaccount:kpulse:kpulse").unwrap();
        let asking = tokio::spawn(async move { other.client.apiserver_version().await.map(drop) });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        assert!(asking.await.unwrap().is_err());
        let head = String::from_utf8_lossy(&head[..length]).to_lowercase();
        assert!(head.contains("impersonate-user: system:serviceaccount:kpulse:kpulse\r\n"), "{head}");
    }
}
