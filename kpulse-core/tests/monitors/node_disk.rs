//! Nodes whose disks fill up, as their kubelets tell.

use kpulse_core::Resource;
use serde_json::{Value, json};

use kpulse_testkit::timeline::{Timeline, clock};

const SIZE: i64 = 100_000_000;

/// A file system of this size that is so full of bytes and files.
fn file_system(size: i64, bytes: i64, files: i64) -> Value {
    json!({
        "capacityBytes": size, "availableBytes": size / 100 * (100 - bytes), "usedBytes": 1,
        "inodes": size / 1000, "inodesFree": size / 100_000 * (100 - files), "inodesUsed": 1,
    })
}

fn summary(root: &Value, images: &Value) -> Value {
    let runtime = json!({"imageFs": images, "containerFs": images});
    json!({"node": {"nodeName": "worker-1", "fs": root, "runtime": runtime}, "pods": []})
}

/// A node with one disk, which is so full.
fn full(percent: i64) -> Value {
    let disk = file_system(SIZE, percent, 1);
    summary(&disk, &disk)
}

fn node() -> Value {
    json!({
        "kind": "Node",
        "metadata": {"name": "worker-1", "uid": "n1", "creationTimestamp": clock("-48h")},
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": clock("-48h")}]},
    })
}

const WARNING: &str = "0s warning node_disk Node/worker-1 DiskFull";

fn firing() -> Timeline {
    Timeline::begin().apply(&node()).survey(&full(85)).expect(&[WARNING])
}

#[test]
fn one_disk_is_one_alert() {
    Timeline::begin().survey(&full(84)).expect_nothing().survey(&full(85)).expect(&[WARNING]);
}

#[test]
fn it_grows_worse_at_once_and_better_in_silence() {
    let story = firing().at("1m").survey(&full(92)).expect(&["1m critical node_disk Node/worker-1 DiskFull"]);
    let story = story.at("10m").survey(&full(88)).at("20m").survey(&full(95)).expect_nothing();
    story.at("30m").survey(&full(84)).expect(&["30m recovered node_disk Node/worker-1"]);
}

#[test]
fn readings_of_one_disk_may_be_minutes_apart() {
    // As seen of a kubelet that had stood still: its own reading was three minutes older than that of its runtime.
    let mut apart = full(95);
    apart["node"]["runtime"]["imageFs"]["availableBytes"] = json!(SIZE / 100 * 5 + SIZE / 400);
    apart["node"]["runtime"]["imageFs"]["inodesFree"] = json!(7);
    Timeline::begin().survey(&apart).expect(&["0s critical node_disk Node/worker-1 DiskFull"]);
}

#[test]
fn two_disks_are_two_alerts() {
    let (root, images) = (file_system(SIZE, 86, 1), file_system(2 * SIZE, 95, 1));
    let story = Timeline::begin().survey(&summary(&root, &images));
    let critical = WARNING.replace("warning", "critical");
    let story = story.expect(&[&critical, WARNING]);
    let story = story.at("10m").survey(&summary(&file_system(SIZE, 10, 1), &images));
    let story = story.expect(&["10m recovered node_disk Node/worker-1"]);
    let story = story.at("20m").survey(&summary(&file_system(SIZE, 10, 1), &file_system(2 * SIZE, 10, 1)));
    story.expect(&["20m recovered node_disk Node/worker-1"]).at("9h").expect_remembered(0);
}

#[test]
fn two_disks_of_one_size_are_told_apart_by_what_is_left() {
    let story = Timeline::begin().survey(&summary(&file_system(SIZE, 10, 1), &file_system(SIZE, 95, 1)));
    story.expect(&["0s critical node_disk Node/worker-1 DiskFull"]);
}

#[test]
fn files_are_a_matter_of_their_own() {
    let disk = file_system(SIZE, 10, 90);
    let story = Timeline::begin().survey(&summary(&disk, &disk));
    let story = story.expect(&["0s warning node_disk Node/worker-1 InodesFull"]);
    story.at("10m").survey(&full(10)).expect(&["10m recovered node_disk Node/worker-1"]);
}

#[test]
fn odd_figures_say_nothing() {
    for odd in [json!(null), json!("odd"), json!(-1), json!([]), json!({}), json!([{}])] {
        let mut summaries = vec![full(95), full(95), full(95), full(95)];
        summaries[0]["node"]["fs"] = odd.clone();
        summaries[1]["node"]["fs"]["availableBytes"] = odd.clone();
        summaries[2]["node"] = odd.clone();
        summaries[3]["node"]["nodeName"] = if odd == json!("odd") { json!("") } else { odd.clone() };
        for summary in &summaries {
            Timeline::begin().survey(summary).at("9h").expect_nothing().expect_remembered(0);
            firing().at("10m").survey(summary).at("9h").expect_nothing();
        }
        let mut runtime = full(85);
        runtime["node"]["runtime"] = odd;
        Timeline::begin().survey(&runtime).expect(&[WARNING]);
    }
}

#[test]
fn a_node_that_cannot_be_read_stays_as_it_was() {
    let story = firing().at("30h").expect_nothing().survey(&full(86)).expect_nothing();
    story.survey(&full(1)).expect(&["30h recovered node_disk Node/worker-1"]);
}

#[test]
fn it_goes_with_its_node() {
    let story = firing().at("10m").delete(&node()).expect(&["10m gone node_disk Node/worker-1"]).expect_remembered(0);
    // The machine is still there, and its kubelet answers.
    story.at("12m").survey(&full(95)).at("9h").expect_nothing();
    let story = firing().begin_listing(Resource::Nodes).at("1h").expect_nothing();
    story.listed(Resource::Nodes).expect(&["1h gone node_disk Node/worker-1"]);
}

#[test]
fn what_the_node_says_of_itself_ends_nothing_and_the_other_way_round() {
    let mut dead = node();
    dead["status"]["conditions"][0] = json!({"type": "Ready", "status": "Unknown", "lastTransitionTime": clock("0s")});
    let story = firing().apply(&dead).at("10m").expect(&["5m critical node_conditions Node/worker-1 NotReady"]);
    let story = story.apply(&node()).expect(&["10m recovered node_conditions Node/worker-1"]);
    let story = story.at("20m").apply(&node()).at("30m").apply(&node()).expect_nothing();
    story.survey(&full(1)).expect(&["30m recovered node_disk Node/worker-1"]);
}

#[test]
fn after_a_gap_it_is_seen_again_by_the_next_survey() {
    let nodes = Resource::Nodes;
    let story = firing().lose_sight(nodes).at("10m").begin_listing(nodes).apply(&node()).listed(nodes);
    let story = story.at("20m").expect_nothing().survey(&full(86)).expect_nothing();
    story.survey(&full(1)).expect(&["20m recovered node_disk Node/worker-1"]);
}

#[test]
fn it_ends_when_nobody_wants_to_know() {
    let mut ignored = node();
    ignored["metadata"]["annotations"] = json!({"kpulse.io/ignore": "node_disk"});
    let unwatched = "10m unwatched node_disk Node/worker-1";
    firing().at("10m").apply(&ignored).expect(&[unwatched]).survey(&full(99)).at("9h").expect_nothing();
    Timeline::begin().apply(&ignored).survey(&full(99)).at("9h").expect_nothing();
    let off = firing().at("10m").configure(|settings| settings.monitors.node_disk.enabled = false);
    off.expect(&[unwatched]).survey(&full(99)).at("9h").expect_nothing();
}

#[test]
fn a_restart_says_nothing() {
    let story = firing().at("10m").restart(&[&node()]).survey(&full(86)).at("9h").expect_nothing();
    story.survey(&full(1)).expect(&["9h recovered node_disk Node/worker-1"]);
}
