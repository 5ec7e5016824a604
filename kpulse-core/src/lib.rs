//! Pure detection: what is broken in a Kubernetes cluster, and who must be told.
//!
//! No task, no clock, no network: time is an argument, and what is to be done is returned.
//!
//! # What is wrong with this object?
//!
//! [`Monitors::inspect`](settings::Monitors::inspect) has every monitor look at the facts of one object:
//!
//! ```
//! use kpulse_core::Kind;
//! use kpulse_core::facts::Facts;
//! use kpulse_core::settings::Monitors;
//!
//! let json = r#"{"metadata": {"name": "api-1", "namespace": "shop"}, "status": {"containerStatuses": [{"name": "api",
//!     "restartCount": 3, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}}"#;
//! let pod = Facts::from_json(Kind::Pod, json.as_bytes())?;
//! let mut reasons = Vec::new();
//! Monitors::default().inspect(&pod, |_, findings| {
//!     reasons.extend(findings.present.into_iter().map(|finding| finding.reason));
//! });
//! assert_eq!(reasons, ["CrashLoopBackOff"]);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # What must people be told?
//!
//! The [`Engine`] is told what is seen ([`Observation`]) and what channels did with their messages ([`Receipt`]); it says
//! what channels are owed ([`Notification`]) and when to ask again. See `kpulse replay` for the smallest driver of it.

pub mod facts;
pub mod monitors;
pub mod policy;
pub mod schedule;
pub mod settings;

mod alert;
mod cron_runs;
mod engine;
mod finding;
mod group;
mod ledger;
mod name;
mod notification;
mod object;
mod observation;
mod pairs;
mod surroundings;
mod tracker;
mod workload;

pub use alert::{Alert, AlertKey, Ending, Fingerprint, GroupKey};
pub use engine::{
    Course, Engine, EngineState, Explanation, Inquiry, LeftAlone, Look, Placed, Queue, Remembered, Shown, Standing,
    Tally, ToldTo, Trouble, View, Word,
};
pub use finding::{Finding, Findings, Severity, Since, Stage, TroubleKey};
pub use name::Name;
pub use notification::{
    AlertState, Bulletin, BulletinKind, BulletinLine, Content, Notification, NotificationId, Outcome, Receipt, Report,
    Why,
};
pub use object::{Kind, ObjectRef, Workload};
pub use observation::{Blindness, KubeletSight, Observation, Resource, Scope};
pub use workload::workload_of;
