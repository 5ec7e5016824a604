//! The channels, a file for each with the same sections: settings, setting up, sending, the message, tests.

pub mod alertmanager;
pub mod discord;
pub mod email;
pub mod googlechat;
pub mod mattermost;
pub mod ntfy;
pub mod pagerduty;
pub mod slack;
pub mod stdout;
pub mod teams;
pub mod telegram;
pub mod webhook;
