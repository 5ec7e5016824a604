//! What every monitor must keep to, whatever it looks for.

use kpulse_core::settings::{Glob, Monitors, SeverityRule};
use kpulse_core::{Resource, Severity};
use serde_json::{Value, json};

use kpulse_testkit::timeline::Timeline;

/// One trouble of a monitor, with an object that has it from the beginning of the story.
pub(crate) struct Trouble {
    pub(crate) resource: Resource,
    pub(crate) broken: Value,
    /// The same object when it is well; nothing where it cannot be, and only goes.
    pub(crate) well: Option<Value>,
    /// The same object when nobody can tell; nothing where it always shows.
    pub(crate) unknown: Option<Value>,
    /// What is heard when nothing but `broken` is seen: `5m critical node_conditions Node/worker-1 NotReady`.
    pub(crate) heard: &'static str,
    /// A second before; nothing where it is told at once.
    pub(crate) not_before: Option<&'static str>,
    pub(crate) enabled: fn(&mut Monitors) -> &mut bool,
    pub(crate) severity: fn(&mut Monitors) -> &mut Option<SeverityRule>,
}

impl Trouble {
    /// What is heard at its end.
    fn end(&self, at: &str, how: &str) -> String {
        let words: Vec<&str> = self.heard.split(' ').collect();
        format!("{at} {how} {} {}", words[2], words[3])
    }

    /// The trouble was seen, and is due in a second.
    fn pending(&self) -> Option<Timeline> {
        Some(Timeline::begin().apply(&self.broken).at(self.not_before?).expect_nothing())
    }

    fn firing(&self) -> Timeline {
        Timeline::begin().apply(&self.broken).at("3h").expect(&[self.heard])
    }

    fn noted(&self, annotation: &str, value: &str) -> Value {
        let mut noted = self.broken.clone();
        noted["metadata"]["annotations"][annotation] = value.into();
        noted
    }

    pub(crate) fn is_told_when_due_with_no_further_event(&self) {
        let story = self.pending().unwrap_or_else(|| Timeline::begin().apply(&self.broken));
        story.at("3h").expect(&[self.heard]);
    }

    pub(crate) fn is_told_once(&self) {
        let mut story = self.firing();
        for hour in 4..30 {
            story = story.at(&format!("{hour}h")).apply(&self.broken);
        }
        story.expect_nothing();
    }

    pub(crate) fn ends_when_seen_to_be_well(&self) {
        let Some(well) = &self.well else { return };
        let story = self.firing().at("4h").apply(well).expect(&[&self.end("4h", "recovered")]);
        story.at("9h").expect_nothing().expect_remembered(0);
        if let Some(story) = self.pending() {
            story.apply(well).at("9h").expect_nothing().expect_remembered(0);
        }
    }

    pub(crate) fn ends_when_deleted(&self) {
        let story = self.firing().at("4h").delete(&self.broken).expect(&[&self.end("4h", "gone")]);
        story.expect_remembered(0);
        if let Some(story) = self.pending() {
            story.delete(&self.broken).at("9h").expect_nothing().expect_remembered(0);
        }
    }

    pub(crate) fn ends_when_nobody_wants_to_know(&self) {
        let unwatched = |story: Timeline| story.expect(&[&self.end("4h", "unwatched")]).at("9h").expect_nothing();
        let ignored = self.noted("kpulse.io/ignore", "true");
        unwatched(self.firing().at("4h").apply(&ignored));
        unwatched(self.firing().at("4h").configure(|settings| *(self.enabled)(&mut settings.monitors) = false));
        if let Some(namespace) = self.broken["metadata"]["namespace"].as_str() {
            let exclude = vec![Glob::new(namespace)];
            unwatched(self.firing().at("4h").configure(|settings| settings.namespaces.exclude = exclude));
        }
        Timeline::begin().apply(&ignored).at("9h").expect_nothing();
        let monitor = self.heard.split(' ').nth(2).unwrap_or_default();
        Timeline::begin().apply(&self.noted("kpulse.io/ignore", monitor)).at("9h").expect_nothing();
        Timeline::begin().apply(&self.noted("kpulse.io/ignore", "other")).at("3h").expect(&[self.heard]);
    }

    pub(crate) fn is_neither_begun_nor_ended_by_the_unknown(&self) {
        let Some(unknown) = &self.unknown else { return };
        Timeline::begin().apply(unknown).at("9h").expect_nothing().expect_remembered(0);
        let story = self.firing().apply(unknown).at("9h").expect_nothing();
        story.apply(&self.broken).at("19h").expect_nothing();
        if let Some(story) = self.pending() {
            story.apply(unknown).at("9h").expect_nothing();
        }
    }

    pub(crate) fn is_gone_if_it_is_missing_after_a_gap(&self) {
        let story = self.firing().begin_listing(self.resource).at("4h").expect_nothing();
        story.listed(self.resource).expect(&[&self.end("4h", "gone")]);
    }

    pub(crate) fn outlasts_a_gap(&self) {
        let story = self.firing().lose_sight(self.resource).begin_listing(self.resource).at("4h");
        story.apply(&self.broken).listed(self.resource).at("9h").expect_nothing();
        if let Some(story) = self.pending() {
            story.lose_sight(self.resource).at("9h").expect_nothing();
        }
    }

    pub(crate) fn is_not_repeated_by_a_restart(&self) {
        self.firing().at("4h").restart(&[&self.broken]).at("9h").expect_nothing();
        self.firing().at("4h").restart(&[]).expect(&[&self.end("4h", "gone")]);
        if let Some(well) = &self.well {
            self.firing().at("4h").restart(&[well]).expect(&[&self.end("4h", "recovered")]);
        }
    }

    pub(crate) fn keeps_its_time_over_a_restart(&self) {
        if let Some(story) = self.pending() {
            story.restart(&[&self.broken]).at("3h").expect(&[self.heard]);
        }
    }

    pub(crate) fn is_as_bad_as_the_user_says(&self) {
        let words: Vec<&str> = self.heard.split(' ').collect();
        let (severity, reason) = (words[1], words[4]);
        for rule in [json!("info"), json!({reason: "info"})] {
            let rule: SeverityRule = serde_json::from_value(rule).unwrap();
            let story = Timeline::with(|settings| *(self.severity)(&mut settings.monitors) = Some(rule));
            story.apply(&self.broken).at("3h").expect(&[&self.heard.replacen(severity, "info", 1)]);
        }
        let other = SeverityRule::ByReason([("Other".into(), Severity::Info)].into());
        let story = Timeline::with(|settings| *(self.severity)(&mut settings.monitors) = Some(other));
        story.apply(&self.broken).at("3h").expect(&[self.heard]);
    }

    pub(crate) fn odd_objects_say_nothing(&self) {
        let odd = [json!(null), json!("odd"), json!(7), json!([]), json!([null, 1, "x", {}]), json!({})];
        for value in odd {
            let mut object = self.broken.clone();
            object["status"] = value.clone();
            object["metadata"]["deletionTimestamp"] = json!("soon");
            Timeline::begin().apply(&object).at("9h").expect_nothing();
            object["spec"] = value;
            Timeline::begin().apply(&object).at("9h").expect_nothing();
        }
    }
}

/// A test of each rule for the trouble that `$trouble` makes.
macro_rules! keeps_the_rules {
    ($trouble:expr) => {
        crate::rules::keeps_the_rules! { @each $trouble;
            is_told_when_due_with_no_further_event
            is_told_once
            ends_when_seen_to_be_well
            ends_when_deleted
            ends_when_nobody_wants_to_know
            is_neither_begun_nor_ended_by_the_unknown
            is_gone_if_it_is_missing_after_a_gap
            outlasts_a_gap
            is_not_repeated_by_a_restart
            keeps_its_time_over_a_restart
            is_as_bad_as_the_user_says
            odd_objects_say_nothing
        }
    };
    (@each $trouble:expr; $($rule:ident)*) => { $(
        #[test]
        fn $rule() {
            $trouble.$rule();
        }
    )* };
}
pub(crate) use keeps_the_rules;
