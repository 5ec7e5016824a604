//! Plays observations on virtual time to an engine with one channel, which takes everything at once.

use jiff::{SignedDuration, Timestamp};
use kpulse_core::facts::Facts;
use kpulse_core::settings::{Channel, Settings};
use kpulse_core::{Engine, EngineState, Kind, Notification, Observation, Outcome, Receipt, Resource, Scope};
use serde_json::Value;

/// When everything begins.
pub(crate) fn begin() -> Timestamp {
    "2026-11-22T17:00:00Z".parse().unwrap()
}

/// So many seconds after everything began, or before.
pub(crate) fn second(seconds: i64) -> Timestamp {
    begin() + SignedDuration::from_secs(seconds)
}

/// An engine that sees a cluster, and what it told.
pub(crate) struct Play {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) told: Vec<Notification>,
}

impl Play {
    /// All is watched, nothing is there.
    pub(crate) fn begin_at(now: Timestamp) -> Self {
        Self::listing(now, &[])
    }

    /// All is watched, and this is what is there.
    pub(crate) fn listing(now: Timestamp, objects: &[&Value]) -> Self {
        let mut play = Self { engine: engine(now, EngineState::quiet()), now, told: Vec::new() };
        play.open(objects);
        play
    }

    /// kpulse is started anew with what it had saved.
    pub(crate) fn restart(&mut self, objects: &[&Value]) {
        let saved = serde_json::to_string(&self.engine.state()).unwrap();
        self.engine = engine(self.now, serde_json::from_str(&saved).unwrap());
        self.open(objects);
    }

    fn open(&mut self, objects: &[&Value]) {
        let scopes = Resource::ALL.map(Scope::cluster);
        self.see(Observation::Opened(scopes.to_vec()));
        objects.iter().for_each(|object| self.apply(object));
        for scope in scopes {
            self.see(Observation::Listed(scope));
        }
        self.tell();
    }

    pub(crate) fn see(&mut self, observation: Observation) {
        self.engine.observe(self.now, observation);
    }

    pub(crate) fn apply(&mut self, object: &Value) {
        self.see(Observation::Applied(facts(object)));
    }

    pub(crate) fn delete(&mut self, object: &Value) {
        let facts = facts(object);
        self.see(Observation::Deleted { object: facts.object(), uid: facts.meta().uid.clone() });
    }

    /// Lets time pass; what becomes due is done at its own time.
    pub(crate) fn pass(&mut self, length: SignedDuration) {
        let until = self.now + length;
        self.tell();
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            // Nobody answers: what is asked of the API server is seen by its watches as well.
            self.engine.inquiries(self.now);
            self.tell();
            assert_ne!(self.engine.next_deadline(), Some(due), "what is due at {due} is never done");
        }
        self.now = until;
        self.tell();
    }

    pub(crate) fn tell(&mut self) {
        loop {
            let notifications = self.engine.notifications(self.now);
            if notifications.is_empty() {
                return;
            }
            for notification in notifications {
                let outcome = Outcome::Accepted { message_id: None };
                let receipt = Receipt { id: notification.id, channel: notification.channel.clone(), outcome };
                self.engine.receive(self.now, &receipt);
                self.told.push(notification);
            }
        }
    }
}

fn engine(now: Timestamp, state: EngineState) -> Engine {
    // A channel that hears of each trouble by itself, however many there are.
    let pager = Channel { incident: true, ..Channel::from("chat") };
    let mut settings = Settings { channels: vec![pager], ..Settings::default() };
    let everything = serde_json::from_str(r#"{"match": {"monitor": "*"}, "channels": ["chat"]}"#).unwrap();
    settings.routing = vec![everything];
    Engine::new(now, settings, state)
}

pub(crate) fn facts(object: &Value) -> Facts {
    let kind: Kind = serde_json::from_value(object["kind"].clone()).unwrap();
    Facts::from_json(kind, object.to_string().as_bytes()).unwrap()
}
