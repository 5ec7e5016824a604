//! A Kubernetes cluster that is not there, and sinks that remember.
//!
//! - [`cluster`]: an API server in this process, as a `Router`: over TCP for a real program, or called in process.
//! - [`sink`]: takes what channels send and shows what arrived.

pub mod cluster;
pub mod sink;
