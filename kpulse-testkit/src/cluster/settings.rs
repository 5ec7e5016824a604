//! How a cluster behaves, said once when it is made.

use std::time::Duration;

use jiff::Timestamp;

use super::resources::Resource;

/// How a cluster behaves. The default is a recent server in good health.
///
/// ```
/// use kpulse_testkit::cluster::{ClusterSettings, Expiry, FakeCluster, StreamingLists};
///
/// let old_server = FakeCluster::with(ClusterSettings {
///     streaming_lists: StreamingLists::Refused,
///     expiry: Expiry::Event,
///     history: 100,
///     ..ClusterSettings::default()
/// });
/// # drop(old_server);
/// ```
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// How many changes are remembered for each kind. A watch or paged list from before that is told 410.
    pub history: usize,
    /// How many requests are remembered for [`requests`](super::FakeCluster::requests).
    pub recorded_requests: usize,
    /// How a watch from before the remembered history is refused.
    pub expiry: Expiry,
    /// Whether watches may ask for the objects that are there already, in place of a list.
    pub streaming_lists: StreamingLists,
    /// What deleting a Pod does.
    pub pod_deletion: PodDeletion,
    /// How long a watch lasts that asks for no time.
    pub watch_timeout: Duration,
    /// How often a watch that allows bookmarks gets one.
    pub bookmark_interval: Duration,
    /// The time at which the cluster starts; from there tokio's clock counts on, and answers are dated. None is the
    /// time of day.
    pub epoch: Option<Timestamp>,
    /// What `/version` gives.
    pub version: String,
    /// The name under which requests are refused: whom the 403 names.
    pub user: String,
    /// Kinds besides the built-in ones.
    pub extra_resources: Vec<Resource>,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            history: 10_000,
            recorded_requests: 100_000,
            expiry: Expiry::Status,
            streaming_lists: StreamingLists::Served,
            pod_deletion: PodDeletion::AtOnce,
            watch_timeout: Duration::from_secs(3600),
            bookmark_interval: Duration::from_secs(60),
            epoch: None,
            version: "v1.33.0".to_owned(),
            user: "system:serviceaccount:default:default".to_owned(),
            extra_resources: Vec::new(),
        }
    }
}

/// How a watch from before the remembered history is refused. Real servers do both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The HTTP status is 410.
    Status,
    /// The HTTP status is 200, and the first event is an `ERROR` with code 410.
    Event,
}

/// What a server does with `sendInitialEvents`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamingLists {
    /// Sends the objects, then a bookmark that marks the end of them.
    Served,
    /// Refuses with 422, as a server without the `WatchList` feature gate.
    Refused,
}

/// What deleting a Pod through the API does. [`FakeCluster::delete`](super::FakeCluster::delete) always removes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodDeletion {
    /// It is gone.
    AtOnce,
    /// It gets a `deletionTimestamp`, and stays until it is deleted with a grace period of 0: nothing here
    /// plays the kubelet.
    Graceful,
}
