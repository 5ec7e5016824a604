//! What is new in a message against the last one like it: whoever changes how a channel renders sees what the change did.

use std::collections::HashMap;
use std::sync::Arc;

use super::record::Message;
use super::render::State;

/// From this share of common words on, two messages are the same one told twice.
const LIKE: f64 = 0.5;

/// What a message is compared by.
#[derive(Clone, Debug)]
pub(super) struct Likeness {
    state: Option<State>,
    lines: Vec<Line>,
    /// How often each word occurs.
    words: HashMap<String, usize>,
    count: usize,
}

#[derive(Clone, Debug)]
struct Line {
    text: String,
    /// Without figures: counts and times differ each time.
    masked: String,
}

/// A message against the last one like it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Against {
    /// Which message that is.
    pub(super) id: u64,
    /// Empty if it says the same, but for figures.
    pub(super) changes: Vec<Change>,
}

/// A line that is not in both.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    Gone(String),
    New(String),
}

impl Likeness {
    pub(super) fn of(text: &str, state: Option<State>) -> Self {
        let line = |line: &str| Line { text: line.trim_end().to_owned(), masked: masked(line) };
        let lines: Vec<Line> = text.lines().filter(|line| !line.trim().is_empty()).map(line).collect();
        let mut words = HashMap::new();
        for word in lines.iter().flat_map(|line| line.masked.split_whitespace()) {
            *words.entry(word.to_owned()).or_default() += 1;
        }
        let count = words.values().sum();
        Self { state, lines, words, count }
    }

    /// The share of words that both have, from 0 to 1.
    fn to(&self, other: &Self) -> f64 {
        let common: usize = self
            .words
            .iter()
            .map(|(word, count)| (*count).min(other.words.get(word).copied().unwrap_or_default()))
            .sum();
        let all = self.count + other.count;
        // Counts of words are far below where they would be rounded.
        #[allow(clippy::cast_precision_loss, reason = "see above")]
        if all == 0 { 1.0 } else { 2.0 * common as f64 / all as f64 }
    }
}

/// Every run of digits as one `#`.
fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    for c in line.trim_end().chars() {
        match c {
            '0'..='9' if masked.ends_with('#') => {}
            '0'..='9' => masked.push('#'),
            _ => masked.push(c),
        }
    }
    masked
}

/// The last of the `earlier` messages that tells the same, and what is new against it. `earlier` is oldest first.
pub(super) fn against<'a>(
    message: &Message,
    earlier: impl DoubleEndedIterator<Item = &'a Arc<Message>>,
) -> Option<Against> {
    let own = message.likeness();
    let comparable = |other: &&Arc<Message>| {
        let Message { id, kind, .. } = &***other;
        *id < message.id && *kind == message.kind && other.likeness().state == own.state
    };
    let mut best: Option<(f64, &Arc<Message>)> = None;
    // Newest first, so that of equals the newest stays.
    for other in earlier.rev().filter(comparable) {
        let likeness = own.to(other.likeness());
        if likeness >= LIKE && best.is_none_or(|(best, _)| likeness > best) {
            best = Some((likeness, other));
        }
    }
    best.map(|(_, other)| Against { id: other.id, changes: changes(&other.likeness().lines, &own.lines) })
}

/// The lines of only one, in order: by the longest sequence of lines that both have.
fn changes(old: &[Line], new: &[Line]) -> Vec<Change> {
    // common[i][j]: how many lines the rests old[i..] and new[j..] have in common.
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i].masked == new[j].masked {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i].masked == new[j].masked {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || i < old.len() && common[i + 1][j] >= common[i][j + 1] {
            changes.push(Change::Gone(old[i].text.clone()));
            i += 1;
        } else {
            changes.push(Change::New(new[j].text.clone()));
            j += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, expected: &str) {
        let of = |text| Likeness::of(text, None);
        let shown: Vec<String> = changes(&of(old).lines, &of(new).lines)
            .into_iter()
            .map(|change| match change {
                Change::Gone(line) => format!("-{line}"),
                Change::New(line) => format!("+{line}"),
            })
            .collect();
        assert_eq!(shown.join(" "), expected);
    }

    #[test]
    fn figures_are_no_change() {
        check("api: 3 Pods\nsince 14:02 (4m)", "api: 12 Pods\nsince 9:31 (17m)", "");
        check("since 4m", "since 4 min", "-since 4m +since 4 min");
    }

    #[test]
    fn lines_that_both_have_stay_out() {
        check("a\nb\nc", "a\nx\nc", "-b +x");
        check("a\nb", "b\na", "-a +a");
        check("a\n\n b ", "a\n b", "");
        check("", "a", "+a");
        check("a", "", "-a");
    }

    #[test]
    fn the_same_words_are_alike_in_any_order() {
        let to = |a, b| Likeness::of(a, None).to(&Likeness::of(b, None));
        assert_eq!((to("a b", "b a"), to("a b", "c d"), to("", "")), (1.0, 0.0, 1.0));
        assert!((to("a b c d", "a b c e") - 0.75).abs() < 1e-9);
    }
}
