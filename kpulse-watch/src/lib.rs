//! Everything of kpulse that speaks to the API server. It sees and tells; it decides nothing and knows no channels.
//!
//! - [`connect`] finds the API server: inside the cluster, else by kubeconfig.
//! - [`ApiClock`] tells the API server's time.
//! - [`watch_all`] opens the watches and sends what they see as [`Observation`](kpulse_core::Observation)s;
//!   [`watch`] is one of them. Whatever happens to a connection, a session goes on, pauses, and says when it sees nothing.
//! - [`state::StateStore`] keeps what must survive a restart in one ConfigMap.
//! - [`lease::Contest`] says which of several replicas speaks.
//! - [`kubelet::survey`] asks each node's kubelet how full its disks and volumes are.
//! - [`look::look`] lists everything once, for whoever does not stay.
//! - [`inquire::answer`] asks what the engine wants to know and no watch tells.
//! - [`logs::tail`] reads the last words of a container, [`access::may`] asks what we may.
//! - [`annotate::annotate`] writes an annotation to an object: the only thing of others that kpulse ever changes, and
//!   only where a person asks for it.
//! - [`secret::read`] reads a Secret, for who is not mounted one.
//! - [`record::record`] writes down what the API server says, for `kpulse replay`.
//!
//! Inside, an object takes this way: bytes through a session's own wire (`wire`), from kube's watcher to facts without
//! anything in between (`lean`), and through the machine that knows what is seen (`session::sight`).

pub mod access;
pub mod annotate;
pub mod inquire;
pub mod kubelet;
pub mod lease;
pub mod logs;
pub mod look;
pub mod record;
pub mod secret;
pub mod state;

mod client;
mod clock;
mod explain;
mod lean;
mod pages;
mod session;
mod wire;

pub use client::{ConnectError, ConnectOptions, Connection, connect};
pub use clock::ApiClock;
pub use session::{Lists, SessionSettings, Signs, watch, watch_all};
