//! Label and field selectors: which objects a list or watch is about.

use super::object::Object;
use super::resources::Resource;
use super::status::StatusError;

/// What a list or watch asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) namespace: Option<String>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
}

impl Selection {
    pub(crate) fn matches(&self, object: &Object) -> bool {
        self.namespace.as_ref().is_none_or(|ns| *ns == object.key.namespace)
            && self.labels.matches(&object.labels)
            && self.fields.matches(object)
    }

    /// Whether only scope limits it, so that everything in the range is selected.
    pub(crate) fn is_whole(&self) -> bool {
        self.labels.0.is_empty() && self.fields.0.is_empty()
    }
}

/// All of these must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Requirement {
    fn holds(&self, labels: &[(String, String)]) -> bool {
        let value = |key: &str| labels.iter().find(|(k, _)| k == key).map(|(_, v)| v);
        match self {
            Self::In(key, wanted) => value(key).is_some_and(|v| wanted.contains(v)),
            Self::NotIn(key, unwanted) => value(key).is_none_or(|v| !unwanted.contains(v)),
            Self::Exists(key) => value(key).is_some(),
            Self::Missing(key) => value(key).is_none(),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Some((head, values)) = text.split_once('(') {
            return Self::parse_set(head, values);
        }
        if let Some((key, value)) = text.split_once("!=") {
            return Ok(Self::NotIn(label_key(key)?, vec![value.trim().to_owned()]));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Ok(Self::In(label_key(key)?, vec![value.trim().to_owned()]));
        }
        match text.strip_prefix('!') {
            Some(key) => Ok(Self::Missing(label_key(key)?)),
            None => Ok(Self::Exists(label_key(text)?)),
        }
    }

    fn parse_set(head: &str, values: &str) -> Result<Self, String> {
        let values = values.trim_end().strip_suffix(')').ok_or("found no closing ')'")?;
        let values = values.split(',').map(|v| v.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => Ok(Self::In(label_key(key)?, values)),
            (Some(key), Some("notin"), None) => Ok(Self::NotIn(label_key(key)?, values)),
            _ => Err(format!("found '{}', expected: in, notin, =, ==, !=", head.trim())),
        }
    }
}

fn label_key(text: &str) -> Result<String, String> {
    let key = text.trim();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if key.is_empty() || !key.chars().all(allowed) {
        return Err(format!("found '{text}', expected a label key"));
    }
    Ok(key.to_owned())
}

impl LabelSelector {
    pub(crate) fn parse(text: &str) -> Result<Self, StatusError> {
        terms(text)
            .map(Requirement::parse)
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|why| StatusError::bad_request(format!("unable to parse requirement: {why}")))
    }

    pub(crate) fn matches(&self, labels: &[(String, String)]) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

/// All of these must hold: the field, whether it must equal, and the value.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldSelector(Vec<(String, bool, String)>);

impl FieldSelector {
    /// Refuses a field the kind cannot be selected by, as a real server does.
    pub(crate) fn parse(text: &str, row: &Resource) -> Result<Self, StatusError> {
        let mut parsed = Vec::new();
        for term in terms(text) {
            let (field, equals, value) = if let Some((field, value)) = term.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (field, true, value)
            } else {
                return Err(StatusError::bad_request(format!("invalid selector: '{term}'; can't understand '{term}'")));
            };
            let field = stored_name(field.trim());
            let known = matches!(&*field, "metadata.name" | "metadata.namespace") || row.fields.contains(&&*field);
            if !known {
                return Err(StatusError::bad_request(format!("field label not supported: {field}")));
            }
            parsed.push((field, equals, value.trim().to_owned()));
        }
        Ok(Self(parsed))
    }

    /// The one object of that name: a watch on a single object's path.
    pub(crate) fn by_name(mut self, name: &str) -> Self {
        self.0.push(("metadata.name".to_owned(), true, name.to_owned()));
        self
    }

    pub(crate) fn matches(&self, object: &Object) -> bool {
        self.0.iter().all(|(field, equals, value)| (object.field(field) == value) == *equals)
    }
}

/// `events.k8s.io` calls the involved object `regarding`; `source` is short for its component.
fn stored_name(field: &str) -> String {
    match field.split_once('.') {
        Some(("regarding", rest)) => format!("involvedObject.{rest}"),
        None if field == "source" => "source.component".to_owned(),
        _ => field.to_owned(),
    }
}

/// The parts between commas that stand outside parentheses.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|term| !term.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resources::Catalogue;
    use serde_json::json;

    #[track_caller]
    fn check(selector: &str, expect: bool) {
        let labels = [("app", "web"), ("tier", "front")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(LabelSelector::parse(selector).unwrap().matches(&labels), expect, "{selector}");
    }

    #[test]
    fn labels() {
        check("", true);
        check("app=web", true);
        check("app==web", true);
        check("app = web", true);
        check("app=db", false);
        check("app!=db", true);
        check("app!=web", false);
        check("nothing!=web", true);
        check("app in (db, web)", true);
        check("app in (db)", false);
        check("app notin (db,cache)", true);
        check("app notin (db, web)", false);
        check("nothing notin (a)", true);
        check("app", true);
        check("nothing", false);
        check("!nothing", true);
        check("!app", false);
        check("app in (web,db),tier=front,!nothing", true);
        check("app in (web,db),tier=back", false);
    }

    #[track_caller]
    fn check_refused(selector: &str) {
        assert_eq!(LabelSelector::parse(selector).unwrap_err().code, 400, "{selector}");
    }

    #[test]
    fn odd_label_selectors_are_refused() {
        check_refused("app in (web");
        check_refused("app within (web)");
        check_refused("=web");
        check_refused("a b c");
        check_refused("!");
    }

    #[track_caller]
    fn check_fields(selector: &str, expect: bool) {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("Pod").unwrap());
        let pod = json!({
            "metadata": { "name": "web-1", "namespace": "shop" },
            "spec": { "nodeName": "node-a" },
            "status": { "phase": "Running" },
        });
        let pod = Object::new(pod, row, 1);
        assert_eq!(FieldSelector::parse(selector, row).unwrap().matches(&pod), expect, "{selector}");
    }

    #[test]
    fn fields() {
        check_fields("", true);
        check_fields("metadata.name=web-1", true);
        check_fields("metadata.name=web-2", false);
        check_fields("metadata.namespace==shop", true);
        check_fields("metadata.namespace!=shop", false);
        check_fields("status.phase=Running,spec.nodeName=node-a", true);
        check_fields("status.phase!=Running", false);
        check_fields("status.nominatedNodeName=", true);
    }

    #[test]
    fn a_field_the_kind_cannot_be_selected_by_is_refused() {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("Pod").unwrap());
        assert_eq!(FieldSelector::parse("spec.hostname=a", row).unwrap_err().code, 400);
        assert_eq!(FieldSelector::parse("metadata.name", row).unwrap_err().code, 400);
    }
}
