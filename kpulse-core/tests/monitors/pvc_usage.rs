//! Claims that fill up, as kubelets tell of them.

use kpulse_core::Resource;
use kpulse_core::settings::Glob;
use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

/// A summary that speaks of these claims of namespace `shop`: their names, and how full they are of bytes and files.
fn summary(node: &str, claims: &[(&str, i64, i64)]) -> Value {
    let volume = |(name, bytes, files): &(&str, i64, i64)| {
        json!({
            "name": "data", "pvcRef": {"namespace": "shop", "name": name},
            "capacityBytes": 1_000_000, "availableBytes": 10_000 * (100 - bytes), "usedBytes": 1,
            "inodes": 1000, "inodesFree": 10 * (100 - files), "inodesUsed": 1,
        })
    };
    let pods: Vec<Value> = claims.iter().map(|claim| json!({"volume": [volume(claim)]})).collect();
    json!({"node": {"nodeName": node}, "pods": pods})
}

/// A summary in which claim `data` is so full.
fn full(percent: i64) -> Value {
    summary("worker-1", &[("data", percent, 1)])
}

fn nothing() -> Value {
    summary("worker-1", &[])
}

fn claim() -> Value {
    json!({
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop", "uid": "c1", "creationTimestamp": clock("-48h")},
        "spec": {"volumeName": "pv-1"},
        "status": {"phase": "Bound"},
    })
}

fn noted(annotation: &str, value: &str) -> Value {
    let mut claim = claim();
    claim["metadata"]["annotations"] = json!({annotation: value});
    claim
}

const WARNING: &str = "0s warning pvc_usage PersistentVolumeClaim/data VolumeFull";

fn firing() -> Timeline {
    Timeline::begin().apply(&claim()).survey(&full(80)).expect(&[WARNING])
}

#[test]
fn it_is_told_from_the_threshold_on_and_once() {
    let story = Timeline::begin().survey(&full(79)).expect_nothing().expect_remembered(0);
    let mut story = story.survey(&full(80)).expect(&[WARNING]);
    for minute in 1..60 {
        story = story.at(&format!("{}m", 10 * minute)).survey(&full(80 + minute % 10)).expect_nothing();
    }
}

#[test]
fn it_grows_worse_at_once_and_better_in_silence() {
    let story = firing().at("1m").survey(&full(90));
    let story = story.expect(&["1m critical pvc_usage PersistentVolumeClaim/data VolumeFull"]);
    let story = story.at("10m").survey(&full(85)).at("20m").survey(&full(99)).at("30m").survey(&full(80));
    let story = story.expect_nothing();
    story.at("40m").survey(&full(79)).expect(&["40m recovered pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn what_is_critical_when_first_seen_is_told_as_that() {
    Timeline::begin().survey(&full(100)).expect(&["0s critical pvc_usage PersistentVolumeClaim/data VolumeFull"]);
}

#[test]
fn bytes_and_files_are_two_matters() {
    let story = firing().at("10m").survey(&summary("worker-1", &[("data", 80, 95)]));
    let story = story.expect(&["10m critical pvc_usage PersistentVolumeClaim/data InodesFull"]);
    let story = story.at("20m").survey(&summary("worker-1", &[("data", 10, 95)]));
    let story = story.expect(&["20m recovered pvc_usage PersistentVolumeClaim/data"]);
    let story = story.at("30m").survey(&full(10));
    story.expect(&["30m recovered pvc_usage PersistentVolumeClaim/data"]).at("9h").expect_remembered(0);
}

#[test]
fn each_claim_is_a_matter_of_its_own() {
    let story = firing().at("10m").survey(&summary("worker-1", &[("logs", 85, 1), ("data", 80, 1)]));
    let story = story.expect(&["10m warning pvc_usage PersistentVolumeClaim/logs VolumeFull"]);
    let story = story.at("20m").survey(&summary("worker-1", &[("logs", 85, 1), ("data", 1, 1)]));
    story.expect(&["20m recovered pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn a_claim_that_is_not_mentioned_is_unknown() {
    let story = firing().at("10m").survey(&nothing()).at("1h").survey(&nothing()).at("30h").expect_nothing();
    let story = story.survey(&full(85)).expect_nothing();
    story.survey(&full(50)).expect(&["30h recovered pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn of_a_claim_in_use_on_several_nodes_or_pods_the_fullest_reading_counts() {
    let twice = summary("worker-1", &[("data", 79, 1), ("data", 81, 1), ("data", 2, 1)]);
    Timeline::begin().survey(&twice).expect(&[WARNING]).at("10m").survey(&twice).expect_nothing();
    // Its Pod moves on; where it was, it is not mentioned any more.
    let story = firing().at("10m").survey(&nothing()).survey(&summary("worker-2", &[("data", 82, 1)]));
    story.at("9h").expect_nothing();
}

#[test]
fn odd_figures_say_nothing() {
    let odd = [json!(null), json!("odd"), json!(-1), json!([]), json!({}), json!(1e30), json!(2_000_000)];
    for value in odd {
        for field in ["availableBytes", "capacityBytes"] {
            let mut summary = full(95);
            summary["pods"][0]["volume"][0][field] = value.clone();
            if field == "capacityBytes" && value == json!(2_000_000) {
                summary["pods"][0]["volume"][0][field] = json!(0);
            }
            Timeline::begin().survey(&summary).at("9h").expect_nothing().expect_remembered(0);
            firing().at("10m").survey(&summary).at("9h").expect_nothing();
        }
        let mut summary = full(95);
        summary["pods"][0]["volume"][0]["pvcRef"] = value.clone();
        Timeline::begin().survey(&summary).at("9h").expect_nothing();
        summary["pods"] = value;
        Timeline::begin().survey(&summary).at("9h").expect_nothing();
    }
}

#[test]
fn a_volume_without_a_file_system_is_not_full() {
    let mut summary = full(100);
    summary["pods"][0]["volume"][0]["usedBytes"] = json!(0);
    summary["pods"][0]["volume"][0]["inodes"] = json!(0);
    Timeline::begin().survey(&summary).at("9h").expect_nothing();
}

#[test]
fn it_goes_with_its_claim() {
    let story = firing().at("10m").delete(&claim());
    let story = story.expect(&["10m gone pvc_usage PersistentVolumeClaim/data"]).expect_remembered(0);
    // The kubelet had looked before that.
    let story = story.at("11m").survey(&full(95)).at("9h").expect_nothing();
    // A claim of that name is made anew, and has a volume of its own.
    let mut anew = claim();
    anew["metadata"]["uid"] = "c2".into();
    let story = story.apply(&anew).survey(&full(95));
    story.expect(&["9h critical pvc_usage PersistentVolumeClaim/data VolumeFull"]);
}

#[test]
fn it_goes_if_its_claim_is_missing_after_a_gap() {
    let claims = Resource::PersistentVolumeClaims;
    let story = firing().begin_listing(claims).at("1h").expect_nothing();
    story.listed(claims).expect(&["1h gone pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn a_gap_in_the_watch_of_claims_ends_nothing() {
    let claims = Resource::PersistentVolumeClaims;
    let story = firing().lose_sight(claims).begin_listing(claims).at("10m").apply(&claim()).listed(claims);
    let story = story.at("1h").expect_nothing().survey(&full(85)).expect_nothing();
    story.survey(&full(20)).expect(&["1h recovered pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn what_the_claims_own_monitor_says_ends_nothing_and_the_other_way_round() {
    let mut waiting = claim();
    waiting["spec"] = json!({});
    waiting["status"]["phase"] = "Pending".into();
    let pending = "0s warning pvc_pending PersistentVolumeClaim/data FailedBinding";
    let story = Timeline::begin().apply(&waiting).expect(&[pending]).survey(&full(80)).expect(&[WARNING]);
    let story = story.at("1m").apply(&claim()).expect(&["1m recovered pvc_pending PersistentVolumeClaim/data"]);
    story.survey(&full(1)).expect(&["1m recovered pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn a_restart_says_nothing() {
    let story = firing().at("10m").restart(&[&claim()]).at("9h").expect_nothing();
    let story = story.survey(&full(85)).expect_nothing();
    story.survey(&full(1)).expect(&["9h recovered pvc_usage PersistentVolumeClaim/data"]);
    firing().at("10m").restart(&[]).expect(&["10m gone pvc_usage PersistentVolumeClaim/data"]);
}

#[test]
fn it_ends_when_nobody_wants_to_know() {
    let unwatched = |story: Timeline| {
        let story = story.expect(&["10m unwatched pvc_usage PersistentVolumeClaim/data"]);
        story.at("20m").survey(&full(99)).at("9h").expect_nothing();
    };
    unwatched(firing().at("10m").apply(&noted("kpulse.io/ignore", "true")));
    unwatched(firing().at("10m").configure(|settings| settings.monitors.pvc_usage.enabled = false));
    let exclude = vec![Glob::new("shop")];
    unwatched(firing().at("10m").configure(|settings| settings.namespaces.exclude = exclude));
}

#[test]
fn a_claim_that_was_well_when_it_was_seen_keeps_its_annotation() {
    let ignored = |value| Timeline::begin().apply(&noted("kpulse.io/ignore", value)).at("1h").survey(&full(95));
    ignored("true").at("9h").expect_nothing();
    ignored("pvc_usage").at("9h").expect_nothing();
    let told = "1h critical pvc_usage PersistentVolumeClaim/data VolumeFull";
    ignored("pvc_pending").expect(&[told]);
    // It is taken back.
    let story = ignored("true").expect_nothing().apply(&claim());
    story.expect(&[told]);
}

#[test]
fn it_is_as_bad_as_the_user_says() {
    let with = |rule: Value| {
        let rule = serde_json::from_value(rule).unwrap();
        Timeline::with(|settings| settings.monitors.pvc_usage.severity = Some(rule))
    };
    let info = WARNING.replace("warning", "info");
    with(json!("info")).survey(&full(80)).survey(&full(99)).expect(&[&info]);
    with(json!({"VolumeFull": "info"})).survey(&full(80)).expect(&[&info]);
    with(json!({"InodesFull": "info"})).survey(&full(80)).expect(&[WARNING]);
}

#[test]
fn the_user_sets_the_thresholds() {
    let story = Timeline::with(|settings| {
        settings.monitors.pvc_usage.warn_at = 50;
        settings.monitors.pvc_usage.crit_at = 50;
    });
    let story = story.survey(&full(49)).expect_nothing().survey(&full(50));
    story.expect(&["0s critical pvc_usage PersistentVolumeClaim/data VolumeFull"]);
}

#[test]
fn a_claim_of_a_namespace_that_is_being_deleted_is_unknown() {
    let namespace = json!({"kind": "Namespace", "metadata": {"name": "shop", "deletionTimestamp": clock("0s")}});
    Timeline::begin().apply(&namespace).survey(&full(99)).at("9h").expect_nothing();
    firing().apply(&namespace).at("10m").survey(&full(1)).at("9h").expect_nothing();
}
