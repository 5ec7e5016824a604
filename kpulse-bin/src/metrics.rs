//! `/metrics`: what is worth an alert about kpulse itself, in the text format of Prometheus. No label names an object of
//! the cluster: there are too many of them.

use kpulse_core::Remembered;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::pulse::Status;

/// One label of one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Watch {
    watch: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Channel {
    channel: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// The status as Prometheus reads it.
pub(crate) fn text(status: &Status) -> String {
    let mut registry = Registry::with_prefix("kpulse");
    let mut gauge = |name, help, value: usize| {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    gauge("up", "The program runs", 1);
    gauge("ready", "Every watch has listed once or was refused", usize::from(status.ready));
    gauge("kubelets", "Nodes whose kubelets are read", status.kubelets.nodes);
    gauge("kubelets_unreadable", "Nodes whose kubelets could not be read", status.kubelets.unreadable);
    let blind = Family::<Watch, Gauge>::default();
    for watch in status.blind.keys() {
        blind.get_or_create(&Watch { watch: watch.clone() }).set(1);
    }
    registry.register("watch_blind", "Watches that see nothing now: refused, or the API server is away", blind);
    let failing = Family::<Channel, Gauge>::default();
    for channel in status.channels.keys() {
        failing.get_or_create(&Channel { channel: channel.to_string() }).set(1);
    }
    registry.register("channel_failing", "Channels that cannot be told anything now", failing);
    registry.register("remembered", "How much is remembered, by what it is", remembered(status.remembered));
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _infallible = encode(&mut text, &registry);
    text
}

fn remembered(counts: Remembered) -> Family<Kind, Gauge> {
    let Remembered { objects, groups, evidence, restarts, cron_jobs, drains, surroundings, due, told, messages } =
        counts;
    let family = Family::<Kind, Gauge>::default();
    for (kind, count) in [
        ("objects", objects),
        ("groups", groups),
        ("evidence", evidence),
        ("restarts", restarts),
        ("cron_jobs", cron_jobs),
        ("drains", drains),
        ("surroundings", surroundings),
        ("due", due),
        ("told", told),
        ("messages", messages),
    ] {
        family.get_or_create(&Kind { kind }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blindness_and_failing_channels_are_there_to_alert_on() {
        let status = Status {
            ready: true,
            blind: [("cronjobs".to_owned(), "404".to_owned())].into(),
            channels: [("ops".into(), "503".to_owned())].into(),
            ..Status::default()
        };
        let text = text(&status);
        for line in [
            "kpulse_up 1",
            "kpulse_ready 1",
            "kpulse_watch_blind{watch=\"cronjobs\"} 1",
            "kpulse_channel_failing{channel=\"ops\"} 1",
            "kpulse_remembered{kind=\"objects\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }
}
