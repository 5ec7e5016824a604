//! The two names of an Event's fields: Events are kept once, as the core group names them.

use serde_json::{Map, Value, json};

use super::object::map_mut;

/// The fields of an Event that the two groups name differently: core name, `events.k8s.io` name.
const EVENT_NAMES: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// A core Event in the field names of `events.k8s.io`.
pub(crate) fn events_view(event: Value) -> Value {
    renamed(event, |field| EVENT_NAMES.iter().find(|(core, _)| *core == field).map(|(_, view)| *view))
}

/// An `events.k8s.io` Event in the field names of core.
pub(crate) fn core_event(event: Value) -> Value {
    let mut event = renamed(event, |field| EVENT_NAMES.iter().find(|(_, view)| *view == field).map(|(core, _)| *core));
    // Core Events must say what they are about, even if nothing.
    map_mut(&mut event).entry("involvedObject").or_insert_with(|| json!({}));
    event
}

fn renamed(event: Value, new_name: impl Fn(&str) -> Option<&'static str>) -> Value {
    let Value::Object(fields) = event else { return event };
    let rename = |(field, value): (String, Value)| match new_name(&field) {
        Some(name) => (name.to_owned(), value),
        None => (field, value),
    };
    Value::Object(fields.into_iter().map(rename).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_both_names() {
        let core =
            json!({ "involvedObject": {"name": "a"}, "message": "m", "count": 2, "reason": "r", "type": "Warning" });
        let view = events_view(core.clone());
        assert_eq!(view["note"], "m");
        assert_eq!(view["regarding"]["name"], "a");
        assert_eq!(core_event(view), core);
    }
}
