//! One look at the cluster: every list once, page by page, for whoever asks and goes away again.

use std::time::Duration;

use futures::StreamExt;
use http::Request;
use kpulse_core::facts::Facts;
use kpulse_core::{Blindness, Kind, Name, Observation, Scope};
use kube::Client;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::explain::explain;
use crate::lean::Lean;
use crate::pages::{Left, PageError, Pages};

/// Objects in a page: who looks once waits for each.
const PAGE: u32 = 500;
/// So many lists are read at the same time.
const AT_ONCE: usize = 4;
/// Before a page is asked for again, if it could not be had for a reason that may pass.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(1500)];
/// After this long it is not asked for again: somebody waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a list that expired while it was read is begun again.
const RESTARTS: usize = 2;

/// What a page of a list showed, or that no more of it can be seen.
#[derive(Debug)]
pub struct Glimpse {
    /// Which list.
    pub scope: Scope,
    /// What was seen. [`Observation::Listed`] ends a list, [`Observation::SightLost`] breaks it off.
    pub observations: Vec<Observation>,
    /// How many more objects there are, where the server says so.
    pub remaining: Option<u64>,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookError {
    /// The API server does not answer. It may be tried again.
    #[error("{0}")]
    Unanswered(String),
    /// There is no such namespace.
    #[error("there is no namespace {0}")]
    NoNamespace(Name),
}

/// Whether an API server answers at all; its version. No right is needed for that.
///
/// # Errors
/// Where it does not answer, or refuses to speak with us.
pub async fn server_version(client: &Client) -> Result<String, LookError> {
    let request =
        Request::get("/version").body(Vec::new()).map_err(|error| LookError::Unanswered(error.to_string()))?;
    let answer = tokio::time::timeout(Duration::from_secs(10), client.request::<serde_json::Value>(request)).await;
    let answer = answer.map_err(|_| LookError::Unanswered("no answer within 10 s".to_owned()))?;
    let version = answer.map_err(|error| LookError::Unanswered(explain(&error)))?;
    Ok(version.get("gitVersion").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
}

/// One namespace, for what its annotations say of all that is in it; nothing where we may not see it.
///
/// # Errors
/// Where it is not there, or nobody answers.
pub async fn namespace(client: &Client, name: &str) -> Result<Option<Observation>, LookError> {
    let path = <Lean as kube::Resource>::url_path(&kpulse_core::Resource::Namespaces, None);
    let request = kube::core::request::Request::new(path).get(name, &kube::api::GetParams::default());
    let request = request.map_err(|error| LookError::Unanswered(error.to_string()))?;
    match client.request_text(request).await {
        Ok(text) => Ok(Facts::from_json(Kind::Namespace, text.as_bytes()).ok().map(Observation::Applied)),
        Err(kube::Error::Api(status)) if status.code == 404 => Err(LookError::NoNamespace(name.into())),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        Err(error) => Err(LookError::Unanswered(explain(&error))),
    }
}

/// Lists all these once, several at a time, and sends what they show. Of objects, only those with fitting `labels`.
/// Ends early when nobody wants to know any more.
pub async fn look(client: &Client, scopes: Vec<Scope>, labels: Option<&str>, out: mpsc::Sender<Glimpse>) {
    let lists = scopes.into_iter().map(|scope| {
        let out = out.clone();
        async move { List { client, scope, out }.read(labels).await }
    });
    futures::stream::iter(lists).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
}

struct List<'a> {
    client: &'a Client,
    scope: Scope,
    out: mpsc::Sender<Glimpse>,
}

impl List<'_> {
    async fn read(self, labels: Option<&str>) {
        let resource = self.scope.resource;
        let path = <Lean as kube::Resource>::url_path(&resource, self.scope.namespace.as_deref());
        let mut pages = Pages::new(self.client, &path, resource.field_selector()).limit(PAGE).labels(labels);
        let mut restarts = 0;
        loop {
            let (mut observations, left) = self.page(&mut pages).await;
            let remaining = match left {
                Ok(Left::More(remaining)) => remaining,
                Ok(Left::Nothing) => {
                    observations.push(Observation::Listed(self.scope.clone()));
                    self.send(observations, None).await;
                    return;
                }
                Err(PageError { code: Some(410), .. }) if restarts < RESTARTS => {
                    restarts += 1;
                    pages.rewind();
                    None
                }
                Err(error) => {
                    self.send(vec![self.lost(error)], None).await;
                    return;
                }
            };
            if !self.send(observations, remaining).await {
                return;
            }
        }
    }

    /// One page, asked for again where that may help.
    async fn page(&self, pages: &mut Pages<'_>) -> (Vec<Observation>, Result<Left, PageError>) {
        let kind = self.scope.resource.kind();
        let mut pauses = PAUSES.into_iter();
        let begun = Instant::now();
        loop {
            let mut seen = Vec::new();
            let left = pages.next(|object| seen.extend(Facts::from_json(kind, object.get().as_bytes()).ok())).await;
            match (&left, pauses.next()) {
                (Err(PageError { code: None | Some(429 | 500..), .. }), Some(pause)) if begun.elapsed() < PATIENCE => {
                    sleep(pause).await;
                }
                _ => {
                    let named = seen.into_iter().filter(|facts| !facts.meta().name.is_empty());
                    return (named.map(Observation::Applied).collect(), left);
                }
            }
        }
    }

    fn lost(&self, PageError { code, why }: PageError) -> Observation {
        let resource = self.scope.resource;
        let blindness = match code {
            Some(404) => {
                let (plural, version) = (resource.plural(), resource.api_version());
                Blindness::Refused(format!("this cluster has no {plural} in {version}"))
            }
            Some(401..=405) => Blindness::Refused(why),
            _ => Blindness::Away(why),
        };
        Observation::SightLost(self.scope.clone(), blindness)
    }

    async fn send(&self, observations: Vec<Observation>, remaining: Option<u64>) -> bool {
        let glimpse = Glimpse { scope: self.scope.clone(), observations, remaining };
        self.out.send(glimpse).await.is_ok()
    }
}

#[cfg(test)]
mod tests;
