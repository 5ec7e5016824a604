//! Rights as manifests, with a comment on each.

use std::fmt::{self, Display, Formatter, Write};

use super::{Account, Grant, Reach, Rights, Rule};

const API_GROUP: &str = "rbac.authorization.k8s.io";

/// Rights and who is granted them; written as manifests.
#[derive(Debug)]
pub(crate) struct Manifests<'a> {
    rights: &'a Rights,
    account: &'a Account,
}

impl Rights {
    /// The manifests that grant these rights to `account`.
    pub(crate) fn granted_to<'a>(&'a self, account: &'a Account) -> Manifests<'a> {
        Manifests { rights: self, account }
    }
}

impl Display for Manifests<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Rights { grants, beyond } = self.rights;
        out.write_str("# The least rights for one configuration, as `kpulse rbac --config FILE` prints them.\n")?;
        if !beyond.is_empty() {
            writeln!(out, "# Not among them, because they are in no namespace: {}.", beyond.join(", "))?;
            out.write_str("# kpulse says once that it does not see them.\n")?;
        }
        grants.iter().try_for_each(|grant| write_grant(out, grant, self.account))
    }
}

fn write_grant(out: &mut Formatter<'_>, grant: &Grant, account: &Account) -> fmt::Result {
    let name = scalar(&format!("{}{}", account.name, grant.suffix));
    let (role, namespace) = match &grant.reach {
        Reach::Cluster => ("ClusterRole", None),
        Reach::Namespace(namespace) => ("Role", Some(namespace.as_str())),
        Reach::Own => ("Role", Some(account.namespace.as_str())),
    };
    out.write_str("---\n")?;
    grant.purpose.lines().try_for_each(|line| writeln!(out, "# {line}"))?;
    write_head(out, role, &name, namespace)?;
    out.write_str("rules:\n")?;
    grant.rules.iter().try_for_each(|rule| write_rule(out, rule))?;
    out.write_str("---\n")?;
    write_head(out, &format!("{role}Binding"), &name, namespace)?;
    writeln!(out, "roleRef: {{apiGroup: {API_GROUP}, kind: {role}, name: {name}}}")?;
    let (namespace, account) = (scalar(&account.namespace), scalar(&account.name));
    writeln!(out, "subjects: [{{kind: ServiceAccount, namespace: {namespace}, name: {account}}}]")
}

fn write_head(out: &mut Formatter<'_>, kind: &str, name: &str, namespace: Option<&str>) -> fmt::Result {
    writeln!(out, "apiVersion: {API_GROUP}/v1\nkind: {kind}\nmetadata:\n  name: {name}")?;
    if let Some(namespace) = namespace {
        writeln!(out, "  namespace: {}", scalar(namespace))?;
    }
    out.write_str("  labels: {app.kubernetes.io/name: kpulse}\n")
}

fn write_rule(out: &mut Formatter<'_>, rule: &Rule) -> fmt::Result {
    let Rule { group, resources, names, verbs } = rule;
    writeln!(out, "  - apiGroups: [{}]", scalar(group))?;
    writeln!(out, "    resources: [{}]", resources.join(", "))?;
    if !names.is_empty() {
        writeln!(out, "    resourceNames: [{}]", names.join(", "))?;
    }
    writeln!(out, "    verbs: [{}]", verbs.join(", "))
}

/// A text as YAML, in quotes where it could be taken for something else: a namespace may be called `1` or `true`.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
        && !WORDS.contains(&text);
    if is_plain {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Writing to a String cannot fail.
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
