//! Channels that are busy, refuse a message, or refuse all of them.

use super::*;
use kpulse_testkit::timeline::Answer;

#[test]
fn a_channel_that_takes_nothing_is_told_to_another_and_says_when_it_is_back() {
    Timeline::with(chat_and_mail)
        .answer("chat", Answer::Gone)
        .apply(&crashing("api", 0, "0s"))
        .expect(&[
            "0s mail: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "0s mail: critical blindness Watch/channel chat ChannelRefuses",
        ])
        .at("30m")
        .apply(&crashing("web", 0, "30m"))
        .answer("chat", Answer::Accepts)
        .at("9h")
        .expect(&[
            "30m mail: critical pod_crashes Pod/web-x-0 CrashLoopBackOff",
            "1h chat: This channel is back after 1h; still true: 2 troubles [shop/api: 1 Pod crash-looping; shop/web: 1 Pod crash-looping]",
            "1h mail: recovered blindness Watch/channel chat",
        ]);
}

#[test]
fn what_ended_while_a_channel_refused_is_part_of_its_first_word() {
    Timeline::with(chat_and_mail)
        .apply(&crashing("api", 0, "0s"))
        .answer("chat", Answer::Gone)
        .at("10m")
        .apply(&well("api", 0))
        .at("20m")
        .expect(&[
            "0s chat: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "0s mail: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "12m mail: recovered pod_crashes Pod/api-x-0",
            "12m mail: critical blindness Watch/channel chat ChannelRefuses",
        ])
        .answer("chat", Answer::Accepts)
        .at("9h")
        .expect(&[
            "1h12m chat: This channel is back after 1h; nothing is broken now [shop/api recovered after 12m]",
            "1h12m mail: recovered blindness Watch/channel chat",
        ]);
}

#[test]
fn a_message_that_a_channel_will_not_take_is_told_to_another_and_never_ended_there() {
    Timeline::with(chat_and_mail)
        .answer("chat", Answer::Refuses)
        .apply(&crashing("api", 0, "0s"))
        .answer("chat", Answer::Accepts)
        .at("10m")
        .apply(&well("api", 0))
        .at("9h")
        .expect(&[
            "0s chat: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "0s mail: critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "0s mail: warning blindness Watch/messages of channel chat MessageRefused",
            "12m mail: recovered pod_crashes Pod/api-x-0",
        ]);
}

#[test]
fn what_may_have_arrived_is_told_again_and_only_then_ended() {
    Timeline::begin()
        .answer("chat", Answer::Silent)
        .apply(&crashing("api", 0, "0s"))
        .delete(&crashing("api", 0, "0s"))
        .answer("chat", Answer::Accepts)
        .at("9h")
        .expect(&[
            "0s critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "1m critical pod_crashes Pod/api-x-0 CrashLoopBackOff",
            "2m recovered pod_crashes Pod/api-x-0",
        ]);
}

#[test]
fn an_hour_without_a_channel_ends_in_what_is_still_true() {
    let mut story = Timeline::with(chat_and_mail).answer("chat", Answer::Busy);
    for index in 0..500 {
        story = story.apply(&crashing(&format!("app{index:03}"), 0, "0s"));
    }
    for index in 0..400 {
        story = story.apply(&pod_of(&format!("app{index:03}"), 0).running(now("-30m")).json());
    }
    let mail = |heard: Vec<String>| heard.into_iter().filter(|line| line.contains(" chat: ")).collect::<Vec<_>>();
    let (story, before) = story.at("1h").heard();
    assert_eq!(mail(before), Vec::<String>::new());
    let (_, heard) = story.answer("chat", Answer::Accepts).at("9h").heard();
    let heard = mail(heard);
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains("Storm: 100 troubles at once"), "{heard:?}");
}

use kpulse_testkit::timeline::now;
