//! Where a setting stands: `routing[0].match.severity`.

use std::fmt;

/// The keys and list positions that lead from the top of the configuration to one setting.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyPath(Vec<String>);

impl KeyPath {
    /// The path of these steps; a list position is its number.
    pub(crate) fn new(steps: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }

    /// The steps, from the top.
    pub(crate) fn steps(&self) -> &[String] {
        &self.0
    }

    /// The last step; empty at the top.
    pub(crate) fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// One step further in.
    pub(crate) fn child(&self, step: impl Into<String>) -> Self {
        let mut path = self.clone();
        path.0.push(step.into());
        path
    }

    /// One step further out; nothing at the top.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, outer) = self.0.split_last()?;
        Some(Self(outer.to_vec()))
    }

    /// Whether `self` is `outer` or within it.
    pub(crate) fn is_within(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match (position, is_position(step)) {
                (_, true) => write!(f, "[{step}]")?,
                (0, _) => f.write_str(step)?,
                _ => write!(f, ".{step}")?,
            }
        }
        Ok(())
    }
}

/// Whether a step is a position in a list.
pub(crate) fn is_position(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}
