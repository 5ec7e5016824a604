//! What is wrong with a configuration, told so that a person can mend it.

use std::fmt;

use super::document::{Document, Place};

/// A configuration that cannot be used. Nothing of it is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) struct ConfigError {
    /// Everything that is wrong, in the order of the file.
    pub(crate) problems: Vec<ConfigProblem>,
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    /// The file, or the environment variable.
    pub(crate) file: String,
    /// The line, from one; nothing where no line is at fault.
    pub(crate) line: Option<u64>,
    /// The column in characters, from one.
    pub(crate) column: Option<u64>,
    /// The setting: `monitors.pod_crashes.settle`; empty for the file as a whole.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) fault: String,
    /// What to do.
    pub(crate) remedy: String,
    /// The line as the user wrote it, with carets below; without what looks secret.
    pub(crate) snippet: Option<String>,
}

impl ConfigProblem {
    /// A problem of a file as a whole.
    pub(crate) fn of_file(file: &str, fault: &str, remedy: &str) -> Self {
        Self::of_setting(file, "", fault, remedy)
    }

    /// A problem of one setting. A fault may repeat what the user wrote, so what looks secret in it is covered.
    pub(super) fn of_setting(file: &str, key: &str, fault: &str, remedy: &str) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            key: key.to_owned(),
            fault: Veil::over(key).drawn(fault),
            remedy: remedy.to_owned(),
            snippet: None,
        }
    }

    /// The same problem, shown at a place of the file.
    pub(super) fn at(mut self, document: &Document, place: Place) -> Self {
        self.line = Some(place.line);
        self.column = Some(place.column);
        self.snippet = document.line(place.line).map(|line| snippet(line, place, Veil::over(&self.key)));
        self
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.fault)?;
        if let Some(snippet) = &self.snippet {
            write!(f, "\n{snippet}")?;
        }
        if !self.remedy.is_empty() {
            // In line with the bars of the snippet.
            let margin = self.line.map_or(1, |line| line.to_string().len());
            write!(f, "\n{:margin$} = {}", "", self.remedy)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            let gap = if position == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

fn snippet(line: &str, place: Place, veil: Veil) -> String {
    let margin = place.line.to_string();
    let indent = " ".repeat(margin.len());
    let before = usize::try_from(place.column).unwrap_or(1).saturating_sub(1);
    // A tab is as wide as the terminal says, so the caret's line repeats it.
    let lead: String = line.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let rest = line.trim_end().chars().count().saturating_sub(before);
    let carets = "^".repeat(usize::try_from(place.length).unwrap_or(1).min(rest).max(1));
    format!("{indent} |\n{margin} | {}\n{indent} | {lead}{carets}", veil.drawn(line.trim_end()))
}

/// Covers what looks like a secret. What is left keeps its place, so that carets still point at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Veil {
    /// What follows the host of a URL, what follows `Bearer` or `Basic`, and long runs of letters and digits.
    Light,
    /// Besides, every path: a channel's address may have been written without its scheme.
    Thick,
}

impl Veil {
    fn over(key: &str) -> Self {
        // Where the YAML is broken nobody knows whose line it is.
        if key.is_empty() || key.starts_with("channels") { Self::Thick } else { Self::Light }
    }

    fn drawn(self, line: &str) -> String {
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '}' | ']');
        let mut shown = String::with_capacity(line.len());
        let (mut rest, mut word_before) = (line, "");
        while !rest.is_empty() {
            let (word, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
            let secret_from = if matches!(word_before, "Bearer" | "Basic") && !word.starts_with('$') {
                0
            } else {
                self.secret_from(word)
            };
            shown.extend(word.char_indices().map(|(at, c)| if at < secret_from { c } else { '*' }));
            let end = after.chars().next();
            shown.extend(end);
            rest = after.get(end.map_or(0, char::len_utf8)..).unwrap_or_default();
            word_before = word;
        }
        shown
    }

    /// From which byte of a word on it may be a secret.
    fn secret_from(self, word: &str) -> usize {
        const LONG: usize = 20;
        if let Some((scheme, rest)) = word.split_once("://") {
            let host = scheme.len() + "://".len();
            let path = rest.find(['/', '?', '#']).map_or(word.len(), |at| host + at + 1);
            // Before an `@` stands a password.
            return if rest.contains('@') { host } else { path };
        }
        if self == Self::Thick
            && let Some(at) = word.find('/')
        {
            return at + 1;
        }
        let value = word.rfind([':', '=', '{', '[']).map_or(0, |at| at + 1);
        let run = word.get(value..).unwrap_or_default();
        let mixed = run.contains(|c: char| c.is_ascii_digit()) && run.contains(|c: char| c.is_ascii_alphabetic());
        if mixed && run.len() >= LONG { value } else { word.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(veil: Veil, line: &str, shown: &str) {
        assert_eq!(veil.drawn(line), shown);
    }

    #[test]
    fn what_looks_secret_is_not_shown() {
        let check = |line: &str, shown: &str| check(Veil::Light, line, shown);
        check("  url: https://hooks.example/services/T0/B0/xyz", "  url: https://hooks.example/******************");
        check("{url: \"https://hooks.example/a?b=c\"}", "{url: \"https://hooks.example/*****\"}");
        check("url: https://user:pass@hooks.example", "url: https://***********************");
        check("X-Token: a1b2c3d4e5f6a7b8c9d0", "X-Token: ********************");
        check("Authorization: Bearer hunter2", "Authorization: Bearer *******");
        check("Authorization: Bearer $WEBHOOK_TOKEN", "Authorization: Bearer $WEBHOOK_TOKEN");
    }

    #[test]
    fn what_does_not_look_secret_is_shown_as_it_stands() {
        for line in [
            "reasons: [CreateContainerConfigError]",
            "pending_grace: 2m # ünïcode",
            "  - match: {workload: Deployment/api}",
        ] {
            check(Veil::Light, line, line);
        }
    }

    #[test]
    fn an_address_of_a_channel_is_covered_without_its_scheme_too() {
        check(Veil::Thick, "url: hooks.example/T0/B0", "url: hooks.example/*****");
        assert_eq!(Veil::over("channels.webhook.url"), Veil::Thick);
        assert_eq!(Veil::over(""), Veil::Thick);
        assert_eq!(Veil::over("routing[0]"), Veil::Light);
    }
}
