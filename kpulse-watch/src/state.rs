//! What survives a restart: one ConfigMap, written in one request, and only by who read it last.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use kube::{Client, Error};

use crate::explain::explain;

/// The ConfigMap's name.
pub const NAME: &str = "kpulse-state";
/// Our state in it.
pub const STATE_KEY: &str = "state.json";
/// What the earlier program left in it.
pub const DEDUPE_KEY: &str = "dedupe.json";

/// No answer within this counts as none: a leader that cannot save must find out.
const TIMEOUT: Duration = Duration::from_secs(10);

/// So many writes without an answer are remembered, the latest first.
const UNSURE: usize = 32;

/// What was found in the ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Saved {
    /// Our state, as it was saved.
    pub state: Option<String>,
    /// The earlier program's memory, if it is still there. The first save drops it.
    pub dedupe: Option<String>,
}

/// Why the state could not be read or written; [`retry_helps`](Self::retry_helps) says whether the same call may
/// succeed later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Somebody else wrote it since we read it. Not to be tried again: another replica leads.
    #[error(
        "ConfigMap {namespace}/{NAME} was changed by somebody else; only one kpulse may write it, or set replicas.lease"
    )]
    Conflict {
        /// Where it is.
        namespace: String,
    },
    /// It was deleted since we read it. The next save creates it.
    #[error("ConfigMap {namespace}/{NAME} was deleted; the next save creates it again")]
    Deleted {
        /// Where it was.
        namespace: String,
    },
    /// We may not.
    #[error(
        "may not {verb} ConfigMap {namespace}/{NAME}: {message}; \
         grant get, create and update on configmaps in {namespace} to kpulse's service account"
    )]
    Forbidden {
        /// Where it is.
        namespace: String,
        /// `read` or `write`.
        verb: &'static str,
        /// What the API server said.
        message: String,
    },
    /// It is too large. Not to be tried again with the same text.
    #[error("{size} bytes of state do not fit into ConfigMap {namespace}/{NAME}; a ConfigMap holds 1 MiB")]
    TooLarge {
        /// Where it is.
        namespace: String,
        /// How much was to be written.
        size: usize,
    },
    /// The namespace is not there.
    #[error(
        "ConfigMap {namespace}/{NAME} cannot be created: {message}; create the namespace, or name another with -namespace"
    )]
    NoNamespace {
        /// Which one.
        namespace: String,
        /// What the API server said.
        message: String,
    },
    /// The API server did not answer in time.
    #[error("cannot {verb} ConfigMap {namespace}/{NAME}: no answer within {} s", TIMEOUT.as_secs())]
    Timeout {
        /// Where it is.
        namespace: String,
        /// `read` or `write`.
        verb: &'static str,
    },
    /// The API server cannot be reached, or refuses for now.
    #[error("cannot {verb} ConfigMap {namespace}/{NAME}: {}", explain(source))]
    Unavailable {
        /// Where it is.
        namespace: String,
        /// `read` or `write`.
        verb: &'static str,
        /// What went wrong.
        source: Box<Error>,
    },
}

impl StateError {
    /// Whether the same call may succeed if it is made again later.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        !matches!(self, Self::Conflict { .. } | Self::TooLarge { .. })
    }
}

/// The ConfigMap, and which version of it we know: what makes a save safe beside another replica.
pub struct StateStore {
    api: Api<ConfigMap>,
    namespace: String,
    /// The version we read or wrote last; nothing where there was none.
    version: Option<String>,
    /// Hashes of what was sent since then without an answer: it may have been written, and would look like a rival's.
    unsure: Vec<u64>,
}

impl std::fmt::Debug for StateStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateStore")
            .field("namespace", &self.namespace)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl StateStore {
    /// The state in this namespace. Nothing is read yet.
    #[must_use]
    pub fn new(client: Client, namespace: &str) -> Self {
        let api = Api::namespaced(client, namespace);
        Self { api, namespace: namespace.to_owned(), version: None, unsure: Vec::new() }
    }

    /// Reads what was saved; nothing if there is no ConfigMap, which means a first start.
    ///
    /// # Errors
    /// Where it cannot be read. That is not a first start: nothing may be told before it is known what was.
    pub async fn load(&mut self) -> Result<Option<Saved>, StateError> {
        let found = self.bounded("read", self.api.get_opt(NAME)).await?;
        self.know(found.as_ref());
        Ok(found.map(|map| {
            let mut data = map.data.unwrap_or_default();
            Saved { state: data.remove(STATE_KEY), dedupe: data.remove(DEDUPE_KEY) }
        }))
    }

    /// Writes the state in one request, if nobody wrote since [`load`](Self::load) or the last save.
    ///
    /// # Errors
    /// [`StateError::Conflict`] if somebody did: the caller no longer leads.
    pub async fn save(&mut self, json: &str) -> Result<(), StateError> {
        match self.write(json).await {
            // Our own write whose answer was lost is no rival.
            Err(StateError::Conflict { .. }) if !self.unsure.is_empty() && self.is_ours().await? => {
                self.write(json).await
            }
            done => done,
        }
    }

    /// Whether what is stored is what we sent last. If it is not, we go on not knowing it.
    async fn is_ours(&mut self) -> Result<bool, StateError> {
        let found = self.bounded("read", self.api.get_opt(NAME)).await?;
        let text = found.as_ref().and_then(|map| map.data.as_ref()?.get(STATE_KEY));
        let ours = text.is_some_and(|text| self.unsure.contains(&hash(text)));
        if ours {
            self.know(found.as_ref());
        }
        Ok(ours)
    }

    fn know(&mut self, found: Option<&ConfigMap>) {
        self.version = found.and_then(|map| map.metadata.resource_version.clone());
        self.unsure.clear();
    }

    async fn write(&mut self, json: &str) -> Result<(), StateError> {
        let map = self.config_map(json);
        let params = PostParams::default();
        let written = match self.version {
            Some(_) => self.bounded("write", self.api.replace(NAME, &params, &map)).await,
            None => self.bounded("write", self.api.create(&params, &map)).await,
        };
        match written {
            Ok(map) => {
                self.know(Some(&map));
                Ok(())
            }
            Err(StateError::NoNamespace { namespace, .. }) if self.version.is_some() => {
                self.version = None;
                Err(StateError::Deleted { namespace })
            }
            Err(StateError::TooLarge { namespace, .. }) => Err(StateError::TooLarge { namespace, size: json.len() }),
            Err(error) => {
                if matches!(error, StateError::Timeout { .. } | StateError::Unavailable { .. }) {
                    self.unsure.truncate(UNSURE - 1);
                    self.unsure.insert(0, hash(json));
                }
                Err(error)
            }
        }
    }

    fn config_map(&self, json: &str) -> ConfigMap {
        ConfigMap {
            metadata: ObjectMeta {
                name: Some(NAME.to_owned()),
                namespace: Some(self.namespace.clone()),
                labels: Some(BTreeMap::from([("app.kubernetes.io/name".to_owned(), "kpulse".to_owned())])),
                resource_version: self.version.clone(),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(STATE_KEY.to_owned(), json.to_owned())])),
            ..ConfigMap::default()
        }
    }

    async fn bounded<T>(
        &self,
        verb: &'static str,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StateError> {
        match tokio::time::timeout(TIMEOUT, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.explain(verb, error)),
            Err(_) => Err(StateError::Timeout { namespace: self.namespace.clone(), verb }),
        }
    }

    fn explain(&self, verb: &'static str, error: Error) -> StateError {
        let namespace = self.namespace.clone();
        match error {
            Error::Api(status) => match status.code {
                409 => StateError::Conflict { namespace },
                403 => StateError::Forbidden { namespace, verb, message: status.message },
                404 => StateError::NoNamespace { namespace, message: status.message },
                413 | 422 => StateError::TooLarge { namespace, size: 0 },
                _ => StateError::Unavailable { namespace, verb, source: Box::new(Error::Api(status)) },
            },
            source => StateError::Unavailable { namespace, verb, source: Box::new(source) },
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::cluster::{Denial, FakeCluster, Fault};
    use serde_json::{Value, json};

    use super::*;

    fn store(cluster: &FakeCluster) -> StateStore {
        StateStore::new(Client::new(cluster.service(), "default"), "kpulse")
    }

    fn stored(cluster: &FakeCluster) -> Value {
        cluster.get("ConfigMap", "kpulse", NAME).unwrap()
    }

    fn config_map(data: &Value) -> Value {
        let metadata = json!({ "namespace": "kpulse", "name": NAME, "labels": { "team": "a" } });
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data })
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_start_finds_nothing_and_the_first_save_creates() {
        let cluster = FakeCluster::new();
        let mut store = store(&cluster);
        assert_eq!(store.load().await.unwrap(), None);
        cluster.forget_requests();
        store.save("{\"a\":1}").await.unwrap();
        store.save("{\"a\":2}").await.unwrap();
        assert_eq!(cluster.requests().len(), 2);
        assert_eq!(stored(&cluster)["data"], json!({ "state.json": "{\"a\":2}" }));
        assert_eq!(stored(&cluster)["metadata"]["labels"]["app.kubernetes.io/name"], "kpulse");
        let found = self::store(&cluster).load().await.unwrap().unwrap();
        assert_eq!(found, Saved { state: Some("{\"a\":2}".to_owned()), dedupe: None });
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_programs_memory_is_handed_over_once() {
        let cluster = FakeCluster::new();
        cluster.apply(config_map(&json!({ "dedupe.json": "{}" }))).unwrap();
        let mut store = store(&cluster);
        let found = store.load().await.unwrap();
        assert_eq!(found, Some(Saved { state: None, dedupe: Some("{}".to_owned()) }));
        store.save("{}").await.unwrap();
        assert_eq!(stored(&cluster)["data"], json!({ "state.json": "{}" }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rivals_write_is_a_conflict_and_is_kept() {
        let cluster = FakeCluster::new();
        let (mut ours, mut theirs) = (store(&cluster), store(&cluster));
        assert_eq!(ours.load().await.unwrap(), None);
        assert_eq!(theirs.load().await.unwrap(), None);
        theirs.save("theirs").await.unwrap();
        for _ in 0..2 {
            let error = ours.save("ours").await.unwrap_err();
            assert!(matches!(error, StateError::Conflict { .. }) && !error.retry_helps(), "{error}");
        }
        ours.load().await.unwrap();
        theirs.save("theirs again").await.unwrap();
        assert!(matches!(ours.save("ours").await, Err(StateError::Conflict { .. })));
        assert_eq!(stored(&cluster)["data"]["state.json"], "theirs again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_map_is_told_and_then_created_again() {
        let cluster = FakeCluster::new();
        let mut store = store(&cluster);
        store.load().await.unwrap();
        store.save("1").await.unwrap();
        cluster.delete("ConfigMap", "kpulse", NAME).unwrap();
        let error = store.save("2").await.unwrap_err();
        assert!(matches!(error, StateError::Deleted { .. }) && error.retry_helps(), "{error}");
        store.save("2").await.unwrap();
        assert_eq!(stored(&cluster)["data"]["state.json"], "2");
    }

    #[tokio::test(start_paused = true)]
    async fn an_unreadable_state_is_not_a_first_start() {
        let cluster = FakeCluster::new();
        cluster.forbid(Denial::of("get", "configmaps"));
        let error = store(&cluster).load().await.unwrap_err();
        assert!(matches!(error, StateError::Forbidden { verb: "read", .. }) && error.retry_helps(), "{error}");
        assert!(error.to_string().contains("kpulse/kpulse-state") && error.to_string().contains("grant"), "{error}");
        cluster.allow_all();
        cluster.inject(Fault::status(500));
        assert!(matches!(store(&cluster).load().await, Err(StateError::Unavailable { .. })));
        cluster.inject(Fault::hang(Duration::from_secs(3600)));
        assert!(matches!(store(&cluster).load().await, Err(StateError::Timeout { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_write_whose_answer_was_lost_is_no_rival() {
        let cluster = FakeCluster::new();
        let mut store = store(&cluster);
        store.load().await.unwrap();
        store.save("1").await.unwrap();
        cluster.inject(Fault::hang(Duration::from_secs(3600)).on("update", "configmaps"));
        assert!(matches!(store.save("2").await, Err(StateError::Timeout { .. })));
        // The server did take it.
        cluster.apply(config_map(&json!({ "state.json": "2" }))).unwrap();
        cluster.inject(Fault::disconnect());
        assert!(matches!(store.save("3").await, Err(StateError::Unavailable { .. })));
        store.save("3").await.unwrap();
        assert_eq!(stored(&cluster)["data"]["state.json"], "3");
        // But a rival's is one, also after a lost answer.
        cluster.inject(Fault::disconnect());
        assert!(matches!(store.save("4").await, Err(StateError::Unavailable { .. })));
        cluster.apply(config_map(&json!({ "state.json": "theirs" }))).unwrap();
        assert!(matches!(store.save("5").await, Err(StateError::Conflict { .. })));
        assert!(matches!(store.save("5").await, Err(StateError::Conflict { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn too_much_state_is_not_tried_again() {
        let cluster = FakeCluster::new();
        let mut store = store(&cluster);
        store.load().await.unwrap();
        cluster.inject(Fault::status(413));
        let error = store.save(&"x".repeat(2_000_000)).await.unwrap_err();
        assert!(matches!(error, StateError::TooLarge { size: 2_000_000, .. }) && !error.retry_helps(), "{error}");
    }
}
