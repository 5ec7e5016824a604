//! How monitors put into words what objects say.

use jiff::Timestamp;

/// The first line of a message, short enough for a chat; the rest is seen with kubectl.
pub(super) fn first_line(message: &str) -> String {
    const LIMIT: usize = 300;
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LIMIT) {
        Some((cut, _)) => format!("{}…", line.get(..cut).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// A point in time to the minute: `2026-11-22 17:15 UTC`.
pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
