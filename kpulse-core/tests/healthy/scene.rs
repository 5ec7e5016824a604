//! A scene: what happens in a cluster and when. It must stay silent however kpulse comes to see it:
//!
//! - as it happens;
//! - by a kpulse that is killed after each step and finds what there is then, in whatever order the watches list it;
//! - by a kpulse that is told of everything anew after each step, because every watch was lost;
//! - by one that is there only from some step on, and knows nothing of what was before.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kpulse_core::Resource;
use serde_json::Value;

use kpulse_testkit::timeline::{Timeline, clock};

/// How long nothing more happens after the last step: longer than any monitor waits.
const CALM: SignedDuration = SignedDuration::from_hours(12);

/// The time of the scene: `at("5m")` is five minutes after it began, `at("-3h")` three hours before.
#[track_caller]
pub(crate) fn at(text: &str) -> Timestamp {
    clock(text).parse().unwrap()
}

/// So many seconds after the scene began.
#[track_caller]
pub(crate) fn second(seconds: i64) -> Timestamp {
    at("0s") + SignedDuration::from_secs(seconds)
}

/// What happens, and when.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    steps: Vec<(SignedDuration, Step)>,
    now: SignedDuration,
}

#[derive(Debug, Clone)]
enum Step {
    Apply(Value),
    Delete(Value),
}

/// What there is, by kind, namespace and name.
type Objects = BTreeMap<[String; 3], Value>;

impl Scene {
    /// What follows happens at this time.
    #[track_caller]
    pub(crate) fn at(mut self, time: Timestamp) -> Self {
        let now = time.duration_since(at("0s"));
        assert!(now >= self.now, "{time} is past");
        self.now = now;
        self
    }

    /// An object is as given.
    pub(crate) fn apply(mut self, object: Value) -> Self {
        self.steps.push((self.now, Step::Apply(object)));
        self
    }

    /// An object is deleted.
    pub(crate) fn delete(mut self, object: Value) -> Self {
        self.steps.push((self.now, Step::Delete(object)));
        self
    }

    /// Nobody hears anything, and nothing is remembered at its end.
    #[track_caller]
    pub(crate) fn stays_silent(self) {
        self.stays_silent_and_keeps(0);
    }

    /// Nobody hears anything, and so many objects are remembered at its end.
    #[track_caller]
    pub(crate) fn stays_silent_and_keeps(self, count: usize) {
        let calm = |story: Timeline| {
            let end = story_time(self.now + CALM);
            story.at(&end).expect_nothing().expect_remembered(count);
        };
        calm(self.play(|story, _| story));
        calm(self.play(|story, objects| story.restart(&objects.values().collect::<Vec<_>>())));
        calm(self.play(|story, objects| story.restart(&objects.values().rev().collect::<Vec<_>>())));
        calm(self.play(listed_anew));
        for from in 1..self.steps.len() {
            calm(self.play_from(from));
        }
    }

    #[track_caller]
    fn play(&self, after_each: impl Fn(Timeline, &Objects) -> Timeline) -> Timeline {
        let mut objects = Objects::new();
        let mut story = Timeline::begin();
        for (time, step) in &self.steps {
            story = step.happen(story.at(&story_time(*time)), &mut objects);
            story = after_each(story, &objects).expect_nothing();
        }
        story
    }

    #[track_caller]
    fn play_from(&self, from: usize) -> Timeline {
        let (before, after) = self.steps.split_at(from);
        let mut objects = Objects::new();
        for (_, step) in before {
            step.change(&mut objects);
        }
        let seen_at = before.last().map_or(SignedDuration::ZERO, |(time, _)| *time);
        let mut story = Timeline::begin().at(&story_time(seen_at));
        story = story.restart(&objects.values().rev().collect::<Vec<_>>()).expect_nothing();
        for (time, step) in after {
            story = step.happen(story.at(&story_time(*time)), &mut objects).expect_nothing();
        }
        story
    }
}

impl Step {
    #[track_caller]
    fn happen(&self, story: Timeline, objects: &mut Objects) -> Timeline {
        self.change(objects);
        match self {
            Self::Apply(object) => story.apply(object),
            Self::Delete(object) => story.delete(object),
        }
    }

    fn change(&self, objects: &mut Objects) {
        match self {
            // An Event is no state: nobody is told of it again.
            Self::Apply(object) if object["kind"] == "Event" => {}
            Self::Apply(object) => drop(objects.insert(key(object), object.clone())),
            Self::Delete(object) => drop(objects.remove(&key(object)).expect("only what is there can be deleted")),
        }
    }
}

fn key(object: &Value) -> [String; 3] {
    let metadata = &object["metadata"];
    [&object["kind"], &metadata["namespace"], &metadata["name"]]
        .map(|part| part.as_str().unwrap_or_default().to_owned())
}

fn listed_anew(mut story: Timeline, objects: &Objects) -> Timeline {
    for resource in Resource::ALL {
        story = story.lose_sight(resource).begin_listing(resource);
        for object in objects.values().filter(|object| object["kind"] == resource.kind().as_str()) {
            story = story.apply(object);
        }
        story = story.listed(resource);
    }
    story
}

fn story_time(time: SignedDuration) -> String {
    format!("{}s", time.as_secs())
}
