//! What the server says it serves.

use serde_json::{Value, json};

use super::resources::{Catalogue, Resource};

/// The API groups switched off, as on a server too old to have them.
#[derive(Debug, Default)]
pub(crate) struct HiddenGroups(Vec<String>);

impl HiddenGroups {
    pub(crate) fn hide(&mut self, group: &str) {
        self.0.push(group.to_owned());
    }

    pub(crate) fn show(&mut self, group: &str) {
        self.0.retain(|hidden| hidden != group);
    }

    /// `autoscaling` hides all versions, `autoscaling/v2` the one.
    pub(crate) fn hides(&self, group: &str, version: &str) -> bool {
        self.0.iter().any(|hidden| match hidden.split_once('/') {
            Some((hidden_group, hidden_version)) => hidden_group == group && hidden_version == version,
            None => hidden == group,
        })
    }
}

const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

pub(crate) fn version(git_version: &str) -> Value {
    let mut parts = git_version.trim_start_matches('v').split('.');
    json!({
        "major": parts.next().unwrap_or_default(),
        "minor": parts.next().unwrap_or_default(),
        "gitVersion": git_version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    })
}

/// `/api`
pub(crate) fn core_versions() -> Value {
    json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] })
}

/// `/apis`
pub(crate) fn groups(catalogue: &Catalogue, hidden: &HiddenGroups) -> Value {
    let mut names: Vec<&str> = catalogue.iter().map(|row| row.group).filter(|group| !group.is_empty()).collect();
    names.push("authorization.k8s.io");
    names.sort_unstable();
    names.dedup();
    let groups: Vec<_> = names.iter().filter_map(|name| group(catalogue, hidden, name)).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// `/apis/{group}`
pub(crate) fn group(catalogue: &Catalogue, hidden: &HiddenGroups, name: &str) -> Option<Value> {
    let mut versions: Vec<&str> = catalogue.iter().filter(|row| row.group == name).map(|row| row.version).collect();
    if name == "authorization.k8s.io" {
        versions.push("v1");
    }
    versions.retain(|version| !hidden.hides(name, version));
    versions.dedup();
    let versions: Vec<_> = versions
        .iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version }))
        .collect();
    let preferred = versions.first()?.clone();
    Some(json!({
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": versions,
        "preferredVersion": preferred,
    }))
}

/// `/api/v1`, `/apis/{group}/{version}`
pub(crate) fn resources(catalogue: &Catalogue, hidden: &HiddenGroups, group: &str, version: &str) -> Option<Value> {
    if hidden.hides(group, version) {
        return None;
    }
    let mut entries: Vec<Value> = Vec::new();
    for row in catalogue.iter().filter(|row| row.group == group && row.version == version) {
        entries.extend(entries_of(row));
    }
    if (group, version) == ("authorization.k8s.io", "v1") {
        for (kind, plural) in REVIEWS {
            entries.push(json!({
                "name": plural, "singularName": "", "namespaced": false, "kind": kind, "verbs": ["create"],
            }));
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let list = json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": entries,
    });
    (!entries.is_empty()).then_some(list)
}

/// Kind and plural of the reviews that are answered.
pub(crate) const REVIEWS: &[(&str, &str)] =
    &[("SelfSubjectAccessReview", "selfsubjectaccessreviews"), ("SelfSubjectRulesReview", "selfsubjectrulesreviews")];

fn entries_of(row: &Resource) -> Vec<Value> {
    let entry = |name: String, verbs: &[&str]| {
        json!({
            "name": name,
            "singularName": row.kind.to_lowercase(),
            "namespaced": row.namespaced,
            "kind": row.kind,
            "verbs": verbs,
        })
    };
    let mut main = entry(row.plural.to_owned(), VERBS);
    if !row.short_names.is_empty() {
        main["shortNames"] = json!(row.short_names);
    }
    let mut entries = vec![main];
    if row.status {
        entries.push(entry(format!("{}/status", row.plural), &["get", "patch", "update"]));
    }
    match (row.group, row.plural) {
        ("", "pods") => entries.push(entry("pods/log".to_owned(), &["get"])),
        ("", "nodes") => entries.push(entry("nodes/proxy".to_owned(), &["get"])),
        _ => {}
    }
    entries
}
