//! Masks what looks like a secret in text that somebody else wrote: logs, and the messages of kubelets.
//!
//! A secret is known by its name (`password=`, `"token":`, `--api-key`, `Cookie:`), by its shape (`ghp_…`, a JWT, the
//! password in an address), or as a private key's block. Where a doubt is left, it is masked: a word too few in a
//! message can be looked up, a password too many cannot be taken back. What is no secret stays as it is, character by
//! character.
//!
//! The time is linear in the text: the patterns are finite automata, and none looks far beyond what it matches.

mod named;
mod shaped;

use std::borrow::Cow;
use std::ops::Range;

use kpulse_core::Content;
use regex::{Captures, Regex, RegexBuilder};

use crate::log_tail;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// The most memory of a pattern, and of what its automaton remembers of the texts it has seen, in bytes each.
const LIMIT: usize = 1 << 20;

/// The text without what looks like a secret. Lines stay lines, but those of a private key become one.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = Cow::Borrowed(text);
    for rule in [&*shaped::PRIVATE_KEY, &*named::NAMED, &*shaped::CERTAIN, &*shaped::LIKELY] {
        if let Some(masked) = rule.mask(&redacted) {
            redacted = Cow::Owned(masked);
        }
    }
    redacted
}

/// Masks the parts of a message that quote others, and makes its log fit to be shown.
pub(crate) fn redact_content(content: &mut Content) {
    let mask = |text: &mut String| {
        if let Cow::Owned(masked) = redact(text) {
            *text = masked;
        }
    };
    match content {
        Content::Report(report) => {
            mask(&mut report.cause);
            mask(&mut report.body);
            report.log = log_tail::fit(&report.log);
        }
        Content::Bulletin(bulletin) => bulletin.lines.iter_mut().for_each(|line| mask(&mut line.text)),
    }
}

/// What a match holds that is to be masked; nothing if it is no secret after all.
type Secret = fn(text: &str, found: &Captures<'_>) -> Option<Range<usize>>;

/// A pattern, and what of its matches is a secret.
struct Rule {
    /// An error only if it is too large or no pattern, which a test rules out.
    pattern: Result<Regex, regex::Error>,
    secret: Secret,
}

impl Rule {
    fn new(pattern: &str, secret: Secret) -> Self {
        let pattern =
            RegexBuilder::new(pattern).ignore_whitespace(true).size_limit(LIMIT).dfa_size_limit(LIMIT).build();
        Self { pattern, secret }
    }

    /// The text with its secrets masked; nothing if it holds none.
    fn mask(&self, text: &str) -> Option<String> {
        let Ok(pattern) = &self.pattern else { return Some(MASK.to_owned()) };
        let mut masked = String::new();
        let mut copied = 0;
        for found in pattern.captures_iter(text) {
            if let Some(Range { start, end }) = (self.secret)(text, &found) {
                masked.push_str(text.get(copied..start).unwrap_or_default());
                masked.push_str(MASK);
                copied = end;
            }
        }
        (copied > 0).then(|| masked + text.get(copied..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
