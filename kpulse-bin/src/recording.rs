//! Recordings: what an agent received from an API server, one JSON line after the other.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use kpulse_core::facts::{Facts, SummaryFacts};
use kpulse_core::{Name, ObjectRef, Observation, Resource, Scope};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One thing received, and when.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) observations: Vec<Observation>,
}

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordingError {
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: not a recorded line: {source}; each line is one JSON object with at, resource and type", path.display())]
    Line { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("{}, line {line}: {fault}", path.display())]
    Fault { path: PathBuf, line: usize, fault: String },
    #[error("{}: holds no line; `kpulse record` writes one", path.display())]
    Empty { path: PathBuf },
}

#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    resource: String,
    #[serde(rename = "type")]
    kind: String,
    object: Option<Box<RawValue>>,
}

/// Reads a recording whole. Resources that no monitor looks at are passed over.
///
/// # Errors
/// Where the file cannot be read or a line is not of the format; the error names the line.
pub(crate) fn read(path: &Path) -> Result<Vec<Moment>, RecordingError> {
    let unreadable = |source| RecordingError::Unreadable { path: path.to_owned(), source };
    let file = std::io::BufReader::new(std::fs::File::open(path).map_err(unreadable)?);
    let mut moments = Vec::new();
    for (index, text) in file.lines().enumerate() {
        let (text, line) = (text.map_err(unreadable)?, index + 1);
        if text.trim().is_empty() {
            continue;
        }
        let parsed: Line = serde_json::from_str(&text).map_err(|source| RecordingError::Line {
            path: path.to_owned(),
            line,
            source,
        })?;
        let fault = |fault| RecordingError::Fault { path: path.to_owned(), line, fault };
        moments.push(Moment { at: parsed.at, observations: observations(&parsed).map_err(fault)? });
    }
    if moments.is_empty() {
        return Err(RecordingError::Empty { path: path.to_owned() });
    }
    // What was watched is known from the first line on, as it is to an agent.
    let opened = Observation::Opened(listed(&moments));
    if let Some(first) = moments.first_mut() {
        first.observations.insert(0, opened);
    }
    Ok(moments)
}

fn listed(moments: &[Moment]) -> Vec<Scope> {
    let mut scopes = Vec::new();
    for observation in moments.iter().flat_map(|moment| &moment.observations) {
        if let Observation::Listed(scope) = observation
            && !scopes.contains(scope)
        {
            scopes.push(scope.clone());
        }
    }
    scopes
}

fn observations(line: &Line) -> Result<Vec<Observation>, String> {
    if line.kind == "SUMMARY" {
        return summary(line).map(|summary| vec![Observation::Surveyed(Box::new(summary))]);
    }
    let resources: Vec<Resource> =
        Resource::ALL.into_iter().filter(|resource| resource.plural() == line.resource).collect();
    let scopes = resources.iter().map(|resource| Scope::cluster(*resource));
    let Some(resource) = resources.first() else { return Ok(Vec::new()) };
    let facts = || {
        let object = line.object.as_ref().ok_or_else(|| format!("{} without an object", line.kind))?;
        Facts::from_json(resource.kind(), object.get().as_bytes()).map_err(|fault| format!("its object: {fault}"))
    };
    Ok(match line.kind.as_str() {
        "SYNCED" => scopes.map(Observation::Listed).collect(),
        "LISTING" => scopes.map(Observation::ListingBegun).collect(),
        "ADDED" | "MODIFIED" => vec![Observation::Applied(facts()?)],
        "DELETED" => {
            let facts = facts()?;
            let (object, uid): (ObjectRef, Name) = (facts.object(), facts.meta().uid.clone());
            vec![Observation::Deleted { object, uid }]
        }
        "BOOKMARK" => Vec::new(),
        other => {
            return Err(format!(
                "type `{other}` is none of ADDED, MODIFIED, DELETED, SYNCED, LISTING, BOOKMARK, SUMMARY"
            ));
        }
    })
}

/// What a kubelet said, of resource `nodes/stats`.
fn summary(line: &Line) -> Result<SummaryFacts, String> {
    let object = line.object.as_ref().ok_or("SUMMARY without an object")?;
    serde_json::from_str(object.get()).map_err(|fault| format!("its object: {fault}"))
}
