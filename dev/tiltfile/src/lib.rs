//! Reads a Tiltfile as Tilt does: evaluates its Starlark with Tilt's functions, then puts resources together of what they
//! were called with. Nothing is run.

mod assemble;
mod builtins;

use std::path::Path;

pub use assemble::{Button, Image, Loaded, Local, Resource};

/// How `tilt up` was called.
pub struct Start<'a> {
    /// The current context of the kubeconfig; empty if there is none.
    pub context: &'a str,
    /// What stood after `tilt up --`.
    pub arguments: &'a [&'a str],
}

/// What Tilt makes of the Tiltfile in `directory`.
///
/// # Errors
///
/// What Tilt shows in red: the text of `fail`, a mistake in the Tiltfile, or resources that do not fit together.
pub fn load(directory: &Path, start: &Start<'_>) -> Result<Loaded, String> {
    let calls = builtins::evaluate(directory, start)?;
    assemble::assemble(directory, &calls)
}

/// The documents of a YAML file, those that hold nothing left out.
fn documents(text: &str) -> Result<Vec<serde_json::Value>, String> {
    let documents = serde_saphyr::from_multiple(text).map_err(|error| error.to_string())?;
    Ok(documents.into_iter().filter(|document: &serde_json::Value| !document.is_null()).collect())
}
