//! What a scan shows, for a person at a terminal: worst first, by workload; then what is not broken but worth knowing,
//! and what could not be seen. Styled throughout: who prints it takes the colours away where they are not wanted.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp};
use kpulse_core::Severity;

use super::picture::{Counts, Picture, Row, Told};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
/// No object's own words take more than this on a line.
const WIDEST: usize = 160;

/// The text, for a terminal of this width.
pub(crate) fn text(picture: &Picture, width: Option<usize>) -> String {
    let mut page = Page { text: String::new(), width: width.unwrap_or(WIDEST).max(60), now: picture.at };
    page.head(picture);
    page.rows(&picture.firing);
    page.section("Lately", "Warning Events of the last 15 minutes", &picture.recent);
    page.section("Not due yet", "kpulse would tell of these if they last", &picture.pending);
    page.foot(picture);
    page.text
}

/// Only these rows, without a head.
pub(crate) fn rows(rows: &[Row], now: Timestamp) -> String {
    let mut page = Page { text: String::new(), width: WIDEST, now };
    page.rows(rows);
    page.text.trim_start().to_owned()
}

/// What is not due yet.
pub(crate) fn pending(rows: &[Row], now: Timestamp) -> String {
    let mut page = Page { text: String::new(), width: WIDEST, now };
    page.section("Not due yet", "kpulse tells of these if they last", rows);
    page.text
}

struct Page {
    text: String,
    width: usize,
    now: Timestamp,
}

impl Page {
    fn head(&mut self, picture: &Picture) {
        let Picture { cluster, server, counts, .. } = picture;
        let place = if cluster == server { cluster.clone() } else { format!("{cluster} ({server})") };
        self.line(&format!("{BOLD}{place}{BOLD:#}: {}", verdict(picture, *counts)));
    }

    /// A row for each trouble; a workload is named once.
    fn rows(&mut self, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        let columns = Columns::of(rows, self.now);
        self.line("");
        self.line(&format!("{DIM}{}{DIM:#}", columns.head()));
        let mut before = None;
        for row in rows {
            let place = Some(row.place());
            self.row(row, &columns, place != before);
            before = place;
        }
    }

    fn section(&mut self, title: &str, meaning: &str, rows: &[Row]) {
        if rows.is_empty() {
            return;
        }
        self.line("");
        self.line(&format!("{BOLD}{title}{BOLD:#}: {DIM}{meaning}{DIM:#}"));
        let columns = Columns::of(rows, self.now);
        for row in rows {
            self.row(row, &columns, true);
        }
    }

    fn row(&mut self, row: &Row, columns: &Columns, with_place: bool) {
        let style = style(row.severity);
        let severity = row.severity.as_str();
        let (place, kind) = if with_place { shown_place(row) } else { Default::default() };
        let Columns { when, places, kinds } = *columns;
        let shown_when = shown_when(row, self.now);
        let room = self.width.saturating_sub(columns.indent());
        let what = one_line(&row.what, room);
        let reason = if says(&row.what, &row.reason) { String::new() } else { format!(" {DIM}{}{DIM:#}", row.reason) };
        self.line(&format!(
            "{style}{severity:8}{style:#}  {shown_when:>when$}  {BOLD}{place:places$}{BOLD:#}  {kind:kinds$}  {what}{reason}"
        ));
        let indent = " ".repeat(columns.indent());
        for line in row.cause.lines().filter(|line| !line.trim().is_empty()) {
            self.line(&format!("{indent}{}", one_line(line, room)));
        }
        if row.count > 1 && row.kind == "Node" {
            self.line(&format!("{indent}{}", one_line(&names(row), room)));
        }
        if let Some(told) = &row.told {
            self.line(&format!("{indent}{}", told_whom(told, self.now)));
        }
        if let Some(command) = &row.command {
            self.line(&format!("{indent}{DIM}{}{DIM:#}", plain(command)));
        }
    }

    fn foot(&mut self, picture: &Picture) {
        let mut notes = Vec::new();
        notes.extend(excluded(picture));
        notes.extend(ignored(picture));
        for unseen in &picture.not_seen {
            notes.push(("Not seen", plain(&format!("{}: {}", unseen.what, unseen.why))));
        }
        if !picture.need_time.is_empty() {
            let monitors = picture.need_time.join(", ");
            notes.push(("Not judged", format!("{monitors}, which one look cannot tell; --watch can")));
        }
        if !notes.is_empty() {
            self.line("");
        }
        for (word, note) in notes {
            self.line(&format!("{BOLD}{word}{BOLD:#}: {note}"));
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }
}

/// How wide the columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    when: usize,
    places: usize,
    kinds: usize,
}

impl Columns {
    fn of(rows: &[Row], now: Timestamp) -> Self {
        let widest = |width: fn(&Row, Timestamp) -> usize| rows.iter().map(|row| width(row, now)).max().unwrap_or(0);
        Self {
            when: widest(|row, now| shown_when(row, now).len()).max("SINCE".len()),
            places: widest(|row, _| shown_place(row).0.chars().count()).max("WHERE".len()),
            kinds: widest(|row, _| shown_place(row).1.chars().count()),
        }
    }

    fn head(self) -> String {
        let Self { when, places, kinds } = self;
        format!("{:8}  {:>when$}  {:places$}  {:kinds$}  WHAT", "SEVERITY", "SINCE", "WHERE", "")
    }

    /// Where the last column begins.
    fn indent(self) -> usize {
        8 + 2 + self.when + 2 + self.places + 2 + self.kinds + 2
    }
}

fn verdict(picture: &Picture, counts: Counts) -> String {
    let (critical, warning) = (style(Severity::Critical), style(Severity::Warning));
    let mut found = Vec::new();
    if counts.critical > 0 {
        found.push(format!("{critical}{} critical{critical:#}", counts.critical));
    }
    if counts.warning > 0 {
        found.push(format!("{warning}{} warning{warning:#}", counts.warning));
    }
    if counts.info > 0 {
        found.push(format!("{} info", counts.info));
    }
    let looked = looked_at(picture);
    match (found.is_empty(), looked.is_empty(), picture.not_seen.is_empty()) {
        (_, true, _) => "nothing could be looked at".to_owned(),
        (false, ..) => format!("{} in {looked}", found.join(", ")),
        (true, _, true) => format!("nothing is broken in {looked}"),
        (true, _, false) => format!("nothing is broken in {looked}, as far as can be seen"),
    }
}

/// `214 Pods, 40 workloads, 12 nodes`: what people count a cluster by.
fn looked_at(picture: &Picture) -> String {
    let count = |resources: &[&str]| resources.iter().filter_map(|name| picture.looked_at.get(name)).sum::<usize>();
    let workloads = ["deployments", "statefulsets", "daemonsets", "cronjobs", "jobs"];
    let counts = [("Pod", count(&["pods"])), ("workload", count(&workloads)), ("node", count(&["nodes"]))];
    let known = ["pods", "nodes"].iter().chain(&workloads).any(|name| picture.looked_at.contains_key(name));
    let mut shown: Vec<String> =
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(word, count)| plural(count, word)).collect();
    if shown.is_empty() && known {
        shown.push("an empty cluster".to_owned());
    }
    shown.join(", ")
}

fn excluded(picture: &Picture) -> Option<(&'static str, String)> {
    let namespaces: Vec<String> = picture
        .excluded
        .iter()
        .map(|excluded| match excluded.troubles {
            0 => excluded.namespace.clone(),
            count => format!("{} ({})", excluded.namespace, plural(count, "trouble")),
        })
        .collect();
    let word = if namespaces.len() == 1 { "namespace" } else { "namespaces" };
    (!namespaces.is_empty()).then(|| ("Left out", format!("{word} {}; -A looks there too", listed(&namespaces))))
}

fn ignored(picture: &Picture) -> Option<(&'static str, String)> {
    let objects: Vec<String> = picture
        .ignored
        .iter()
        .map(|ignored| format!("{}/{} ({})", ignored.namespace, ignored.object, ignored.monitor))
        .collect();
    (!objects.is_empty()).then(|| ("Left alone", format!("by annotation: {}", listed(&objects))))
}

/// The first few, and how many more there are.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        // Writing to a String cannot fail.
        let _infallible = write!(text, " and {more} more");
    }
    text
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn shown_place(row: &Row) -> (String, &str) {
    let (namespace, kind, name) = row.place();
    let place = match (namespace.is_empty(), row.count) {
        (true, count) if count > 1 && kind == "Node" => format!("{count} nodes"),
        (true, _) => name.to_owned(),
        (false, _) => format!("{namespace}/{name}"),
    };
    (place, if row.count > 1 && kind == "Node" { "" } else { kind })
}

/// `told slack 3m ago, mail 3m ago`.
fn told_whom(told: &[Told], now: Timestamp) -> String {
    let channel = |told: &Told| format!("{} {} ago", told.channel, age(now.duration_since(told.at)));
    if told.is_empty() {
        "told nobody".to_owned()
    } else {
        format!("told {}", told.iter().map(channel).collect::<Vec<_>>().join(", "))
    }
}

/// Since when it lasts, when it happened, or when it is due.
fn shown_when(row: &Row, now: Timestamp) -> String {
    match row.due_at {
        Some(due) => format!("in {}", age(due.duration_since(now))),
        None => age(now.duration_since(row.started_at)),
    }
}

fn names(row: &Row) -> String {
    let names: Vec<String> =
        row.members.iter().map(|member| member.rsplit('/').next().unwrap_or(member).to_owned()).collect();
    let more = row.count.saturating_sub(names.len());
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
}

/// A duration in its largest unit: `45s`, `4m`, `3h`, `2d`.
pub(crate) fn age(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Whether a text says a word, however it is written: `not ready` says `NotReady`.
fn says(text: &str, word: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace([' ', '-'], "");
    plain(text).contains(&plain(word))
}

/// No longer than there is room for.
fn one_line(text: &str, room: usize) -> String {
    let (text, room) = (plain(text), room.max(24));
    if text.chars().count() <= room {
        return text;
    }
    let cut: String = text.chars().take(room - 1).collect();
    format!("{}…", cut.trim_end())
}

/// An object's own words, without anything that a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default(),
        Severity::Info => AnsiColor::Blue.on_default(),
    }
}
