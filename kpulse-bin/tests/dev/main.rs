//! The development loop, as far as it goes without a cluster and an engine: its scripts, its images, what it applies, and what
//! it watches. The Tiltfile itself is read by `dev/tiltfile`.

#![allow(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod checkout;
mod dockerfile;
mod doctor;
mod images;
mod inputs;
mod preview;
mod release;
mod scripts;
#[path = "../stage/mod.rs"]
mod stage;
mod triggers;
mod watch;

use std::path::{Path, PathBuf};

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
