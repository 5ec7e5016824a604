//! One annotation, written to or taken from one object, by a merge patch that touches nothing else.

use std::time::Duration;

use http::Request;
use kpulse_core::facts::Facts;
use kpulse_core::{Kind, ObjectRef, Resource};
use kube::{Client, Error};
use serde_json::json;

use crate::explain::explain;
use crate::lean::Lean;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Why an annotation was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotateError {
    /// There is no such object.
    #[error("there is no {}", place(.0))]
    NotFound(ObjectRef),
    /// We may not. Trying again helps once somebody granted the right.
    #[error("may not change {}: {why}", place(object))]
    Forbidden {
        /// Which object.
        object: ObjectRef,
        /// What the API server said.
        why: String,
    },
    /// The API server did not take it, or did not answer. It may be tried again.
    #[error("cannot change {}: {why}", place(object))]
    Unavailable {
        /// Which object.
        object: ObjectRef,
        /// What went wrong.
        why: String,
    },
}

fn place(object: &ObjectRef) -> String {
    if object.namespace.is_empty() { object.to_string() } else { format!("{object} in {}", object.namespace) }
}

/// Writes an annotation, or takes it away where there is no value. Gives the object as it is then; nothing of it
/// changes where `dry_run` says so.
///
/// # Errors
/// Where there is no such object, we may not change it, or nobody answers.
pub async fn annotate(
    client: &Client,
    object: &ObjectRef,
    key: &str,
    value: Option<&str>,
    dry_run: bool,
) -> Result<Facts, AnnotateError> {
    let unavailable = |why| AnnotateError::Unavailable { object: object.clone(), why };
    let Some(path) = path(object) else {
        return Err(unavailable(format!("kpulse does not look at {}s", object.kind)));
    };
    let query = if dry_run { "?dryRun=All" } else { "" };
    let patch = json!({"metadata": {"annotations": {key: value}}});
    let request = Request::patch(format!("{path}{query}"))
        .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
        .body(patch.to_string().into_bytes())
        .map_err(|error| unavailable(error.to_string()))?;
    let answer = tokio::time::timeout(TIMEOUT, client.request_text(request)).await;
    match answer.map_err(|_| unavailable(format!("no answer within {} s", TIMEOUT.as_secs())))? {
        Ok(text) => Facts::from_json(object.kind, text.as_bytes())
            .map_err(|_| unavailable("the API server sent something unreadable".to_owned())),
        Err(Error::Api(status)) if status.code == 404 => Err(AnnotateError::NotFound(object.clone())),
        Err(error @ Error::Api(_)) if is_refusal(&error) => {
            Err(AnnotateError::Forbidden { object: object.clone(), why: explain(&error) })
        }
        Err(error) => Err(unavailable(explain(&error))),
    }
}

fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Api(status) if matches!(status.code, 401 | 403))
}

fn path(object: &ObjectRef) -> Option<String> {
    let resource = Resource::ALL.into_iter().find(|resource| resource.kind() == object.kind)?;
    let namespace = Some(object.namespace.as_str()).filter(|_| object.kind.is_namespaced());
    let name = (object.kind != Kind::Event).then_some(&object.name)?;
    Some(format!("{}/{name}", <Lean as kube::Resource>::url_path(&resource, namespace)))
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::builders::{deployment, namespace};
    use kpulse_testkit::cluster::{FakeCluster, Fault};

    use super::*;

    const KEY: &str = "kpulse.io/silence";

    #[tokio::test(start_paused = true)]
    async fn an_annotation_is_written_and_taken_away_and_others_stay() {
        let cluster = FakeCluster::new();
        let mut api = deployment("shop", "api", 3);
        api["metadata"]["annotations"] = json!({"other": "stays"});
        cluster.apply(api).unwrap();
        cluster.apply(namespace("shop")).unwrap();
        let client = Client::new(cluster.service(), "default");
        let annotations = || cluster.get("Deployment", "shop", "api").unwrap()["metadata"]["annotations"].clone();
        let api = ObjectRef::new(Kind::Deployment, "shop", "api");
        annotate(&client, &api, KEY, Some("until=x"), true).await.unwrap();
        assert_eq!(annotations(), json!({"other": "stays"}), "a dry run changes nothing");
        let facts = annotate(&client, &api, KEY, Some("until=x"), false).await.unwrap();
        assert_eq!(facts.meta().notes.silence.as_deref(), Some("until=x"));
        assert_eq!(annotations(), json!({"other": "stays", KEY: "until=x"}));
        annotate(&client, &api, KEY, None, false).await.unwrap();
        assert_eq!(annotations(), json!({"other": "stays"}));
        let shop = ObjectRef::new(Kind::Namespace, "", "shop");
        assert!(annotate(&client, &shop, KEY, Some("until=x"), false).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_wrong_names_the_object() {
        let cluster = FakeCluster::new();
        let client = Client::new(cluster.service(), "default");
        let api = ObjectRef::new(Kind::Deployment, "shop", "api");
        let error = annotate(&client, &api, KEY, None, false).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no Deployment/api in shop");
        cluster.apply(deployment("shop", "api", 3)).unwrap();
        cluster.forbid(("patch", "deployments"));
        let error = annotate(&client, &api, KEY, None, false).await.unwrap_err().to_string();
        assert!(error.starts_with("may not change Deployment/api in shop: the API server answered 403"), "{error}");
        cluster.inject(Fault::hang(Duration::from_secs(3600)));
        let error = annotate(&client, &api, KEY, None, false).await.unwrap_err().to_string();
        assert_eq!(error, "cannot change Deployment/api in shop: no answer within 10 s");
    }
}
