//! Names with wildcards: `team-*`, `*-prod`, `shop-?`.

use serde::{Deserialize, Serialize};

/// A name in which `*` stands for any run of characters and `?` for any one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glob(String);

impl Glob {
    /// The glob as written.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The glob as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` fits.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        fits(self.0.as_bytes(), text.as_bytes())
    }
}

/// Greedy matching with one step back to the latest `*`: linear in practice, never exponential.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expect: bool) {
        assert_eq!(Glob::new(pattern).matches(text), expect, "{pattern} on {text}");
    }

    #[test]
    fn globs_match_whole_names() {
        check("*", "anything", true);
        check("*", "", true);
        check("shop", "shop", true);
        check("shop", "shop-1", false);
        check("team-*", "team-a", true);
        check("team-*", "my-team-a", false);
        check("*-prod", "shop-prod", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-b-c-d", false);
        check("shop-?", "shop-1", true);
        check("shop-?", "shop-12", false);
        check("", "", true);
        check("", "x", false);
        check("****a", "bbbbbbbbbbbbbbbbbbbbbbbba", true);
    }
}
