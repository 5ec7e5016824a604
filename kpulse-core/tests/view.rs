//! What the engine shows of what it knows: what lasts and who was told, what is over, what is not due yet, what waits.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

use kpulse_core::facts::Facts;
use kpulse_core::monitors::MonitorName;
use kpulse_core::settings::Settings;
use kpulse_core::{
    Engine, EngineState, Kind, NotificationId, ObjectRef, Observation, Outcome, Receipt, Resource, Scope, Shown, View,
};
use kpulse_testkit::builders::{Death, pod};
use kpulse_testkit::timeline::{clock, now};
use serde_json::{Value, json};

/// An engine with one channel, `chat`, that watches Pods.
struct Scene(Engine);

impl Scene {
    fn begin() -> Self {
        let settings = Settings { channels: vec!["chat".into()], ..Settings::default() };
        let mut engine = Engine::new(now("0s"), settings, EngineState::quiet());
        let pods = Scope::cluster(Resource::Pods);
        engine.observe(now("0s"), Observation::Opened(vec![pods.clone()]));
        engine.observe(now("0s"), Observation::Listed(pods));
        engine.observe(now("0s"), Observation::Listed(Scope::cluster(Resource::WarningEvents)));
        Self(engine)
    }

    fn apply(&mut self, at: &str, object: &Value) {
        let kind: Kind = serde_json::from_value(object["kind"].clone()).unwrap();
        let facts = Facts::from_json(kind, object.to_string().as_bytes()).unwrap();
        self.0.observe(now(at), Observation::Applied(facts));
    }

    fn delete(&mut self, at: &str, name: &str) {
        let object = ObjectRef::new(Kind::Pod, "shop", name);
        self.0.observe(now(at), Observation::Deleted { object, uid: "".into() });
    }

    /// Hands over what is owed.
    fn send(&mut self, at: &str) -> Vec<NotificationId> {
        self.0.notifications(now(at)).into_iter().map(|notification| notification.id).collect()
    }

    /// The channel takes what is owed.
    fn accept(&mut self, at: &str) {
        for id in self.send(at) {
            let outcome = Outcome::Accepted { message_id: None };
            self.0.receive(now(at), &Receipt { id, channel: "chat".into(), outcome });
        }
    }

    fn view(&self, at: &str) -> View {
        self.0.view(now(at))
    }
}

fn crashing(name: &str, at: &str) -> Value {
    pod("shop", name).ended(3, Death::Exit(1), now(at)).json()
}

fn lines(shown: &[Shown]) -> Vec<String> {
    let told = |shown: &Shown| shown.told.iter().map(|told| told.channel.to_string()).collect::<Vec<_>>().join(",");
    shown.iter().map(|shown| format!("{} [{}]", shown.report.title, told(shown))).collect()
}

#[test]
fn who_knows_of_a_trouble_is_who_accepted_it() {
    let mut scene = Scene::begin();
    scene.apply("1m", &crashing("api", "1m"));
    assert_eq!(lines(&scene.view("1m").active), ["shop/api: crash-looping []"]);
    scene.accept("2m");
    let view = scene.view("3m");
    assert_eq!(lines(&view.active), ["shop/api: crash-looping [chat]"]);
    assert_eq!(view.active[0].told[0].at, now("2m"));
}

#[test]
fn the_worst_comes_first_and_then_the_newest() {
    let mut scene = Scene::begin();
    scene.apply("1m", &crashing("first", "1m"));
    scene.apply("2m", &crashing("second", "2m"));
    let minor =
        pod("shop", "minor").annotation("kpulse.io/max-severity", "warning").ended(3, Death::Exit(1), now("3m"));
    scene.apply("3m", &minor.json());
    let titles: Vec<_> = scene.view("3m").active.into_iter().map(|shown| shown.report.title).collect();
    assert_eq!(titles, ["shop/second: crash-looping", "shop/first: crash-looping", "shop/minor: crash-looping"]);
}

#[test]
fn what_ended_is_remembered_with_how_it_ended_and_who_knew() {
    let mut scene = Scene::begin();
    scene.apply("1m", &crashing("api", "1m"));
    scene.accept("1m");
    scene.delete("11m", "api");
    let view = scene.view("11m");
    assert_eq!(view.active, []);
    assert_eq!(lines(&view.lately), ["shop/api is gone after 10m: Pod deleted [chat]"]);
    scene.accept("11m");
    assert_eq!(scene.view("12m").lately, view.lately, "its end is told: it stays as it was, once");
}

#[test]
fn of_what_is_over_only_the_last_hundred_are_kept() {
    let mut scene = Scene::begin();
    for count in 0..150 {
        let name = format!("api-{count}");
        scene.apply(&format!("{count}m"), &crashing(&name, &format!("{count}m")));
        scene.delete(&format!("{count}m"), &name);
    }
    let lately = scene.view("150m").lately;
    assert_eq!(lately.len(), 100);
    assert!(lately[0].report.title.starts_with("shop/api-149 "), "{}", lately[0].report.title);
}

#[test]
fn what_happens_is_recent_and_never_active() {
    let mut scene = Scene::begin();
    let event = json!({"kind": "Event", "type": "Warning", "reason": "DNSConfigForming", "message": "too many",
        "lastTimestamp": clock("1m"), "metadata": {"name": "e1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web"}});
    scene.apply("1m", &event);
    let view = scene.view("1m");
    assert_eq!(view.active, []);
    assert_eq!(lines(&view.lately), ["shop/web: DNSConfigForming []"]);
    assert!(view.lately[0].happens);
}

#[test]
fn what_is_not_due_yet_is_shown_with_its_time() {
    let mut scene = Scene::begin();
    scene.apply("1m", &pod("shop", "web").unschedulable(now("1m"), "0/3 nodes are available").json());
    let view = scene.view("1m");
    assert_eq!(view.active, []);
    assert_eq!(view.pending[0].course.due_at(), Some(now("3m")));
    assert_eq!(view.findings, [(MonitorName::PodCrashes, 1)].into());
}

#[test]
fn what_waits_for_a_channel_is_counted_from_when_it_was_owed() {
    let mut scene = Scene::begin();
    for name in ["first", "second"] {
        scene.apply("1m", &crashing(name, "1m"));
    }
    scene.send("2m");
    let queue = scene.view("3m").queues["chat"];
    assert_eq!((queue.messages, queue.oldest), (2, Some(now("1m"))), "one is on its way, one waits");
}

#[test]
fn a_restart_fires_nothing_anew() {
    let mut scene = Scene::begin();
    scene.apply("1m", &crashing("api", "1m"));
    scene.accept("1m");
    let tally = |engine: &Engine| engine.view(now("10m")).monitors.get(&MonitorName::PodCrashes).copied();
    assert_eq!(tally(&scene.0).map(|tally| (tally.fired, tally.last_fired)), Some((1, Some(now("1m")))));
    let settings = Settings { channels: vec!["chat".into()], ..Settings::default() };
    let mut again = Scene(Engine::new(now("5m"), settings, scene.0.state()));
    again.apply("6m", &crashing("api", "1m"));
    assert_eq!(lines(&again.view("6m").active), ["shop/api: crash-looping [chat]"]);
    assert_eq!(tally(&again.0), None);
    again.delete("7m", "api");
    assert_eq!(tally(&again.0).map(|tally| tally.ended), Some(1));
}
