//! *The* loop: one task owns the engine, and nobody else touches it. Watches and lanes speak to it by bounded channels,
//! so that what cannot be taken in waits where it comes from: with the API server.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use kpulse_core::{
    Blindness, Engine, Inquiry, KubeletSight, Name, Notification, Observation, Receipt, Remembered, Scope,
};
use kpulse_notify::LaneHandle;
use kpulse_notify::lane::{HealthState, Source};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::saver::Saver;
use crate::tails::Tails;

/// Observations that are taken in before anything is told of them.
const BATCH: usize = 64;

/// Everything that can happen to the loop.
pub(crate) enum Input {
    /// Something was seen of the cluster.
    Observed(Observation),
    /// Time has come for something.
    Due,
    /// A channel answered.
    Receipt(Receipt),
    /// A message has the log it waited for, or goes without.
    Ready(Box<Notification>),
    /// A channel is spoken to in another way from now on.
    Replaced(Name, Box<Source>),
    /// The program is to end.
    Shutdown,
}

/// Where inputs come from.
pub(crate) struct Inputs {
    pub(crate) observations: mpsc::Receiver<Observation>,
    pub(crate) receipts: mpsc::Receiver<Receipt>,
    pub(crate) ready: mpsc::Receiver<Notification>,
    pub(crate) replacements: mpsc::Receiver<(Name, Source)>,
    pub(crate) shutdown: watch::Receiver<bool>,
}

/// What others may know of the loop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// Whether the cluster is known well enough to speak of it.
    pub(crate) ready: bool,
    /// Watches that see nothing, and why.
    pub(crate) blind: BTreeMap<String, String>,
    /// How many kubelets can be read.
    pub(crate) kubelets: KubeletSight,
    /// Channels that cannot be told anything now, and why.
    pub(crate) channels: BTreeMap<Name, String>,
    /// How much the engine remembers.
    pub(crate) remembered: Remembered,
}

impl Status {
    /// The status in a word or two.
    pub(crate) fn word(&self) -> &'static str {
        if self.ready { "ok" } else { "not ready: not every watch has listed yet" }
    }

    /// The status as a person reads it, with everything that is not as it should be.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n", self.word());
        for (scope, why) in &self.blind {
            text.push_str(&format!("cannot see {scope}: {why}\n"));
        }
        let KubeletSight { nodes, unreadable, refused, why } = &self.kubelets;
        if *refused {
            text.push_str(&format!("cannot read kubelets: {why}\n"));
        } else if !why.is_empty() {
            text.push_str(&format!("cannot read {unreadable} of {nodes} kubelets: {why}\n"));
        }
        for (channel, why) in &self.channels {
            text.push_str(&format!("channel {channel}: {why}\n"));
        }
        text
    }
}

/// The loop's own: the engine, the ways to the channels, and where its state is saved.
#[derive(Debug)]
pub(crate) struct Pulse {
    engine: Engine,
    tails: Tails,
    lanes: BTreeMap<Name, LaneHandle>,
    saver: Saver,
    inquiries: mpsc::Sender<Inquiry>,
    blind: BTreeMap<Scope, String>,
    kubelets: KubeletSight,
    status: watch::Sender<Status>,
}

impl Pulse {
    pub(crate) fn new(
        engine: Engine,
        tails: Tails,
        lanes: BTreeMap<Name, LaneHandle>,
        saver: Saver,
        inquiries: mpsc::Sender<Inquiry>,
        status: watch::Sender<Status>,
    ) -> Self {
        Self {
            engine,
            tails,
            lanes,
            saver,
            inquiries,
            blind: BTreeMap::new(),
            kubelets: KubeletSight::default(),
            status,
        }
    }

    /// Runs until it is told to end; then waits a little for what is in flight, and saves.
    pub(crate) async fn run(mut self, mut inputs: Inputs) {
        loop {
            let input = next(&mut inputs, self.engine.next_deadline()).await;
            if matches!(input, Input::Shutdown) {
                break;
            }
            self.take(now(), input);
            // What was seen together is told together: three Pods that fail at once are one message about three.
            for observation in (0..BATCH).map_while(|_| inputs.observations.try_recv().ok()) {
                self.take(now(), Input::Observed(observation));
            }
            self.tell(now());
            self.show(now());
        }
        self.end(inputs).await;
    }

    fn take(&mut self, now: Timestamp, input: Input) {
        match input {
            Input::Observed(observation) => {
                self.note_sight(&observation);
                self.engine.observe(now, observation);
            }
            Input::Receipt(receipt) => self.engine.receive(now, &receipt),
            Input::Ready(notification) => self.hand_over(*notification),
            Input::Replaced(channel, source) => {
                if let Some(lane) = self.lanes.get(&channel) {
                    lane.replace(*source);
                    self.engine.retry_now(&channel);
                }
            }
            Input::Due => self.engine.advance(now),
            Input::Shutdown => {}
        }
    }

    /// Hands over what is owed, and leaves what is to be kept.
    fn tell(&mut self, now: Timestamp) {
        for notification in self.tails.take(self.engine.notifications(now)) {
            self.hand_over(notification);
        }
        for inquiry in self.engine.inquiries(now) {
            // A full queue means that many are being asked already: this one is asked again later.
            if let Err(error) = self.inquiries.try_send(inquiry) {
                tracing::debug!(%error, "inquiry put off");
            }
        }
        if self.engine.take_changed() {
            self.saver.offer(self.engine.state());
        }
    }

    fn hand_over(&self, notification: Notification) {
        let Some(lane) = self.lanes.get(&notification.channel) else { return };
        if let Err(error) = lane.send(notification) {
            tracing::error!(%error, "message not taken");
        }
    }

    fn note_sight(&mut self, observation: &Observation) {
        match observation {
            Observation::SightLost(scope, blindness) => {
                let (Blindness::Refused(why) | Blindness::Away(why)) = blindness;
                tracing::warn!(%scope, why, "sight lost");
                self.blind.insert(scope.clone(), why.clone());
            }
            Observation::Listed(scope) if self.blind.remove(scope).is_some() => {
                tracing::info!(%scope, "sight regained");
            }
            Observation::KubeletSight(sight) => {
                if sight.why.is_empty() {
                    tracing::info!(nodes = sight.nodes, "kubelets read");
                } else {
                    tracing::warn!(
                        nodes = sight.nodes,
                        unreadable = sight.unreadable,
                        why = sight.why,
                        "kubelets unreadable"
                    );
                }
                self.kubelets = sight.clone();
            }
            _ => {}
        }
    }

    fn show(&self, now: Timestamp) {
        let ill = self.lanes.values().filter_map(|lane| {
            let health = lane.health();
            (health.state != HealthState::Ok).then(|| (lane.name().clone(), health.last_error.unwrap_or_default()))
        });
        let status = Status {
            ready: self.engine.is_ready(now),
            kubelets: self.kubelets.clone(),
            blind: self.blind.iter().map(|(scope, why)| (scope.to_string(), why.clone())).collect(),
            channels: ill.collect(),
            remembered: self.engine.remembered(),
        };
        self.status.send_if_modified(|shown| {
            let changed = *shown != status;
            *shown = status;
            changed
        });
    }

    /// Closes the lanes, takes in the receipts of what was in flight, and saves the state.
    async fn end(mut self, mut inputs: Inputs) {
        inputs.observations.close();
        let closing = futures::future::join_all(std::mem::take(&mut self.lanes).into_values().map(LaneHandle::close));
        let mut closing = std::pin::pin!(closing);
        loop {
            tokio::select! {
                biased;
                Some(receipt) = inputs.receipts.recv() => self.engine.receive(now(), &receipt),
                _ = &mut closing => break,
            }
        }
        while let Ok(receipt) = inputs.receipts.try_recv() {
            self.engine.receive(now(), &receipt);
        }
        self.saver.offer(self.engine.state());
        self.saver.finish(Duration::from_secs(5)).await;
    }
}

/// Waits for the next thing to happen. Receipts first: what a channel knows decides what it is owed.
async fn next(inputs: &mut Inputs, due: Option<Timestamp>) -> Input {
    let until_due = async {
        match due.map(|due| Duration::try_from(due.duration_since(now())).unwrap_or_default()) {
            // Never busy, even if something that is due cannot be done yet.
            Some(wait) => sleep(wait.max(Duration::from_millis(1))).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        _ = inputs.shutdown.wait_for(|end| *end) => Input::Shutdown,
        Some(receipt) = inputs.receipts.recv() => Input::Receipt(receipt),
        Some(notification) = inputs.ready.recv() => Input::Ready(Box::new(notification)),
        Some((channel, source)) = inputs.replacements.recv() => Input::Replaced(channel, Box::new(source)),
        () = until_due => Input::Due,
        Some(observation) = inputs.observations.recv() => Input::Observed(observation),
    }
}

fn now() -> Timestamp {
    Timestamp::now()
}
