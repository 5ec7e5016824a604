//! Compares what was said about a recording with the truth about it.
//!
//! A recording is what an API server sent while things broke and healed; its truth file lists what a truthful agent
//! says: what fires in which window, how and when it ends, and that everything else is wrong.
//!
//! ```no_run
//! use kpulse_testkit::judge::{Recording, Said};
//!
//! let recording = Recording::named("crash-loop").unwrap();
//! let said: Vec<Said> = vec![/* the lines of `kpulse replay` */];
//! assert_eq!(recording.faults(&said), Vec::<String>::new());
//! ```

mod draft;
mod track;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

pub use draft::draft;
use track::Track;

/// A recording of this crate, with its truth.
#[derive(Debug)]
pub struct Recording {
    /// Its name: `crash-loop`.
    pub name: String,
    /// The lines.
    pub path: PathBuf,
    /// The settings of this replay, to be laid over the defaults.
    pub config: Value,
    /// How long virtual time goes on after the last line, as `5m`.
    pub horizon: String,
    begin: Timestamp,
    expect: Vec<Expectation>,
    allowed: Vec<Expectation>,
}

/// Why a recording cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A file of it is missing or cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of it is not of its format.
    #[error("{}: {fault}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
}

/// One notification, as `kpulse replay` prints it. Case does not matter in names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// `firing` or `resolved`.
    pub state: String,
    /// Which monitor.
    pub monitor: String,
    /// How bad.
    pub severity: String,
    /// Where; empty for cluster-scoped objects.
    #[serde(default)]
    pub namespace: String,
    /// `Pod/name`.
    pub object: String,
    /// The container, if it is one container's.
    #[serde(default)]
    pub container: Option<String>,
    /// `Deployment/name`.
    #[serde(default)]
    pub workload: Option<String>,
    /// Why.
    pub reason: String,
    /// `recovered`, `gone`.
    #[serde(default)]
    pub ending: Option<String>,
    /// What a person reads first.
    pub title: String,
    /// How many.
    pub count: usize,
}

#[derive(Debug, Deserialize)]
struct Truth {
    #[serde(default)]
    config: Value,
    horizon: String,
    #[serde(default)]
    expect: Option<Vec<Expectation>>,
    #[serde(default)]
    allowed: Option<Vec<Expectation>>,
}

/// One thing that must, or may, be said.
#[derive(Debug, Deserialize)]
struct Expectation {
    monitor: String,
    severity: Option<String>,
    namespace: Option<String>,
    workload: Option<String>,
    object: Option<String>,
    container: Option<String>,
    reason: Option<Vec<String>>,
    fired: Option<(String, String)>,
    #[serde(default)]
    ended: Ended,
    updates: Option<usize>,
    #[serde(default)]
    per_object: bool,
    #[serde(default)]
    container_required: bool,
    one_of: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Ended {
    How {
        how: Vec<String>,
        at: (String, String),
    },
    Word(String),
    #[default]
    Never,
}

impl Recording {
    /// Where the recordings are.
    #[must_use]
    pub fn directory() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings")
    }

    /// Every recording, by name.
    ///
    /// # Errors
    /// Where one of them cannot be read.
    pub fn all() -> Result<Vec<Self>, JudgeError> {
        let directory = Self::directory();
        let unreadable = |source| JudgeError::Unreadable { path: directory.clone(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            names.extend(name.to_string_lossy().strip_suffix(".truth.yaml").map(str::to_owned));
        }
        names.sort();
        names.iter().map(|name| Self::named(name)).collect()
    }

    /// The recording of this name.
    ///
    /// # Errors
    /// Where there is none, or it is not of its format.
    pub fn named(name: &str) -> Result<Self, JudgeError> {
        let path = Self::directory().join(format!("{name}.jsonl"));
        let truth_path = path.with_extension("truth.yaml");
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| JudgeError::Unreadable { path: path.to_owned(), source })
        };
        let malformed = |path: &Path, fault: String| JudgeError::Malformed { path: path.to_owned(), fault };
        let truth: Truth =
            serde_saphyr::from_str(&read(&truth_path)?).map_err(|fault| malformed(&truth_path, fault.to_string()))?;
        let begin = begin(&path, &read(&path)?)?;
        Ok(Self {
            name: name.to_owned(),
            config: truth.config,
            horizon: truth.horizon,
            begin,
            expect: truth.expect.unwrap_or_default(),
            allowed: truth.allowed.unwrap_or_default(),
            path,
        })
    }

    /// The same recording, judged on one monitor only: what is said by or expected of others does not count.
    #[must_use]
    pub fn of_monitor(mut self, monitor: &str) -> Self {
        self.expect.retain(|expected| expected.monitor == monitor);
        self.allowed.retain(|allowed| allowed.monitor == monitor);
        self
    }

    /// Everything that is wrong with what was said, each in a sentence; nothing if all of it is true and nothing is
    /// missing.
    #[must_use]
    pub fn faults(&self, said: &[Said]) -> Vec<String> {
        let mut said: Vec<&Said> = said.iter().collect();
        said.sort_by_key(|line| line.at);
        let mut tracks: Vec<Track<'_>> = self.expect.iter().map(|expected| Track::new(expected, self.begin)).collect();
        let mut faults = Vec::new();
        for line in said {
            if let Some(track) = best(&mut tracks, line) {
                track.take(line);
            } else if !self.allowed.iter().any(|allowed| allowed.is_about(line) && allowed.reason_fits(line)) {
                faults.push(format!("said, and not true or not to be told: {}", self.show(line)));
            }
        }
        let verdicts: Vec<(&Expectation, Vec<String>)> =
            tracks.iter().map(|track| (track.expected, track.faults())).collect();
        for (expected, found) in &verdicts {
            // Of the expectations with one tag, at least one must be said.
            let excused = found.as_slice() == [track::NEVER_SAID]
                && expected.one_of.is_some()
                && verdicts
                    .iter()
                    .any(|(other, faults)| other.one_of == expected.one_of && faults.as_slice() != [track::NEVER_SAID]);
            if !excused {
                faults.extend(found.iter().map(|fault| format!("{}: {fault}", expected.name())));
            }
        }
        faults
    }

    fn show(&self, line: &Said) -> String {
        let seconds = line.at.duration_since(self.begin).as_secs_f64();
        let Said { state, severity, monitor, namespace, object, reason, title, .. } = line;
        format!("{seconds:.1}s {state} {severity} {monitor} {namespace}/{object} {reason} \"{title}\"")
    }
}

/// When a recording begins: the time of its first line.
fn begin(path: &Path, lines: &str) -> Result<Timestamp, JudgeError> {
    #[derive(Deserialize)]
    struct First {
        at: Timestamp,
    }
    let first: First = serde_json::from_str(lines.lines().next().unwrap_or_default())
        .map_err(|fault| JudgeError::Malformed { path: path.to_owned(), fault: fault.to_string() })?;
    Ok(first.at)
}

/// The expectation a line is about. A resolve belongs to what fires; of two that differ in their container only, a
/// line without one belongs to the one not yet told.
fn best<'a, 'e>(tracks: &'a mut [Track<'e>], line: &Said) -> Option<&'a mut Track<'e>> {
    let about: Vec<usize> = (0..tracks.len()).filter(|index| tracks[*index].expected.is_about(line)).collect();
    let fits: Vec<usize> = about.iter().copied().filter(|index| tracks[*index].expected.reason_fits(line)).collect();
    let chosen = if line.state == "resolved" {
        let fires = |index: &&usize| tracks[**index].is_firing();
        fits.iter().find(fires).or_else(|| about.iter().find(fires)).or(fits.first()).or(about.first()).copied()
    } else if line.container.is_none() {
        fits.iter().find(|index| !tracks[**index].was_said()).or(fits.first()).copied()
    } else {
        fits.first().copied()
    };
    chosen.and_then(|index| tracks.get_mut(index))
}

impl Expectation {
    fn name(&self) -> String {
        let parts = [
            Some(&self.monitor),
            self.namespace.as_ref(),
            self.workload.as_ref().or(self.object.as_ref()),
            self.container.as_ref(),
        ];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn is_about(&self, line: &Said) -> bool {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let named = |name: &Option<String>| {
            name.as_ref().is_none_or(|name| {
                same(name, &line.object) || line.workload.as_ref().is_some_and(|workload| same(name, workload))
            })
        };
        same(&self.monitor, &line.monitor)
            && self.namespace.as_ref().is_none_or(|namespace| same(namespace, &line.namespace))
            && named(&self.workload)
            && named(&self.object)
            && match (&self.container, &line.container) {
                (Some(expected), Some(said)) => same(expected, said),
                (_, None) => !self.container_required,
                (None, Some(_)) => true,
            }
    }

    fn reason_fits(&self, line: &Said) -> bool {
        self.reason
            .as_ref()
            .is_none_or(|reasons| reasons.iter().any(|reason| reason.eq_ignore_ascii_case(&line.reason)))
    }
}
