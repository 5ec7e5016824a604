//! What the user decides. Read by kpulse-bin from file and environment; plain values here.

mod duration;
mod glob;
mod severity_rule;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use duration::{Span, SpanError};
pub use glob::Glob;
pub use severity_rule::SeverityRule;

use crate::monitors::{
    CronjobMissed, DaemonSetUnscheduled, HpaAtMax, JobFailed, NodeConditions, NodeDisk, PdbBlocked, PodCrashes,
    PodRestarts, PodStuckTerminating, PvcPending, PvcUsage, RolloutStuck, TlsCertExpiry, WarningEvents,
};
use crate::policy::{Route, Silence};
use crate::{Name, Resource, Scope, Severity};

/// More namespaces than this are watched as one: each costs the API server a watch for every kind.
const ONE_BY_ONE_AT_MOST: usize = 50;

/// Everything the core is told by its user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The cluster's name, said in each message.
    pub cluster: Name,
    /// Which namespaces are looked at.
    pub namespaces: Namespaces,
    /// What is looked for.
    pub monitors: Monitors,
    /// When something may be said again.
    pub dedupe: Dedupe,
    /// Whether endings are told.
    pub resolution: Resolution,
    /// Who is told what; the first match wins.
    pub routing: Vec<Route>,
    /// What is not to be told for a while.
    pub silences: Vec<Silence>,
    /// Every channel there is, in the order of the configuration.
    pub channels: Vec<Channel>,
    /// The channel for what no route matches; the first one if nothing is said.
    pub default_channel: Option<Name>,
}

impl Settings {
    /// What is to be watched for the monitors that are wanted.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        Resource::ALL.into_iter().filter(|resource| self.monitors.need(*resource))
    }

    /// The watches for all of that: each namespace by itself where the namespaces are named, so that rights in these
    /// are enough. What lives in no namespace is among them, whether or not it can be seen.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let Some(named) = self.namespaces.named() else { return self.resources().map(Scope::cluster).collect() };
        let within = |resource: Resource| {
            let namespaced = named.iter().map(move |namespace| Scope { resource, namespace: Some(namespace.clone()) });
            let whole = (!resource.kind().is_namespaced()).then(|| Scope::cluster(resource));
            namespaced.filter(move |_| resource.kind().is_namespaced()).chain(whole)
        };
        self.resources().flat_map(within).collect()
    }

    /// The channel for what no route matches.
    #[must_use]
    pub fn default_channel(&self) -> Option<&Name> {
        let first = || self.channels.iter().find(|channel| !channel.incident).map(|channel| &channel.name);
        self.default_channel.as_ref().or_else(first)
    }

    /// The channel of this name.
    #[must_use]
    pub fn channel(&self, name: &Name) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.name == *name)
    }
}

/// A channel, as far as it matters for what it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// Its name in the configuration.
    pub name: Name,
    /// Whether each message opens or closes an incident: then it gets groups only, never digests, summaries, storms or
    /// reminders, and nothing that no route leads to it.
    pub incident: bool,
    /// Whether it changes its earlier message in place.
    pub edits: bool,
    /// How often it must be told anew what lasts, for it forgets.
    pub refresh: Option<Span>,
}

impl From<Name> for Channel {
    fn from(name: Name) -> Self {
        Self { name, ..Self::default() }
    }
}

impl From<&str> for Channel {
    fn from(name: &str) -> Self {
        Name::from(name).into()
    }
}

/// Which namespaces are looked at. Cluster-scoped objects are always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Namespaces {
    /// Names or globs; an empty list means all.
    pub include: Vec<Glob>,
    /// Names or globs; wins over `include`.
    pub exclude: Vec<Glob>,
    /// Labels that the namespace must have, each with a value or glob; none fits all.
    pub selector: BTreeMap<String, Glob>,
}

impl Default for Namespaces {
    fn default() -> Self {
        let globs = |names: &[&str]| names.iter().map(|name| Glob::new(*name)).collect();
        Self {
            include: globs(&["*"]),
            exclude: globs(&["kube-system", "kube-public", "kpulse"]),
            selector: BTreeMap::new(),
        }
    }
}

impl Namespaces {
    /// Whether the selector says anything, and fits these labels.
    #[must_use]
    pub fn selects(&self, labels: &[(String, String)]) -> bool {
        let fits =
            |(key, wanted): (&String, &Glob)| labels.iter().any(|(label, value)| label == key && wanted.matches(value));
        !self.selector.is_empty() && self.selector.iter().all(fits)
    }

    /// The namespaces to look at one by one: those of an `include` without globs, if they are not too many. Nothing
    /// where the whole cluster is looked at.
    #[must_use]
    pub fn named(&self) -> Option<Vec<Name>> {
        let is_plain = |glob: &Glob| !glob.as_str().contains(['*', '?']);
        if self.include.is_empty() || !self.include.iter().all(is_plain) {
            return None;
        }
        let named = self.include.iter().map(Glob::as_str).filter(|namespace| self.watches(namespace));
        let named: BTreeSet<Name> = named.map(Name::from).collect();
        (named.len() <= ONE_BY_ONE_AT_MOST).then(|| named.into_iter().collect())
    }

    /// Whether a namespace is looked at as far as its name goes; the empty name stands for cluster-scoped objects, which always are.
    #[must_use]
    pub fn watches(&self, namespace: &str) -> bool {
        namespace.is_empty()
            || (self.include.is_empty() || self.include.iter().any(|glob| glob.matches(namespace)))
                && !self.exclude.iter().any(|glob| glob.matches(namespace))
    }
}

/// What is looked for, a block for each monitor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Monitors {
    /// Containers and Pods that fail or do not start.
    pub pod_crashes: PodCrashes,
    /// Containers that are started again and again.
    pub pod_restarts: PodRestarts,
    /// Warning Events, told as they are.
    pub warning_events: WarningEvents,
    /// CronJobs whose runs are not started.
    pub cronjob_missed: CronjobMissed,
    /// DaemonSets that do not run on all the nodes they should.
    pub daemonset_unscheduled: DaemonSetUnscheduled,
    /// HorizontalPodAutoscalers at their maximum, or without metrics.
    pub hpa_at_max: HpaAtMax,
    /// Jobs that gave up.
    pub job_failed: JobFailed,
    /// Nodes that are not ready or under pressure.
    pub node_conditions: NodeConditions,
    /// Nodes whose disks are nearly full.
    pub node_disk: NodeDisk,
    /// Drains that a PodDisruptionBudget holds up.
    pub pdb_blocked: PdbBlocked,
    /// Pods that are still there long after their grace period.
    pub pod_stuck_terminating: PodStuckTerminating,
    /// Claims that wait for a volume which does not come.
    pub pvc_pending: PvcPending,
    /// Claims whose volumes are nearly full.
    pub pvc_usage: PvcUsage,
    /// Deployments and StatefulSets that do not get the Pods that were asked for.
    pub rollout_stuck: RolloutStuck,
    /// Certificates that end soon.
    pub tls_cert_expiry: TlsCertExpiry,
}

/// When something may be said again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dedupe {
    /// A trouble that comes back within this time of its end must stay away longer before it is over again.
    pub window: Span,
    /// How long after it was last told a trouble that lasts is told again as "still broken"; from then on daily.
    pub repeat_interval: Span,
    /// Whether minor troubles are gathered before they are told.
    pub digest: Digest,
}

impl Default for Dedupe {
    fn default() -> Self {
        Self { window: Span::minutes(30), repeat_interval: Span::hours(4), digest: Digest::default() }
    }
}

/// Whether minor troubles are gathered before they are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Digest {
    /// Off: each is told by itself.
    pub enabled: bool,
    /// How long lies between two digests at least. The first after quiet comes after 30 s.
    pub interval: Span,
    /// Which are minor.
    #[serde(deserialize_with = "severities")]
    pub severities: Vec<Severity>,
}

impl Default for Digest {
    fn default() -> Self {
        Self { enabled: true, interval: Span::minutes(10), severities: vec![Severity::Info, Severity::Warning] }
    }
}

impl Digest {
    /// Whether troubles this bad are gathered.
    #[must_use]
    pub fn holds(&self, severity: Severity) -> bool {
        self.enabled && self.severities.contains(&severity)
    }
}

/// The earlier program understood `warn` and `crit`, in any case.
fn severities<'de, D: serde::Deserializer<'de>>(list: D) -> Result<Vec<Severity>, D::Error> {
    let words = Vec::<String>::deserialize(list)?;
    let severity = |word: &String| {
        Severity::named(word).ok_or_else(|| {
            serde::de::Error::custom(format!("`{word}` is no severity: write info, warning or critical"))
        })
    };
    words.iter().map(severity).collect()
}

/// Whether endings are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resolution {
    /// Off: only troubles are told, never their ends.
    pub enabled: bool,
}

impl Default for Resolution {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(include: &[&str], exclude: &[&str]) -> Settings {
        let globs = |names: &[&str]| names.iter().map(|name| Glob::new(*name)).collect();
        let namespaces = Namespaces { include: globs(include), exclude: globs(exclude), selector: BTreeMap::new() };
        Settings { namespaces, ..Settings::default() }
    }

    #[test]
    fn namespaces_without_globs_are_watched_one_by_one() {
        let named = |include: &[&str], exclude: &[&str]| {
            let named = settings(include, exclude).namespaces.named()?;
            Some(named.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(named(&["shop", "blog", "shop"], &[]).as_deref(), Some("blog shop"));
        assert_eq!(named(&["shop", "kpulse"], &["k*"]).as_deref(), Some("shop"));
        assert_eq!(named(&["kpulse"], &["kpulse"]).as_deref(), Some(""), "and not the whole cluster");
        for whole in [&[][..], &["*"], &["shop", "team-*"], &["team-?"]] {
            assert_eq!(named(whole, &[]), None, "{whole:?}");
        }
        let many: Vec<String> = (0..=ONE_BY_ONE_AT_MOST).map(|n| format!("team-{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(named(&many, &[]), None);
        assert_eq!(settings(&many, &["team-7"]).namespaces.named().map(|named| named.len()), Some(50));
    }

    #[test]
    fn what_lives_in_no_namespace_is_watched_once() {
        let scopes = settings(&["shop", "blog"], &[]).scopes();
        let of = |resource| scopes.iter().filter(|scope| scope.resource == resource).map(ToString::to_string).collect();
        let pods: Vec<String> = of(Resource::Pods);
        assert_eq!(pods, ["pods in blog", "pods in shop"]);
        let nodes: Vec<String> = of(Resource::Nodes);
        assert_eq!(nodes, ["nodes"]);
        let whole = settings(&["*"], &[]);
        assert!(whole.scopes().into_iter().eq(whole.resources().map(Scope::cluster)));
    }
}
