//! One look at a cluster by the same detection as the agent's: what was asked for, and what is gathered of it.

pub(crate) mod labels;
pub(crate) mod picture;
pub(crate) mod progress;
pub(crate) mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kpulse_core::facts::Facts;
use kpulse_core::monitors::MonitorName;
use kpulse_core::settings::Settings;
use kpulse_core::{Alert, Blindness, Engine, EngineState, Kind, KubeletSight, Name, Observation, Resource, Scope};
use kpulse_watch::kubelet::{self, Kubelets};
use kpulse_watch::look::{self, Glimpse, look};
use kube::Client;
use tokio::sync::mpsc;

use labels::Labels;
use progress::Progress;

/// What happened so long ago is still worth showing.
const LATELY: SignedDuration = SignedDuration::from_mins(15);
/// Nobody waits longer for kubelets.
const KUBELETS_AT_MOST: Duration = Duration::from_secs(15);
/// Pages and summaries that may wait to be taken in.
const WAITING: usize = 16;

/// What is to be looked at.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Monitors, and namespaces.
    pub(crate) settings: Settings,
    pub(crate) reach: Reach,
    /// Only objects with these labels.
    pub(crate) labels: Option<Labels>,
}

/// Which kinds of object are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All.
    Cluster,
    /// Those that live in namespaces: what a user of these may see.
    Namespaced,
    /// Those that live in none.
    Nodes,
}

impl Reach {
    fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespaced => kind.is_namespaced(),
            Self::Nodes => !kind.is_namespaced(),
        }
    }
}

impl Wish {
    /// The lists it takes.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        let scopes = self.settings.scopes().into_iter();
        scopes.filter(|scope| self.reach.takes(scope.resource.kind())).collect()
    }

    fn wants(&self, alert: &Alert) -> bool {
        // What cannot be seen is said elsewhere.
        let is_of_the_cluster = alert.key.monitor != MonitorName::Blindness;
        let is_meant = self.labels.as_ref().is_none_or(|labels| labels.fit(&alert.labels));
        self.reach.takes(alert.key.object.kind) && is_of_the_cluster && is_meant
    }
}

/// What is known of the cluster so far.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) wish: Wish,
    pub(crate) engine: Engine,
    /// How many objects each list held, and whether it is complete.
    pub(crate) lists: BTreeMap<Scope, List>,
    pub(crate) kubelets: Option<KubeletSight>,
    /// Namespaces that there are and that are not looked at.
    pub(crate) excluded: BTreeSet<Name>,
}

/// How far a list was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) objects: usize,
    /// How many more the server says there are.
    pub(crate) remaining: Option<u64>,
    pub(crate) end: Option<End>,
}

/// How a list ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Complete,
    /// The API server does not let us, or does not have it.
    Refused(String),
    /// It could not be had.
    Away(String),
}

impl Scan {
    /// Nothing is known yet.
    pub(crate) fn new(now: Timestamp, wish: Wish) -> Self {
        // An agent that began a while ago: what happened since then is news to it.
        let begun = now.checked_sub(LATELY).unwrap_or(now);
        let engine = Engine::new(begun, wish.settings.clone(), EngineState::quiet());
        Self { wish, engine, lists: BTreeMap::new(), kubelets: None, excluded: BTreeSet::new() }
    }

    /// Looks once at all that is wished for.
    pub(crate) async fn look(&mut self, client: &Client, kubelets: &Kubelets, progress: &mut Progress) {
        // Whether a Pod holds up a drain is known once nodes and budgets are; and Pods are most of all there is.
        let (pods, others): (Vec<_>, Vec<_>) =
            self.wish.scopes().into_iter().partition(|scope| scope.resource == Resource::Pods);
        let (seen, mut sights) = mpsc::channel(WAITING);
        let (surveyed, mut summaries) = mpsc::channel(WAITING);
        let labels = self.wish.labels.clone();
        let asks_kubelets = self.wish.settings.monitors.survey_interval().is_some();
        let lists = async {
            look(client, others, None, seen.clone()).await;
            look(client, pods, labels.as_ref().map(Labels::as_str), seen).await;
        };
        let survey = async {
            if asks_kubelets {
                kubelet::read_once(client, kubelets, KUBELETS_AT_MOST, surveyed).await;
            } else {
                drop(surveyed);
            }
        };
        let take = async {
            loop {
                tokio::select! {
                    Some(glimpse) = sights.recv() => self.glimpse(Timestamp::now(), glimpse),
                    Some(observation) = summaries.recv() => self.take(Timestamp::now(), observation),
                    else => break,
                }
                progress.show(self);
            }
        };
        tokio::join!(lists, survey, take);
        if labels.is_some() {
            self.label(client).await;
        }
        progress.end();
    }

    /// Kubelets speak of nodes and claims without their labels: those are learned by seeing them again.
    async fn label(&mut self, client: &Client) {
        let spoken_of = |scope: &Scope| matches!(scope.resource, Resource::Nodes | Resource::PersistentVolumeClaims);
        let scopes = self.wish.scopes().into_iter().filter(spoken_of).collect();
        let (seen, mut sights) = mpsc::channel::<Glimpse>(WAITING);
        let take = async {
            while let Some(glimpse) = sights.recv().await {
                for observation in glimpse.observations {
                    self.engine.observe(Timestamp::now(), observation);
                }
            }
        };
        tokio::join!(look(client, scopes, None, seen), take);
    }

    fn glimpse(&mut self, now: Timestamp, Glimpse { scope, observations, remaining }: Glimpse) {
        let list = self.lists.entry(scope).or_default();
        list.remaining = remaining;
        list.objects += observations.iter().filter(|seen| matches!(seen, Observation::Applied(_))).count();
        observations.into_iter().for_each(|observation| self.take(now, observation));
    }

    /// Takes in one thing seen of the cluster.
    pub(crate) fn take(&mut self, now: Timestamp, observation: Observation) {
        match &observation {
            Observation::Applied(Facts::Namespace(namespace)) => self.note_namespace(&namespace.meta.name),
            Observation::Deleted { object, .. } if object.kind == Kind::Namespace => {
                self.excluded.remove(&object.name);
            }
            Observation::ListingBegun(scope) => drop(self.lists.insert(scope.clone(), List::default())),
            Observation::Listed(scope) => self.end(scope, End::Complete),
            Observation::SightLost(scope, Blindness::Refused(why)) => self.end(scope, End::Refused(why.clone())),
            Observation::SightLost(scope, Blindness::Away(why)) => self.end(scope, End::Away(why.clone())),
            Observation::KubeletSight(sight) => self.kubelets = Some(sight.clone()),
            _ => {}
        }
        self.engine.observe(now, observation);
    }

    fn note_namespace(&mut self, name: &Name) {
        if !self.wish.settings.namespaces.watches(name) {
            self.excluded.insert(name.clone());
        }
    }

    fn end(&mut self, scope: &Scope, end: End) {
        self.lists.entry(scope.clone()).or_default().end = Some(end);
    }
}

/// The namespaces that were asked for by name: their annotations hold for all that is in them.
///
/// # Errors
/// Where one is not there.
pub(crate) async fn namespaces(client: &Client, names: &[Name]) -> Result<Vec<Observation>, look::LookError> {
    let mut seen = Vec::new();
    for name in names {
        seen.extend(look::namespace(client, name).await?);
    }
    Ok(seen)
}
