//! A message in words: a line that a phone shows whole, why, and a command to copy.
//!
//! Other channels take the parts and give them the marks of their platform; here they are plain text. What was seen in
//! the cluster is somebody else's writing: it never starts a line of its own, moves a cursor or turns the direction of
//! reading around.

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use kpulse_core::{AlertState, Bulletin, BulletinKind, BulletinLine, Content, Notification, Report, Severity};

use crate::log_tail;

/// The longest line, in characters.
const LINE: usize = 300;

/// The most lines of a cause: the first, and at most five more.
const LINES: usize = 6;

/// The most commands.
const COMMANDS: usize = 4;

/// The most lines of a bulletin: more nobody reads in a chat.
const SHOWN: usize = 20;

/// The longest line of a bulletin, in characters.
const SHOWN_LINE: usize = 180;

/// A message in its parts, each a single line without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What, where, how bad.
    pub headline: String,
    /// Why.
    pub details: Vec<String>,
    /// What the container that failed said: its first line that tells of an error, and a few more.
    pub quote: Vec<String>,
    /// What a bulletin tells.
    pub lines: Lines,
    /// What to copy.
    pub commands: Vec<Command>,
}

/// What a bulletin tells, a line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Each with its mark, worst first.
    pub shown: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// Something to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What it is for, where it does not say so itself: `Quiet it:`.
    pub label: Option<&'static str>,
    /// The command.
    pub text: String,
}

/// The paragraph that a terminal shows.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)?;
        for line in &self.details {
            write!(f, "\n{line}")?;
        }
        for line in &self.quote {
            write!(f, "\n> {line}")?;
        }
        for line in self.lines.first(SHOWN) {
            write!(f, "\n{line}")?;
        }
        self.commands.iter().try_for_each(|command| write!(f, "\n  {command}"))
    }
}

impl Lines {
    /// At most so many of them, and how many more there are.
    pub(crate) fn first(&self, count: usize) -> impl Iterator<Item = Cow<'_, str>> {
        let shown = self.shown.iter().take(count).map(|line| Cow::Borrowed(line.as_str()));
        let more = self.more + self.shown.len().saturating_sub(count);
        let rest = match (more, self.shown.is_empty() || count == 0) {
            (0, _) => None,
            (more, true) => Some(format!("{more} in all")),
            (more, false) => Some(format!("… and {more} more")),
        };
        shown.chain(rest.map(Cow::Owned))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.label.map_or(Ok(()), |label| write!(f, "{label} "))?;
        f.write_str(&self.text)
    }
}

/// Puts a notification into words.
#[must_use]
pub fn message(notification: &Notification) -> Message {
    let headline = headline(notification);
    match &notification.content {
        Content::Report(report) => Message {
            headline,
            details: details(report),
            quote: quote(report).map(line).collect(),
            lines: Lines::default(),
            commands: commands([(None, report.command.as_ref()), (Some("Quiet it:"), report.silence.as_ref())]),
        },
        Content::Bulletin(bulletin) => Message {
            headline,
            details: lines(&bulletin.lead),
            quote: Vec::new(),
            lines: shown(bulletin),
            commands: commands(bulletin.hints.iter().map(|hint| (None, Some(hint)))),
        },
    }
}

/// What is to be copied, without what says nothing.
fn commands<'a>(texts: impl IntoIterator<Item = (Option<&'static str>, Option<&'a String>)>) -> Vec<Command> {
    let commands = texts.into_iter().filter_map(|(label, text)| Some(Command { label, text: line(text?) }));
    commands.filter(|command| !command.text.is_empty()).take(COMMANDS).collect()
}

/// A message as plain text of several lines, without its title. Of a report it is the body with what the container said
/// between cause and command, each line after `> `.
#[must_use]
pub fn body(content: &Content) -> Cow<'_, str> {
    let report = match content {
        Content::Report(report) => report,
        Content::Bulletin(bulletin) => {
            let (lead, told) = (lines(&bulletin.lead).into_iter(), shown(bulletin));
            let hints = bulletin.hints.iter().map(|hint| line(hint));
            let said = lead.chain(told.first(SHOWN).map(Cow::into_owned)).chain(hints);
            return Cow::Owned(said.collect::<Vec<_>>().join("\n"));
        }
    };
    let quote: Vec<String> = quote(report).map(|said| format!("> {said}")).collect();
    if quote.is_empty() {
        return Cow::Borrowed(&report.body);
    }
    let lines = std::iter::once(report.cause.as_str()).chain(quote.iter().map(String::as_str));
    Cow::Owned(lines.chain(report.command.as_deref()).collect::<Vec<_>>().join("\n"))
}

fn shown(bulletin: &Bulletin) -> Lines {
    let shown = bulletin.lines.iter().take(SHOWN).map(|told| told_line(told, bulletin.at)).collect();
    Lines { shown, more: bulletin.more + bulletin.lines.len().saturating_sub(SHOWN) }
}

/// `🟠 shop/web rollout stuck: 2 of 5 updated · since 13:54`.
fn told_line(told: &BulletinLine, at: Timestamp) -> String {
    let since = if told.state == AlertState::Firing { began(told.since, at) } else { String::new() };
    format!("{} {}{since}", emoji(told.state, told.severity), clip(line(&told.text), SHOWN_LINE))
}

/// ` · since 13:54`, with the day if that was another one.
fn began(since: Timestamp, at: Timestamp) -> String {
    let began = self::since(since, at);
    format!(" · {}", began.trim_end_matches(" UTC"))
}

/// What a chat quotes of the log: not what the cause says already.
fn quote(report: &Report) -> impl Iterator<Item = &str> {
    log_tail::excerpt(&report.log).into_iter().filter(|said| !report.cause.contains(said.trim()))
}

/// The mark that says at a glance how bad it is.
#[must_use]
pub const fn emoji(state: AlertState, severity: Severity) -> &'static str {
    match (state, severity) {
        (AlertState::Resolved, _) => "✅",
        (AlertState::Firing, Severity::Critical) => "🔴",
        (AlertState::Firing, Severity::Warning) => "🟠",
        (AlertState::Firing, Severity::Info) => "🔵",
    }
}

/// `delayed 14m`, for a message that could not be told in time.
#[must_use]
pub fn delay(notification: &Notification) -> Option<String> {
    notification.delayed.map(|late| format!("delayed {}", span(late)))
}

/// A duration in the one or two units that matter: `45s`, `18m`, `3h20m`, `13d`.
#[must_use]
pub fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

fn headline(notification: &Notification) -> String {
    let content = &notification.content;
    let title = Some(line(content.title())).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| content.source().to_owned());
    let title = match content {
        // A digest is no alarm: its lines have marks of their own.
        Content::Bulletin(bulletin) if bulletin.kind == BulletinKind::Digest => title,
        content => format!("{} {title}", emoji(content.state(), content.severity())),
    };
    let parts = [title, line(content.cluster()), delay(notification).unwrap_or_default()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn details(report: &Report) -> Vec<String> {
    match report.state {
        AlertState::Resolved => lines(&report.body),
        AlertState::Firing => {
            let mut details = lines(&report.cause);
            let since = since(report.started_at, report.fired_at);
            match details.first_mut() {
                Some(first) => *first = format!("{first} · {since}"),
                None => details.push(since),
            }
            details
        }
    }
}

/// When it began; with the day, if it was found on another one.
pub(crate) fn since(began: Timestamp, found: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%-d %b ").to_string();
    let day = if day(began) == day(found) { String::new() } else { day(began) };
    format!("since {day}{}", began.strftime("%H:%M UTC"))
}

/// The lines of a text that say something, as many as fit a message.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let said: Vec<_> = text.lines().map(line).filter(|line| !line.is_empty()).take(LINES + 1).collect();
    match said.get(..LINES) {
        Some(fitting) if said.len() > LINES => [fitting, &["…".to_owned()]].concat(),
        _ => said,
    }
}

/// One line of printable text: whatever separates becomes a space, marks that turn the direction of reading are left
/// out, and what is too long ends in `…`.
#[must_use]
pub fn line(text: &str) -> String {
    let (mut line, mut length) = (String::new(), 0);
    // Words beyond what can be shown are not looked at: a text may be very long.
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let gap = usize::from(length > 0);
        let printable = word.chars().filter(|c| !turns_direction(*c));
        if gap == 1 {
            line.push(' ');
        }
        line.extend(printable.clone().take(LINE + 1));
        length += gap + printable.take(LINE + 1).count();
        if length > LINE {
            let cut: String = line.chars().take(LINE - 1).collect();
            return format!("{}…", cut.trim_end());
        }
    }
    line.trim().to_owned()
}

/// At most so many characters.
pub(crate) fn clip(text: String, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text;
    }
    let cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Marks of Unicode's bidirectional algorithm that are not letters, and the byte order mark.
pub(crate) const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use kpulse_core::Ending;

    use super::*;
    use crate::example;

    #[test]
    fn a_crash_loop_is_told_with_cause_and_command() {
        insta::assert_snapshot!(message(&example::firing()), @"
        🔴 checkout/api: 3 Pods crash-looping · prod-eu
        api exits 1 after 6s, 5 restarts: connect postgres-rw:5432: connection refused · since 14:02 UTC
          kubectl -n checkout logs deploy/api -c api --previous
          Quiet it: kpulse silence deployment/api -n checkout 2h
        ");
    }

    #[test]
    fn what_the_container_said_is_quoted_before_the_command() {
        let mut crashed = example::firing();
        crashed.content.report_mut().unwrap().cause = "api exits 1 after 6s, 5 restarts".to_owned();
        let log = ["starting", "connect postgres-rw:5432: connection refused", "    at main.rs:7"];
        crashed.content.report_mut().unwrap().log = log.map(str::to_owned).to_vec();
        insta::assert_snapshot!(message(&crashed), @"
        🔴 checkout/api: 3 Pods crash-looping · prod-eu
        api exits 1 after 6s, 5 restarts · since 14:02 UTC
        > connect postgres-rw:5432: connection refused
        > at main.rs:7
          kubectl -n checkout logs deploy/api -c api --previous
          Quiet it: kpulse silence deployment/api -n checkout 2h
        ");
        insta::assert_snapshot!(body(&crashed.content), @"
        api exits 1 after 6s, 5 restarts
        > connect postgres-rw:5432: connection refused
        >     at main.rs:7
        kubectl -n checkout logs deploy/api -c api --previous
        ");
    }

    #[test]
    fn what_the_cause_says_already_is_not_quoted() {
        let mut crashed = example::firing();
        assert_eq!(body(&crashed.content), crashed.content.report().unwrap().body);
        crashed.content.report_mut().unwrap().log = vec!["connect postgres-rw:5432: connection refused".to_owned()];
        assert_eq!(
            (message(&crashed).quote, body(&crashed.content)),
            (vec![], crashed.content.report().unwrap().body.as_str().into())
        );
    }

    #[test]
    fn an_end_is_told_with_how_and_after_how_long() {
        insta::assert_snapshot!(message(&example::resolved()), @"
        ✅ checkout/api recovered after 18m · prod-eu
        Was crash-looping (CrashLoopBackOff); replaced, and no failure since.
        ");
        let mut gone = example::resolved();
        let report = gone.content.report_mut().unwrap();
        report.ending = Some(Ending::Gone);
        report.title = "checkout/api is gone after 18m: Deployment deleted".to_owned();
        assert_eq!(message(&gone).headline, "✅ checkout/api is gone after 18m: Deployment deleted · prod-eu");
    }

    #[test]
    fn the_first_sixty_characters_say_what_and_where() {
        let headline = message(&example::firing()).headline;
        let phone: String = headline.chars().take(60).collect();
        assert!(phone.contains("checkout/api: 3 Pods crash-looping"), "{phone}");
    }

    #[test]
    fn severity_lateness_and_an_older_day_are_said() {
        let mut late = example::firing();
        late.delayed = Some(SignedDuration::from_mins(14));
        let report = late.content.report_mut().unwrap();
        report.severity = Severity::Warning;
        report.started_at = "2026-11-20T08:00:00Z".parse().unwrap();
        report.cause.clear();
        report.cluster = "".into();
        (report.command, report.silence) = (None, None);
        assert_eq!(
            message(&late).to_string(),
            "🟠 checkout/api: 3 Pods crash-looping · delayed 14m\nsince 20 Nov 08:00 UTC"
        );
        assert_eq!(emoji(AlertState::Firing, Severity::Info), "🔵");
    }

    #[test]
    fn durations_show_the_units_that_matter() {
        let check = |seconds, expect: &str| assert_eq!(span(SignedDuration::from_secs(seconds)), expect);
        check(-5, "0s");
        check(0, "0s");
        check(59, "59s");
        check(60, "1m");
        check(1_119, "18m");
        check(10_800, "3h");
        check(12_000, "3h20m");
        check(13 * 86_400 + 59, "13d");
        check(86_400 + 4 * 3_600, "1d4h");
    }

    #[test]
    fn a_hostile_text_stays_one_short_line() {
        let check = |text: &str, expect: &str| assert_eq!(line(text), expect, "{text:?}");
        check("", "");
        check(" \r\n\t ", "");
        check("a\nb\r\n  c\td", "a b c d");
        check("\u{1b}[2Jcleared\u{7}\u{0}", "[2Jcleared");
        check("user\u{202e}gpj.exe\u{2066}", "usergpj.exe");
        check("שלום 👩‍💻 <b>*x*</b>", "שלום 👩‍💻 <b>*x*</b>");
        assert_eq!(line(&"x".repeat(300)), "x".repeat(300));
        assert_eq!(line(&"é".repeat(100_000)), format!("{}…", "é".repeat(299)));
        assert_eq!(line(&"ab ".repeat(50_000)).chars().count(), 300);
        assert_eq!(line(&"\u{202e}".repeat(100_000)), "");
    }

    #[test]
    fn a_long_cause_is_cut_after_six_lines() {
        let mut long = example::firing();
        long.content.report_mut().unwrap().cause = (1..=9).map(|number| format!("line {number}\n\n")).collect();
        let details = message(&long).details;
        assert_eq!(details.len(), 7);
        assert_eq!((details[0].as_str(), details[6].as_str()), ("line 1 · since 14:02 UTC", "…"));
        long.content.report_mut().unwrap().cause = "1\n2\n3\n4\n5\n6".to_owned();
        assert_eq!(message(&long).details.last().map(String::as_str), Some("6"));
    }
}
