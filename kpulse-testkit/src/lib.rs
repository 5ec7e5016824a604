//! A Kubernetes cluster that is not there, and sinks that remember.
//!
//! - [`builders`]: Pods and workloads as a real cluster shows them, in few words.
//! - [`cluster`]: an API server in this process, as a `Router`: over TCP for a real program, or called in process.
//! - [`judge`]: recordings of a real cluster, and whether what was said about them is true.
//! - [`sink`]: takes what channels send and shows what arrived.
//! - `smtp`: a mail server that remembers, with the feature of that name.
//! - [`story`]: a cluster that breaks and heals, act by act.
//! - [`timeline`]: what people hear of a cluster and when, on virtual time, without any I/O.

pub mod builders;
pub mod cluster;
pub mod judge;
pub mod sink;
#[cfg(feature = "smtp")]
pub mod smtp;
pub mod story;
pub mod timeline;
