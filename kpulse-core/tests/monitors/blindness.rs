//! What kpulse itself is not able to see.

use kpulse_core::Resource;
use kpulse_core::settings::{Glob, Settings};

use kpulse_testkit::timeline::Timeline;

#[test]
fn a_kind_that_is_refused_is_told_once_and_its_return_too() {
    let story = Timeline::begin().at("1m").refuse(Resource::CronJobs);
    let story = story.expect(&["1m warning blindness Watch/cronjobs Refused"]);
    let story = story.at("6m").refuse(Resource::CronJobs).expect_nothing().at("9m");
    let story = story.begin_listing(Resource::CronJobs).listed(Resource::CronJobs);
    story.expect(&["9m recovered blindness Watch/cronjobs"]);
}

#[test]
fn each_further_kind_is_told_and_the_end_once_all_are_seen_again() {
    let story = Timeline::begin().at("1m").refuse(Resource::CronJobs).at("2m").refuse(Resource::Pods);
    story
        .expect(&["1m warning blindness Watch/cronjobs Refused", "2m warning blindness Watch/cronjobs Refused"])
        .at("3m")
        .listed(Resource::CronJobs)
        .expect_nothing()
        .at("4m")
        .listed(Resource::Pods)
        .expect(&["4m recovered blindness Watch/pods"])
        .at("9h")
        .expect_nothing()
        .expect_remembered(0);
}

#[test]
fn a_connection_that_was_lost_for_a_moment_is_not_told() {
    let story = Timeline::begin().at("1m").lose_sight(Resource::Pods).at("2m").listed(Resource::Pods);
    story.at("9h").expect_nothing();
}

#[test]
fn what_is_not_looked_at_any_more_is_not_missed() {
    let story = Timeline::begin().at("1m").refuse(Resource::CronJobs).at("2m").refuse(Resource::Nodes);
    let story =
        story.expect(&["1m warning blindness Watch/cronjobs Refused", "2m warning blindness Watch/cronjobs Refused"]);
    // From now on each namespace is watched by itself. Nodes are in none.
    let named = |settings: &mut Settings| settings.namespaces.include = vec![Glob::new("shop")];
    let story = story.at("4m").configure(named).expect_nothing();
    story.at("5m").listed(Resource::Nodes).expect(&["5m recovered blindness Watch/nodes"]);
}
