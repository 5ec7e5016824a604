//! The API server is away, the clock is wrong, the configuration is bad, the machine slept.

use super::*;
use jiff::SignedDuration;
use kpulse_core::{Observation, Resource};

fn all(mut story: Timeline, change: impl Fn(Timeline, Resource) -> Timeline) -> Timeline {
    for resource in Resource::ALL {
        story = change(story, resource);
    }
    story
}

#[test]
fn an_api_server_that_is_away_for_less_than_three_minutes_is_not_told() {
    let story = all(Timeline::begin().hear_blindness(), Timeline::lose_sight).at("2m59s");
    let story = all(all(story, Timeline::begin_listing), Timeline::listed);
    story.at("9h").expect_nothing();
}

#[test]
fn a_longer_one_is_one_message_and_one_end_that_says_what_changed() {
    let story = Timeline::begin().hear_blindness().apply(&crashing("api", 0, "0s")).at("2m");
    let story = story.expect(&["0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff"]);
    let story = all(story, Timeline::lose_sight).at("8m");
    let story = story.expect(&["5m warning blindness Watch/cronjobs Away"]);
    let story = all(story, Timeline::begin_listing).apply(&crashing("web", 0, "8m")).apply(&well("api", 0));
    let story = story.expect(&["8m critical pod_crashes Pod/web-x-0 CrashLoopBackOff"]);
    let (story, heard) = all(story, Timeline::listed).at("9h").heard();
    assert_eq!(
        heard,
        ["8m recovered blindness Watch/events (reason=Nominated)", "10m recovered pod_crashes Pod/api-x-0"],
    );
    let told = story.titles();
    assert!(told.iter().any(|title| title.starts_with("kpulse is blind since 17:02 UTC: ")), "{told:?}");
    assert!(told.contains(&"kpulse sees again, blind for 6m".to_owned()), "{told:?}");
    let bodies = story.causes();
    assert!(bodies.iter().any(|body| body.ends_with("meanwhile +1 −0")), "{bodies:?}");
}

#[test]
fn a_clock_that_is_wrong_is_told_once() {
    let offset = |seconds| Observation::ClockOffset(SignedDuration::from_secs(seconds));
    Timeline::begin()
        .observed(offset(20))
        .expect_nothing()
        .observed(offset(-45))
        .expect(&["0s warning blindness Watch/clock ClockSkew"])
        .observed(offset(-50))
        .at("5m")
        .expect_nothing()
        .observed(offset(0))
        .expect(&["5m recovered blindness Watch/clock"]);
}

#[test]
fn a_bad_configuration_is_told_once_and_its_mending_too() {
    let bad = |why: &str| Observation::ConfigRefused(Some(why.to_owned()));
    Timeline::begin()
        .observed(bad("kpulse.yaml:3:1: unknown key"))
        .observed(bad("kpulse.yaml:3:1: unknown key"))
        .at("5m")
        .expect(&["0s warning blindness Watch/configuration ConfigRefused"])
        .observed(Observation::ConfigRefused(None))
        .expect(&["5m recovered blindness Watch/configuration"]);
}

#[test]
fn after_a_sleep_all_is_listed_again_before_anything_is_told() {
    let story = Timeline::begin().apply(&crashing("api", 0, "0s")).sleep_until("8h").wake();
    let story = story.expect(&["0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff"]);
    let story = all(story, Timeline::begin_listing).apply(&crashing("web", 0, "8h")).apply(&well("api", 0));
    let story = all(story, Timeline::listed).at("8h59s").expect_nothing();
    let (_, heard) = story.at("9h").heard();
    assert_eq!(
        heard,
        ["8h1m critical pod_crashes Pod/web-x-0 CrashLoopBackOff", "8h2m recovered pod_crashes Pod/api-x-0"]
    );
}
