//! What the API server fetches from kubelets: container logs and usage summaries, as the test set them.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::Value;

use super::object::{Key, Object};
use super::query::Query;
use super::status::{StatusError, json_response};

/// A container's log: its Pod, its name, and whether of the run before.
type LogKey = (Key, String, bool);

/// Everything kubelets would answer.
#[derive(Debug, Default)]
pub(crate) struct Kubelets {
    logs: BTreeMap<LogKey, String>,
    summaries: BTreeMap<String, Value>,
}

impl Kubelets {
    pub(crate) fn set_log(&mut self, pod: Key, container: &str, previous: bool, text: String) {
        self.logs.insert((pod, container.to_owned(), previous), text);
    }

    pub(crate) fn set_summary(&mut self, node: &str, summary: Value) {
        self.summaries.insert(node.to_owned(), summary);
    }

    pub(crate) fn clear_summary(&mut self, node: &str) {
        self.summaries.remove(node);
    }

    pub(crate) fn log_response(&self, pod: &Object, query: &Query) -> Result<Response, StatusError> {
        let container = chosen_container(pod, query.get("container"))?;
        let previous = query.flag("previous");
        let log = self.logs.get(&(pod.key.clone(), container.clone(), previous));
        if previous && log.is_none() {
            return Err(StatusError::bad_request(format!(
                "previous terminated container \"{container}\" in pod \"{}\" not found",
                pod.key.name
            )));
        }
        let mut text = log.map(String::as_str).unwrap_or_default();
        if let Some(lines) = query.number("tailLines")? {
            text = tail(text, lines);
        }
        let mut bytes = text.as_bytes();
        if let Some(limit) = query.number("limitBytes")? {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            bytes = bytes.get(..limit).unwrap_or(bytes);
        }
        Ok(([(header::CONTENT_TYPE, "text/plain")], bytes.to_vec()).into_response())
    }

    pub(crate) fn summary_response(&self, node: &str) -> Result<Response, StatusError> {
        let unreachable = || {
            let message = format!("error trying to reach service: dial tcp: lookup {node}: connection refused");
            StatusError::new(503, "ServiceUnavailable", message)
        };
        self.summaries.get(node).map(|summary| json_response(200, summary)).ok_or_else(unreachable)
    }
}

/// The one container, the one asked for, or a refusal that names the choices.
fn chosen_container(pod: &Object, asked: Option<&str>) -> Result<String, StatusError> {
    let pod_value = pod.bare();
    let spec = &pod_value["spec"];
    let names_in = |list: &str| -> Vec<String> {
        let items = spec[list].as_array().into_iter().flatten();
        items.filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    let main = names_in("containers");
    let all = || main.iter().cloned().chain(names_in("initContainers")).chain(names_in("ephemeralContainers"));
    let name = &pod.key.name;
    match asked {
        Some(asked) if all().any(|known| known == asked) => Ok(asked.to_owned()),
        Some(asked) => Err(StatusError::bad_request(format!("container {asked} is not valid for pod {name}"))),
        None if main.len() > 1 => Err(StatusError::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            main.join(" ")
        ))),
        None => Ok(main.into_iter().next().unwrap_or_default()),
    }
}

/// The last lines of a text.
fn tail(text: &str, lines: u64) -> &str {
    let Some(wanted) = usize::try_from(lines).ok().filter(|wanted| *wanted > 0) else {
        return if lines == 0 { "" } else { text };
    };
    let body = text.strip_suffix('\n').unwrap_or(text);
    match body.rmatch_indices('\n').nth(wanted - 1) {
        Some((newline, _)) => text.get(newline + 1..).unwrap_or_default(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, lines: u64, expect: &str) {
        assert_eq!(tail(text, lines), expect);
    }

    #[test]
    fn the_last_lines() {
        check("a\nb\nc\n", 2, "b\nc\n");
        check("a\nb\nc", 2, "b\nc");
        check("a\nb\n", 5, "a\nb\n");
        check("a\nb\n", 0, "");
        check("", 3, "");
    }
}
