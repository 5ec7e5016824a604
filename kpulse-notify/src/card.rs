//! A message as a chat shows it: the words of [`text`](crate::text), and beside them what a person looks for.
//!
//! Every part is plain text of one line without control characters, and short; a channel gives it its platform's marks.

use jiff::Timestamp;
use kpulse_core::{AlertState, Bulletin, Content, Notification, ObjectRef, Report, Severity};

pub(crate) use crate::links::Link;
use crate::links::Links;
use crate::text;
pub(crate) use crate::text::{Command, Lines, clip};

/// How many members are named.
const NAMED: usize = 3;

/// The longest name of an object: what Kubernetes allows.
const NAME: usize = 253;

/// The longest headline: what is beyond it no phone and no heading shows.
const HEADLINE: usize = 250;

/// What the manifest has for a cluster's name.
const PLACEHOLDER: &str = "REPLACE_ME";

/// The parts of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    /// What, where, how bad: what a phone shows.
    pub(crate) headline: String,
    pub(crate) tone: Tone,
    /// Why, the first line saying most; of a bulletin, what it is.
    pub(crate) cause: Vec<String>,
    /// What the container that failed said.
    pub(crate) quote: Vec<String>,
    /// What a bulletin tells.
    pub(crate) lines: Lines,
    /// What to copy.
    pub(crate) commands: Vec<Command>,
    pub(crate) facts: Vec<Fact>,
    /// Where there is more to see.
    pub(crate) links: Vec<Link>,
    /// Who says so.
    pub(crate) footer: String,
}

/// A name and a value, for tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// How a message looks from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Critical,
    Warning,
    Info,
    Resolved,
}

impl Tone {
    pub(crate) fn of(content: &Content) -> Self {
        match (content.state(), content.severity()) {
            (AlertState::Resolved, _) => Self::Resolved,
            (AlertState::Firing, Severity::Critical) => Self::Critical,
            (AlertState::Firing, Severity::Warning) => Self::Warning,
            (AlertState::Firing, Severity::Info) => Self::Info,
        }
    }

    /// The colour, as red, green and blue: the same as in mail.
    pub(crate) const fn rgb(self) -> u32 {
        match self {
            Self::Critical => 0xdc_2626,
            Self::Warning => 0xd9_7706,
            Self::Info => 0x25_63eb,
            Self::Resolved => 0x10_b981,
        }
    }

    /// In a word, where there is no colour.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Resolved => "resolved",
        }
    }

    /// The colour as web pages write it.
    pub(crate) fn hex(self) -> String {
        format!("#{:06x}", self.rgb())
    }
}

/// What, where, how bad: for where a message is one line.
pub(crate) fn headline(notification: &Notification) -> String {
    clip(text::message(notification).headline, HEADLINE)
}

/// The parts of a message.
pub(crate) fn card(notification: &Notification, links: &Links) -> Card {
    let content = &notification.content;
    let message = text::message(notification);
    let (cause, facts) = match content {
        Content::Bulletin(_) => (message.details, Vec::new()),
        Content::Report(report) => match report.state {
            AlertState::Firing => (text::lines(&report.cause), firing_facts(report)),
            AlertState::Resolved => (message.details, resolved_facts(report)),
        },
    };
    Card {
        headline: clip(message.headline, HEADLINE),
        tone: Tone::of(content),
        cause,
        quote: message.quote,
        lines: message.lines,
        commands: message.commands,
        facts,
        links: links.of(notification),
        footer: footer(content),
    }
}

/// What a message is called wherever it is recognised again: with the cluster, for others may send there too.
pub(crate) fn outer_key(content: &Content) -> String {
    format!("{}-{}", content.fingerprint(), clip(text::line(content.cluster()), 100))
}

fn firing_facts(report: &Report) -> Vec<Fact> {
    let since = text::since(report.started_at, report.fired_at);
    let alone = report.count == 1;
    let mut facts = vec![fact("Since", since.trim_start_matches("since ").to_owned())];
    // One place would be wrong for objects that have no owner in common.
    if alone || report.workload.is_some() {
        facts.insert(0, fact("Where", place(report)));
    }
    if let Some(members) = members(report) {
        facts.push(members);
    }
    // Of several, it is the node of the first only.
    if let Some(node) = report.node.as_deref().filter(|_| alone) {
        facts.push(fact("Node", name(node)));
    }
    facts.push(fact("Reason", name(&report.reason)));
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

fn resolved_facts(report: &Report) -> Vec<Fact> {
    let mut facts = Vec::new();
    if report.count == 1 || report.workload.is_some() {
        facts.push(fact("Where", place(report)));
    }
    if let Some(ended) = report.ended_at {
        let began = report.started_at;
        let day = |at: Timestamp| at.strftime("%-d %b ").to_string();
        let until = if day(began) == day(ended) { String::new() } else { day(ended) };
        let lasted = text::span(ended.duration_since(began));
        let (from, to) = (began.strftime("%H:%M"), ended.strftime("%H:%M UTC"));
        facts.push(fact("Lasted", format!("{lasted} ({}{from} – {until}{to})", day(began))));
    }
    facts.push(fact("Reason", name(&report.reason)));
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

/// `checkout · Deployment/api · container api`.
fn place(report: &Report) -> String {
    let object = match &report.workload {
        Some(workload) => name(&workload.to_string()),
        None => name(&report.object.to_string()),
    };
    let container = report.trouble.container.as_ref().map(|container| format!("container {}", name(container)));
    let parts = [name(&report.object.namespace), object, container.unwrap_or_default()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// `Pods: api-1, api-2, api-3 and 9 more`; nothing where the place says it already.
fn members(report: &Report) -> Option<Fact> {
    let first = report.members.first()?;
    if report.count == 1 && report.workload.is_none() {
        return None;
    }
    let abroad = report.members.iter().any(|member| member.namespace != first.namespace);
    let call = |member: &ObjectRef| match abroad {
        true => name(&format!("{}/{}", member.namespace, member.name)),
        false => name(&member.name),
    };
    let named: Vec<_> = report.members.iter().take(NAMED).map(call).collect();
    let more = report.count.saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let kinds = if report.count == 1 { first.kind.to_string() } else { format!("{}s", first.kind) };
    Some(fact(kinds, format!("{}{more}", named.join(", "))))
}

fn footer(content: &Content) -> String {
    let cluster = match content.cluster().as_str() {
        PLACEHOLDER => "no name yet: set cluster.name, it is still REPLACE_ME".to_owned(),
        cluster => name(cluster),
    };
    let zone = match content {
        Content::Bulletin(bulletin) if tells_times(bulletin) => "times in UTC",
        _ => "",
    };
    let parts = [cluster, content.source().to_owned(), zone.to_owned(), "kpulse".to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn tells_times(bulletin: &Bulletin) -> bool {
    bulletin.lines.iter().any(|line| line.state == AlertState::Firing)
}

fn fact(name: impl Into<String>, value: String) -> Fact {
    Fact { name: name.into(), value }
}

/// Somebody else's name for something: Kubernetes allows no long ones, but a name may come from anywhere.
fn name(text: &str) -> String {
    clip(text::line(text), NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn facts(notification: &Notification) -> Vec<(String, String)> {
        card(notification, &Links::default()).facts.into_iter().map(|fact| (fact.name, fact.value)).collect()
    }

    fn owned(facts: &[(&str, &str)]) -> Vec<(String, String)> {
        facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_group_says_where_since_when_and_which() {
        let grown = owned(&[
            ("Where", "checkout · Deployment/api · container api"),
            ("Since", "14:02 UTC"),
            ("Pods", "api-7c9d5f6b8-2xk4q, api-7c9d5f6b8-9wv7m, api-7c9d5f6b8-lq5zt and 9 more"),
            ("Reason", "CrashLoopBackOff"),
        ]);
        assert_eq!(facts(&example::grown()), grown);
    }

    #[test]
    fn a_bare_object_is_named_once_and_with_its_node() {
        let bare = owned(&[
            ("Where", "checkout · Pod/migrate · container migrate"),
            ("Since", "14:02 UTC"),
            ("Node", "ip-10-0-3-17"),
            ("Reason", "CrashLoopBackOff"),
        ]);
        assert_eq!(facts(&example::bare()), bare);
    }

    #[test]
    fn several_nodes_have_no_place_but_names() {
        let nodes = owned(&[("Since", "03:11 UTC"), ("Nodes", "ip-10-0-3-17, ip-10-0-3-18"), ("Reason", "NotReady")]);
        assert_eq!(facts(&example::nodes()), nodes);
    }

    #[test]
    fn objects_in_several_namespaces_are_named_with_them() {
        let mut copies = example::firing();
        copies.content.report_mut().unwrap().members[1].namespace = "blog".into();
        let (_, named) = facts(&copies).remove(2);
        assert_eq!(named, "checkout/api-7c9d5f6b8-2xk4q, blog/api-7c9d5f6b8-9wv7m, checkout/api-7c9d5f6b8-lq5zt");
    }

    #[test]
    fn an_end_says_how_long_it_was() {
        let (lasted, value) = facts(&example::resolved()).remove(1);
        assert_eq!((lasted.as_str(), value.as_str()), ("Lasted", "18m (22 Nov 14:02 – 14:20 UTC)"));
    }

    #[test]
    fn a_cluster_that_was_not_named_is_told() {
        let mut unnamed = example::firing();
        assert_eq!(card(&unnamed, &Links::default()).footer, "prod-eu · pod_crashes · kpulse");
        unnamed.content.report_mut().unwrap().cluster = "REPLACE_ME".into();
        assert!(card(&unnamed, &Links::default()).footer.starts_with("no name yet: set cluster.name"));
    }

    #[test]
    fn five_thousand_members_and_long_names_make_a_short_card() {
        for hostile in example::hostile() {
            let card = card(&hostile, &Links::default());
            let length: usize = card.facts.iter().map(|fact| fact.value.chars().count()).sum();
            assert!(length < 2_000 && card.headline.chars().count() <= HEADLINE, "{length}");
        }
    }
}
