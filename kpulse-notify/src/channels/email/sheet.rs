//! What a mail shows, as plain text in its parts; the templates put it into HTML and into text.
//!
//! What was seen in the cluster is somebody else's writing. Here it loses line ends, control characters and marks that
//! turn the direction of reading, and is bounded; the HTML template escapes the rest.

use askama::Template;
use jiff::Timestamp;
use kpulse_core::{AlertState, Content, Ending, Notification, ObjectRef, Report, Severity, Why};

use crate::links::{Link, Links};
use crate::text::{self, Command};
use bulletin::Told;

mod bulletin;

/// The most members that are named.
const MEMBERS: usize = 20;

/// The most lines of a cause or an ending.
const BODY: usize = 20;

/// The most lines of a log: its last ones.
const LOG: usize = 60;

/// The most characters of a log. Gmail cuts a mail off after 102 kB.
const LOG_LENGTH: usize = 12_000;

/// The longest line of a log, in characters.
const LOG_LINE: usize = 400;

/// The name of a cluster that nobody has named yet: the manifest's.
const PLACEHOLDER: &str = "REPLACE_ME";

/// The facts beside a mail's text, in their order.
const IN_TEXT: &[&str] = &[
    "Cluster",
    "Namespace",
    "Object",
    "Workload",
    "Container",
    "Node",
    "Reason",
    "Severity",
    "Monitor",
    "FiredAt",
    "Since",
    "Ended",
    "Count",
];

/// The facts in a mail's table, in their order. The cluster is in the banner.
const IN_HTML: &[&str] = &[
    "Monitor",
    "Namespace",
    "Object",
    "Workload",
    "Container",
    "Node",
    "Reason",
    "Severity",
    "Since",
    "Ended",
    "Count",
];

/// Everything a mail shows, each a single line of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) cluster: String,
    /// `CRITICAL`, or `RESOLVED`.
    state: &'static str,
    icon: &'static str,
    /// Of the banner. White text on it can be read: its contrast is 4.5 or more.
    colour: &'static str,
    /// What a list of mails shows beside the subject.
    preheader: String,
    /// Why this mail comes now, where that is not plain.
    notes: Vec<String>,
    /// Why it is broken, or how it ended.
    body: Vec<String>,
    commands: Vec<Command>,
    links: Vec<Link>,
    /// What a bulletin tells, a line each.
    told: Vec<Told>,
    more_told: usize,
    text_facts: Vec<Fact>,
    html_facts: Vec<Fact>,
    log: Vec<String>,
    log_heading: String,
    members: Vec<String>,
    members_heading: &'static str,
    more_members: usize,
    footer: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "email.html")]
struct Html<'a> {
    sheet: &'a Sheet,
}

#[derive(Template)]
#[template(path = "email.txt")]
struct Text<'a> {
    sheet: &'a Sheet,
}

impl Sheet {
    pub(super) fn new(notification: &Notification, links: &Links) -> Self {
        let sheet = match &notification.content {
            Content::Report(report) => Self::of_report(notification, report),
            Content::Bulletin(bulletin) => bulletin::sheet(notification, bulletin),
        };
        Self { links: links.of(notification), ..sheet }
    }

    fn of_report(notification: &Notification, report: &Report) -> Self {
        let (state, icon, colour) = look(report);
        let facts = facts(report);
        let body = body(report);
        let (members, more_members) = members(report);
        let log = log(&report.log);
        Self {
            title: text::line(&report.title),
            cluster: text::line(&report.cluster),
            state,
            icon,
            colour,
            preheader: body.first().cloned().unwrap_or_default(),
            notes: notes(notification),
            body,
            commands: text::message(notification).commands,
            links: Vec::new(),
            told: Vec::new(),
            more_told: 0,
            text_facts: chosen(&facts, IN_TEXT),
            html_facts: chosen(&facts, IN_HTML),
            log_heading: log_heading(report, log.len()),
            log,
            members,
            members_heading: if report.state == AlertState::Firing { "Affected" } else { "Were affected" },
            more_members,
            footer: footer(&report.cluster),
        }
    }

    pub(super) fn html(&self) -> Result<String, askama::Error> {
        Html { sheet: self }.render()
    }

    pub(super) fn text(&self) -> Result<String, askama::Error> {
        Text { sheet: self }.render()
    }
}

/// The banner's word, icon and colour.
const fn look(report: &Report) -> (&'static str, &'static str, &'static str) {
    let colour = hue(report.state, report.severity);
    match (report.state, report.severity) {
        (AlertState::Resolved, _) => ("RESOLVED", "✓", colour),
        (AlertState::Firing, Severity::Critical) => ("CRITICAL", "!!", colour),
        (AlertState::Firing, Severity::Warning) => ("WARNING", "!", colour),
        (AlertState::Firing, Severity::Info) => ("INFO", "i", colour),
    }
}

/// The banner's colour: the earlier program's, two of them darker, since white on its orange and its green cannot be read.
const fn hue(state: AlertState, severity: Severity) -> &'static str {
    match (state, severity) {
        (AlertState::Resolved, _) => "#047857",
        (AlertState::Firing, Severity::Critical) => "#dc2626",
        (AlertState::Firing, Severity::Warning) => "#b45309",
        (AlertState::Firing, Severity::Info) => "#2563eb",
    }
}

fn notes(notification: &Notification) -> Vec<String> {
    let change = match notification.why {
        Why::Grown => Some("More objects have it than when it was last told.".to_owned()),
        Why::Escalated => Some("It has become worse since it was last told.".to_owned()),
        Why::Repeated => Some("It happened again since it was last told.".to_owned()),
        _ => None,
    };
    let late = notification.delayed.map(|late| {
        format!("Delayed by {}: the mail server could not be reached, or did not take it.", text::span(late))
    });
    change.into_iter().chain(late).collect()
}

/// The lines that say something.
fn body(report: &Report) -> Vec<String> {
    let said = match report.state {
        AlertState::Firing => &report.cause,
        AlertState::Resolved => &report.body,
    };
    said.lines().map(text::line).filter(|line| !line.is_empty()).take(BODY).collect()
}

fn facts(report: &Report) -> Vec<Fact> {
    let fact = |label, value: &str| Fact { label, value: text::line(value) };
    let workload = report.workload.as_ref().map(ToString::to_string).unwrap_or_default();
    let container = report.trouble.container.as_deref().unwrap_or_default();
    // Of several objects it would be the first one's only.
    let node = report.node.as_deref().filter(|_| report.count <= 1).unwrap_or_default();
    let mut facts = vec![
        fact("Monitor", report.monitor.as_str()),
        fact("Cluster", &report.cluster),
        fact("Namespace", &report.object.namespace),
        fact("Object", &object(report)),
        fact("Workload", &workload),
        fact("Container", container),
        fact("Node", node),
        fact("Reason", &report.reason),
        fact("Severity", report.severity.as_str()),
        fact("FiredAt", &instant(report.fired_at)),
        fact("Since", &instant(report.started_at)),
        fact("Ended", &ended(report)),
        // One object has been named.
        fact("Count", &if report.count > 1 { report.count.to_string() } else { String::new() }),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

fn chosen(facts: &[Fact], labels: &[&str]) -> Vec<Fact> {
    labels.iter().filter_map(|label| facts.iter().find(|fact| fact.label == *label)).cloned().collect()
}

/// The first object, and how many more there are.
fn object(report: &Report) -> String {
    let first = named(&report.object);
    match report.count {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

/// The form that kubectl takes: `pod/api-1`.
fn named(object: &ObjectRef) -> String {
    text::line(&format!("{}/{}", object.kind.as_str().to_lowercase(), object.name))
}

fn ended(report: &Report) -> String {
    let Some(at) = report.ended_at else { return String::new() };
    let how = report.ending.map(Ending::as_str).map(|how| format!(", {how}")).unwrap_or_default();
    format!("{} (after {}{how})", instant(at), text::span(at.duration_since(report.started_at)))
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The members that are named, and how many are not. A single one has been named already.
fn members(report: &Report) -> (Vec<String>, usize) {
    if report.count <= 1 {
        return (Vec::new(), 0);
    }
    let abroad = report.members.iter().any(|member| member.namespace != report.object.namespace);
    let place = |member: &ObjectRef| match abroad {
        true if !member.namespace.is_empty() => format!("  (namespace {})", text::line(&member.namespace)),
        _ => String::new(),
    };
    let members: Vec<_> =
        report.members.iter().take(MEMBERS).map(|member| format!("{}{}", named(member), place(member))).collect();
    let more = report.count.saturating_sub(members.len());
    (members, more)
}

fn footer(cluster: &str) -> Vec<String> {
    let cluster = text::line(cluster);
    match cluster.as_str() {
        PLACEHOLDER | "" => vec![
            "Sent by kpulse.".to_owned(),
            format!(
                "Nobody has named this cluster yet: set cluster.name in kpulse's configuration ({PLACEHOLDER} stands there)."
            ),
        ],
        cluster => vec![format!("Sent by kpulse, which watches the cluster {cluster}.")],
    }
}

fn log_heading(report: &Report, lines: usize) -> String {
    let lines = if lines == 1 { "The last line".to_owned() } else { format!("The last {lines} lines") };
    match report.log_source() {
        Some((pod, container)) => format!("{lines} of container {}, {}", text::line(container), named(pod)),
        None => format!("{lines} of the log"),
    }
}

/// The last lines that fit.
fn log(lines: &[String]) -> Vec<String> {
    let mut length = 0;
    let fits = |line: &String| {
        length += line.chars().count();
        length <= LOG_LENGTH
    };
    let mut last: Vec<_> = lines.iter().rev().take(LOG).map(|line| log_line(line)).take_while(fits).collect();
    last.reverse();
    last
}

/// A line of a log: its blanks stay, for they say what belongs to what.
fn log_line(line: &str) -> String {
    let wide = |c: char| std::iter::repeat_n(if c == '\t' { ' ' } else { c }, if c == '\t' { 4 } else { 1 });
    let printable = line.trim_end().chars().flat_map(wide).filter(|c| !c.is_control() && !text::turns_direction(*c));
    let mut shown: Vec<char> = printable.take(LOG_LINE + 1).collect();
    if shown.len() > LOG_LINE {
        shown.truncate(LOG_LINE - 1);
        shown.push('…');
    }
    shown.into_iter().collect()
}
