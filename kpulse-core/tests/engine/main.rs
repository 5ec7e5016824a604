//! What people hear of many troubles: together, held back, again, late, and from whom. Stories on virtual time.

#![expect(clippy::unwrap_used, reason = "a story that cannot be written is none")]

mod channels;
mod digest;
mod explained;
mod first_start;
mod growth;
mod outage;
mod reminders;
mod routes;
mod silences;
mod storm;
mod takeover;

use kpulse_core::settings::Settings;
use kpulse_testkit::builders::{PodBuilder, pod};
use kpulse_testkit::timeline::{Timeline, now};
use serde_json::{Value, json};

/// Pod `index` of Deployment `app` in `shop`.
fn pod_of(app: &str, index: usize) -> PodBuilder {
    pod("shop", &format!("{app}-x-{index}")).uid(&format!("{app}{index}")).of_deployment(app, "x").created(now("-1h"))
}

/// It crash-loops since now, critical.
fn crashing(app: &str, index: usize, at: &str) -> Value {
    pod_of(app, index).crash_looping(3, now(at)).json()
}

fn well(app: &str, index: usize) -> Value {
    pod_of(app, index).running(now("-30m")).json()
}

/// A failed Job: a warning.
fn failed_job(name: &str, at: &str) -> Value {
    kpulse_testkit::builders::job("shop", name, now("-10m")).failed(now(at)).json()
}

/// With digests, as they are by default.
fn with_digest() -> Timeline {
    Timeline::with(|settings| settings.dedupe.digest.enabled = true)
}

/// Two channels that both hear everything.
fn chat_and_mail(settings: &mut Settings) {
    settings.channels = vec!["chat".into(), "mail".into()];
    settings.routing = routes(json!([{"channels": ["chat", "mail"]}]));
}

fn routes(routes: Value) -> Vec<kpulse_core::policy::Route> {
    serde_json::from_value(routes).unwrap()
}
