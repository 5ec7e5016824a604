//! Several replicas and one API server, with a network between them that delays, loses and repeats nothing but time:
//! whatever happens, no two of them lead at once, and once all is well one of them leads soon.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::super::LeaseSettings;
use super::super::candidacy::{Act, Candidacy};
use super::lease;
use crate::session::Jitter;

const REPLICAS: usize = 3;
/// The step of this world, in milliseconds.
const STEP: u64 = 50;
const MINUTE: u64 = 60_000;

/// What goes wrong with one replica, from when to when, in milliseconds.
#[derive(Debug, Clone)]
struct Trouble {
    replica: usize,
    time: Range<u64>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What it sends, and what it is answered, arrives once this is over.
    Partition,
    /// What it sends does not arrive.
    Deaf,
    /// What it is answered does not arrive.
    Mute,
    /// It stands still, as a process under SIGSTOP.
    Pause,
}

/// A request on its way, and its answer.
#[derive(Debug)]
struct Flight {
    replica: usize,
    number: u64,
    act: Act,
    arrives: u64,
    /// Nothing if it is lost.
    answer: Option<(u64, Answer)>,
    is_answered: bool,
}

#[derive(Debug, Clone)]
enum Answer {
    /// Its version and its holder.
    Lease(Option<(u32, String)>),
    Conflict,
}

struct Replica {
    candidacy: Candidacy,
    /// The request it waits for, and when it was sent.
    asked: Option<(u64, u64)>,
}

struct World {
    start: Instant,
    settings: LeaseSettings,
    replicas: Vec<Replica>,
    flights: VecDeque<Flight>,
    stored: Option<(u32, String)>,
    version: u32,
    counter: u64,
    chance: Jitter,
    troubles: Vec<Trouble>,
}

impl World {
    fn new(seed: u64, troubles: Vec<Trouble>) -> Self {
        let (start, settings) = (Instant::now(), LeaseSettings::default());
        let replica = |number: usize| Replica {
            candidacy: Candidacy::new(number.to_string(), settings, start + Duration::from_millis(37 * number as u64)),
            asked: None,
        };
        Self {
            start,
            settings,
            replicas: (0..REPLICAS).map(replica).collect(),
            flights: VecDeque::new(),
            stored: None,
            version: 0,
            counter: 0,
            chance: Jitter::new(Some(seed), &"lease"),
            troubles,
        }
    }

    fn at(&self, now: u64) -> Instant {
        self.start + Duration::from_millis(now)
    }

    fn suffers(&self, replica: usize, kind: Kind, now: u64) -> Option<&Trouble> {
        let fits =
            |trouble: &&Trouble| trouble.replica == replica && trouble.kind == kind && trouble.time.contains(&now);
        self.troubles.iter().find(fits)
    }

    /// How long a packet takes now: a moment, seldom several seconds.
    fn delay(&mut self) -> u64 {
        let length = if self.chance.fraction() < 0.02 { 8_000.0 } else { 200.0 };
        (self.chance.fraction() * length) as u64
    }

    fn step(&mut self, now: u64) {
        self.serve(now);
        for replica in 0..REPLICAS {
            if self.suffers(replica, Kind::Pause, now).is_none() {
                self.hear(replica, now);
                self.speak(replica, now);
            }
        }
    }

    /// The API server takes what has arrived, in the order it was sent.
    fn serve(&mut self, now: u64) {
        let due: Vec<usize> = (0..self.flights.len())
            .filter(|place| !self.flights[*place].is_answered && self.flights[*place].arrives <= now)
            .collect();
        for place in due {
            let (act, replica) = (self.flights[place].act.clone(), self.flights[place].replica);
            let answer = self.answer(&act, replica);
            let mut back = now + self.delay();
            if let Some(trouble) = self.suffers(replica, Kind::Partition, now) {
                back += trouble.time.end - now;
            }
            let lost = self.suffers(replica, Kind::Mute, now).is_some();
            let flight = &mut self.flights[place];
            flight.is_answered = true;
            flight.answer = (!lost).then_some((back, answer));
        }
    }

    fn answer(&mut self, act: &Act, replica: usize) -> Answer {
        if let Act::Write(known) = act {
            let known = known.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
            if known != self.stored.as_ref().map(|(version, _)| version.to_string()) {
                return Answer::Conflict;
            }
            self.version += 1;
            self.stored = Some((self.version, replica.to_string()));
        }
        Answer::Lease(self.stored.clone())
    }

    fn hear(&mut self, replica: usize, now: u64) {
        let Some((number, sent)) = self.replicas[replica].asked else { return };
        let (sent, at) = (self.at(sent), self.at(now));
        let place = self.flights.iter().position(|flight| flight.number == number);
        let answered = place.and_then(|place| {
            let flight = &self.flights[place];
            let (_, answer) = flight.answer.as_ref().filter(|(back, _)| *back <= now)?;
            Some((flight.act.clone(), answer.clone()))
        });
        let candidacy = &mut self.replicas[replica].candidacy;
        match answered {
            Some((Act::Write(_), Answer::Lease(Some((version, holder))))) => {
                candidacy.wrote(sent, at, lease(version, &holder));
            }
            Some((_, Answer::Lease(found))) => {
                candidacy.read(at, found.map(|(version, holder)| lease(version, &holder)));
            }
            Some((_, Answer::Conflict)) => candidacy.conflict(at),
            None if at >= sent + self.settings.answer => candidacy.failed(at),
            None => return,
        }
        self.replicas[replica].asked = None;
    }

    fn speak(&mut self, replica: usize, now: u64) {
        if self.replicas[replica].asked.is_some() {
            return;
        }
        let (at, act) = self.replicas[replica].candidacy.next();
        if at > self.at(now) {
            return;
        }
        let mut arrives = now + self.delay();
        if let Some(trouble) = self.suffers(replica, Kind::Partition, now) {
            arrives += trouble.time.end - now;
        }
        if self.suffers(replica, Kind::Deaf, now).is_some() {
            arrives = u64::MAX;
        }
        self.counter += 1;
        let flight = Flight { replica, number: self.counter, act, arrives, answer: None, is_answered: false };
        self.flights.push_back(flight);
        self.replicas[replica].asked = Some((self.counter, now));
    }

    fn leaders(&self, now: u64) -> Vec<usize> {
        let leads = |replica: &usize| {
            let term = self.replicas[*replica].candidacy.standing().term;
            term.is_some_and(|term| self.at(now) < term.until)
        };
        (0..REPLICAS).filter(leads).collect()
    }
}

fn troubles() -> impl Strategy<Value = Vec<Trouble>> {
    let kind = prop_oneof![Just(Kind::Partition), Just(Kind::Deaf), Just(Kind::Mute), Just(Kind::Pause)];
    let one = (0..REPLICAS, 0..2 * MINUTE, 500..30_000_u64, kind);
    let trouble = one.prop_map(|(replica, from, length, kind)| Trouble { replica, time: from..from + length, kind });
    proptest::collection::vec(trouble, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_two_lead_at_once_and_once_all_is_well_one_leads(seed: u64, troubles in troubles()) {
        let quiet = troubles.iter().map(|trouble| trouble.time.end).max().unwrap_or_default();
        let mut world = World::new(seed, troubles);
        let mut led = false;
        // The longest delay, a whole lease and a conflict or two after the last trouble somebody must have led.
        let end = quiet + 45_000;
        for now in (0..end).step_by(STEP as usize) {
            world.step(now);
            let leaders = world.leaders(now);
            prop_assert!(leaders.len() <= 1, "{leaders:?} lead at once after {now} ms");
            led |= now > quiet && !leaders.is_empty();
        }
        prop_assert!(led, "nobody led any more");
    }
}

#[test]
fn when_the_leader_dies_another_leads_within_15_seconds() {
    for seed in 0..50 {
        let mut world = World::new(seed, Vec::new());
        let mut died = None;
        for now in (0..2 * MINUTE).step_by(STEP as usize) {
            world.step(now);
            match (died, world.leaders(now).first()) {
                (None, Some(leader)) if now > 20_000 => {
                    let trouble = Trouble { replica: *leader, time: now..u64::MAX / 2, kind: Kind::Pause };
                    world.troubles.push(trouble);
                    died = Some((now, *leader));
                }
                (Some((at, dead)), Some(leader)) if *leader != dead => {
                    assert!(now - at <= 15_000, "seed {seed}: only after {} ms", now - at);
                    break;
                }
                _ => assert!(now < MINUTE, "seed {seed}: nobody leads"),
            }
        }
    }
}
