//! A PodDisruptionBudget (`policy/v1`): how many Pods may be evicted now, and which Pods it is about.

use serde::Deserialize;

use super::{Meta, lenient};
use crate::Name;

/// What kpulse reads of a PodDisruptionBudget.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BudgetFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "lenient::object")]
    pub spec: BudgetSpec,
    /// What the controller says.
    #[serde(deserialize_with = "lenient::object")]
    pub status: BudgetStatus,
}

/// `spec` of a PodDisruptionBudget, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct BudgetSpec {
    /// The Pods it is about; none without a selector.
    #[serde(deserialize_with = "lenient::object_opt")]
    pub selector: Option<Selector>,
}

/// `status` of a PodDisruptionBudget, as far as kpulse uses it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BudgetStatus {
    /// Which generation of the spec this status is about.
    #[serde(deserialize_with = "lenient::number_opt")]
    pub observed_generation: Option<i64>,
    /// How many Pods may be evicted now.
    #[serde(deserialize_with = "lenient::number")]
    pub disruptions_allowed: i32,
    /// How many Pods are ready.
    #[serde(deserialize_with = "lenient::number")]
    pub current_healthy: i32,
    /// How many must be.
    #[serde(deserialize_with = "lenient::number")]
    pub desired_healthy: i32,
    /// How many there should be, by their controllers.
    #[serde(deserialize_with = "lenient::number")]
    pub expected_pods: i32,
}

impl BudgetFacts {
    /// Whether it is about a Pod of its namespace that has these labels.
    #[must_use]
    pub fn covers(&self, labels: &[(String, String)]) -> bool {
        self.spec.selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }

    /// Whether the status is older than the spec, and so says nothing of it.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.meta.is_ahead_of(self.status.observed_generation)
    }
}

/// A label selector: all that it asks for must hold; an empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    /// Labels and the value each must have.
    #[serde(deserialize_with = "lenient::pairs")]
    pub match_labels: Vec<(String, String)>,
    /// Conditions on one label each.
    #[serde(deserialize_with = "lenient::list")]
    pub match_expressions: Vec<Requirement>,
}

/// What a selector asks of one label.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// The label.
    #[serde(deserialize_with = "lenient::text")]
    pub key: Name,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[serde(deserialize_with = "lenient::text")]
    pub operator: Name,
    /// The values of `In` and `NotIn`.
    #[serde(deserialize_with = "lenient::texts")]
    pub values: Vec<Name>,
}

impl Selector {
    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &[(String, String)]) -> bool {
        self.match_labels.iter().all(|wanted| labels.contains(wanted))
            && self.match_expressions.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    /// As `labels.Requirement.Matches` in `k8s.io/apimachinery`: `NotIn` holds where the label is missing. An operator
    /// that is none selects nothing.
    fn holds(&self, labels: &[(String, String)]) -> bool {
        let value = labels.iter().find_map(|(key, value)| (self.key == **key).then_some(value.as_str()));
        let listed = value.is_some_and(|value| self.values.iter().any(|listed| *listed == *value));
        match self.operator.as_str() {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spec: &str, covered: &str, others: &str) {
        let budget: BudgetFacts = serde_json::from_str(&format!(r#"{{"spec":{spec}}}"#)).unwrap();
        let labels = |text: &str| -> Vec<(String, String)> {
            text.split_whitespace().filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
        };
        for pod in covered.split(',') {
            assert!(budget.covers(&labels(pod)), "{spec} covers {pod}");
        }
        for pod in others.split(',').filter(|pod| !pod.is_empty()) {
            assert!(!budget.covers(&labels(pod)), "{spec} does not cover {pod}");
        }
    }

    #[test]
    fn a_selector_selects_as_the_api_server_does() {
        check(r#"{"selector":{"matchLabels":{"app":"web"}}}"#, "app=web,app=web tier=x", "app=db,tier=web, ");
        check(r#"{"selector":{}}"#, " ,app=web", "");
        let expression = |operator: &str, values: &str| {
            format!(
                r#"{{"selector":{{"matchExpressions":[{{"key":"app","operator":"{operator}","values":{values}}}]}}}}"#
            )
        };
        check(&expression("In", r#"["web","db"]"#), "app=web,app=db", "app=x, ");
        check(&expression("NotIn", r#"["web"]"#), "app=db, ", "app=web");
        check(&expression("Exists", "null"), "app=,app=web", "tier=web");
        check(&expression("DoesNotExist", "[]"), "tier=web, ", "app=web");
    }

    #[test]
    fn without_a_selector_or_with_an_odd_one_it_is_about_no_pod() {
        for spec in ["{}", r#"{"selector":null}"#, r#"{"selector":"app=web"}"#] {
            let budget: BudgetFacts = serde_json::from_str(&format!(r#"{{"spec":{spec}}}"#)).unwrap();
            assert!(!budget.covers(&[("app".to_owned(), "web".to_owned())]), "{spec}");
        }
        let odd = r#"{"spec":{"selector":{"matchExpressions":[{"key":"app","operator":"Near"}]}},"status":{"disruptionsAllowed":"1"}}"#;
        let budget: BudgetFacts = serde_json::from_str(odd).unwrap();
        assert!(!budget.covers(&[("app".to_owned(), "web".to_owned())]));
        assert_eq!(budget.status.disruptions_allowed, 0);
    }
}
