//! A story on virtual time: what is seen of a cluster and when, and what people hear of it and when.
//!
//! ```
//! use kpulse_testkit::builders::pod;
//! use kpulse_testkit::timeline::{Timeline, now};
//!
//! let api = || pod("shop", "api").uid("p1").created(now("-1h"));
//! Timeline::begin()
//!     .apply(&api().crash_looping(1, now("0s")).json())
//!     .expect(&["0s critical pod_crashes Pod/api CrashLoopBackOff"])
//!     .at("10m")
//!     .delete(&api().json())
//!     .expect(&["10m gone pod_crashes Pod/api"]);
//! ```
//!
//! What is due is done at its own time while time passes, with no further event, as an agent's timer does it; each
//! line begins with the time at which it was heard. A story that goes otherwise panics where it was written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kpulse_core::facts::Facts;
use kpulse_core::settings::{Settings, Span};
use kpulse_core::{
    AlertState, Blindness, Content, Engine, EngineState, Inquiry, Kind, Name, Notification, Observation, Outcome,
    Receipt, Resource, Scope,
};
use serde_json::Value;

/// When every story begins.
const BEGIN: &str = "2026-11-22T17:00:00Z";

/// The time of the story, as objects write it: `clock("5m")`, `clock("-3h")`.
#[track_caller]
pub fn clock(text: &str) -> String {
    now(text).to_string()
}

/// The time of the story: `now("5m")`, `now("-3h")`.
///
/// # Panics
/// Where the text is no duration.
#[must_use]
#[track_caller]
pub fn now(text: &str) -> Timestamp {
    let begin: Timestamp = BEGIN.parse().unwrap_or_default();
    let Ok(span) = text.parse::<SignedDuration>() else { panic!("`{text}` is no duration: write it like 5m or -3h") };
    begin + span
}

/// What a channel does with its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It takes them, and calls each by a number.
    Accepts,
    /// It is to be tried again in a minute.
    Busy,
    /// It takes them, but nobody hears that it did; it is to be tried again in a minute.
    Silent,
    /// It would not take this one.
    Refuses,
    /// It takes nothing from us; it is to be tried again in an hour.
    Gone,
}

/// A cluster in which nothing is, all of it watched; one channel, which takes everything at once.
#[derive(Debug)]
pub struct Timeline {
    now: Timestamp,
    settings: Settings,
    engine: Engine,
    heard: Vec<String>,
    contents: Vec<Content>,
    answers: BTreeMap<Name, Answer>,
    hears_blindness: bool,
    asked: Vec<Inquiry>,
}

impl Timeline {
    /// A story with the default settings.
    #[must_use]
    pub fn begin() -> Self {
        Self::with(|_| {})
    }

    /// With other settings than the defaults. Here each trouble is told by itself, whatever its severity, and nobody is
    /// reminded.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { channels: vec!["chat".into()], ..Settings::default() };
        settings.dedupe.digest.enabled = false;
        settings.dedupe.repeat_interval = Span::hours(1_000_000);
        change(&mut settings);
        let now = now("0s");
        let engine = Engine::new(now, settings.clone(), EngineState::quiet());
        let mut story = Self {
            now,
            settings,
            engine,
            heard: Vec::new(),
            contents: Vec::new(),
            answers: BTreeMap::new(),
            hears_blindness: false,
            asked: Vec::new(),
        };
        story.open(&[]);
        story
    }

    /// From now on it is heard as well that a watch sees nothing for minutes; most stories lose sight for something else.
    pub fn hear_blindness(mut self) -> Self {
        self.hears_blindness = true;
        self
    }

    /// Lets time pass until then.
    #[track_caller]
    pub fn at(mut self, time: &str) -> Self {
        let until = now(time);
        assert!(until >= self.now, "{time} is past");
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            self.engine.advance(self.now);
            self.asked.extend(self.engine.inquiries(self.now));
            self.hear();
            assert!(self.engine.next_deadline() != Some(due), "what is due at {due} is never done");
        }
        self.now = until;
        self
    }

    /// An object is as given: the API server says so.
    #[track_caller]
    pub fn apply(mut self, object: &Value) -> Self {
        self.see(object);
        self.hear();
        self
    }

    /// The object is seen to be deleted.
    #[track_caller]
    pub fn delete(self, object: &Value) -> Self {
        let facts = facts(object);
        let (object, uid) = (facts.object(), facts.meta().uid.clone());
        self.observe(Observation::Deleted { object, uid })
    }

    /// A kubelet's summary is read.
    #[track_caller]
    pub fn survey(self, summary: &Value) -> Self {
        let Ok(summary) = serde_json::from_str(&summary.to_string()) else { panic!("no summary: {summary}") };
        self.observe(Observation::Surveyed(Box::new(summary)))
    }

    /// The watch was lost and lists anew; nothing of it is seen until it has.
    pub fn begin_listing(self, resource: Resource) -> Self {
        self.observe(Observation::ListingBegun(Scope::cluster(resource)))
    }

    /// The list is complete.
    pub fn listed(self, resource: Resource) -> Self {
        self.observe(Observation::Listed(Scope::cluster(resource)))
    }

    /// The watch sees nothing for now.
    pub fn lose_sight(self, resource: Resource) -> Self {
        let away = Blindness::Away("connection refused".to_owned());
        self.observe(Observation::SightLost(Scope::cluster(resource), away))
    }

    /// The API server refuses the watch.
    pub fn refuse(self, resource: Resource) -> Self {
        let refused = Blindness::Refused("the API server answered 403".to_owned());
        self.observe(Observation::SightLost(Scope::cluster(resource), refused))
    }

    /// The user changes the settings.
    pub fn configure(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self.engine.configure(self.now, self.settings.clone());
        self.hear();
        self
    }

    /// kpulse starts for the first time, and finds these objects.
    #[track_caller]
    pub fn first_start(mut self, objects: &[&Value]) -> Self {
        self.engine = Engine::new(self.now, self.settings.clone(), EngineState::default());
        self.open(objects);
        self.hear();
        self
    }

    /// kpulse starts anew with what it had saved, and finds these objects.
    #[track_caller]
    pub fn restart(mut self, objects: &[&Value]) -> Self {
        let saved = serde_json::to_string(&self.engine.state()).and_then(|saved| serde_json::from_str(&saved));
        let state = saved.unwrap_or_else(|error| panic!("what is saved cannot be read again: {error}"));
        self.engine = Engine::new(self.now, self.settings.clone(), state);
        self.open(objects);
        self.hear();
        self
    }

    /// What was heard since this was last asked: lines like `5m critical node_conditions Node/worker-1 NotReady` and
    /// `7m recovered node_conditions Node/worker-1`.
    #[track_caller]
    pub fn expect(mut self, heard: &[&str]) -> Self {
        assert_eq!(std::mem::take(&mut self.heard), heard);
        self
    }

    /// Nothing was heard since this was last asked.
    #[track_caller]
    pub fn expect_nothing(self) -> Self {
        self.expect(&[])
    }

    /// How many objects are remembered: none, where all are well.
    #[track_caller]
    pub fn expect_remembered(self, count: usize) -> Self {
        assert_eq!(self.engine.troubled_objects(), count);
        self
    }

    /// Whether there was anything new to save since this was last asked.
    #[track_caller]
    pub fn expect_saved(mut self, saved: bool) -> Self {
        assert_eq!(self.engine.take_changed(), saved);
        self
    }

    /// The nodes whose Pods were asked for since this was last asked.
    #[track_caller]
    pub fn expect_inquiries(mut self, nodes: &[&str]) -> Self {
        let asked: Vec<String> =
            std::mem::take(&mut self.asked).into_iter().map(|Inquiry::PodsOn(node)| node.to_string()).collect();
        assert_eq!(asked, nodes);
        self
    }

    fn observe(mut self, observation: Observation) -> Self {
        self.engine.observe(self.now, observation);
        self.hear();
        self
    }

    #[track_caller]
    fn open(&mut self, objects: &[&Value]) {
        let scopes = Resource::ALL.map(Scope::cluster);
        self.engine.observe(self.now, Observation::Opened(scopes.to_vec()));
        objects.iter().for_each(|object| self.see(object));
        for scope in scopes {
            self.engine.observe(self.now, Observation::Listed(scope));
        }
    }

    #[track_caller]
    fn see(&mut self, object: &Value) {
        self.engine.observe(self.now, Observation::Applied(facts(object)));
    }

    fn hear(&mut self) {
        loop {
            let notifications = self.engine.notifications(self.now);
            if notifications.is_empty() {
                return;
            }
            for notification in notifications {
                let is_blindness =
                    notification.content.report().is_some_and(|report| &*report.trouble.trouble == "away");
                let is_heard = !matches!(self.answers.get(&notification.channel), Some(Answer::Busy | Answer::Gone));
                if is_heard && (!is_blindness || self.hears_blindness) {
                    self.heard.push(self.line(&notification));
                    self.contents.push(notification.content.clone());
                }
                let outcome = self.answer_to(&notification.channel);
                let receipt = Receipt { id: notification.id, channel: notification.channel, outcome };
                self.engine.receive(self.now, &receipt);
            }
        }
    }

    fn answer_to(&self, channel: &Name) -> Outcome {
        let later = |span| self.now.checked_add(span).unwrap_or(self.now);
        let minute = later(SignedDuration::from_mins(1));
        match self.answers.get(channel).unwrap_or(&Answer::Accepts) {
            Answer::Accepts => Outcome::Accepted { message_id: Some(format!("message {}", self.heard.len())) },
            Answer::Busy => Outcome::TryAgain { at: minute, perhaps: false },
            Answer::Silent => Outcome::TryAgain { at: minute, perhaps: true },
            Answer::Refuses => Outcome::Refused { why: "400 Bad Request".to_owned() },
            Answer::Gone => Outcome::Paused { at: later(SignedDuration::from_hours(1)), why: "410 Gone".to_owned() },
        }
    }

    /// From now on a channel does this with its messages.
    pub fn answer(mut self, channel: &str, answer: Answer) -> Self {
        self.answers.insert(channel.into(), answer);
        self
    }

    /// Time passes, and nothing is done: the machine sleeps.
    #[track_caller]
    pub fn sleep_until(mut self, time: &str) -> Self {
        self.now = now(time);
        self
    }

    /// The machine slept until now.
    pub fn wake(mut self) -> Self {
        self.engine.wake(self.now);
        self.hear();
        self
    }

    /// What was told is forgotten.
    pub fn reset(mut self) -> Self {
        self.engine.reset(self.now);
        self.hear();
        self
    }

    /// Any other observation.
    #[track_caller]
    pub fn observed(self, observation: Observation) -> Self {
        self.observe(observation)
    }

    /// What was heard since this was last asked.
    #[must_use]
    pub fn heard(mut self) -> (Self, Vec<String>) {
        let heard = std::mem::take(&mut self.heard);
        (self, heard)
    }

    /// The title of everything heard so far.
    #[must_use]
    pub fn titles(&self) -> Vec<String> {
        self.contents.iter().map(|content| content.title().to_owned()).collect()
    }

    /// The body of every report heard so far.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        self.contents.iter().filter_map(Content::report).map(|report| report.body.clone()).collect()
    }

    /// The engine, to be asked.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What time it is in the story.
    pub fn time(&self) -> Timestamp {
        self.now
    }

    fn line(&self, notification: &Notification) -> String {
        let passed = Span::seconds(self.now.duration_since(now("0s")).as_secs());
        // Who hears it is said where there are several.
        let passed = match self.settings.channels.len() {
            0 | 1 => passed.to_string(),
            _ => format!("{passed} {}:", notification.channel),
        };
        let report = match &notification.content {
            Content::Report(report) => report,
            Content::Bulletin(bulletin) => {
                let lines: Vec<&str> = bulletin.lines.iter().map(|line| &*line.text).collect();
                return format!("{passed} {} [{}]", bulletin.title, lines.join("; "));
            }
        };
        let (monitor, object, reason) = (report.monitor, &report.object, &report.reason);
        match (report.state, report.ending) {
            (AlertState::Firing, _) => format!("{passed} {} {monitor} {object} {reason}", report.severity),
            (AlertState::Resolved, Some(ending)) => format!("{passed} {} {monitor} {object}", ending.as_str()),
            (AlertState::Resolved, None) => format!("{passed} resolved {monitor} {object}, nobody knows how"),
        }
    }
}

#[track_caller]
fn facts(object: &Value) -> Facts {
    let kind = serde_json::from_value::<Kind>(object["kind"].clone());
    let facts = kind.and_then(|kind| Facts::from_json(kind, object.to_string().as_bytes()));
    facts.unwrap_or_else(|error| panic!("no object of a kind that is watched: {error}: {object}"))
}
