//! Writing down what an API server says while things break, so that it can be replayed.
//!
//! A recording is one JSON object per line, in order of arrival, all resources interleaved; see [`RecordedLine`].
//! Objects are as the server sent them, less what is private: Secrets keep `tls.crt` and nothing else, and the values
//! of environment variables, commands, arguments and probe headers are left out.

mod feed;
mod redact;

use futures::FutureExt;
use jiff::Timestamp;
use kube::Client;
use serde::{Serialize, Serializer};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::feed::Feed;

/// A resource that can be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedResource {
    /// The name in API paths: `pods`.
    pub plural: &'static str,
    /// The API group and version: `apps/v1`.
    pub api_version: &'static str,
    namespaced: bool,
    field_selector: Option<&'static str>,
}

const fn namespaced(api_version: &'static str, plural: &'static str) -> RecordedResource {
    RecordedResource { plural, api_version, namespaced: true, field_selector: None }
}

const fn cluster_wide(api_version: &'static str, plural: &'static str) -> RecordedResource {
    RecordedResource { plural, api_version, namespaced: false, field_selector: None }
}

impl RecordedResource {
    /// Everything that can be recorded. Of Events only Warnings, of Secrets only certificates.
    pub const ALL: [Self; 14] = [
        cluster_wide("v1", "namespaces"),
        cluster_wide("v1", "nodes"),
        namespaced("v1", "pods"),
        Self { field_selector: Some("type=Warning"), ..namespaced("v1", "events") },
        namespaced("apps/v1", "deployments"),
        namespaced("apps/v1", "statefulsets"),
        namespaced("apps/v1", "daemonsets"),
        namespaced("batch/v1", "jobs"),
        namespaced("batch/v1", "cronjobs"),
        namespaced("autoscaling/v2", "horizontalpodautoscalers"),
        Self { field_selector: Some("type=kubernetes.io/tls"), ..namespaced("v1", "secrets") },
        namespaced("v1", "persistentvolumeclaims"),
        namespaced("policy/v1", "poddisruptionbudgets"),
        namespaced("v1", "resourcequotas"),
    ];

    /// The resource of this name.
    #[must_use]
    pub fn named(plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.plural == plural)
    }
}

/// What a line says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Change {
    /// An object was listed, or created.
    Added,
    /// An object changed.
    Modified,
    /// An object was deleted; this is its last state.
    Deleted,
    /// The watch is alive. The object has a version and nothing else.
    Bookmark,
    /// The list of this resource is complete, and its watch begins.
    Synced,
    /// The watch was lost, and a new list begins. What is not in it when it is complete is gone.
    Listing,
}

/// One line of a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedLine {
    /// When it arrived, by our clock.
    #[serde(serialize_with = "milliseconds")]
    pub at: Timestamp,
    /// The resource, as in API paths.
    pub resource: &'static str,
    /// Its API group and version.
    pub api_version: &'static str,
    /// What happened.
    #[serde(rename = "type")]
    pub change: Change,
    /// To what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
}

fn milliseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// What is recorded.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// Which resources. Those the server refuses are left out, and a warning logged.
    pub resources: Vec<RecordedResource>,
    /// Which namespaces; all if none is named. Nodes are recorded anyway.
    pub namespaces: Vec<String>,
    /// Whether to keep `metadata.managedFields`, which is half of an object and says who wrote what.
    pub managed_fields: bool,
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self { resources: RecordedResource::ALL.to_vec(), namespaces: Vec::new(), managed_fields: false }
    }
}

/// Why a recording ended early. Trying again helps only after somebody changed something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The lines could not be written.
    #[error("cannot write the recording: {0}; check that the place exists and has room")]
    Write(#[from] std::io::Error),
    /// The API server refused every resource.
    #[error("nothing to record: the API server refuses every resource asked for; grant kpulse list and watch on them")]
    Refused,
}

/// Records until `until` is done. What arrived by then was given to `sink`, in order.
///
/// # Errors
/// Where the sink fails, or the server refuses everything.
pub async fn record(
    client: &Client,
    options: &RecordOptions,
    until: impl Future<Output = ()>,
    mut sink: impl FnMut(&RecordedLine) -> std::io::Result<()>,
) -> Result<(), RecordError> {
    let (out, mut lines) = mpsc::channel(256);
    let mut feeds = JoinSet::new();
    for resource in &options.resources {
        let feed = Feed::new(client, *resource, &options.namespaces, options.managed_fields, out.clone());
        feeds.spawn(feed.run());
    }
    drop(out);
    let mut until = std::pin::pin!(until);
    loop {
        let line = tokio::select! {
            biased;
            () = &mut until => break,
            line = lines.recv() => line.ok_or(RecordError::Refused)?,
        };
        sink(&line)?;
    }
    while let Some(Some(line)) = lines.recv().now_or_never() {
        sink(&line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kpulse_testkit::cluster::{Denial, FakeCluster, Fault};
    use serde_json::json;
    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn of(resources: &[&str], namespaces: &[&str]) -> RecordOptions {
        RecordOptions {
            resources: resources.iter().map(|plural| RecordedResource::named(plural).unwrap()).collect(),
            namespaces: namespaces.iter().map(|&namespace| namespace.to_owned()).collect(),
            ..RecordOptions::default()
        }
    }

    /// Records while the story goes on, one short line for each that was written.
    async fn play(cluster: &FakeCluster, options: RecordOptions, story: impl Future<Output = ()>) -> Vec<String> {
        let client = Client::new(cluster.service(), "default");
        let mut lines = Vec::new();
        let recorded = record(&client, &options, story, |line| {
            let object = line.object.as_ref();
            let name = object.and_then(|object| object["metadata"]["name"].as_str()).unwrap_or_default();
            lines.push(format!("{:?} {} {name}", line.change, line.resource).trim_end().to_owned());
            Ok(())
        });
        recorded.await.unwrap();
        lines
    }

    fn object(kind: &str, namespace: &str, name: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": kind, "metadata": { "namespace": namespace, "name": name } })
    }

    #[test]
    fn a_line_is_written_in_the_format() {
        let at: Timestamp = "2026-11-22T16:56:21.1239Z".parse().unwrap();
        let line = RecordedLine { at, resource: "pods", api_version: "v1", change: Change::Synced, object: None };
        let expect = r#"{"at":"2026-11-22T16:56:21.123Z","resource":"pods","apiVersion":"v1","type":"SYNCED"}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), expect);
        let deleted = RecordedLine { change: Change::Deleted, object: Some(json!({})), ..line };
        assert!(serde_json::to_string(&deleted).unwrap().ends_with(r#","type":"DELETED","object":{}}"#));
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_is_written_in_order() {
        let cluster = FakeCluster::new();
        cluster.apply(object("Pod", "shop", "a")).unwrap();
        let story = async {
            sleep(SECOND).await;
            cluster.apply(object("Pod", "shop", "b")).unwrap();
            cluster.patch("Pod", "shop", "a", json!({ "status": { "phase": "Failed" } })).unwrap();
            cluster.delete("Pod", "shop", "b").unwrap();
            sleep(70 * SECOND).await;
        };
        let lines = play(&cluster, of(&["pods"], &[]), story).await;
        let expect =
            ["Added pods a", "Synced pods", "Added pods b", "Modified pods a", "Deleted pods b", "Bookmark pods"];
        assert_eq!(lines, expect);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gap_is_written_as_a_new_list() {
        let cluster = FakeCluster::new();
        cluster.apply(object("Pod", "shop", "a")).unwrap();
        cluster.apply(object("Pod", "shop", "b")).unwrap();
        let story = async {
            sleep(SECOND).await;
            cluster.inject(Fault::disconnect().on("*", "pods").times(3));
            cluster.cut_watches_of("pods");
            cluster.delete("Pod", "shop", "b").unwrap();
            sleep(60 * SECOND).await;
        };
        let lines = play(&cluster, of(&["pods"], &[]), story).await;
        assert_eq!(lines[..4], ["Added pods a", "Added pods b", "Synced pods", "Listing pods"]);
        let listed = lines.iter().rposition(|line| line == "Listing pods").unwrap();
        assert_eq!(lines[listed + 1..], ["Added pods a", "Synced pods"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_ends_well_goes_on_without_a_list() {
        let cluster = FakeCluster::new();
        let story = async {
            for name in ["a", "b"] {
                sleep(5 * SECOND).await;
                cluster.close_watches();
                cluster.apply(object("Pod", "shop", name)).unwrap();
            }
            sleep(5 * SECOND).await;
        };
        let lines = play(&cluster, of(&["pods"], &[]), story).await;
        assert_eq!(lines, ["Synced pods", "Added pods a", "Added pods b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_named_namespaces_are_recorded() {
        let cluster = FakeCluster::new();
        for namespace in ["shop", "bank", "vault"] {
            cluster.apply(object("Pod", namespace, "a")).unwrap();
            cluster.apply(object("Namespace", "", namespace)).unwrap();
        }
        let lines = play(&cluster, of(&["namespaces", "pods"], &["shop", "bank"]), sleep(SECOND)).await;
        let count = |line: &str| lines.iter().filter(|written| *written == line).count();
        assert_eq!(count("Added pods a"), 2);
        assert_eq!(count("Synced pods"), 1);
        assert_eq!(count("Added namespaces shop") + count("Added namespaces bank"), 2);
        assert_eq!(count("Added namespaces vault"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn only_warnings_and_certificates_are_asked_for_and_keys_never_written() {
        let cluster = FakeCluster::new();
        for (name, kind) in [("web", "kubernetes.io/tls"), ("password", "Opaque")] {
            let mut secret = object("Secret", "shop", name);
            secret["type"] = json!(kind);
            secret["data"] = json!({ "tls.crt": "Yw==", "tls.key": "aHVudGVyMg==" });
            cluster.apply(secret).unwrap();
        }
        for kind in ["Normal", "Warning"] {
            let mut event = object("Event", "shop", &kind.to_lowercase());
            event["type"] = json!(kind);
            cluster.apply(event).unwrap();
        }
        let client = Client::new(cluster.service(), "default");
        let mut text = String::new();
        let sink = |line: &RecordedLine| {
            text += &serde_json::to_string(line)?;
            Ok(())
        };
        record(&client, &of(&["secrets", "events"], &[]), sleep(SECOND), sink).await.unwrap();
        assert!(text.contains(r#""name":"web""#) && text.contains("Yw==") && text.contains(r#""name":"warning""#));
        assert!(!text.contains("aHVudGVyMg==") && !text.contains("password") && !text.contains(r#""name":"normal""#));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_resource_does_not_stop_the_others() {
        let cluster = FakeCluster::new();
        cluster.forbid(Denial::of("*", "secrets"));
        let lines = play(&cluster, of(&["secrets", "pods"], &[]), sleep(SECOND)).await;
        assert_eq!(lines, ["Synced pods"]);
        let client = Client::new(cluster.service(), "default");
        let nothing = record(&client, &of(&["secrets"], &[]), std::future::pending(), |_| Ok(())).await;
        assert!(matches!(nothing, Err(RecordError::Refused)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_ends_the_recording() {
        let cluster = FakeCluster::new();
        let client = Client::new(cluster.service(), "default");
        let full = |_: &RecordedLine| Err(std::io::Error::other("no space left"));
        let error = record(&client, &of(&["pods"], &[]), std::future::pending(), full).await.unwrap_err();
        assert!(error.to_string().contains("no space left"), "{error}");
    }
}
