//! `docs/monitors.md` says what the code does: each monitor has its section, each setting its line and its default, and
//! the examples are what the engine says.
//!
//! `UPDATE_DOCS=1 cargo test -p kpulse-core --test monitors_page` writes the examples and the defaults into the page;
//! the rest is written by hand.

#![expect(clippy::disallowed_methods, reason = "this test reads and writes a page")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod examples;
mod page;
#[path = "../history/play.rs"]
#[expect(dead_code, reason = "of the driver little is needed")]
mod play;

use std::sync::OnceLock;

use kpulse_core::monitors::MonitorName;
use kpulse_core::settings::Monitors;
use page::Page;
use serde_json::Value;

/// What every section must have, in this order.
const PARTS: [&str; 6] = ["Meaning.", "Due.", "Ends.", "Settings.", "Message.", "First."];

/// The names of those that have a section: what users set, and kpulse's own blindness.
fn monitors() -> impl Iterator<Item = MonitorName> {
    MonitorName::ALL.into_iter().chain([MonitorName::Blindness])
}

/// The settings of a monitor and their defaults, as the page writes them, in the order of the alphabet.
fn settings(monitor: MonitorName) -> Vec<(String, String)> {
    let all = serde_json::to_value(Monitors::default()).unwrap();
    let settings = all.get(monitor.as_str()).and_then(Value::as_object).into_iter().flatten();
    settings.map(|(key, default)| (key.clone(), page::default(default))).collect()
}

/// The page; where updates are wanted, with what the code says written into it.
fn page() -> &'static Page {
    static PAGE: OnceLock<Page> = OnceLock::new();
    PAGE.get_or_init(|| {
        let mut page = Page::read();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            for monitor in monitors() {
                page.update_defaults(monitor.as_str(), &settings(monitor));
                page.update_example(monitor.as_str(), &examples::of(monitor).text);
            }
            page.write();
        }
        page
    })
}

#[test]
fn every_monitor_and_nothing_else_has_a_section_and_a_line_in_the_index() {
    let (page, names) = (page(), monitors().map(MonitorName::as_str).collect::<Vec<_>>());
    assert_eq!(page.sections(), names, "sections of docs/monitors.md, in the order of MonitorName::ALL");
    let index: Vec<String> = page.index().iter().map(|row| row[0].clone()).collect();
    let links: Vec<String> = names.iter().map(|name| format!("[`{name}`](#{name})")).collect();
    assert_eq!(index, links, "the index of docs/monitors.md");
}

#[test]
fn every_section_has_all_its_parts_in_the_same_order() {
    for monitor in monitors() {
        let section = page().section(monitor.as_str());
        let found: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("**")?.split_once("**"))
            .map(|(part, _)| part)
            .collect();
        assert_eq!(
            found, PARTS,
            "parts of the section on {monitor}: write each as **Meaning.** at the begin of a line"
        );
    }
}

#[test]
fn every_setting_stands_in_its_section_with_its_default_and_no_other_does() {
    for monitor in monitors() {
        let mut said = page().settings(monitor.as_str());
        said.sort();
        assert_eq!(said, settings(monitor), "the settings of {monitor} in docs/monitors.md: key and default");
    }
}

#[test]
fn every_example_is_what_the_engine_says() {
    for monitor in monitors() {
        let said = examples::of(monitor);
        assert_eq!(
            page().example(monitor.as_str()),
            said.text,
            "the example of {monitor}; UPDATE_DOCS=1 writes it anew"
        );
    }
}

#[test]
fn the_index_says_how_bad_each_is_and_whether_its_end_is_told() {
    for (monitor, row) in monitors().zip(page().index()) {
        let said = examples::of(monitor);
        for severity in &said.severities {
            assert!(row[1].contains(severity), "{monitor} can be {severity}: {row:?}");
        }
        assert_eq!(row[4].starts_with("yes"), said.ends, "whether the end of {monitor} is told: {row:?}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    for anchor in page().links() {
        assert!(page().anchors().contains(&anchor), "#{anchor} leads nowhere in docs/monitors.md");
    }
}
