//! What Tilt watches, `dev/inputs`, against what the compiler read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{read, root};

/// A feature of the testkit that kpulse does without; the compiler read it for the tests of other crates, or not.
const MAIL_SERVER: &str = "kpulse-testkit/src/smtp";

struct Inputs {
    watched: Vec<String>,
    ignored: Vec<String>,
}

impl Inputs {
    fn read() -> Self {
        let text = read("dev/inputs");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (ignored, watched): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('!'));
        let owned = |lines: Vec<&str>| lines.iter().map(|line| line.trim_start_matches('!').to_owned()).collect();
        Self { watched: owned(watched), ignored: owned(ignored) }
    }

    /// Whether a change of this file builds kpulse.
    fn count(&self, path: &str) -> bool {
        let within = |dep: &String| path == dep || path.starts_with(&format!("{dep}/"));
        self.watched.iter().any(within) && !self.ignored.iter().any(|pattern| means(pattern, path))
    }
}

/// Whether a pattern of `.dockerignore` means this path: `**/name`, where `*` may stand in the name, or a path.
fn means(pattern: &str, path: &str) -> bool {
    let Some(name) = pattern.strip_prefix("**/") else {
        return path == pattern || path.starts_with(&format!("{pattern}/"));
    };
    path.split('/').any(|part| match name.split_once('*') {
        Some((begin, end)) => part.starts_with(begin) && part.ends_with(end),
        None => part == name,
    })
}

/// What the compiler read for kpulse, as it wrote it down itself: of each library the last time it was compiled, and of the
/// program when this one was.
pub(crate) fn read_by_the_compiler() -> BTreeSet<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_kpulse"));
    let deps = program.parent().unwrap().join("deps");
    let mut read = BTreeSet::new();
    for library in ["kpulse_core", "kpulse_notify", "kpulse_testkit", "kpulse_watch"] {
        let made = |record: &Record| record.text.contains(&format!("/lib{library}-"));
        read.extend(newest(&deps, library, made).sources());
    }
    let same = |path: &Path| fs::metadata(path).map(|file| (file.len(), file.modified().unwrap())).ok();
    read.extend(newest(&deps, "kpulse", |record| same(&record.path.with_extension("")) == same(program)).sources());
    read
}

/// What the compiler wrote down of one compilation: lines `made: source source …`.
struct Record {
    path: PathBuf,
    text: String,
}

fn newest(deps: &Path, name: &str, is_meant: impl Fn(&Record) -> bool) -> Record {
    let mut records = Vec::new();
    for entry in fs::read_dir(deps).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let hash = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".d"));
        if hash.is_some_and(|hash| !hash.contains('-')) {
            let record = Record { text: fs::read_to_string(&path).unwrap(), path };
            records.extend(Some(record).filter(&is_meant));
        }
    }
    let when = |record: &Record| fs::metadata(&record.path).unwrap().modified().unwrap();
    records.into_iter().max_by_key(when).unwrap_or_else(|| panic!("{name} was never compiled"))
}

impl Record {
    fn sources(&self) -> BTreeSet<String> {
        let root = format!("{}/", root().display());
        let rules = self.text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
        let paths =
            rules.flat_map(|(_, sources)| sources.split(' ')).map(|path| path.strip_prefix(&root).unwrap_or(path));
        paths.filter(|path| path.starts_with("kpulse-") && !path.contains("/../")).map(str::to_owned).collect()
    }
}

/// Every file below a directory, or the file itself; what tools leave behind under a hidden name is none.
fn files(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
        let shown = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        return shown.flat_map(|entry| files(&entry.path())).collect();
    }
    vec![path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()]
}

#[test]
fn whatever_kpulse_is_built_from_is_watched() {
    let (inputs, read) = (Inputs::read(), read_by_the_compiler());
    assert!(read.len() > 100, "the compiler read {} files only", read.len());
    let missed: Vec<_> = read.iter().filter(|path| !inputs.count(path) && !path.starts_with(MAIL_SERVER)).collect();
    assert!(missed.is_empty(), "add to dev/inputs, so that Tilt builds kpulse when it changes: {missed:#?}");
}

#[test]
fn nothing_else_is_watched() {
    let (inputs, read) = (Inputs::read(), read_by_the_compiler());
    let all = inputs.watched.iter().flat_map(|path| files(&root().join(path)));
    let idle: Vec<_> = all
        .filter(|path| inputs.count(path) && !read.contains(path))
        .filter(|path| !path.ends_with("Cargo.toml") && !path.starts_with(".cargo/") && path != "Cargo.lock")
        .collect();
    assert!(
        idle.is_empty(),
        "kpulse is not built from these. Tests that stand beside the code are in tests.rs, tests/ or …_tests.rs; other \
         files get a line with ! in dev/inputs: {idle:#?}"
    );
}

#[test]
fn what_is_watched_is_there() {
    for path in Inputs::read().watched {
        assert!(root().join(&path).exists(), "dev/inputs: {path} does not exist");
    }
}

/// Only these build the sink anew, in the Tiltfile: it must be made of nothing else.
#[test]
fn the_sink_is_made_of_its_own_files_only() {
    let sink = root().join("kpulse-testkit/src/sink");
    for path in files(&sink).into_iter().filter(|path| path.ends_with(".rs")) {
        for line in read(&path).lines().filter(|line| line.contains("crate::") || line.contains("kpulse_core")) {
            assert!(line.contains("crate::sink"), "{path} is made of more than the sink: {line}");
        }
    }
}
