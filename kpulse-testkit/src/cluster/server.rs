//! The cluster as a service: called in process, or over TCP.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::{BoxError, Router};
use bytes::Bytes;
use http::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tower::{Service, ServiceExt};

use super::FakeCluster;
use super::partition::{Connection, Partition};

/// How long a stopping server waits for answers under way.
const PATIENCE: Duration = Duration::from_secs(1);

/// Marks a response that must not be given: the connection ends instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HungUp;

/// The connection ended without an answer, because a fault said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection was closed before an answer came")]
pub struct Disconnected;

impl From<Infallible> for Disconnected {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The router, with hung-up responses as errors.
pub(crate) fn service<B>(
    router: Router,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Disconnected, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    ServiceExt::<Request<B>>::map_result(router, |result: Result<Response<Body>, Infallible>| match result {
        Ok(response) if response.extensions().get::<HungUp>().is_some() => Err(Disconnected),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    })
}

/// A cluster that listens. Dropping it is [`kill`](Self::kill) without waiting for the end.
#[derive(Debug)]
pub struct ClusterServer {
    cluster: FakeCluster,
    address: SocketAddr,
    network: Partition,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl ClusterServer {
    /// Listens on this address; port 0 takes any that is free.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub(crate) async fn start(cluster: FakeCluster, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let network = Partition::default();
        let task = tokio::spawn(listen(listener, cluster.router(), network.clone(), stopped));
        Ok(Self { cluster, address, network, stop: Some(stop), task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A kubeconfig, as YAML, whose only context is this cluster.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             current-context: fake\n\
             clusters:\n\
             - name: fake\n  cluster:\n    server: {}\n\
             contexts:\n\
             - name: fake\n  context:\n    cluster: fake\n    user: fake\n\
             users:\n\
             - name: fake\n  user: {{}}\n",
            self.url()
        )
    }

    /// Cuts this server off: connections can be made and stay open, but nothing moves over them in either direction. Of
    /// two programs that each have a server of their own on one cluster, one can so be parted from it.
    pub fn part(&self) {
        self.network.part();
    }

    /// Ends what [`part`](Self::part) began: what was on its way arrives now.
    pub fn mend(&self) {
        self.network.mend();
    }

    /// Takes no more connections, ends all watches of the cluster, and waits up to a second for answers under way.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // A listener that is gone already needs no telling.
            let _gone = stop.send(());
        }
        self.cluster.close_watches();
        let _ended = tokio::time::timeout(PATIENCE * 2, &mut self.task).await;
    }

    /// Ends all connections at once, as a server that dies. Afterwards its port is free.
    pub async fn kill(mut self) {
        self.task.abort();
        let _ended = (&mut self.task).await;
    }
}

impl Drop for ClusterServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, router: Router, network: Partition, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    // Aborted with this task, when the set is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let stream = Connection { stream, network: network.clone() };
                    connections.spawn(graceful.watch(connection(stream, router.clone())));
                }
                // Out of file descriptors, most likely: some will be free in a moment.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    let _in_time = tokio::time::timeout(PATIENCE, graceful.shutdown()).await;
    connections.shutdown().await;
}

fn connection(
    stream: Connection,
    router: Router,
) -> impl GracefulConnection<Error = BoxError, Output = Result<(), BoxError>> {
    let service = TowerToHyperService::new(service(router));
    auto::Builder::new(TokioExecutor::new()).http1_only().serve_connection(TokioIo::new(stream), service).into_owned()
}
