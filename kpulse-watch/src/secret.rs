//! One Secret, read once: for a person who asks from afar whether all keys are there. The agent has them as files.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, Error};
use secrecy::SecretString;

use crate::explain::explain;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a Secret could not be read. It may be tried again once somebody granted the right, or the API server is back.
#[derive(Debug, thiserror::Error)]
#[error("Secret {namespace}/{name} cannot be read: {why}")]
pub struct SecretError {
    namespace: String,
    name: String,
    why: String,
}

/// The values of a Secret by their keys, as they would stand in files; nothing where there is no such Secret.
///
/// # Errors
/// Where we may not read it, or nobody answers.
pub async fn read(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Vec<(String, SecretString)>>, SecretError> {
    let failed = |why| SecretError { namespace: namespace.to_owned(), name: name.to_owned(), why };
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let answer = tokio::time::timeout(TIMEOUT, api.get(name)).await;
    match answer.map_err(|_| failed(format!("no answer within {} s", TIMEOUT.as_secs())))? {
        Ok(secret) => {
            let data = secret.data.unwrap_or_default().into_iter();
            // What is no text is no value that a channel could use.
            Ok(Some(data.filter_map(|(key, value)| Some((key, text(value.0)?))).collect()))
        }
        Err(Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(failed(explain(&error))),
    }
}

fn text(value: Vec<u8>) -> Option<SecretString> {
    let value = String::from_utf8(value).ok()?;
    Some(value.trim_end_matches(['\r', '\n']).into())
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::cluster::FakeCluster;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn values_come_as_they_would_stand_in_files() {
        let cluster = FakeCluster::new();
        // `s3cr3t` and a line end; two bytes that are no text.
        let data = json!({"TOKEN": "czNjcjN0Cg==", "BINARY": "//4="});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "kpulse", "name": "s"}, "data": data});
        cluster.apply(secret).unwrap();
        let client = Client::new(cluster.service(), "default");
        let values = read(&client, "kpulse", "s").await.unwrap().unwrap();
        let values: Vec<_> = values.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect();
        assert_eq!(values, [("TOKEN", "s3cr3t")]);
        assert!(read(&client, "kpulse", "other").await.unwrap().is_none());
        cluster.forbid(("get", "secrets"));
        let error = read(&client, "kpulse", "s").await.unwrap_err().to_string();
        assert!(error.starts_with("Secret kpulse/s cannot be read: the API server answered 403"), "{error}");
    }
}
