//! Who hears what: routes, incidents, defaults, and ends to exactly those who were told.

use super::*;
use kpulse_core::settings::Channel;

fn pager() -> Channel {
    Channel { incident: true, ..Channel::from("pager") }
}

fn event() -> Value {
    json!({"kind": "Event", "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "type": "Warning",
        "reason": "FailedDraining", "message": "no", "count": 1, "lastTimestamp": "2026-11-22T17:00:00Z",
        "involvedObject": {"kind": "Service", "name": "api", "namespace": "shop"}})
}

#[test]
fn nothing_goes_to_a_pager_unless_a_route_leads_there() {
    Timeline::with(|settings| settings.channels = vec![pager(), "chat".into()])
        .apply(&crashing("api", 0, "0s"))
        .expect(&["0s chat: critical pod_crashes Pod/api-x-0 CrashLoopBackOff"]);
    Timeline::with(|settings| settings.channels = vec![pager()]).apply(&crashing("api", 0, "0s")).expect_nothing();
}

#[test]
fn what_happens_pages_nobody_unless_a_route_names_its_monitor() {
    let to = |settings: &mut Settings, route: Value| {
        settings.channels = vec![pager()];
        settings.routing = routes(json!([route]));
    };
    Timeline::with(|settings| to(settings, json!({"channels": ["pager"]}))).apply(&event()).expect_nothing();
    Timeline::with(|settings| to(settings, json!({"match": {"monitor": "warning_events"}, "channels": ["pager"]})))
        .apply(&event())
        .expect(&["0s info warning_events Event/e FailedDraining"]);
}

#[test]
fn an_end_goes_to_exactly_those_who_were_told() {
    Timeline::with(chat_and_mail)
        .apply(&crashing("api", 0, "0s"))
        .expect(&[
            "0s chat: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "0s mail: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
        ])
        .configure(|settings| settings.routing = routes(json!([{"channels": ["mail"]}])))
        .apply(&crashing("web", 0, "0s"))
        .expect(&["0s mail: critical pod_crashes Pod/web-x-0 CrashLoopBackOff"])
        .at("1m")
        .apply(&well("api", 0))
        .apply(&well("web", 0))
        .at("9h")
        .expect(&[
            "3m chat: recovered pod_crashes Pod/api-x-0",
            "3m mail: recovered pod_crashes Pod/api-x-0",
            "3m mail: recovered pod_crashes Pod/web-x-0",
        ]);
}
