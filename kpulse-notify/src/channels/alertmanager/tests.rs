use super::*;
use crate::example;
use crate::settings::Problem;

fn now() -> Timestamp {
    "2026-11-22T14:06:11Z".parse().unwrap()
}

fn alerts(notification: &Notification) -> Vec<Value> {
    payload(notification, &example::long_links(), Span::minutes(1), now()).as_array().unwrap().clone()
}

#[test]
fn every_payload_keeps_the_platforms_rules() {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_name = |name: &str| is_name(name) && name.starts_with(|c: char| c.is_ascii_lowercase());
    for hostile in example::hostile() {
        let alerts = alerts(&hostile);
        assert!((1..=ALERTS * 3).contains(&alerts.len()));
        for alert in alerts {
            for kind in ["labels", "annotations"] {
                assert!(alert[kind].as_object().unwrap().keys().all(|name| is_name(name)));
            }
            let labels = alert["labels"].as_object().unwrap();
            assert!(
                labels.values().all(|value| !value.as_str().unwrap().is_empty()) && labels.contains_key("alertname")
            );
            let time = |name: &str| alert[name].as_str().unwrap().parse::<Timestamp>().unwrap();
            assert!(time("startsAt") <= time("endsAt"));
        }
    }
}

#[test]
fn what_fires_ends_four_intervals_ahead_and_what_is_over_when_it_was() {
    let firing = alerts(&example::firing());
    assert_eq!(firing.len(), 3, "each Pod is an alert");
    assert!(firing.iter().all(|alert| alert["endsAt"] == "2026-11-22T14:10:11Z"));
    let resolved = alerts(&example::resolved());
    assert!(resolved.iter().all(|alert| alert["endsAt"] == "2026-11-22T14:20:11Z"));
    for (before, after) in firing.iter().zip(&resolved) {
        assert_eq!(before["labels"], after["labels"], "it is the same alert");
    }
    assert_eq!(ahead(Timestamp::MAX, Span::hours(1)), Timestamp::MAX);
}

#[test]
fn what_got_worse_ends_what_it_was_before() {
    let found: Vec<_> = alerts(&example::escalated())
        .iter()
        .map(|alert| format!("{} until {}", alert["labels"]["severity"], alert["endsAt"]))
        .collect();
    assert_eq!(
        found,
        [
            r#""critical" until "2026-11-22T14:10:11Z""#,
            r#""info" until "2026-11-22T14:06:11Z""#,
            r#""warning" until "2026-11-22T14:06:11Z""#,
        ]
    );
}

#[test]
fn every_kind_of_message_has_its_look() {
    let look = |example: &Notification| payload(example, &example::links(), Span::minutes(1), now());
    let looks: Vec<_> = example::all().into_iter().map(|(name, example)| (name, look(&example))).collect();
    insta::assert_json_snapshot!(looks);
}

#[test]
fn an_address_is_needed_once_and_an_interval_is_some_time() {
    let secrets: Secrets = [("URL", "https://user:s3cr3t@am.example")].into_iter().collect();
    let check = |json: &str, expect: &[&str]| {
        let settings: Settings = serde_json::from_str(json).unwrap();
        let problems: Vec<Problem> = settings.faults(&secrets).into_iter().map(Problem::from).collect();
        let found: Vec<_> = problems.iter().map(|problem| format!("{}: {}", problem.key, problem.fault)).collect();
        assert_eq!(found, expect, "{json}");
    };
    check(r#"{"url": "http://alertmanager:9093"}"#, &[]);
    check(r#"{"url_from_secret": "URL", "url": ""}"#, &[]);
    check("{}", &["url: there is no address to send to"]);
    check(r#"{"url": "http://a", "url_from_secret": "URL"}"#, &["url: there is url_from_secret too"]);
    check(r#"{"url": "http://a", "interval": "0s"}"#, &["interval: is no time at all"]);
    let unset = |json: &str| serde_json::from_str::<Settings>(json).unwrap().is_unset();
    assert!(unset(r#"{"url": ""}"#) && unset(r#"{"url_from_secret": ""}"#) && !unset("{}"));
}
