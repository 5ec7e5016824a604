//! What survives a restart: one ConfigMap, written in one request, and only by who read it last.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, PostParams};
use kube::{Client, Error};

/// The ConfigMap's name.
pub const NAME: &str = "kpulse-state";
/// Our state in it.
pub const STATE_KEY: &str = "state.json";
/// What the earlier program left in it.
pub const DEDUPE_KEY: &str = "dedupe.json";

/// No answer within this counts as none: a leader that cannot save must find out.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    #[error("cannot {verb} ConfigMap {namespace}/{NAME}: {source}")]
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
    /// What was sent without an answer: it may have been written, and would then look like somebody else's.
    unsure: Option<String>,
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
        Self { api, namespace: namespace.to_owned(), version: None, unsure: None }
    }

    /// Reads what was saved; nothing if there is no ConfigMap, which means a first start.
    ///
    /// # Errors
    /// Where it cannot be read. That is not a first start: nothing may be told before it is known what was.
    pub async fn load(&mut self) -> Result<Option<Saved>, StateError> {
        let found = self.bounded("read", self.api.get_opt(NAME)).await?;
        self.unsure = None;
        self.version = found.as_ref().and_then(|map| map.metadata.resource_version.clone());
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
            Err(StateError::Conflict { namespace }) => {
                // Our own write whose answer was lost is no rival.
                let Some(ours) = self.unsure.take() else { return Err(StateError::Conflict { namespace }) };
                match self.load().await? {
                    Some(found) if found.state.as_deref() == Some(&ours) => self.write(json).await,
                    _ => Err(StateError::Conflict { namespace }),
                }
            }
            done => done,
        }
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
                self.version = map.metadata.resource_version;
                self.unsure = None;
                Ok(())
            }
            Err(StateError::NoNamespace { namespace, .. }) if self.version.is_some() => {
                self.version = None;
                Err(StateError::Deleted { namespace })
            }
            Err(StateError::TooLarge { namespace, .. }) => Err(StateError::TooLarge { namespace, size: json.len() }),
            Err(error) => {
                if matches!(error, StateError::Timeout { .. } | StateError::Unavailable { .. }) {
                    self.unsure = Some(json.to_owned());
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
