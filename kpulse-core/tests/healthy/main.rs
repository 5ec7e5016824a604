//! A healthy cluster says nothing at all: what looks like trouble while people, controllers and autoscalers work.
//!
//! All monitors are on, with their defaults. Each scene is played in several ways: see [`scene`].

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

mod scene;

mod batch;
mod capacity;
mod endings;
mod nodes;
mod rollouts;
