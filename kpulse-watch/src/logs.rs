//! The last words of a container, for a message about it. Having none is ordinary, and never delays an alert by more
//! than two seconds.

use std::time::Duration;

use futures::StreamExt;
use http_body_util::BodyExt;
use kube::Client;
use kube::api::LogParams;
use kube::client::Body;
use kube::core::Request;

/// Both instances are asked within this.
const TIMEOUT: Duration = Duration::from_secs(2);
/// More than this is not read: a line may be 10 MB long, and a message holds a few kB.
const LIMIT: usize = 64 * 1024;

/// The last lines of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    /// Whether these are of the run before the present one.
    pub previous: bool,
    /// The lines, the latest last, without the final line break.
    pub text: String,
}

/// The last lines of the run that ended, else of the present one; nothing if neither can be had in time. Why not is
/// logged, and never an error: no log is worth an alert that does not come.
pub async fn tail(client: &Client, namespace: &str, pod: &str, container: &str, lines: u32) -> Option<LogTail> {
    if lines == 0 {
        return None;
    }
    let found = tokio::time::timeout(TIMEOUT, find(client, namespace, pod, container, lines)).await;
    match found {
        Ok(Ok(tail)) => tail,
        Ok(Err(NoLog(why))) => {
            tracing::debug!(namespace, pod, container, why, "no log");
            None
        }
        Err(_) => {
            tracing::debug!(namespace, pod, container, "no log within {} s", TIMEOUT.as_secs());
            None
        }
    }
}

/// Why there is no log, where the other instance's cannot be had either.
struct NoLog(String);

async fn find(
    client: &Client,
    namespace: &str,
    pod: &str,
    container: &str,
    lines: u32,
) -> Result<Option<LogTail>, NoLog> {
    for previous in [true, false] {
        let params = LogParams {
            container: Some(container.to_owned()),
            previous,
            tail_lines: Some(i64::from(lines)),
            limit_bytes: i64::try_from(LIMIT).ok(),
            ..LogParams::default()
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let request = Request::new(path).logs(pod, &params).map_err(|error| NoLog(error.to_string()))?;
        let text = read(client, request.map(Body::from)).await?;
        let text = last_lines(&text, lines);
        if !text.is_empty() && !is_excuse(&text) {
            return Ok(Some(LogTail { previous, text }));
        }
    }
    Ok(None)
}

/// The log; empty where this instance has none.
async fn read(client: &Client, request: http::Request<Body>) -> Result<String, NoLog> {
    let response = client.send(request).await.map_err(|error| NoLog(crate::explain::explain(&error)))?;
    let status = response.status().as_u16();
    match status {
        200 => {}
        // We may not, or the Pod is gone: the same holds for its other instance.
        401 | 403 | 404 => return Err(NoLog(format!("the API server answered {status}"))),
        // No such instance, or its kubelet failed.
        _ => return Ok(String::new()),
    }
    let mut text = Vec::new();
    let mut pieces = response.into_body().into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        let room = LIMIT - text.len();
        text.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if text.len() == LIMIT {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn last_lines(text: &str, lines: u32) -> String {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let all: Vec<&str> = text.trim_end().lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

/// Kubelets say with status 200 that the log was rotated away.
fn is_excuse(text: &str) -> bool {
    !text.contains('\n')
        && ["unable to retrieve container logs for ", "failed to try resolving symlinks in path "]
            .iter()
            .any(|excuse| text.starts_with(excuse))
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::cluster::{FakeCluster, Fault};
    use serde_json::json;

    use super::*;

    fn cluster() -> FakeCluster {
        let cluster = FakeCluster::new();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "shop", "name": "api" },
            "spec": { "containers": [{ "name": "main" }] },
        });
        cluster.apply(pod).unwrap();
        cluster
    }

    async fn tail_of(cluster: &FakeCluster, lines: u32) -> Option<(bool, String)> {
        let client = Client::new(cluster.service(), "default");
        tail(&client, "shop", "api", "main", lines).await.map(|tail| (tail.previous, tail.text))
    }

    #[tokio::test(start_paused = true)]
    async fn the_run_that_ended_is_preferred() {
        let cluster = cluster();
        cluster.set_log("shop", "api", "main", false, "starting\n");
        assert_eq!(tail_of(&cluster, 5).await, Some((false, "starting".to_owned())));
        cluster.set_log("shop", "api", "main", true, "one\ntwo\nthree\n");
        assert_eq!(tail_of(&cluster, 2).await, Some((true, "two\nthree".to_owned())));
        assert_eq!(tail_of(&cluster, 0).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_line_is_cut() {
        let cluster = cluster();
        cluster.set_log("shop", "api", "main", true, "x".repeat(10 << 20));
        let (_, text) = tail_of(&cluster, 50).await.unwrap();
        assert_eq!(text.len(), LIMIT);
        // Also where a proxy on the way does not know the limit.
        cluster.inject(Fault::status(200).body("y".repeat(10 << 20)));
        let (_, text) = tail_of(&cluster, 50).await.unwrap();
        assert_eq!(text, "y".repeat(LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn having_no_log_is_harmless() {
        let cluster = cluster();
        assert_eq!(tail_of(&cluster, 5).await, None);
        for code in [401, 403, 404] {
            cluster.forget_requests();
            cluster.inject(Fault::status(code).on("get", "pods/log"));
            assert_eq!(tail_of(&cluster, 5).await, None);
            assert_eq!(cluster.requests().len(), 1, "{code}");
        }
        cluster.inject(Fault::disconnect());
        assert_eq!(tail_of(&cluster, 5).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rotated_log_gives_way_to_the_present_one() {
        let cluster = cluster();
        cluster.set_log("shop", "api", "main", true, "unable to retrieve container logs for containerd://4711");
        cluster.set_log("shop", "api", "main", false, "starting");
        assert_eq!(tail_of(&cluster, 5).await, Some((false, "starting".to_owned())));
        cluster.inject(Fault::status(500).on("get", "pods/log"));
        assert_eq!(tail_of(&cluster, 5).await, Some((false, "starting".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_kubelet_that_hangs_costs_two_seconds() {
        let cluster = cluster();
        cluster.inject(Fault::hang(Duration::from_secs(60)).always());
        let since = tokio::time::Instant::now();
        assert_eq!(tail_of(&cluster, 5).await, None);
        assert!(since.elapsed() <= Duration::from_millis(2010), "{:?}", since.elapsed());
    }
}
