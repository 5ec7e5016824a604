//! Label selectors as kubectl writes them: `app=api,tier!=cache,env in (prod, test),!canary`.

use std::str::FromStr;

/// A label selector. All its parts must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    In(String, Vec<String>),
    /// Fits too where the label is not there.
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no label selector: write it like app=api, tier!=cache, \"env in (prod, test)\" or !canary")]
pub(crate) struct LabelsError(String);

impl Labels {
    /// The selector as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an object with these labels is meant.
    pub(crate) fn fit(&self, labels: &[(String, String)]) -> bool {
        let value = |key: &str| labels.iter().find(|(label, _)| label == key).map(|(_, value)| value);
        self.parts.iter().all(|part| match part {
            Part::In(key, values) => value(key).is_some_and(|value| values.contains(value)),
            Part::NotIn(key, values) => value(key).is_none_or(|value| !values.contains(value)),
            Part::Exists(key) => value(key).is_some(),
            Part::Absent(key) => value(key).is_none(),
        })
    }
}

impl FromStr for Labels {
    type Err = LabelsError;

    fn from_str(text: &str) -> Result<Self, LabelsError> {
        let parts = split(text).into_iter().map(part).collect::<Option<Vec<_>>>();
        let parts = parts.ok_or_else(|| LabelsError(text.to_owned()))?;
        Ok(Self { text: text.to_owned(), parts })
    }
}

/// The parts between commas; those within brackets separate values.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    })
    .collect()
}

fn part(text: &str) -> Option<Part> {
    let text = text.trim();
    if let Some(key) = text.strip_prefix('!') {
        return Some(Part::Absent(name(key)?));
    }
    if let Some((rest, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, operator) = rest.trim().split_once(char::is_whitespace)?;
        return match operator.trim() {
            "in" => Some(Part::In(name(key)?, values)),
            "notin" => Some(Part::NotIn(name(key)?, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Part::NotIn(name(key)?, vec![self::value(value)?]));
    }
    match text.split_once('=') {
        Some((key, value)) => Some(Part::In(name(key)?, vec![self::value(value.trim_start_matches('='))?])),
        None => Some(Part::Exists(name(text)?)),
    }
}

fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
}

fn value(text: &str) -> Option<String> {
    if text.trim().is_empty() { Some(String::new()) } else { name(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, labels: &[(&str, &str)], expect: bool) {
        let owned: Vec<_> = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(selector.parse::<Labels>().unwrap().fit(&owned), expect, "{selector} on {labels:?}");
    }

    #[test]
    fn selectors_fit_as_kubectls_do() {
        let api = [("app", "api"), ("env", "prod")];
        for (selector, expect) in [
            ("app=api", true),
            ("app==api", true),
            ("app=web", false),
            ("app!=web", true),
            ("tier!=cache", true),
            ("app", true),
            ("tier", false),
            ("!tier", true),
            ("!app", false),
            ("env in (test, prod)", true),
            ("env notin (test,prod)", false),
            ("tier notin (a)", true),
            ("tier in (a)", false),
            ("app=api, env in (a,b)", false),
            ("app=api,env=prod,!canary", true),
            ("app=", false),
        ] {
            check(selector, &api, expect);
        }
        check("app.kubernetes.io/name=web", &[("app.kubernetes.io/name", "web")], true);
    }

    #[test]
    fn what_is_no_selector_is_an_error() {
        for bad in ["", "=a", "app=api,", "a b", "env of (a)", "in (a)", "a=b=c", "app=(a)"] {
            assert!(bad.parse::<Labels>().is_err(), "{bad}");
        }
    }
}
