//! Whatever happens, in whatever order: nothing is remembered for ever, and what is told is what a look at the cluster
//! would tell.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod play;
mod world;

mod memory;
mod namespaces;
mod relisting;
