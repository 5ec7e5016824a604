//! A message in words: a line that a phone shows whole, why, and a command to copy.
//!
//! Other channels take the parts and give them the marks of their platform; here they are plain text. What was seen in
//! the cluster is somebody else's writing: it never starts a line of its own, moves a cursor or turns the direction of
//! reading around.

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use kpulse_core::{AlertState, Notification, Report, Severity};

use crate::log_tail;

/// The longest line, in characters.
const LINE: usize = 300;

/// The most lines of a cause: the first, and at most five more.
const LINES: usize = 6;

/// A message in its parts, each a single line without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What, where, how bad.
    pub headline: String,
    /// Why.
    pub details: Vec<String>,
    /// What the container that failed said: its first line that tells of an error, and a few more.
    pub quote: Vec<String>,
    /// A command to copy.
    pub command: Option<String>,
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
        self.command.as_ref().map_or(Ok(()), |command| write!(f, "\n  {command}"))
    }
}

/// Puts a notification into words.
#[must_use]
pub fn message(notification: &Notification) -> Message {
    let report = &notification.report;
    Message {
        headline: headline(notification),
        details: details(report),
        quote: quote(report).map(line).collect(),
        command: report.command.as_deref().map(line).filter(|command| !command.is_empty()),
    }
}

/// The report's body with what the container said between cause and command, each line after `> `.
#[must_use]
pub fn body(report: &Report) -> Cow<'_, str> {
    let quote: Vec<String> = quote(report).map(|said| format!("> {said}")).collect();
    if quote.is_empty() {
        return Cow::Borrowed(&report.body);
    }
    let lines = std::iter::once(report.cause.as_str()).chain(quote.iter().map(String::as_str));
    Cow::Owned(lines.chain(report.command.as_deref()).collect::<Vec<_>>().join("\n"))
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
    let report = &notification.report;
    let mut headline = format!("{} {}", emoji(report.state, report.severity), line(&report.title));
    for part in [Some(line(&report.cluster)), delay(notification)].into_iter().flatten().filter(|part| !part.is_empty())
    {
        headline.push_str(" · ");
        headline.push_str(&part);
    }
    headline
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
        ");
    }

    #[test]
    fn what_the_container_said_is_quoted_before_the_command() {
        let mut crashed = example::firing();
        crashed.report.cause = "api exits 1 after 6s, 5 restarts".to_owned();
        let log = ["starting", "connect postgres-rw:5432: connection refused", "    at main.rs:7"];
        crashed.report.log = log.map(str::to_owned).to_vec();
        insta::assert_snapshot!(message(&crashed), @"
        🔴 checkout/api: 3 Pods crash-looping · prod-eu
        api exits 1 after 6s, 5 restarts · since 14:02 UTC
        > connect postgres-rw:5432: connection refused
        > at main.rs:7
          kubectl -n checkout logs deploy/api -c api --previous
        ");
        insta::assert_snapshot!(body(&crashed.report), @"
        api exits 1 after 6s, 5 restarts
        > connect postgres-rw:5432: connection refused
        >     at main.rs:7
        kubectl -n checkout logs deploy/api -c api --previous
        ");
    }

    #[test]
    fn what_the_cause_says_already_is_not_quoted() {
        let mut crashed = example::firing();
        assert_eq!(body(&crashed.report), crashed.report.body);
        crashed.report.log = vec!["connect postgres-rw:5432: connection refused".to_owned()];
        assert_eq!((message(&crashed).quote, body(&crashed.report)), (vec![], crashed.report.body.as_str().into()));
    }

    #[test]
    fn an_end_is_told_with_how_and_after_how_long() {
        insta::assert_snapshot!(message(&example::resolved()), @"
        ✅ checkout/api recovered after 18m · prod-eu
        Was crash-looping (CrashLoopBackOff); replaced, and no failure since.
        ");
        let mut gone = example::resolved();
        gone.report.ending = Some(Ending::Gone);
        gone.report.title = "checkout/api is gone after 18m: Deployment deleted".to_owned();
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
        late.report.severity = Severity::Warning;
        late.report.started_at = "2026-11-20T08:00:00Z".parse().unwrap();
        late.report.cause.clear();
        late.report.cluster = "".into();
        late.report.command = None;
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
        long.report.cause = (1..=9).map(|number| format!("line {number}\n\n")).collect();
        let details = message(&long).details;
        assert_eq!(details.len(), 7);
        assert_eq!((details[0].as_str(), details[6].as_str()), ("line 1 · since 14:02 UTC", "…"));
        long.report.cause = "1\n2\n3\n4\n5\n6".to_owned();
        assert_eq!(message(&long).details.last().map(String::as_str), Some("6"));
    }
}
