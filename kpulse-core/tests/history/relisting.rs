//! Whatever kpulse saw, and missed, on the way: in the end it tells what one look at the cluster would tell.
//!
//! What may differ: while something about an object cannot be known now, a history keeps what was told before, which
//! a first look cannot know; so it is with Pods on a node that is not ready. What happens rather than lasts (restarts) has no end. How bad a trouble is, why and since
//! when can be known better by who saw more, so only which trouble of which object it is is compared. A day passes
//! before: no wait and no hold is longer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use kpulse_core::facts::Facts;
use kpulse_core::monitors::MonitorName;
use kpulse_core::policy::Reason;
use kpulse_core::{
    Alert, AlertKey, AlertState, Blindness, Fingerprint, Name, Notification, ObjectRef, Observation, Resource, Scope,
    Why,
};
use proptest::prelude::*;

use crate::play::{Play, facts};
use crate::world::{STATES, WHO, World};

/// Something that happens in the cluster, or to those who look.
#[derive(Debug, Clone)]
enum Step {
    Set {
        who: usize,
        state: usize,
        anew: bool,
    },
    Delete {
        who: usize,
    },
    /// A watch is lost, all this happens to objects of it unseen, and it lists anew, perhaps at the second attempt.
    Miss {
        who: usize,
        changes: Vec<(usize, Option<usize>)>,
        backwards: bool,
        broken_off: bool,
    },
    LoseSight {
        who: usize,
    },
    /// kpulse is started anew with what it had saved.
    Restart {
        backwards: bool,
    },
    Pass {
        seconds: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..WHO.len();
    let state = || 0..STATES;
    prop_oneof![
        8 => (who(), state(), prop::bool::weighted(0.1)).prop_map(|(who, state, anew)| Step::Set { who, state, anew }),
        2 => who().prop_map(|who| Step::Delete { who }),
        2 => (who(), prop::collection::vec((who(), prop::option::of(state())), 0..4), any::<bool>(), any::<bool>())
            .prop_map(|(who, changes, backwards, broken_off)| Step::Miss { who, changes, backwards, broken_off }),
        1 => who().prop_map(|who| Step::LoseSight { who }),
        1 => any::<bool>().prop_map(|backwards| Step::Restart { backwards }),
        4 => prop_oneof![0..90_i64, 90..1_200_i64, 1_200..10_000_i64].prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// What one engine sees of a world that changes.
struct History {
    world: World,
    play: Play,
}

impl History {
    fn begin() -> Self {
        Self { world: World::default(), play: Play::begin_at(crate::play::begin()) }
    }

    fn happen(&mut self, step: &Step) {
        let now = self.play.now;
        match step {
            Step::Set { who, state, anew } => {
                let object = self.world.set(*who, *state, *anew, now);
                self.play.apply(object);
            }
            Step::Delete { who } => {
                if let Some(object) = self.world.delete(*who) {
                    self.play.delete(&object);
                }
            }
            Step::Miss { who, changes, backwards, broken_off } => {
                self.miss(WHO[*who].0, changes, *backwards, *broken_off)
            }
            Step::LoseSight { who } => {
                let scope = Scope::cluster(WHO[*who].0);
                self.play.see(Observation::SightLost(scope, Blindness::Away("connection refused".to_owned())));
                self.miss(WHO[*who].0, &[], false, false);
            }
            Step::Restart { backwards } => {
                let mut objects: Vec<_> = self.world.all().map(|seen| &seen.json).collect();
                if *backwards {
                    objects.reverse();
                }
                self.play.restart(&objects);
            }
            Step::Pass { seconds } => self.play.pass(SignedDuration::from_secs(*seconds)),
        }
        self.play.tell();
    }

    fn miss(&mut self, resource: Resource, changes: &[(usize, Option<usize>)], backwards: bool, broken_off: bool) {
        let (scope, now) = (Scope::cluster(resource), self.play.now);
        self.play.see(Observation::ListingBegun(scope.clone()));
        for (who, state) in changes.iter().filter(|(who, _)| WHO[*who].0 == resource) {
            match state {
                Some(state) => drop(self.world.set(*who, *state, false, now).clone()),
                None => drop(self.world.delete(*who)),
            }
        }
        if broken_off {
            self.world.of(resource).take(1).for_each(|object| self.play.apply(object));
            self.play.see(Observation::ListingBegun(scope.clone()));
        }
        let mut objects: Vec<_> = self.world.of(resource).collect();
        if backwards {
            objects.reverse();
        }
        objects.into_iter().for_each(|object| self.play.apply(object));
        self.play.see(Observation::Listed(scope));
    }
}

/// Which lasting troubles people look at.
fn lasting(play: &Play) -> BTreeMap<ObjectRef, BTreeSet<AlertKey>> {
    let mut alerts: BTreeMap<ObjectRef, BTreeSet<AlertKey>> = BTreeMap::new();
    for Alert { key, .. } in play.engine.alerts().filter(|alert| alert.key.monitor != MonitorName::PodRestarts) {
        alerts.entry(key.object.clone()).or_default().insert(key.clone());
    }
    alerts
}

/// Each group is told first, then perhaps again, each time with something new, and then its end, once.
fn is_told_in_order(told: &[Notification]) -> Result<BTreeSet<Fingerprint>, TestCaseError> {
    let mut last: BTreeMap<&Fingerprint, &Notification> = BTreeMap::new();
    for notification in told.iter().filter(|told| report_of(told).monitor != MonitorName::PodRestarts) {
        let report = report_of(notification);
        let before = last.get(&report.fingerprint);
        let fired = before.is_some_and(|before| report_of(before).state == AlertState::Firing);
        prop_assert_eq!(notification.why == Why::First, !fired, "{} at its place", report.title);
        if let Some(before) = before.filter(|_| fired && report.state == AlertState::Firing) {
            let words = |told: &Notification| (report_of(told).count, report_of(told).severity);
            prop_assert_ne!(words(before), words(notification), "{} was told twice", report.title);
        }
        last.insert(&report.fingerprint, notification);
    }
    let firing = last.into_iter().filter(|(_, told)| report_of(told).state == AlertState::Firing);
    Ok(firing.map(|(fingerprint, _)| fingerprint.clone()).collect())
}

fn silent_node(facts: &Facts) -> Option<Name> {
    match facts {
        Facts::Node(node) if !node.is_ready() => Some(node.meta.name.clone()),
        _ => None,
    }
}

fn is_on_one_of(silent: &[Name], facts: &Facts) -> bool {
    matches!(facts, Facts::Pod(pod) if pod.spec.node_name.as_ref().is_some_and(|node| silent.contains(node)))
}

fn check(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut history = History::begin();
    for step in steps {
        history.happen(step);
    }
    let History { world, mut play } = history;
    let objects: Vec<_> = world.all().map(|seen| &seen.json).collect();
    let mut look = Play::listing(play.now, &objects);
    for play in [&mut play, &mut look] {
        play.pass(SignedDuration::from_hours(24));
    }

    let (known, seen) = (lasting(&play), lasting(&look));
    let none = BTreeSet::new();
    let silent: Vec<Name> = world.all().filter_map(|object| silent_node(&facts(&object.json))).collect();
    for object in world.all().filter(|object| !is_on_one_of(&silent, &facts(&object.json))) {
        let who = facts(&object.json).object();
        let (known, seen) = (known.get(&who).unwrap_or(&none), seen.get(&who).unwrap_or(&none));
        prop_assert!(seen.is_subset(known), "{} is told at a first look only: {:?}, not {:?}", who, seen, known);
        prop_assert!(!object.tells_all || seen == known, "{who}: told {known:?}, but it shows {seen:?}");
    }
    let there: BTreeSet<ObjectRef> = objects.iter().map(|object| facts(object).object()).collect();
    prop_assert!(known.keys().all(|object| there.contains(object)), "told of what is not there: {:?}", known);

    let told = is_told_in_order(&play.told)?;
    let explained: BTreeSet<Fingerprint> = play
        .engine
        .reasons(play.now)
        .into_iter()
        .filter_map(|(group, _, reason)| matches!(reason, Reason::Inhibited { .. }).then(|| group.fingerprint()))
        .collect();
    let lasting = play.engine.alerts().filter(|alert| alert.key.monitor != MonitorName::PodRestarts);
    let lasting = lasting.map(|alert| alert.group().fingerprint()).filter(|group| !explained.contains(group));
    prop_assert_eq!(told, lasting.collect::<BTreeSet<_>>());
    let remembered = play.engine.remembered();
    prop_assert!(remembered.objects <= objects.len(), "{remembered:?}");
    prop_assert_eq!((remembered.messages, remembered.evidence, remembered.restarts), (0, 0, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_history_tells_what_one_look_tells(steps in prop::collection::vec(step(), 1..40)) {
        check(&steps)?;
    }
}

fn report_of(notification: &Notification) -> &kpulse_core::Report {
    notification.content.report().unwrap()
}
