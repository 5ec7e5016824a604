//! Pure detection: what is broken in a Kubernetes cluster, and who must be told.
//!
//! No task, no clock, no network: time is an argument, and what is to be done is returned.

pub mod facts;
pub mod monitors;
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
pub mod policy;
mod surroundings;
mod tracker;
mod workload;

pub use alert::{Alert, AlertKey, Ending, Fingerprint, GroupKey};
pub use engine::{Engine, EngineState, Inquiry, Remembered};
pub use finding::{Finding, Findings, Severity, Since, Stage, TroubleKey};
pub use name::Name;
pub use notification::{AlertState, Notification, NotificationId, Outcome, Receipt, Report, Why};
pub use object::{Kind, ObjectRef, Workload};
pub use observation::{Blindness, KubeletSight, Observation, Resource, Scope};
pub use workload::workload_of;
