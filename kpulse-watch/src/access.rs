//! What we may: asked of the API server itself, so that it holds for any authorizer.

use std::fmt;
use std::time::Duration;

use http::Request;
use kube::Client;
use serde::Deserialize;
use serde_json::json;

use crate::explain::explain;

const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const TIMEOUT: Duration = Duration::from_secs(10);

/// The question was not answered. It may be asked again; that we may not is no error but an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The API server cannot be reached, or does not answer this question.
    #[error("cannot ask whether kpulse may {question}: {}", explain(source))]
    Unavailable {
        /// `list pods in shop`.
        question: String,
        /// What went wrong.
        source: Box<kube::Error>,
    },
    /// The API server did not answer in time.
    #[error("cannot ask whether kpulse may {question}: no answer within {} s", TIMEOUT.as_secs())]
    Timeout {
        /// `list pods in shop`.
        question: String,
    },
}

/// Something that one may do, or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// `list`.
    pub verb: String,
    /// The API group; empty for core.
    pub group: String,
    /// `pods`, or with a subresource `pods/log`.
    pub resource: String,
    /// One object; any if nothing is said.
    pub name: Option<String>,
    /// One namespace; everywhere if nothing is said.
    pub namespace: Option<String>,
}

/// As people say it: `list deployments.apps in shop`.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verb, group, resource, name, namespace } = self;
        write!(f, "{verb} {resource}")?;
        if !group.is_empty() {
            write!(f, ".{group}")?;
        }
        if let Some(name) = name {
            write!(f, " {name}")?;
        }
        match namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => Ok(()),
        }
    }
}

/// Whether we may do this to this resource (`pods`, or with a subresource `pods/log`): in one namespace, or everywhere.
///
/// # Errors
/// Where the API server does not answer.
pub async fn may(
    client: &Client,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: Option<&str>,
) -> Result<bool, AccessError> {
    let attempt = Attempt {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        name: None,
        namespace: namespace.map(str::to_owned),
    };
    allows(client, &attempt).await
}

/// Whether the API server would let us do this.
///
/// # Errors
/// Where it does not answer.
pub async fn allows(client: &Client, attempt: &Attempt) -> Result<bool, AccessError> {
    let question = || attempt.to_string();
    let unavailable = |source| AccessError::Unavailable { question: question(), source: Box::new(source) };
    let Attempt { verb, group, resource, name, namespace } = attempt;
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "name": name.as_deref().unwrap_or_default(),
            "namespace": namespace.as_deref().unwrap_or_default(),
        }},
    });
    let request = Request::post(PATH)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(review.to_string().into_bytes())
        .map_err(|error| unavailable(kube::Error::HttpError(error)))?;
    match tokio::time::timeout(TIMEOUT, client.request::<Review>(request)).await {
        Ok(Ok(review)) => Ok(review.status.allowed),
        Ok(Err(error)) => Err(unavailable(error)),
        Err(_) => Err(AccessError::Timeout { question: question() }),
    }
}

#[derive(Deserialize)]
struct Review {
    status: Verdict,
}

#[derive(Deserialize)]
struct Verdict {
    allowed: bool,
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::cluster::{Denial, FakeCluster, Fault};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_server_is_asked() {
        let cluster = FakeCluster::new();
        cluster.forbid(Denial::of("list", "pods").in_namespace("vault"));
        cluster.forbid(Denial::of("get", "pods/log"));
        let client = Client::new(cluster.service(), "default");
        assert!(may(&client, "list", "", "pods", Some("shop")).await.unwrap());
        assert!(!may(&client, "list", "", "pods", Some("vault")).await.unwrap());
        assert!(!may(&client, "get", "", "pods/log", Some("shop")).await.unwrap());
        assert!(may(&client, "watch", "apps", "deployments", None).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_an_error_that_names_the_question() {
        let cluster = FakeCluster::new();
        let client = Client::new(cluster.service(), "default");
        cluster.inject(Fault::status(500));
        let error = may(&client, "list", "", "pods", Some("shop")).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot ask whether kpulse may list pods in shop: "), "{error}");
        cluster.inject(Fault::hang(Duration::from_secs(3600)));
        let error = may(&client, "list", "", "nodes", None).await.unwrap_err();
        assert!(matches!(error, AccessError::Timeout { .. }));
    }
}
