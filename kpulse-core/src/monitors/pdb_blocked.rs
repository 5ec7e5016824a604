//! `pdb_blocked`: drains that cannot go on, because a PodDisruptionBudget allows no eviction of a Pod on a cordoned node.
//!
//! Neither the budget nor the node alone is a trouble: a budget that allows nothing may be meant, and a cordoned node
//! may be empty. Both are remembered while they last. Which Pods are on the node is asked once both have lasted long
//! enough, so that nothing need be known of Pods that are well.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::judge;
use crate::facts::{BudgetFacts, NodeFacts, PodFacts};
use crate::finding::{Finding, Findings, Severity, Since, TroubleKey};
use crate::settings::{SeverityRule, Span};
use crate::{Kind, Name, ObjectRef, Resource, Scope};

// ---- settings

/// What `pdb_blocked` is told by the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PdbBlocked {
    /// Whether it looks at all.
    pub enabled: bool,
    /// How bad it is; a warning if nothing is said.
    pub severity: Option<SeverityRule>,
    /// How long a drain may be held up.
    pub threshold: Span,
}

impl Default for PdbBlocked {
    fn default() -> Self {
        Self { enabled: true, severity: None, threshold: Span::minutes(15) }
    }
}

// ---- meaning

/// While a drain is held up, the Pods on its node are asked for again this often.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// Cordoned nodes and budgets that allow nothing.
#[derive(Debug, Default)]
pub(crate) struct Drains {
    nodes: BTreeMap<Name, Cordoned>,
    budgets: BTreeMap<ObjectRef, Exhausted>,
    /// Pods on cordoned nodes that such a budget is about.
    pods: BTreeMap<ObjectRef, Held>,
}

#[derive(Debug)]
struct Held {
    node: Name,
    budgets: BTreeSet<ObjectRef>,
    seen: bool,
}

#[derive(Debug)]
struct Cordoned {
    since: Timestamp,
    asked: Option<Timestamp>,
    seen: bool,
}

#[derive(Debug)]
struct Exhausted {
    since: Timestamp,
    facts: Box<BudgetFacts>,
    seen: bool,
}

impl Drains {
    /// Takes note of whether a node is cordoned.
    pub(crate) fn see_node(&mut self, now: Timestamp, node: &NodeFacts) {
        let name = &node.meta.name;
        if !node.spec.unschedulable || node.meta.deleting.is_some() {
            self.forget_node(name);
            return;
        }
        let cordoned = Cordoned { since: now, asked: None, seen: true };
        self.nodes.entry(name.clone()).or_insert(cordoned).seen = true;
    }

    /// Takes note of whether a budget allows anything.
    pub(crate) fn see_budget(&mut self, now: Timestamp, object: &ObjectRef, budget: &BudgetFacts) {
        let status = &budget.status;
        let exhausted = status.disruptions_allowed <= 0 && status.expected_pods > 0 && budget.meta.deleting.is_none();
        if budget.is_outdated() {
            return;
        }
        if !exhausted {
            self.forget_budget(object);
            return;
        }
        let known = self.budgets.remove(object);
        let since = known.map_or(now, |known| known.since);
        self.budgets.insert(object.clone(), Exhausted { since, facts: Box::new(budget.clone()), seen: true });
    }

    /// Takes note of a Pod that is on a cordoned node; others cost nothing. Tells whether anything changed.
    pub(crate) fn see_pod(&mut self, object: &ObjectRef, pod: &PodFacts) -> bool {
        if self.nodes.is_empty() && self.pods.is_empty() {
            return false;
        }
        let ended = matches!(&*pod.status.phase, "Succeeded" | "Failed") || pod.meta.deleting.is_some();
        let node = pod.spec.node_name.as_ref().filter(|node| !ended && self.nodes.contains_key(*node));
        let covers = |(budget, exhausted): (&ObjectRef, &Exhausted)| {
            (budget.namespace == object.namespace && exhausted.facts.covers(&pod.meta.labels)).then(|| budget.clone())
        };
        let budgets: BTreeSet<ObjectRef> = self.budgets.iter().filter_map(covers).collect();
        match node.filter(|_| !budgets.is_empty()) {
            Some(node) => {
                let held = Held { node: node.clone(), budgets, seen: true };
                self.pods.insert(object.clone(), held).is_none()
            }
            None => self.pods.remove(object).is_some(),
        }
    }

    /// An object is gone.
    pub(crate) fn forget(&mut self, object: &ObjectRef) {
        self.pods.remove(object);
        self.forget_budget(object);
        if object.kind == Kind::Node {
            self.forget_node(&object.name);
        }
    }

    fn forget_budget(&mut self, object: &ObjectRef) {
        self.budgets.remove(object);
        self.pods.retain(|_, held| {
            held.budgets.remove(object);
            !held.budgets.is_empty()
        });
    }

    fn forget_node(&mut self, name: &Name) {
        self.nodes.remove(name);
        self.pods.retain(|_, held| held.node != *name);
    }

    /// A watch lists anew: what is remembered must be seen again.
    pub(crate) fn begin_listing(&mut self, scope: &Scope) {
        match scope.resource {
            Resource::Nodes => self.nodes.values_mut().for_each(|node| node.seen = false),
            Resource::PodDisruptionBudgets => {
                let mine = self.budgets.iter_mut().filter(|(object, _)| scope.covers(object));
                mine.for_each(|(_, budget)| budget.seen = false);
            }
            Resource::Pods => {
                let mine = self.pods.iter_mut().filter(|(object, _)| scope.covers(object));
                mine.for_each(|(_, held)| held.seen = false);
            }
            _ => {}
        }
    }

    /// The list is complete: what was not in it is gone.
    pub(crate) fn listed(&mut self, scope: &Scope) {
        match scope.resource {
            Resource::Nodes => {
                let gone: Vec<Name> =
                    self.nodes.iter().filter(|(_, node)| !node.seen).map(|(name, _)| name.clone()).collect();
                gone.iter().for_each(|name| self.forget_node(name));
            }
            Resource::PodDisruptionBudgets => {
                let unseen = self.budgets.iter().filter(|(object, budget)| !budget.seen && scope.covers(object));
                let gone: Vec<ObjectRef> = unseen.map(|(object, _)| object.clone()).collect();
                gone.iter().for_each(|object| self.forget_budget(object));
            }
            Resource::Pods => self.pods.retain(|object, held| held.seen || !scope.covers(object)),
            _ => {}
        }
    }

    /// The nodes whose Pods must be known now.
    pub(crate) fn ask(&mut self, now: Timestamp, threshold: SignedDuration) -> Vec<Name> {
        let due: Vec<Name> = self.due(threshold).filter(|(_, at)| *at <= now).map(|(name, _)| name.clone()).collect();
        for name in &due {
            if let Some(node) = self.nodes.get_mut(name) {
                node.asked = Some(now);
            }
        }
        due
    }

    /// When the Pods of a node must be known next.
    pub(crate) fn next_due(&self, threshold: SignedDuration) -> Option<Timestamp> {
        self.due(threshold).map(|(_, at)| at).min()
    }

    /// Each cordoned node, and when its Pods must be known: once some budget and the node have lasted long enough.
    fn due(&self, threshold: SignedDuration) -> impl Iterator<Item = (&Name, Timestamp)> {
        let budget = self.budgets.values().map(|budget| budget.since).min();
        self.nodes.iter().filter_map(move |(name, node)| {
            let first = budget?.max(node.since).checked_add(threshold).ok()?;
            let again = node.asked.and_then(|asked| asked.checked_add(ASK_AGAIN).ok());
            Some((name, again.map_or(first, |again| again.max(first))))
        })
    }

    /// How much is remembered.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len() + self.budgets.len() + self.pods.len()
    }
}

// ---- inspect

impl PdbBlocked {
    /// What is to be said of a budget.
    pub(crate) fn inspect(&self, object: &ObjectRef, drains: &Drains) -> Findings {
        let mut findings = Findings::default();
        let held: Vec<(&ObjectRef, &Name)> = drains
            .pods
            .iter()
            .filter(|(_, held)| held.budgets.contains(object))
            .map(|(pod, held)| (pod, &held.node))
            .collect();
        let since = held.iter().filter_map(|(_, node)| drains.nodes.get(*node)).map(|node| node.since).min();
        let (Some(budget), Some(since)) = (drains.budgets.get(object), since) else { return findings };
        let status = &budget.facts.status;
        let nodes: BTreeSet<&str> = held.iter().map(|(_, node)| &***node).collect();
        let pods: Vec<&str> = held.iter().take(5).map(|(pod, _)| &*pod.name).collect();
        let nodes = nodes.into_iter().collect::<Vec<_>>().join(", ");
        findings.present(Finding {
            what: format!("blocks the drain of {nodes}"),
            cause: format!(
                "no Pod may be evicted: {} of {} are healthy and {} must be; on {nodes}: {}",
                status.current_healthy,
                status.expected_pods,
                status.desired_healthy,
                pods.join(", ")
            ),
            since: Since::At(since.max(budget.since)),
            wait: self.threshold.get(),
            ..Finding::new(TroubleKey::object("drain"), "DrainBlocked", Severity::Warning)
        });
        judge(self.severity.as_ref(), &mut findings);
        findings
    }

    /// The budgets to inspect anew.
    pub(crate) fn budgets(drains: &Drains) -> Vec<ObjectRef> {
        drains.budgets.keys().cloned().collect()
    }
}
