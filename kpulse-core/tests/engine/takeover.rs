//! A standby sees all and says nothing; when it takes over it says what was not said, and only that.

use jiff::Timestamp;
use kpulse_core::facts::Facts;
use kpulse_core::settings::Settings;
use kpulse_core::{Engine, EngineState, Kind, Observation, Outcome, Receipt, Resource, Scope};
use kpulse_testkit::timeline::now;
use serde_json::Value;

use super::{crashing, well};

struct Replica(Engine);

impl Replica {
    fn new(state: EngineState) -> Self {
        let mut settings = Settings { channels: vec!["chat".into()], ..Settings::default() };
        settings.dedupe.digest.enabled = false;
        let mut engine = Engine::new(now("0s"), settings, state);
        let scopes = Resource::ALL.map(Scope::cluster);
        engine.observe(now("0s"), Observation::Opened(scopes.to_vec()));
        for scope in scopes {
            engine.observe(now("0s"), Observation::Listed(scope));
        }
        Self(engine)
    }

    fn standby(state: EngineState) -> Self {
        let mut replica = Self::new(state);
        replica.0.stand_by();
        replica
    }

    fn see(&mut self, at: Timestamp, object: &Value) {
        let kind: Kind = serde_json::from_value(object["kind"].clone()).unwrap();
        let facts = Facts::from_json(kind, object.to_string().as_bytes()).unwrap();
        self.0.observe(at, Observation::Applied(facts));
    }

    fn says(&mut self, at: Timestamp) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            let notifications = self.0.notifications(at);
            if notifications.is_empty() {
                return said;
            }
            for notification in notifications {
                said.push(notification.content.title().to_owned());
                let outcome = Outcome::Accepted { message_id: None };
                let receipt = Receipt { id: notification.id, channel: notification.channel, outcome };
                self.0.receive(at, &receipt);
            }
        }
    }
}

#[test]
fn a_new_leader_repeats_nothing_and_loses_nothing() {
    let mut leader = Replica::new(EngineState::quiet());
    let mut standby = Replica::standby(EngineState::quiet());
    for replica in [&mut leader, &mut standby] {
        replica.see(now("1m"), &crashing("api", 0, "1m"));
    }
    assert_eq!(leader.says(now("1m")), ["shop/api: 1 Pod crash-looping"]);
    assert_eq!(standby.says(now("1m")), Vec::<String>::new());
    let saved = leader.0.state();
    // The leader is gone; meanwhile another breaks.
    standby.see(now("2m"), &crashing("web", 0, "2m"));
    assert_eq!(standby.0.adopt(now("3m"), saved), 1);
    assert_eq!(standby.says(now("3m")), ["shop/web: 1 Pod crash-looping"]);
    standby.see(now("4m"), &well("api", 0));
    assert_eq!(standby.says(now("9m")), ["shop/api recovered after 8m"]);
}

#[test]
fn what_ended_before_the_takeover_is_told_as_it_ended() {
    let mut leader = Replica::new(EngineState::quiet());
    let mut standby = Replica::standby(EngineState::quiet());
    for replica in [&mut leader, &mut standby] {
        replica.see(now("1m"), &crashing("api", 0, "1m"));
    }
    assert_eq!(leader.says(now("1m")), ["shop/api: 1 Pod crash-looping"]);
    let saved = leader.0.state();
    standby.see(now("2m"), &well("api", 0));
    assert_eq!(standby.says(now("5m")), Vec::<String>::new());
    standby.0.adopt(now("5m"), saved);
    assert_eq!(standby.says(now("5m")), ["shop/api recovered after 4m"]);
}
