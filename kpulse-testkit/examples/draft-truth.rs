//! Prints the first draft of a truth file: of a recording, and of what `kpulse replay` says about it on standard input.
//!
//! ```sh
//! kpulse replay night.jsonl | cargo run -p kpulse-testkit --example draft-truth -- night.jsonl
//! ```

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use kpulse_testkit::judge::{Said, draft};

fn main() -> Result<(), Box<dyn Error>> {
    let recording: PathBuf = std::env::args_os().nth(1).ok_or("which recording?")?.into();
    let mut said: Vec<Said> = Vec::new();
    for line in io::stdin().lock().lines() {
        said.push(serde_json::from_str(&line?)?);
    }
    io::stdout().write_all(draft(&recording, &said)?.as_bytes())?;
    Ok(())
}
