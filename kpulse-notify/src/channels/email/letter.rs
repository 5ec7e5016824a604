//! A message as a mail, whoever it goes to: subject, marks by which mail is filtered and threaded, HTML and text.

use jiff::Timestamp;
use kpulse_core::{AlertState, Content, Notification, Severity};
use ring::digest;

use super::sheet::Sheet;
use crate::links::Links;
use crate::text;

/// The longest subject, in characters. Phones show 40 of them, programs at most about 150.
const SUBJECT: usize = 150;

/// The longest name of a cluster within an address: what a label of a domain may have.
const LABEL: usize = 63;

/// The longest Message-ID that is believed. RFC 5322 has lines end after 998 characters.
const ID: usize = 250;

/// A mail, without the addresses it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// `[prod-eu] [!!] checkout/api: 3 Pods crash-looping`.
    pub subject: String,
    /// The Message-ID with its angle brackets: the same for the same message, whenever it is sent.
    pub id: String,
    /// The Message-ID of the group's first mail, which this one follows.
    pub follows: Option<String>,
    /// What people filter by, in order: `List-Id`, `Auto-Submitted`, `X-Kpulse-*`.
    pub headers: Vec<(&'static str, String)>,
    /// When what it tells happened: the time of a mail that is not sent but looked at.
    pub happened_at: Timestamp,
    /// For programs that show HTML.
    pub html: String,
    /// For those that do not, and for reading aloud.
    pub text: String,
}

/// Writes the mail of a message.
///
/// # Errors
///
/// Never, as far as is known: the templates' types allow for it.
pub fn letter(notification: &Notification, links: &Links) -> Result<Letter, askama::Error> {
    let content = &notification.content;
    let sheet = Sheet::new(notification, links);
    let id = id(notification);
    Ok(Letter {
        subject: subject(content, &sheet),
        follows: notification.message_id.as_deref().filter(|root| is_id(root) && *root != id).map(str::to_owned),
        headers: headers(content, &sheet),
        happened_at: match content {
            Content::Report(report) => report.ended_at.unwrap_or(report.fired_at),
            Content::Bulletin(bulletin) => bulletin.at,
        },
        html: sheet.html()?,
        text: sheet.text()?,
        id,
    })
}

impl Letter {
    /// What later mails of the group follow: its first one.
    #[must_use]
    pub fn root(&self) -> &str {
        self.follows.as_deref().unwrap_or(&self.id)
    }
}

/// The earlier program's forms, which people filter by. So that they hold, a mail of the same thread may have another
/// subject: programs that thread by subject alone begin a new thread with it.
fn subject(content: &Content, sheet: &Sheet) -> String {
    let mark = match (content.state(), content.severity()) {
        (AlertState::Resolved, _) => "[RESOLVED]",
        (AlertState::Firing, Severity::Info) => "[i]",
        (AlertState::Firing, Severity::Warning) => "[!]",
        (AlertState::Firing, Severity::Critical) => "[!!]",
    };
    let cluster = match bounded(&sheet.cluster, LABEL) {
        cluster if cluster.is_empty() => String::new(),
        cluster => format!("[{cluster}] "),
    };
    bounded(&format!("{cluster}{mark} {}", sheet.title), SUBJECT)
}

/// At most so many characters. What is cut ends in `…`, behind a whole word if one ends nearby, and never within a sign
/// that is made of several characters.
fn bounded(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.trim().to_owned();
    }
    let mut cut: Vec<char> = text.chars().take(limit.saturating_sub(1)).collect();
    let word = cut.iter().rposition(|c| *c == ' ').filter(|end| *end + 24 > cut.len());
    let joins = |c: &char| matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    cut.truncate(word.unwrap_or(cut.len()));
    while cut.last().is_some_and(|c| joins(c) || c.is_whitespace()) {
        cut.pop();
    }
    cut.push('…');
    cut.into_iter().collect()
}

fn headers(content: &Content, sheet: &Sheet) -> Vec<(&'static str, String)> {
    let state = match content.state() {
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
    };
    let label = label(content.cluster());
    vec![
        ("List-Id", format!("kpulse-{label} <kpulse.{label}.local>")),
        ("Auto-Submitted", "auto-generated".to_owned()),
        // What Exchange goes by instead: nobody's absence note is an answer to this.
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("X-Kpulse-Cluster", bounded(&sheet.cluster, SUBJECT)),
        ("X-Kpulse-Monitor", content.source().to_owned()),
        ("X-Kpulse-Severity", content.severity().as_str().to_owned()),
        ("X-Kpulse-State", state.to_owned()),
    ]
}

/// The Message-ID. A message that is sent again, because nobody knows whether it arrived, has the same: mail programs
/// then show it once.
fn id(notification: &Notification) -> String {
    let (key, cluster) = (&notification.idempotency_key, notification.content.cluster());
    let label = label(cluster);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    // What cannot stand in an address as it is stands there as its digest: no two of them become one.
    if *label == **cluster && (1..=128).contains(&key.len()) && key.chars().all(plain) {
        return format!("<{key}@{label}.kpulse.local>");
    }
    let digest = digest::digest(&digest::SHA256, format!("{key}\0{cluster}").as_bytes());
    let hex: String = digest.as_ref().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    format!("<{hex}@{label}.kpulse.local>")
}

/// A cluster's name as a label of a domain; whatever else is in it becomes a dash.
fn label(cluster: &str) -> String {
    let label: String =
        cluster.chars().take(LABEL).map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    match label.trim_matches('-') {
        "" => "cluster".to_owned(),
        label => label.to_owned(),
    }
}

/// Whether this is a Message-ID that may stand in a header: what a channel of another kind called its message is none.
fn is_id(text: &str) -> bool {
    let inside = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let Some((left, right)) = inside.and_then(|inside| inside.split_once('@')) else { return false };
    let part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"<>@,;:\\\"()".contains(c));
    text.len() <= ID && part(left) && part(right)
}

/// A text of one line for where a mail server's words are repeated.
pub(super) fn words(text: &str) -> String {
    bounded(&text::line(text), 200)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn written(change: impl FnOnce(&mut Notification)) -> Letter {
        let mut notification = example::firing();
        change(&mut notification);
        letter(&notification, &Links::default()).unwrap()
    }

    #[test]
    fn subjects_have_the_earlier_programs_forms() {
        let subject = |severity| written(|message| message.content.report_mut().unwrap().severity = severity).subject;
        assert_eq!(subject(Severity::Info), "[prod-eu] [i] checkout/api: 3 Pods crash-looping");
        assert_eq!(subject(Severity::Warning), "[prod-eu] [!] checkout/api: 3 Pods crash-looping");
        assert_eq!(subject(Severity::Critical), "[prod-eu] [!!] checkout/api: 3 Pods crash-looping");
        let resolved = letter(&example::resolved(), &Links::default()).unwrap().subject;
        assert_eq!(resolved, "[prod-eu] [RESOLVED] checkout/api recovered after 18m");
    }

    #[test]
    fn a_subject_is_one_short_line_whatever_the_title() {
        let subject =
            |title: &str| written(|message| title.clone_into(&mut message.content.report_mut().unwrap().title)).subject;
        assert_eq!(subject("a\r\nBcc: x@example.com\0"), "[prod-eu] [!!] a Bcc: x@example.com");
        assert_eq!(subject("\u{202e}evil"), "[prod-eu] [!!] evil");
        assert_eq!(subject(&"é".repeat(100_000)), format!("[prod-eu] [!!] {}…", "é".repeat(134)));
        let words = subject(&"word ".repeat(100));
        assert!(words.ends_with(" word…") && words.chars().count() <= SUBJECT, "{words}");
        let family = subject(&format!("{}👩‍👩‍👧‍👦", "x".repeat(133)));
        assert_eq!(family, format!("[prod-eu] [!!] {}👩…", "x".repeat(133)), "no joiner is left without its end");
        let nameless = written(|message| message.content.report_mut().unwrap().cluster = "".into()).subject;
        assert_eq!(nameless, "[!!] checkout/api: 3 Pods crash-looping");
    }

    #[test]
    fn a_message_id_is_the_idempotency_key_in_the_clusters_name() {
        let fingerprint = example::firing().content.fingerprint().clone();
        assert_eq!(written(|_| {}).id, format!("<{fingerprint}-firing@prod-eu.kpulse.local>"));
        assert_eq!(written(|_| {}).id, written(|message| message.content.report_mut().unwrap().count = 9).id);
    }

    #[test]
    fn keys_and_names_that_no_address_takes_still_differ() {
        let odd = |key: &str, cluster: &str| {
            let letter = written(|message| {
                key.clone_into(&mut message.idempotency_key);
                message.content.report_mut().unwrap().cluster = cluster.into();
            });
            assert!(is_id(&letter.id), "{}", letter.id);
            letter.id
        };
        let ids = [
            odd("k", "a b"),
            odd("k", "a-b"),
            odd("k", "生产"),
            odd("k", "测试"),
            odd("", "a"),
            odd("k\r\nX: y", "a"),
            odd("k>", "a"),
            odd(&"x".repeat(100_000), "a"),
            odd("k", "a@b.c>"),
            odd("k", &"a".repeat(300)),
        ];
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id), "{ids:#?}");
        }
    }

    #[test]
    fn later_mails_follow_the_groups_first_one() {
        let first = written(|_| {});
        assert_eq!((first.follows.as_deref(), first.root()), (None, first.id.as_str()));
        let mut resolved = example::resolved();
        resolved.message_id = Some(first.root().to_owned());
        let last = letter(&resolved, &Links::default()).unwrap();
        assert_eq!((last.follows.as_deref(), last.root()), (Some(first.id.as_str()), first.id.as_str()));
        assert_ne!(last.id, first.id);
        let again = written(|message| message.message_id = Some(first.id.clone()));
        assert_eq!(again.follows, None, "no mail follows itself");
    }

    #[test]
    fn what_is_no_message_id_starts_no_header() {
        for text in
            ["1732283331.000100", "", "<>", "<a>", "<@b>", "<a@>", "<a b@c>", "<a@b>\r\nX: y", "<a@b@c>", "<é@b>"]
        {
            assert_eq!(written(|message| message.message_id = Some(text.to_owned())).follows, None, "{text}");
        }
        assert_eq!(written(|message| message.message_id = Some(format!("<a@{}>", "b".repeat(300)))).follows, None);
    }

    #[test]
    fn a_list_is_named_after_the_cluster() {
        let list = |cluster: &str| {
            written(|message| message.content.report_mut().unwrap().cluster = cluster.into()).headers[0].1.clone()
        };
        assert_eq!(list("prod-eu"), "kpulse-prod-eu <kpulse.prod-eu.local>");
        assert_eq!(list("Prod EU/1>"), "kpulse-Prod-EU-1 <kpulse.Prod-EU-1.local>");
        assert_eq!(list("生产"), "kpulse-cluster <kpulse.cluster.local>");
    }
}
