//! The page.
use super::Snapshot;
use super::record::{Kind, Message};
pub(super) const SCRIPT: &str = include_str!("page/app.js");
pub(super) const STYLE: &str = include_str!("page/style.css");
pub(super) const ICON: &str = include_str!("page/favicon.svg");
/// What of the log is shown, and to whom.
pub(super) struct View<'a> {
    pub(super) kind: Option<Kind>,
    pub(super) before: Option<u64>,
    pub(super) host: &'a str,
}
pub(super) fn page(_s: &Snapshot, _v: &View<'_>) -> String {
    String::new()
}
pub(super) fn card(_m: &Message) -> String {
    String::new()
}
