//! How far a scan is, for a person who waits at a terminal: one line that is written over.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use jiff::Timestamp;
use kpulse_core::{Resource, Severity};
use tokio::time::Instant;

use super::{List, Scan};

/// A look that is over sooner shows nothing.
const FIRST: Duration = Duration::from_millis(300);
/// Between two lines.
const EVERY: Duration = Duration::from_millis(150);
/// Goes to the beginning of the line and empties it.
const CLEAR: &str = "\r\x1b[2K";

/// The line on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Shows something on a terminal only.
    pub(crate) fn begin() -> Self {
        Self { next: io::stderr().is_terminal().then(|| Instant::now() + FIRST), shown: false }
    }

    /// Shows how far the scan is, if some time has passed.
    pub(crate) fn show(&mut self, scan: &Scan) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + EVERY);
        self.shown = true;
        write(&format!("{CLEAR}{}", line(scan)));
    }

    /// Takes the line away.
    pub(crate) fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            write(CLEAR);
        }
    }
}

/// A line that cannot be shown is no reason to end.
fn write(text: &str) {
    let mut err = io::stderr();
    let _shown = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// `12500 of 20000 pods · 2 critical, 1 warning so far`.
fn line(scan: &Scan) -> String {
    let now = Timestamp::now();
    let of = |wanted: fn(Resource) -> bool| {
        let lists = scan.lists.iter().filter(move |(scope, _)| wanted(scope.resource));
        lists.fold((0, 0), |(objects, more), (_, List { objects: these, remaining, .. })| {
            (objects + *these as u64, more + remaining.unwrap_or_default())
        })
    };
    let (pods, more) = of(|resource| resource == Resource::Pods);
    let looked = match pods {
        0 => format!("{} objects", of(|_| true).0),
        pods => format!("{pods} of {} pods", pods + more),
    };
    let standing = scan.engine.standing(now, |alert| scan.wish.wants(alert));
    let so_far = [Severity::Critical, Severity::Warning].into_iter().filter_map(|severity| {
        let lasting = |standing: &&kpulse_core::Standing| standing.course == kpulse_core::Course::Lasts;
        let count = standing.iter().filter(lasting).filter(|standing| standing.report.severity == severity).count();
        (count > 0).then(|| format!("{count} {severity}"))
    });
    let so_far: Vec<String> = so_far.collect();
    let found = if so_far.is_empty() { "nothing broken so far".to_owned() } else { so_far.join(", ") + " so far" };
    format!("{looked} · {found}")
}

#[cfg(test)]
mod tests {
    use kpulse_core::facts::Facts;
    use kpulse_core::settings::Settings;
    use kpulse_core::{Kind, Observation, Scope};
    use kpulse_testkit::builders::pod;
    use kpulse_watch::look::Glimpse;

    use super::*;
    use crate::scan::{Reach, Wish};

    #[test]
    fn the_line_says_how_far_it_is_and_what_was_found() {
        let now = Timestamp::now();
        let wish = Wish { settings: Settings::default(), reach: Reach::Cluster, labels: None };
        let mut scan = Scan::new(now, wish);
        let broken = pod("shop", "web").crash_looping(3, now).json().to_string();
        let mut page = |resource, json: &str, kind, remaining| {
            let seen = Observation::Applied(Facts::from_json(kind, json.as_bytes()).unwrap());
            let scope = Scope::cluster(resource);
            scan.glimpse(now, Glimpse { scope, observations: vec![seen], remaining });
            line(&scan)
        };
        let job = r#"{"metadata": {"namespace": "shop", "name": "import"}}"#;
        assert_eq!(page(Resource::Jobs, job, Kind::Job, None), "1 objects · nothing broken so far");
        assert_eq!(page(Resource::Pods, &broken, Kind::Pod, Some(19_999)), "1 of 20000 pods · 1 critical so far");
    }
}
