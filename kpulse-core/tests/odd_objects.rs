//! Objects of a real cluster in which some field is not what it should be: null, of another type, huge, or a time
//! before or after all others. They are read all the same, and nothing panics on them, now or when time passes.

#![expect(clippy::disallowed_methods, reason = "the recordings are files")]
#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for production code")]

#[path = "history/play.rs"]
#[expect(dead_code, reason = "of the driver little is needed")]
mod play;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::SignedDuration;
use kpulse_core::facts::{Facts, SummaryFacts};
use kpulse_core::{Kind, Observation};
use play::Play;
use proptest::prelude::*;
use serde_json::{Value, json};

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../kpulse-testkit/recordings");

/// Of each kind of object so many are taken, spread over the recordings.
const EACH: usize = 12;

/// Objects as a real API server sent them, some of each kind.
fn recorded() -> &'static [Value] {
    static OBJECTS: OnceLock<Vec<Value>> = OnceLock::new();
    OBJECTS.get_or_init(|| {
        let mut kinds: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut files: Vec<_> = std::fs::read_dir(RECORDINGS).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        for path in files {
            for line in std::fs::read_to_string(path).unwrap().lines().step_by(3) {
                let mut line: Value = serde_json::from_str(line).unwrap();
                let resource = line["resource"].as_str().unwrap().to_owned();
                if line["type"] != "BOOKMARK" && line["object"].is_object() {
                    kinds.entry(resource).or_default().push(line["object"].take());
                }
            }
        }
        assert!(kinds.len() >= 13, "kinds are missing: {:?}", kinds.keys());
        let spread = |objects: &Vec<Value>| {
            let step = objects.len().div_ceil(EACH);
            objects.iter().step_by(step).cloned().collect::<Vec<_>>()
        };
        kinds.values().flat_map(spread).collect()
    })
}

/// What stands in the place of a field.
fn odd_values() -> &'static [Value] {
    static ODD: OnceLock<Vec<Value>> = OnceLock::new();
    ODD.get_or_init(|| {
        let deep = (0..40).fold(json!(1), |inner, _| json!([{ "a": inner }]));
        vec![
            Value::Null,
            json!(true),
            json!(0),
            json!(-1),
            json!(i32::MIN),
            json!(i32::MAX),
            json!(i64::MIN),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1e308),
            json!(0.5),
            json!(""),
            json!("ä€😀\u{0}\n\u{202e}"),
            json!("x".repeat(100_000)),
            json!("0001-01-01T00:00:00Z"),
            json!("9999-12-31T23:59:59Z"),
            json!("-009999-01-01T00:00:00Z"),
            json!("2026-11-22T17:00:00+25:00"),
            json!("True"),
            json!([]),
            json!({}),
            json!([null, 1, "x", {}, []]),
            json!({ "name": [], "terminated": 7, "": null }),
            deep,
        ]
    })
}

/// The places of all fields within an object.
fn places(object: &Value, at: &str, places: &mut Vec<String>) {
    let mut inner = |key: &str, value: &Value| {
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        self::places(value, &place, places);
        places.push(place);
    };
    match object {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| inner(key, value)),
        Value::Array(values) => values.iter().enumerate().for_each(|(index, value)| inner(&index.to_string(), value)),
        _ => {}
    }
}

/// Which object, and which of its fields are replaced by what.
type Odd = (prop::sample::Index, Vec<(prop::sample::Index, prop::sample::Index)>);

fn odd() -> impl Strategy<Value = Odd> {
    let change = any::<(prop::sample::Index, prop::sample::Index)>();
    (any::<prop::sample::Index>(), prop::collection::vec(change, 1..5))
}

fn make((which, changes): &Odd) -> Value {
    let mut object = which.get(recorded()).clone();
    for (place, value) in changes {
        let mut known = Vec::new();
        // What a managed field says nobody reads, and there are many.
        object["metadata"].as_object_mut().map(|metadata| metadata.remove("managedFields"));
        places(&object, "", &mut known);
        let place = place.get(&known);
        *object.pointer_mut(place).unwrap() = value.get(odd_values()).clone();
    }
    object
}

/// Which kind of object it was before it was made odd; nothing for a kubelet's summary.
fn kind((which, _): &Odd) -> Option<Kind> {
    serde_json::from_value(which.get(recorded())["kind"].clone()).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn odd_objects_are_read_and_survived(odd in prop::collection::vec(odd(), 1..12)) {
        let mut play = Play::begin_at(play::begin());
        for odd in &odd {
            let json = make(odd).to_string();
            let observation = match kind(odd) {
                Some(kind) => {
                    let facts = Facts::from_json(kind, json.as_bytes());
                    prop_assert!(facts.is_ok(), "{kind}: {facts:?}");
                    Observation::Applied(facts.unwrap())
                }
                None => {
                    let summary = serde_json::from_str::<SummaryFacts>(&json);
                    prop_assert!(summary.is_ok(), "summary: {summary:?}");
                    Observation::Surveyed(Box::new(summary.unwrap()))
                }
            };
            play.see(observation);
            play.pass(SignedDuration::from_mins(1));
        }
        play.pass(SignedDuration::from_hours(24));
        let saved = serde_json::to_string(&play.engine.state()).unwrap();
        prop_assert!(serde_json::from_str::<kpulse_core::EngineState>(&saved).is_ok(), "{saved}");
    }
}

#[test]
fn counts_at_the_end_of_all_numbers_do_not_overflow() {
    let daemon_set = json!({ "kind": "DaemonSet", "metadata": { "namespace": "shop", "name": "agent", "uid": "a" },
        "status": { "desiredNumberScheduled": i64::MIN, "currentNumberScheduled": i64::MAX, "numberReady": 1 } });
    let failed = json!({ "terminated": { "exitCode": 1, "finishedAt": "2026-11-22T16:00:00Z" } });
    let pod = json!({ "kind": "Pod", "metadata": { "namespace": "shop", "name": "api", "uid": "p" },
        "status": { "phase": "Running", "containerStatuses": [
            { "name": "main", "restartCount": i32::MIN, "state": { "running": {} }, "lastState": failed }] } });
    let mut play = Play::begin_at(play::begin());
    play.apply(&daemon_set);
    play.apply(&pod);
    play.pass(SignedDuration::from_hours(1));
    assert_eq!(play.told.len(), 1, "a DaemonSet that wants anything else than it has is told");
}
