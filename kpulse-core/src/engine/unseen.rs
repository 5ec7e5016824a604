//! What kpulse does not see, in words: a resource is named once, in however many namespaces it is watched.

use std::collections::{BTreeMap, BTreeSet};

use crate::monitors::blindness;
use crate::{Alert, ObjectRef};

/// So many are named; of the others it is said how many they are.
const NAMED: usize = 5;

/// `cronjobs, nodes and 3 more`.
pub(super) fn names(watches: &BTreeSet<ObjectRef>) -> String {
    let resources: BTreeSet<String> = watches.iter().map(|watch| blindness::said(parts(&watch.name).0)).collect();
    listed(&resources.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A line for each resource and reason: `pods in blog, shop: may not …`.
pub(super) fn causes<'a>(alerts: impl Iterator<Item = &'a Alert>) -> String {
    let mut causes: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for alert in alerts {
        let (resource, namespace) = parts(&alert.key.object.name);
        causes.entry((resource, &alert.cause)).or_default().extend(namespace);
    }
    let line = |((resource, cause), namespaces): (&(&str, &str), &Vec<&str>)| match &namespaces[..] {
        [] => format!("{}: {cause}", blindness::said(resource)),
        namespaces => format!("{resource} in {}: {cause}", listed(namespaces)),
    };
    causes.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The resource, and the namespace if it is watched in one: a watch is called after its [scope](crate::Scope).
fn parts(watch: &str) -> (&str, Option<&str>) {
    watch.rsplit_once(" in ").map_or((watch, None), |(resource, namespace)| (resource, Some(namespace)))
}

fn listed(names: &[&str]) -> String {
    let first = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn a_resource_is_named_once() {
        let check = |watches: &[&str], expect: &str| {
            let watches = watches.iter().map(|name| ObjectRef::new(Kind::Watch, "", *name)).collect();
            assert_eq!(names(&watches), expect);
        };
        check(&["pods in shop", "nodes", "pods in blog"], "nodes, pods");
        check(
            &["events (type=Warning) in shop", "events (reason=Nominated)"],
            "events (reason=Nominated), events (type=Warning)",
        );
        check(&["a", "b", "c", "d", "e", "f in shop", "g"], "a, b, c, d, e and 2 more");
    }
}
