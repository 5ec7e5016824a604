//! Many new troubles within a minute are one message, kept up to date, with one end.

use kpulse_testkit::builders::Death;
use kpulse_testkit::timeline::{Answer, now};

use super::*;

fn apps(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("app{index:02}")).collect()
}

fn runs_again(app: &str, at: &str) -> Value {
    pod_of(app, 0).running_after(4, Death::Exit(1), now(at)).json()
}

#[test]
fn forty_workloads_that_lose_their_database_are_one_message_and_one_end() {
    // They are seen while a message is on its way: told one by one they would be forty.
    let mut story = Timeline::begin().answer("chat", Answer::Busy);
    for app in apps(40) {
        story = story.apply(&crashing(&app, 0, "0s"));
    }
    let names = "shop: 40 CrashLoopBackOff (app00, app01, app02, app03, app04 and 35 more)";
    let mut story = story
        .answer("chat", Answer::Accepts)
        .at("1m")
        .expect(&[&format!("1m Storm: 40 troubles at once: 40 CrashLoopBackOff [{names}]")]);
    for app in &apps(40)[..30] {
        story = story.apply(&runs_again(app, "1m"));
    }
    let rest = "shop: 10 CrashLoopBackOff (app30, app31, app32, app33, app34 and 5 more)";
    let mut story =
        story.at("20m").expect(&[&format!("6m Storm: 10 of 40 troubles last: 10 CrashLoopBackOff [{rest}]")]);
    for app in &apps(40)[30..] {
        story = story.apply(&runs_again(app, "20m"));
    }
    story.at("9h").expect(&["22m Storm over after 22m: all 40 troubles ended []"]);
}

#[test]
fn the_first_eight_of_a_minute_are_told_by_themselves() {
    let mut story = Timeline::begin();
    for (index, app) in apps(12).iter().enumerate() {
        let at = format!("{index}s");
        story = story.at(&at).apply(&crashing(app, 0, &at));
    }
    let alone = (0..8).map(|index| format!("{index}s critical pod_crashes Pod/app0{index}-x-0 CrashLoopBackOff"));
    let storm = [
        "8s Storm: 1 trouble at once: 1 CrashLoopBackOff [shop: 1 CrashLoopBackOff (app08)]".to_owned(),
        "1m8s Storm: 4 troubles at once: 4 CrashLoopBackOff [shop: 4 CrashLoopBackOff (app08, app09, app10, app11)]"
            .to_owned(),
    ];
    let heard: Vec<String> = alone.chain(storm).collect();
    let heard: Vec<&str> = heard.iter().map(|line| &**line).collect();
    story.at("30m").expect(&heard);
}

#[test]
fn a_restart_in_a_storm_goes_on_with_it() {
    let mut story = Timeline::begin().answer("chat", Answer::Busy);
    for app in apps(12) {
        story = story.apply(&crashing(&app, 0, "0s"));
    }
    let story = story.answer("chat", Answer::Accepts).at("1m");
    let names = "shop: 12 CrashLoopBackOff (app00, app01, app02, app03, app04 and 7 more)";
    let story = story.expect(&[&format!("1m Storm: 12 troubles at once: 12 CrashLoopBackOff [{names}]")]);
    let running: Vec<Value> = apps(12).iter().map(|app| runs_again(app, "1m")).collect();
    let running: Vec<&Value> = running.iter().collect();
    story.at("2m").restart(&running).at("9h").expect(&["4m Storm over after 4m: all 12 troubles ended []"]);
}

#[test]
fn incidents_are_opened_one_by_one() {
    let pager = |settings: &mut Settings| {
        settings.channels[0].incident = true;
        settings.routing = routes(json!([{"channels": ["chat"]}]));
    };
    let mut story = Timeline::with(pager).answer("chat", Answer::Busy);
    for app in apps(12) {
        story = story.apply(&crashing(&app, 0, "0s"));
    }
    let heard = apps(12).into_iter().map(|app| format!("1m critical pod_crashes Pod/{app}-x-0 CrashLoopBackOff"));
    let heard: Vec<String> = heard.collect();
    story.answer("chat", Answer::Accepts).at("1m").expect(&heard.iter().map(|line| &**line).collect::<Vec<_>>());
}

#[test]
fn a_thousand_pods_of_a_hundred_workloads_are_a_few_messages_and_lose_nothing() {
    let apps = apps(100);
    let mut story = Timeline::begin();
    for second in 0..120 {
        let at = format!("{second}s");
        story = story.at(&at);
        // All thousand within two minutes, spread over the workloads.
        for index in (0..1_000).filter(|index| index * 120 / 1_000 == second) {
            story = story.apply(&crashing(&apps[index % 100], index / 100, &at));
        }
    }
    let (mut story, heard) = story.at("10m").heard();
    // Eight by themselves, each again at five and at ten Pods; the others in a storm with a word a minute.
    assert!(heard.len() <= 8 * 3 + 3, "{} messages: {heard:#?}", heard.len());
    let storms: Vec<&String> = heard.iter().filter(|line| line.contains("Storm: ")).collect();
    assert!(storms.last().is_some_and(|last| last.contains("92 CrashLoopBackOff")), "{storms:#?}");
    // What each group is to the channel is what it is.
    let known = story.engine().view(now("10m")).active;
    assert_eq!(known.len(), 100);
    assert!(known.iter().all(|shown| shown.told.len() == 1 && shown.report.count == 10));
    for (index, app) in (0..1_000).map(|index| (index / 100, &apps[index % 100])) {
        story = story.apply(&pod_of(app, index).running_after(4, Death::Exit(1), now("10m")).json());
    }
    let (story, ends) = story.at("9h").heard();
    assert!(ends.iter().any(|line| line.contains("Storm over")), "{ends:#?}");
    assert_eq!(story.engine().view(now("9h")).active.len(), 0);
    assert_eq!(ends.len(), 8 + 1, "{ends:#?}");
}
