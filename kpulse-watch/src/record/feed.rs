//! One resource's part of a recording: its lists and watches, as raw JSON and in order of arrival.

use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use jiff::Timestamp;
use kube::Client;
use kube::api::{ListParams, WatchParams};
use kube::core::{Request, Status};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::redact::redact;
use super::{Change, RecordedLine, RecordedResource};
use crate::explain::{explain, explain_status};
use crate::session::{Backoff, Jitter};
use crate::wire::{Limits, Wire};

const PAGE: u32 = 250;
const WATCH_SECONDS: u32 = 240;
/// Longer than a watch: a connection with nothing on it for this long is dead.
const SILENCE: Duration = Duration::from_secs(300);
const LIMITS: Limits = Limits { spacing: Duration::from_secs(1), answer: Duration::from_secs(75) };

/// What is recorded of one resource, and where it goes.
pub(super) struct Feed {
    client: Client,
    wire: Wire,
    resource: RecordedResource,
    /// Empty for the whole cluster.
    namespaces: Vec<String>,
    keep_managed_fields: bool,
    out: mpsc::Sender<RecordedLine>,
}

/// Why a feed cannot go on where it is.
enum Lost {
    /// Nobody takes the lines any more.
    ReceiverGone,
    /// We may not, or there is no such thing: for this recording that will not change.
    Refused(String),
    /// The watch has a gap; a new list mends it.
    Gap(String),
}

impl From<kube::Error> for Lost {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if matches!(status.code, 403..=405) => Self::Refused(explain(&error)),
            _ => Self::Gap(explain(&error)),
        }
    }
}

impl Feed {
    pub(super) fn new(
        client: &Client,
        resource: RecordedResource,
        namespaces: &[String],
        keep_managed_fields: bool,
        out: mpsc::Sender<RecordedLine>,
    ) -> Self {
        let (client, wire) = Wire::tap(client, LIMITS);
        Self { client, wire, resource, namespaces: namespaces.to_vec(), keep_managed_fields, out }
    }

    /// Lists and watches until nobody takes the lines, or the server refuses.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        let mut jitter = Jitter::new(None, &self.resource.plural);
        let mut again = false;
        loop {
            let lost = match self.list_and_watch(again, &mut backoff).await {
                Ok(never) => match never {},
                Err(lost) => lost,
            };
            again = true;
            match lost {
                Lost::ReceiverGone => return,
                Lost::Refused(why) => {
                    tracing::warn!(resource = self.resource.plural, why, "not recorded");
                    return;
                }
                Lost::Gap(why) => tracing::info!(resource = self.resource.plural, why, "listing anew"),
            }
            sleep(backoff.next(&mut jitter)).await;
        }
    }

    async fn list_and_watch(&self, again: bool, backoff: &mut Backoff) -> Result<std::convert::Infallible, Lost> {
        if again {
            self.write(Change::Listing, None).await?;
        }
        let mut starts = Vec::new();
        for path in self.paths() {
            let version = self.list(&path).await?;
            starts.push((path, version));
        }
        self.write(Change::Synced, None).await?;
        backoff.reset();
        let mut watches: FuturesUnordered<_> =
            starts.into_iter().map(|(path, version)| self.watch(path, version)).collect();
        match watches.next().await {
            Some(ended) => ended,
            None => Err(Lost::Gap("nothing to watch".to_owned())),
        }
    }

    /// A namespaced resource has a path for each namespace that is recorded.
    fn paths(&self) -> Vec<String> {
        let RecordedResource { api_version, plural, namespaced, .. } = self.resource;
        let api = if api_version.contains('/') { "apis" } else { "api" };
        if !namespaced || self.namespaces.is_empty() {
            return vec![format!("/{api}/{api_version}/{plural}")];
        }
        let inside = |namespace| format!("/{api}/{api_version}/namespaces/{namespace}/{plural}");
        self.namespaces.iter().map(inside).collect()
    }

    /// Writes the items of a list, and returns from where to watch.
    async fn list(&self, path: &str) -> Result<String, Lost> {
        let mut params = ListParams::default().limit(PAGE);
        params.field_selector = self.resource.field_selector.map(str::to_owned);
        loop {
            let request = Request::new(path).list(&params).map_err(|error| Lost::Gap(error.to_string()))?;
            let text = self.client.request_text(request).await?;
            let page: Page = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
            drop(text);
            let kind = page.kind.strip_suffix("List").unwrap_or(&page.kind);
            for mut item in page.items {
                if let Some(fields) = item.as_object_mut() {
                    fields.insert("kind".to_owned(), json!(kind));
                    fields.insert("apiVersion".to_owned(), json!(self.resource.api_version));
                    self.write(Change::Added, Some(item)).await?;
                }
            }
            match page.metadata.next.filter(|token| !token.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(page.metadata.version),
            }
        }
    }

    /// Writes what a watch says, through as many connections as it takes.
    async fn watch(&self, path: String, mut version: String) -> Result<std::convert::Infallible, Lost> {
        let mut params = WatchParams::default().timeout(WATCH_SECONDS);
        params.field_selector = self.resource.field_selector.map(str::to_owned);
        loop {
            let request = Request::new(&path).watch(&params, &version).map_err(|e| Lost::Gap(e.to_string()))?;
            let mut lines = self.client.request_stream(request).await?.lines();
            self.wire.excuse_silence();
            loop {
                let line = tokio::select! {
                    biased;
                    line = lines.try_next() => line.map_err(|error| Lost::Gap(error.to_string()))?,
                    () = self.wire.silence(SILENCE) => return Err(Lost::Gap("the watch fell silent".to_owned())),
                };
                match line {
                    Some(line) => self.take(&line, &mut version).await?,
                    None => break,
                }
            }
        }
    }

    async fn take(&self, line: &str, version: &mut String) -> Result<(), Lost> {
        let Event { change, mut object } = serde_json::from_str(line).map_err(kube::Error::SerdeError)?;
        if change == "ERROR" {
            let status: Status = serde_json::from_value(object).unwrap_or_default();
            return Err(Lost::Gap(explain_status(&status)));
        }
        if let Some(latest) = object["metadata"]["resourceVersion"].as_str() {
            latest.clone_into(version);
        }
        let change = match change.as_str() {
            "ADDED" => Change::Added,
            "MODIFIED" => Change::Modified,
            "DELETED" => Change::Deleted,
            "BOOKMARK" => {
                let kind = object["kind"].take();
                object = json!({ "kind": kind, "apiVersion": self.resource.api_version,
                    "metadata": { "resourceVersion": &*version } });
                Change::Bookmark
            }
            _ => return Ok(()),
        };
        self.write(change, Some(object)).await
    }

    async fn write(&self, change: Change, object: Option<Value>) -> Result<(), Lost> {
        let object = match object {
            Some(object) if !self.is_wanted(&object) && change != Change::Bookmark => return Ok(()),
            Some(mut object) => {
                redact(&mut object, self.keep_managed_fields);
                Some(object)
            }
            None => None,
        };
        let RecordedResource { plural: resource, api_version, .. } = self.resource;
        let line = RecordedLine { at: Timestamp::now(), resource, api_version, change, object };
        self.out.send(line).await.map_err(|_| Lost::ReceiverGone)
    }

    /// Of Namespaces, which stand in none, only those that are recorded.
    fn is_wanted(&self, object: &Value) -> bool {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        self.resource.plural != "namespaces" || self.namespaces.is_empty() || self.namespaces.iter().any(|n| n == name)
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    kind: String,
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct PageMeta {
    #[serde(rename = "resourceVersion", default)]
    version: String,
    #[serde(rename = "continue", default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    change: String,
    object: Value,
}
