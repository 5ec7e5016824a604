//! An API server in this process.
//!
//! [`FakeCluster`] answers as a Kubernetes API server does, for the kinds a cluster has from the start: lists with
//! pages, watches with bookmarks and a history that expires, streaming lists, selectors, patches, conflicts, the
//! status subresource, finalizers, access reviews, container logs and kubelet summaries. It knows nothing of what
//! controllers do: no scheduler, no kubelet, no garbage collection. The test plays those, with
//! [`apply`](FakeCluster::apply), [`patch`](FakeCluster::patch) and [`delete`](FakeCluster::delete).
//!
//! # In process, with virtual time
//!
//! [`FakeCluster::service`] is what `kube::Client::new` takes. No socket is involved and all waiting is tokio's, so a
//! test that pauses the clock plays hours of watching in milliseconds:
//!
//! ```
//! use kpulse_testkit::cluster::FakeCluster;
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = FakeCluster::new();
//! cluster.apply(json!({
//!     "apiVersion": "v1", "kind": "Pod",
//!     "metadata": { "namespace": "shop", "name": "web-1" },
//!     "status": { "phase": "Running" },
//! }))?;
//!
//! // let client = kube::Client::new(cluster.service(), "default");
//! assert_eq!(cluster.get("Pod", "shop", "web-1").unwrap()["status"]["phase"], "Running");
//! assert!(cluster.requests().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Over TCP
//!
//! [`FakeCluster::serve`] listens on a free port, and gives a kubeconfig for `kubectl` or the program under test. It can
//! be called again: each server is a way of its own to the same cluster, and [can be cut](ClusterServer::part).
//!
//! # When things go wrong
//!
//! [`inject`](FakeCluster::inject) a [`Fault`], [`forbid`](FakeCluster::forbid) by a [`Denial`],
//! [`compact`](FakeCluster::compact) the history, end or silence open watches, hide API groups; and count what was
//! asked with [`requests`](FakeCluster::requests).
//!
//! # What it costs
//!
//! An object is kept as its JSON text. Lists and watches share it; a page costs nothing between requests. History is
//! bounded by [`ClusterSettings::history`].
//!
//! # What it leaves out
//!
//! Validation of specs, field ownership, defaulting, admission, garbage collection by owner, the existence of
//! namespaces (objects may stand in one that is not there), the subresources `scale`, `eviction` and `binding`,
//! `follow` of logs. Answers are JSON: no protobuf, no tables. `kubectl` gets along with that, but for the few commands
//! that send protobuf (`create configmap`, `auth can-i`).

mod access;
mod clock;
mod discovery;
mod events;
mod faults;
mod hand;
mod kubelet;
mod list;
mod object;
mod objects;
mod partition;
mod patch;
mod query;
mod requests;
mod resources;
mod routes;
mod selectors;
mod server;
mod settings;
mod shape;
mod status;
mod store;
mod target;
mod watch;
mod writes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, HttpBody};
use axum::{BoxError, Router};
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use tower::Service;

pub use access::Denial;
pub use faults::{Disturbance, Fault};
pub use requests::{RecordedRequest, Requests};
pub use resources::Resource;
pub use server::{ClusterServer, Disconnected};
pub use settings::{ClusterSettings, Expiry, PodDeletion, StreamingLists};
pub use status::StatusError;

use clock::Clock;
use resources::Catalogue;
use watch::Command;

/// A Kubernetes API server in this process. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub struct FakeCluster {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    settings: ClusterSettings,
    catalogue: Catalogue,
    clock: Clock,
    store: Mutex<store::Store>,
    access: Mutex<access::Access>,
    faults: Mutex<faults::Faults>,
    hidden: Mutex<discovery::HiddenGroups>,
    kubelets: Mutex<kubelet::Kubelets>,
    requests: Mutex<requests::RequestLog>,
    watches: Mutex<watch::Watches>,
}

/// A test that failed while it held the lock must not fail the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for FakeCluster {
    fn default() -> Self {
        Self::new()
    }
}

/// Making one, and reaching it.
impl FakeCluster {
    /// An empty cluster.
    pub fn new() -> Self {
        Self::with(ClusterSettings::default())
    }

    /// An empty cluster that behaves as the settings say.
    pub fn with(mut settings: ClusterSettings) -> Self {
        let catalogue = Catalogue::new(std::mem::take(&mut settings.extra_resources));
        let inner = Inner {
            clock: Clock::starting_at(settings.epoch),
            store: Mutex::new(store::Store::new(catalogue.len(), settings.history)),
            access: Mutex::default(),
            faults: Mutex::default(),
            hidden: Mutex::default(),
            kubelets: Mutex::default(),
            requests: Mutex::new(requests::RequestLog::new(settings.recorded_requests)),
            watches: Mutex::default(),
            catalogue,
            settings,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The server as an axum `Router`, to be nested or served by other means. A [`Fault::disconnect`] breaks off
    /// the body here; with [`service`](Self::service) and [`serve`](Self::serve) no answer comes at all.
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.inner))
    }

    /// The server as a tower service: what `kube::Client::new` takes.
    pub fn service<B>(
        &self,
    ) -> impl Service<Request<B>, Response = Response<Body>, Error = Disconnected, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + use<B>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        server::service(self.router())
    }

    /// Listens on a free port of this machine.
    ///
    /// # Errors
    ///
    /// If no port can be listened on.
    pub async fn serve(&self) -> io::Result<ClusterServer> {
        self.serve_on(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Listens on an address: for a server that comes back where it was.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn serve_on(&self, address: SocketAddr) -> io::Result<ClusterServer> {
        ClusterServer::start(self.clone(), address).await
    }

    /// The time in this cluster: its epoch, and as much as has passed on tokio's clock since it was made.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

/// What goes wrong.
impl FakeCluster {
    /// Makes something go wrong; see [`Fault`]. Of several that fit a request, the first injected is used.
    pub fn inject(&self, fault: Fault) {
        lock(&self.inner.faults).inject(fault);
    }

    /// Forgets all faults not yet used up. Watches that are disturbed stay so.
    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear();
    }

    /// How many faults are not used up: 0 says that all have hit.
    pub fn pending_faults(&self) -> usize {
        lock(&self.inner.faults).len()
    }

    /// Refuses with 403 from now on; see [`Denial`]. `("list", "pods")` is enough. Open watches go on.
    pub fn forbid(&self, denial: impl Into<Denial>) {
        lock(&self.inner.access).forbid(denial.into());
    }

    /// Takes back a denial; the others stay.
    pub fn allow(&self, denial: impl Into<Denial>) {
        lock(&self.inner.access).allow(&denial.into());
    }

    /// Takes back all denials.
    pub fn allow_all(&self) {
        lock(&self.inner.access).allow_all();
    }

    /// Hides an API group (`policy`) or one version of it (`autoscaling/v2`), as on a server without it: 404.
    pub fn hide_group(&self, group: &str) {
        lock(&self.inner.hidden).hide(group);
    }

    /// Shows a hidden group again, named as when it was hidden.
    pub fn show_group(&self, group: &str) {
        lock(&self.inner.hidden).show(group);
    }

    /// Forgets the history: from here on, watches from earlier revisions and `continue` tokens answer 410. Open
    /// watches go on.
    pub fn compact(&self) {
        lock(&self.inner.store).compact();
    }

    /// Ends all open watches now, as if their time were up.
    pub fn close_watches(&self) {
        self.close_watches_of("*");
    }

    /// Ends the open watches of a resource (`pods`; `*` for all) now, as if their time were up.
    pub fn close_watches_of(&self, resource: &str) {
        lock(&self.inner.watches).tell(resource, Command::Close);
    }

    /// Breaks the connections of the open watches of a resource (`pods`; `*` for all) off, in the middle.
    pub fn cut_watches_of(&self, resource: &str) {
        lock(&self.inner.watches).tell(resource, Command::Cut);
    }

    /// Silences the open watches of a resource (`pods`; `*` for all): they stay open, past their time limit, and
    /// say nothing more.
    pub fn stall_watches_of(&self, resource: &str) {
        lock(&self.inner.watches).tell(resource, Command::Stall);
    }
}

/// What was asked.
impl FakeCluster {
    /// The latest requests, up to [`ClusterSettings::recorded_requests`], in the order they came.
    pub fn requests(&self) -> Requests {
        lock(&self.inner.requests).all()
    }

    /// How many requests came in all, however many are remembered.
    pub fn request_count(&self) -> u64 {
        lock(&self.inner.requests).count()
    }

    /// Forgets the requests so far; the count goes on.
    pub fn forget_requests(&self) {
        lock(&self.inner.requests).forget();
    }

    /// How many watches of a resource (`pods`; `*` for all) are open.
    pub fn open_watches(&self, resource: &str) -> usize {
        lock(&self.inner.watches).count(resource)
    }

    /// Waits until a watch of a resource (`pods`; `*` for any) is open: the program under test is looking.
    pub async fn watched(&self, resource: &str) {
        let mut opened = lock(&self.inner.watches).subscribe();
        while self.open_watches(resource) == 0 {
            if opened.changed().await.is_err() {
                return;
            }
        }
    }
}
