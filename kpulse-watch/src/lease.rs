//! Which of several replicas speaks: the one that holds the Lease `kpulse` of its namespace.
//!
//! No clock is compared with another. The holder counts from before it *sent* its renewal; whoever waits counts from
//! after it *saw* that renewal, which is later. So the holder falls silent before anybody takes over, whatever the time
//! of day is said to be on either machine. `candidacy` decides, without I/O; here it is carried out.

mod candidacy;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use kube::{Client, Error};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use self::candidacy::{Act, Candidacy};
use crate::explain::explain;

/// The Lease's name.
pub const NAME: &str = "kpulse";

/// How the Lease is kept. All replicas must agree on the duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseSettings {
    /// How long a renewal counts, and how long one is seen unchanged before somebody else takes over.
    pub duration: Duration,
    /// How often the holder renews it, and the others look.
    pub renew: Duration,
    /// How much of it is left when the holder falls silent, so that what it sent has ended before another begins.
    pub margin: Duration,
    /// How long an answer may take. Several fit into the duration.
    pub answer: Duration,
    /// How soon after a failure the holder tries again.
    pub retry: Duration,
}

impl Default for LeaseSettings {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(10),
            renew: Duration::from_secs(2),
            margin: Duration::from_secs(1),
            answer: Duration::from_secs(3),
            retry: Duration::from_millis(500),
        }
    }
}

/// How this replica stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The time this replica has; nothing while it waits.
    pub term: Option<Term>,
    /// Who has the Lease, as far as it is known: this replica itself, another, or nobody.
    pub holder: Option<String>,
    /// How often the Lease has changed hands.
    pub transitions: i32,
    /// What keeps this replica from the API server or from the Lease, and what to do about it.
    pub fault: Option<String>,
}

impl Standing {
    /// Whether this replica may speak at this moment.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.term.is_some_and(|term| Instant::now() < term.until)
    }
}

/// A time without a gap in which this replica has the Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Counts the terms of this replica: another number means that others may have led in between.
    pub number: u64,
    /// When it must have fallen silent, unless the Lease is renewed by then.
    pub until: Instant,
    /// When the renewal was sent that it counts on.
    pub renewed: Instant,
}

/// A replica's part in the contest for the Lease. Dropped, it takes no more part, and the Lease runs out.
#[derive(Debug)]
pub struct Contest {
    standing: watch::Receiver<Standing>,
    release: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Contest {
    /// Takes part from now on, on the current tokio runtime, as `identity`. No two processes may have the same one.
    #[must_use]
    pub fn enter(client: Client, namespace: &str, identity: String, settings: LeaseSettings) -> Self {
        let (shown, standing) = watch::channel(Standing::default());
        let (release, released) = oneshot::channel();
        let keeper = Keeper {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            candidacy: Candidacy::new(identity, settings, Instant::now()),
            settings,
            shown,
        };
        Self { standing, release, task: tokio::spawn(keeper.run(released)) }
    }

    /// How this replica stands; says when that changes. That a term ran out is for the reader to see, by the clock.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Gives the Lease back, so that another can take it at once: to be called when nothing more will be sent.
    pub async fn leave(self) {
        let Self { release, task, .. } = self;
        // A task that has ended holds nothing any more.
        let _ended = release.send(());
        if task.await.is_err() {
            tracing::error!("the keeper of the Lease panicked");
        }
    }
}

/// A name for this process that no other has: this Pod's, and something by chance, since a Pod's containers are
/// started again under the same name.
#[must_use]
pub fn identity(pod: &str) -> String {
    format!("{pod}_{:08x}", RandomState::new().hash_one(std::process::id()) >> 32)
}

/// Carries out what the candidacy decides.
struct Keeper {
    api: Api<Lease>,
    namespace: String,
    candidacy: Candidacy,
    settings: LeaseSettings,
    shown: watch::Sender<Standing>,
}

impl Keeper {
    async fn run(mut self, mut released: oneshot::Receiver<()>) {
        loop {
            let (at, act) = self.candidacy.next();
            tokio::select! {
                biased;
                asked = &mut released => {
                    if asked.is_ok() {
                        self.release().await;
                    }
                    return;
                }
                () = sleep_until(at) => {}
            }
            let fault = self.act(act).await.err();
            self.show(fault);
        }
    }

    /// One request, and what came of it. The error is for people; the candidacy knows already.
    async fn act(&mut self, act: Act) -> Result<(), String> {
        let sent = Instant::now();
        let answered = timeout(self.settings.answer, self.request(&act)).await;
        let now = Instant::now();
        match answered {
            Ok(Ok(Some(lease))) if matches!(act, Act::Write(_)) => self.candidacy.wrote(sent, now, lease),
            Ok(Ok(found)) => self.candidacy.read(now, found),
            Ok(Err(Error::Api(status))) if act.is_lost(status.code) => self.candidacy.conflict(now),
            Ok(Err(error)) => {
                self.candidacy.failed(now);
                return Err(self.explain(&error));
            }
            Err(_) => {
                self.candidacy.failed(now);
                return Err(format!("no answer within {} s", self.settings.answer.as_secs()));
            }
        }
        Ok(())
    }

    async fn request(&self, act: &Act) -> Result<Option<Lease>, Error> {
        let params = PostParams::default();
        match act {
            Act::Read => self.api.get_opt(NAME).await,
            Act::Write(None) => self.api.create(&params, &self.fresh()).await.map(Some),
            Act::Write(Some(known)) => self.api.replace(NAME, &params, &self.renewed(known)).await.map(Some),
        }
    }

    /// The first Lease.
    fn fresh(&self) -> Lease {
        let metadata = ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(self.namespace.clone()),
            labels: Some([("app.kubernetes.io/name".to_owned(), "kpulse".to_owned())].into()),
            ..ObjectMeta::default()
        };
        self.renewed(&Lease { metadata, spec: None })
    }

    /// The Lease in our name. The times in it are for people: nobody reckons with them.
    fn renewed(&self, known: &Lease) -> Lease {
        let now = Some(MicroTime(Timestamp::now()));
        let mut lease = known.clone();
        let spec = lease.spec.get_or_insert_with(LeaseSpec::default);
        if spec.holder_identity.as_deref() != Some(self.candidacy.me()) {
            let before = spec.lease_transitions.map(|count| count.saturating_add(1));
            spec.lease_transitions = Some(before.unwrap_or_default());
            spec.holder_identity = Some(self.candidacy.me().to_owned());
            spec.acquire_time.clone_from(&now);
        }
        spec.lease_duration_seconds = i32::try_from(self.settings.duration.as_secs()).ok();
        spec.renew_time = now;
        lease
    }

    /// Leaves the Lease to nobody. If that fails it runs out.
    async fn release(&mut self) {
        let Some(known) = self.candidacy.mine(Instant::now()) else { return };
        let mut lease = self.renewed(known);
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
        }
        let params = PostParams::default();
        match timeout(self.settings.answer, self.api.replace(NAME, &params, &lease)).await {
            Ok(Ok(_)) => tracing::info!("Lease given back"),
            Ok(Err(error)) => tracing::warn!(error = explain(&error), "Lease not given back; it runs out by itself"),
            Err(_) => tracing::warn!("Lease not given back: no answer; it runs out by itself"),
        }
    }

    fn explain(&self, error: &Error) -> String {
        let namespace = &self.namespace;
        match error {
            Error::Api(status) if status.code == 403 => format!(
                "may not keep Lease {namespace}/{NAME}: {}; grant get, create and update on leases.coordination.k8s.io in \
                 {namespace} to kpulse's service account, or run one replica without replicas.lease",
                status.message
            ),
            error => format!("cannot keep Lease {namespace}/{NAME}: {}", explain(error)),
        }
    }

    /// Shows how we stand, and says in the log what is news.
    fn show(&self, fault: Option<String>) {
        let now = Standing { fault, ..self.candidacy.standing() };
        let before = self.shown.borrow().clone();
        if now.fault != before.fault {
            match &now.fault {
                Some(fault) => tracing::warn!(fault, "Lease not kept"),
                None => tracing::info!("Lease within reach again"),
            }
        }
        if now.holder != before.holder {
            tracing::info!(holder = now.holder.as_deref().unwrap_or("nobody"), "the Lease has a holder");
        }
        self.shown.send_if_modified(|shown| {
            let changed = *shown != now;
            *shown = now;
            changed
        });
    }
}
