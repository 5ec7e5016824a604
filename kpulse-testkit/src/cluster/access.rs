//! Who may do what: everything, but for what the test forbids; and the reviews that tell it.

use serde_json::{Value, json};

use super::resources::{Catalogue, Resource};
use super::status::StatusError;

/// What is forbidden: a verb on a resource, everywhere unless narrowed. `*` stands for any.
///
/// ```
/// use kpulse_testkit::cluster::{Denial, FakeCluster};
///
/// let cluster = FakeCluster::new();
/// let denial = Denial::of("list", "pods").cluster_wide();
/// cluster.forbid(denial.clone());              // a Role without a ClusterRole
/// cluster.forbid(Denial::of("*", "pods/log").in_namespace("vault"));
/// cluster.allow(denial);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    verb: String,
    resource: String,
    group: Option<String>,
    scope: Scope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    Everywhere,
    ClusterWide,
    Namespace(String),
}

impl Denial {
    /// Forbids `verb` (`get list watch create update patch delete deletecollection`) on `resource` (`pods`; a
    /// subresource such as `pods/log` is a resource of its own).
    pub fn of(verb: &str, resource: &str) -> Self {
        Self { verb: verb.to_owned(), resource: resource.to_owned(), group: None, scope: Scope::Everywhere }
    }

    /// Only in this API group; empty for core.
    pub fn group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    /// Only inside this namespace; requests across the cluster stay allowed.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.scope = Scope::Namespace(namespace.to_owned());
        self
    }

    /// Only requests outside any namespace, as for a program that has Roles but no ClusterRole.
    pub fn cluster_wide(mut self) -> Self {
        self.scope = Scope::ClusterWide;
        self
    }

    fn covers(&self, attempt: &Attempt<'_>) -> bool {
        let any = |rule: &str, is: &str| rule == "*" || rule == is;
        any(&self.verb, attempt.verb)
            && any(&self.resource, attempt.resource)
            && self.group.as_ref().is_none_or(|group| any(group, attempt.group))
            && match &self.scope {
                Scope::Everywhere => true,
                Scope::ClusterWide => attempt.namespace.is_empty(),
                Scope::Namespace(namespace) => namespace == attempt.namespace,
            }
    }
}

impl From<(&str, &str)> for Denial {
    /// A verb and a resource.
    fn from((verb, resource): (&str, &str)) -> Self {
        Self::of(verb, resource)
    }
}

/// What somebody wants to do. `resource` includes the subresource; `namespace` is empty across the cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// All that is forbidden now.
#[derive(Debug, Default)]
pub(crate) struct Access {
    denials: Vec<Denial>,
}

impl Access {
    pub(crate) fn forbid(&mut self, denial: Denial) {
        self.denials.push(denial);
    }

    pub(crate) fn allow(&mut self, denial: &Denial) {
        self.denials.retain(|known| known != denial);
    }

    pub(crate) fn allow_all(&mut self) {
        self.denials.clear();
    }

    fn permits(&self, attempt: &Attempt<'_>) -> bool {
        !self.denials.iter().any(|denial| denial.covers(attempt))
    }

    pub(crate) fn check(&self, attempt: &Attempt<'_>, row: &Resource, user: &str) -> Result<(), StatusError> {
        if self.permits(attempt) {
            return Ok(());
        }
        let Attempt { verb, group, resource, namespace, name } = attempt;
        let named = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{namespace}\"")
        };
        let qualified = if group.is_empty() { (*resource).to_owned() } else { format!("{resource}.{group}") };
        Err(StatusError::forbidden(
            row,
            name,
            format!(
                "{qualified}{named} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \
                 \"{group}\" {place}"
            ),
        ))
    }

    /// Answers a `SelfSubjectAccessReview`.
    pub(crate) fn review(&self, mut review: Value) -> Value {
        let asked = review["spec"]["resourceAttributes"].clone();
        let text = |field: &str| asked[field].as_str().unwrap_or_default();
        let subresource = text("subresource");
        let resource = if subresource.is_empty() {
            text("resource").to_owned()
        } else {
            format!("{}/{subresource}", text("resource"))
        };
        let attempt = Attempt {
            verb: text("verb"),
            group: text("group"),
            resource: &resource,
            namespace: text("namespace"),
            name: text("name"),
        };
        let allowed = self.permits(&attempt);
        let reason = if allowed { "allowed by default" } else { "forbidden by a rule of the test" };
        review["kind"] = json!("SelfSubjectAccessReview");
        review["apiVersion"] = json!("authorization.k8s.io/v1");
        review["status"] = json!({ "allowed": allowed, "reason": reason });
        review
    }

    /// Answers a `SelfSubjectRulesReview`: one rule for each resource, with the verbs left in that namespace.
    pub(crate) fn rules(&self, mut review: Value, catalogue: &Catalogue) -> Value {
        let namespace = review["spec"]["namespace"].as_str().unwrap_or_default().to_owned();
        let mut rules = Vec::new();
        for row in catalogue.iter() {
            for resource in resources_of(row) {
                let permitted = |verb: &&&str| {
                    let namespace = if row.namespaced { namespace.as_str() } else { "" };
                    self.permits(&Attempt { verb, group: row.group, resource: &resource, namespace, name: "" })
                };
                let verbs: Vec<_> = VERBS.iter().filter(permitted).collect();
                if !verbs.is_empty() {
                    rules.push(json!({ "verbs": verbs, "apiGroups": [row.group], "resources": [resource] }));
                }
            }
        }
        review["kind"] = json!("SelfSubjectRulesReview");
        review["apiVersion"] = json!("authorization.k8s.io/v1");
        review["status"] = json!({ "resourceRules": rules, "nonResourceRules": [], "incomplete": false });
        review
    }
}

const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

fn resources_of(row: &Resource) -> Vec<String> {
    let mut all = vec![row.plural.to_owned()];
    if row.status {
        all.push(format!("{}/status", row.plural));
    }
    match (row.group, row.plural) {
        ("", "pods") => all.push("pods/log".to_owned()),
        ("", "nodes") => all.push("nodes/proxy".to_owned()),
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(denial: Denial, attempt: (&str, &str, &str), permitted: bool) {
        let mut access = Access::default();
        access.forbid(denial);
        let (verb, resource, namespace) = attempt;
        let attempt = Attempt { verb, group: "", resource, namespace, name: "" };
        assert_eq!(access.permits(&attempt), permitted, "{attempt:?}");
    }

    #[test]
    fn a_denial_covers_its_scope_and_no_more() {
        check(Denial::of("list", "pods"), ("list", "pods", ""), false);
        check(Denial::of("list", "pods"), ("list", "pods", "shop"), false);
        check(Denial::of("list", "pods"), ("watch", "pods", ""), true);
        check(Denial::of("list", "pods"), ("list", "nodes", ""), true);
        check(Denial::of("get", "pods"), ("get", "pods/log", "shop"), true);
        check(Denial::of("*", "*"), ("get", "pods/log", "shop"), false);
        check(Denial::of("list", "pods").cluster_wide(), ("list", "pods", ""), false);
        check(Denial::of("list", "pods").cluster_wide(), ("list", "pods", "shop"), true);
        check(Denial::of("list", "pods").in_namespace("shop"), ("list", "pods", "shop"), false);
        check(Denial::of("list", "pods").in_namespace("shop"), ("list", "pods", ""), true);
        check(Denial::of("list", "pods").group("apps"), ("list", "pods", ""), true);
    }
}
