//! What a container said last: made fit to be shown, and cut to what a chat has room for.
//!
//! It is written by a program that was failing: colours, progress bars, a line of 10 MB, and now and then a password.

use crate::redact::redact;
use crate::text::turns_direction;

/// The most that is looked at, in bytes; what is fetched is no more.
const LIMIT: usize = 64 << 10;

/// The longest line, in characters.
const LINE: usize = 300;

/// The most lines in a chat: the first that tells of an error, and five more.
const LINES: usize = 6;

/// The lines that say something, without colours and secrets, each of a length that can be shown. Secrets go before
/// lines are cut, since half of one is not known to be one.
#[must_use]
pub(crate) fn fit(log: &[String]) -> Vec<String> {
    let mut text = log.join("\n");
    text.truncate((0..=LIMIT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default());
    let text = without_controls(&text);
    redact(&text).lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).map(cut).collect()
}

/// The first line that tells of an error, and what follows it; the last lines if none does. The very last line is always
/// among them: it is what the program died of, or the end of a long trace.
#[must_use]
pub fn excerpt(log: &[String]) -> Vec<&str> {
    let first = log.iter().position(|line| tells_of_error(line)).unwrap_or(log.len().saturating_sub(LINES));
    let mut lines: Vec<&str> = log.iter().skip(first).take(LINES).map(String::as_str).collect();
    if let (Some(shown), Some(last)) = (lines.last_mut(), log.last()) {
        *shown = last;
    }
    lines
}

/// Words that programs use when something is wrong.
const ERRORS: &str = "abort|cannot|can't|could not|couldn't|crash|critical|denied|err=|error|exceeded|exception|fail|fatal|\
    forbidden|invalid|killed|missing|no route|no such|not found|panic|refused|segmentation|sigsegv|timed out|traceback|\
    unable|unauthorized";

/// What counts errors has none to tell of.
const NONE: &str = "0 error|0 fail|errors=0|errors: 0|no error|without error";

fn tells_of_error(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    // `E1122 14:02:11.123456`: how Kubernetes' own programs begin a line of this level.
    let mut begin = line.bytes();
    let marked = matches!(begin.next(), Some(b'e' | b'f')) && begin.take(4).filter(u8::is_ascii_digit).count() == 4;
    let holds = |words: &str| words.split('|').any(|word| line.contains(word));
    marked || (holds(ERRORS) && !holds(NONE))
}

/// The text without what moves a cursor, colours or turns the direction of reading.
fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut rest),
            '\n' | '\r' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            c if c.is_control() || turns_direction(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Passes over the rest of a terminal's sequence after its escape: `[31m`, `]0;title` up to a bell.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => {
            let _last = rest.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']') => {
            let _bell = rest.find(|c| matches!(c, '\u{7}' | '\n'));
        }
        _ => {}
    }
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        None => line.to_owned(),
        Some(_) => line.chars().take(LINE - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_fit(text: &str, expect: &[&str]) {
        let log: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let fitting = fit(&log);
        assert_eq!(fitting, expect, "{text:?}");
        assert_eq!(fit(&fitting), expect, "what is fit stays so");
    }

    #[test]
    fn colours_cursors_and_progress_bars_are_left_out() {
        check_fit("\u{1b}[1;31mERROR\u{1b}[0m no\tdisk", &["ERROR no    disk"]);
        check_fit("\u{1b}]0;title\u{7}begin\u{0}\u{202e}gpj", &["begingpj"]);
        check_fit("10%\r20%\r\n\n  \nat\n  com.example.Main  ", &["10%", "20%", "at", "  com.example.Main"]);
        check_fit("", &[]);
        check_fit("\u{1b}", &[]);
        check_fit("\u{1b}[31", &[]);
    }

    #[test]
    fn secrets_are_masked_also_between_colours_and_across_lines() {
        check_fit("password=\u{1b}[33mhunter2\u{1b}[0m", &["password=***"]);
        let key = "a\n-----BEGIN PRIVATE KEY-----\nMIIE\nvQIB\n-----END PRIVATE KEY-----\nb";
        check_fit(key, &["a", "-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----", "b"]);
        check_fit("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nvQIB", &["-----BEGIN RSA PRIVATE KEY-----***"]);
        check_fit("MIIEvQIB1\n-----END RSA PRIVATE KEY-----\nb", &["***", "-----END RSA PRIVATE KEY-----", "b"]);
    }

    #[test]
    fn a_secret_at_the_end_of_a_line_is_masked_before_the_line_is_cut() {
        let log = [format!("{} ghp_{}", "x".repeat(280), "a1".repeat(18))];
        assert_eq!(fit(&log), [format!("{} ***", "x".repeat(280))]);
        assert_eq!(fit(&["é".repeat(301)]), [format!("{}…", "é".repeat(299))]);
        assert_eq!(fit(&["é".repeat(300)]), ["é".repeat(300)]);
    }

    #[test]
    fn a_line_of_ten_megabytes_costs_no_more_than_a_long_one() {
        let begin = std::time::Instant::now();
        let fitting = fit(&["password=é ".repeat(1 << 20)]);
        assert_eq!(fitting.len(), 1);
        assert!(fitting[0].starts_with("password=*** password=***") && fitting[0].chars().count() <= LINE);
        assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    }

    #[track_caller]
    fn check_excerpt(log: &str, expect: &str) {
        let log: Vec<String> = log.split_terminator(' ').map(|word| word.replace('_', " ")).collect();
        assert_eq!(excerpt(&log).join(" ").replace(' ', "_"), expect.replace(' ', "_"));
    }

    #[test]
    fn from_the_first_error_on_and_the_last_line_always() {
        check_excerpt("", "");
        check_excerpt("a", "a");
        check_excerpt("a b connection_refused", "connection_refused");
        check_excerpt("a 0_errors ERROR_x b c", "ERROR_x b c");
        check_excerpt("a Traceback 1 2 3 4 5 6 7 ValueError", "Traceback 1 2 3 4 ValueError");
        check_excerpt("1 2 3 4 5 6 7 8", "3 4 5 6 7 8");
        check_excerpt("I1122_a E1122_b c", "E1122_b c");
        check_excerpt("Events a F1122_b", "F1122_b");
    }
}
