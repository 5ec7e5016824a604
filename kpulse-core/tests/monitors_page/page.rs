//! The page, in its parts.

use serde_json::Value;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/monitors.md");

/// `docs/monitors.md`.
pub(crate) struct Page(String);

/// A default as the page writes it: `15m`, `[A, B]`; what stands where there is none.
pub(crate) fn default(value: &Value) -> String {
    match value {
        Value::Null => "the monitor's own".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Array(values) => {
            let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            format!("`[{}]`", texts.join(", "))
        }
        other => format!("`{other}`"),
    }
}

impl Page {
    pub(crate) fn read() -> Self {
        Self(std::fs::read_to_string(PATH).expect("docs/monitors.md can be read"))
    }

    pub(crate) fn write(&self) {
        std::fs::write(PATH, &self.0).expect("docs/monitors.md can be written");
    }

    pub(crate) fn sections(&self) -> Vec<&str> {
        self.0.lines().filter_map(|line| line.strip_prefix("## ")).filter(|name| !name.contains(' ')).collect()
    }

    pub(crate) fn section(&self, name: &str) -> &str {
        let heading = format!("\n## {name}\n");
        let (_, rest) = self.0.split_once(&heading).unwrap_or_else(|| panic!("docs/monitors.md has no `## {name}`"));
        rest.split("\n## ").next().unwrap_or_default()
    }

    /// The rows of the first table of the page.
    pub(crate) fn index(&self) -> Vec<Vec<String>> {
        rows(self.0.split("\n## ").next().unwrap_or_default())
    }

    /// Key and default of each setting that a section names.
    pub(crate) fn settings(&self, name: &str) -> Vec<(String, String)> {
        let section = self.section(name);
        let (_, rest) = section.split_once("**Settings.**").unwrap_or_default();
        let table = rest.split("\n**").next().unwrap_or_default();
        let cell = |row: &[String], index: usize| row.get(index).cloned().unwrap_or_default();
        rows(table).iter().map(|row| (cell(row, 0).trim_matches('`').to_owned(), cell(row, 1))).collect()
    }

    pub(crate) fn update_defaults(&mut self, name: &str, settings: &[(String, String)]) {
        let section = self.section(name).to_owned();
        let line = |line: &str| {
            let known = settings.iter().find(|(key, _)| line.starts_with(&format!("| `{key}` |")));
            let meaning = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
            known.map_or(line.to_owned(), |(key, default)| format!("| `{key}` | {default} | {meaning} |"))
        };
        let lines: Vec<String> = section.split('\n').map(line).collect();
        self.0 = self.0.replace(&section, &lines.join("\n"));
    }

    /// What stands between the fences of the message.
    pub(crate) fn example(&self, name: &str) -> &str {
        let section = self.section(name);
        let (_, rest) = section.split_once("```text\n").unwrap_or_else(|| panic!("{name} has no ```text block"));
        rest.split("\n```").next().unwrap_or_default()
    }

    pub(crate) fn update_example(&mut self, name: &str, text: &str) {
        let section = self.section(name).to_owned();
        let old = format!("```text\n{}\n```", self.example(name));
        self.0 = self.0.replace(&section, &section.replacen(&old, &format!("```text\n{text}\n```"), 1));
    }

    /// Where its links into itself lead.
    pub(crate) fn links(&self) -> Vec<String> {
        let ends = self.0.split("](#").skip(1);
        ends.map(|rest| rest.split(')').next().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.0.lines().filter_map(|line| line.strip_prefix("## "));
        headings.map(|heading| heading.to_lowercase().replace(' ', "-").replace([',', '`'], "")).collect()
    }
}

/// The cells of the rows of a table, without its head.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    text.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}
