//! The channels, a file for each with the same sections: settings, setting up, sending, the message, tests.

pub mod discord;
pub mod email;
pub mod slack;
pub mod stdout;
pub mod teams;
pub mod webhook;
