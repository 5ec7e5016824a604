//! The core on virtual time, with one channel that takes everything.

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use kpulse_core::facts::Facts;
use kpulse_core::settings::{Settings, Span};
use kpulse_core::{
    AlertState, Engine, EngineState, Kind, ObjectRef, Observation, Outcome, Receipt, Report, Resource, Scope,
};

/// When nothing ends soon.
pub(crate) const QUIET: &str = "2026-11-10T08:00:00Z";

/// What is watched.
pub(crate) const SECRETS: Scope = Scope::cluster(Resource::TlsSecrets);

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn secret(place: &str, pem: &str) -> Facts {
    annotated(place, pem, "{}")
}

pub(crate) fn annotated(place: &str, pem: &str, annotations: &str) -> Facts {
    let crt = Base64::encode_string(pem.as_bytes());
    let more = format!(r#""annotations":{annotations}"#);
    facts(place, &more, &format!(r#""type":"kubernetes.io/tls","data":{{"tls.crt":"{crt}","tls.key":"c2VjcmV0"}}"#))
}

pub(crate) fn facts(place: &str, metadata: &str, more: &str) -> Facts {
    let (namespace, name) = place.split_once('/').unwrap();
    let json =
        format!(r#"{{"metadata":{{"name":"{name}","namespace":"{namespace}","uid":"{place}",{metadata}}},{more}}}"#);
    Facts::from_json(Kind::Secret, json.as_bytes()).unwrap()
}

/// The core, with one channel that takes everything.
pub(crate) struct Timeline {
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) said: Vec<(Timestamp, Report)>,
}

impl Timeline {
    pub(crate) fn new(start: &str) -> Self {
        Self::with(start, |_| {})
    }

    pub(crate) fn with(start: &str, set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { channels: vec!["chat".into()], ..Settings::default() };
        settings.dedupe.digest.enabled = false;
        settings.dedupe.repeat_interval = Span::hours(1_000_000);
        set(&mut settings);
        let now = time(start);
        let mut timeline =
            Self { engine: Engine::new(now, settings.clone(), EngineState::quiet()), settings, now, said: Vec::new() };
        timeline.open();
        timeline
    }

    fn open(&mut self) {
        self.observe(Observation::Opened(vec![SECRETS]));
        self.observe(Observation::ListingBegun(SECRETS));
    }

    pub(crate) fn observe(&mut self, observation: Observation) -> &mut Self {
        self.engine.observe(self.now, observation);
        self.tell()
    }

    pub(crate) fn apply(&mut self, facts: Facts) -> &mut Self {
        self.observe(Observation::Applied(facts))
    }

    /// The listing at the start holds these.
    pub(crate) fn listed(&mut self, secrets: impl IntoIterator<Item = Facts>) -> &mut Self {
        for facts in secrets {
            self.apply(facts);
        }
        self.observe(Observation::Listed(SECRETS))
    }

    pub(crate) fn delete(&mut self, place: &str) -> &mut Self {
        let (namespace, name) = place.split_once('/').unwrap();
        self.observe(Observation::Deleted { object: ObjectRef::new(Kind::Secret, namespace, name), uid: place.into() })
    }

    /// Lets time pass with nothing seen.
    pub(crate) fn until(&mut self, end: &str) -> &mut Self {
        let end = time(end);
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.engine.advance(self.now);
            self.tell();
        }
        self.now = end;
        self.engine.advance(end);
        self.tell()
    }

    pub(crate) fn restart(&mut self) -> &mut Self {
        let saved = serde_json::to_string(&self.engine.state()).unwrap();
        self.engine = Engine::new(self.now, self.settings.clone(), serde_json::from_str(&saved).unwrap());
        self.open();
        self
    }

    pub(crate) fn tell(&mut self) -> &mut Self {
        loop {
            let notifications = self.engine.notifications(self.now);
            if notifications.is_empty() {
                return self;
            }
            for notification in notifications {
                let outcome = Outcome::Accepted { message_id: None };
                let receipt = Receipt { id: notification.id, channel: notification.channel, outcome };
                let report = notification.content.report().unwrap().clone();
                // That the watch itself sees nothing is another story.
                if &*report.trouble.trouble != "away" {
                    self.said.push((self.now, report));
                }
                self.engine.receive(self.now, &receipt);
            }
        }
    }

    /// Everything said since this was last asked: when, how bad or how it ended, and the title.
    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[&str]) -> &mut Self {
        let line = |(at, report): (Timestamp, Report)| {
            let word = match report.state {
                AlertState::Firing => report.severity.as_str(),
                AlertState::Resolved => report.ending.map_or("ended", kpulse_core::Ending::as_str),
            };
            format!("{} {word}: {}", at.strftime("%d %b %H:%M:%S"), report.title)
        };
        let said: Vec<String> = self.said.drain(..).map(line).collect();
        assert_eq!(said, expected);
        self
    }

    #[track_caller]
    pub(crate) fn last(&self) -> &Report {
        &self.said.last().unwrap().1
    }
}
