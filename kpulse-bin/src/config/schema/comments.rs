//! What settings mean, from the comments of the configuration that is shipped.

use crate::config::document::{Document, Part};
use crate::config::key_path::{KeyPath, is_position};

/// The configuration that is shipped. A test demands that it mentions every setting.
pub(in crate::config) const SHIPPED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config.example.yaml"));

/// Where each setting stands in it, and what is written above.
pub(super) struct Comments {
    document: Option<Document>,
}

impl Comments {
    pub(super) fn of_shipped() -> Self {
        Self { document: Document::parse("config.example.yaml", &all_in_force(SHIPPED)).ok() }
    }

    /// The comment above a setting; what stands above a list is not about each of its items.
    pub(super) fn above(&self, path: &KeyPath) -> Option<String> {
        if is_position(path.last()) {
            return None;
        }
        let line = self.document.as_ref()?.place(path, Part::Key)?.line;
        let before: Vec<&str> = SHIPPED.lines().take(usize::try_from(line).ok()?.checked_sub(1)?).collect();
        let words = before.iter().rev().map_while(|line| line.trim_start().strip_prefix("# "));
        let mut words: Vec<&str> = words.map(str::trim).collect();
        words.reverse();
        (!words.is_empty()).then(|| words.join(" "))
    }
}

/// Settings that are not in force by default stand there as `#key: value`; words as `# words`.
pub(in crate::config) fn all_in_force(text: &str) -> String {
    let uncommented = |line: &str| match line.split_once('#') {
        Some((indent, setting))
            if indent.trim().is_empty() && !setting.starts_with([' ', '#']) && !setting.is_empty() =>
        {
            format!("{indent}{setting}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(uncommented).collect()
}
