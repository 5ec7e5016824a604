//! Minor troubles are gathered, channel by channel.

use kpulse_testkit::timeline::Answer;

use super::*;

#[test]
fn the_first_after_quiet_waits_half_a_minute_and_the_next_the_interval() {
    with_digest()
        .apply(&failed_job("a", "0s"))
        .at("29s")
        .expect_nothing()
        .at("30s")
        .expect(&["30s Digest 17:00–17:00 UTC: 1 new [shop/a: failed]"])
        .at("1m")
        .apply(&failed_job("b", "1m"))
        .at("2m")
        .apply(&failed_job("c", "2m"))
        .at("10m")
        .expect_nothing()
        .at("11m")
        .expect(&["10m30s Digest 17:00–17:10 UTC: 2 new [shop/b: failed; shop/c: failed]"]);
}

#[test]
fn what_is_critical_does_not_wait() {
    with_digest().apply(&crashing("api", 1, "0s")).expect(&["0s critical pod_crashes Pod/api-x-1 CrashLoopBackOff"]);
}

#[test]
fn what_ends_before_its_digest_leaves_it() {
    with_digest()
        .apply(&failed_job("a", "0s"))
        .apply(&failed_job("b", "0s"))
        .at("20s")
        .delete(&failed_job("a", "0s"))
        .at("9h")
        .expect(&["30s Digest 17:00–17:00 UTC: 1 new [shop/b: failed]"]);
}

#[test]
fn what_was_told_in_a_digest_ends_in_a_digest() {
    with_digest()
        .apply(&failed_job("a", "0s"))
        .at("1m")
        .expect(&["30s Digest 17:00–17:00 UTC: 1 new [shop/a: failed]"])
        .delete(&failed_job("a", "0s"))
        .at("9h")
        .expect(&["10m30s Digest 17:00–17:10 UTC: 1 ended [shop/a is gone after 1m: Job deleted]"]);
}

#[test]
fn a_restart_neither_forgets_nor_repeats_one() {
    let job = failed_job("a", "0s");
    with_digest()
        .apply(&job)
        .at("20s")
        .restart(&[&job])
        .at("40s")
        .expect(&["30s Digest 17:00–17:00 UTC: 1 new [shop/a: failed]"])
        .restart(&[&job])
        .at("9h")
        .expect_nothing()
        .restart(&[])
        .at("10h")
        .expect(&["9h30s Digest 02:00–02:00 UTC: 1 ended [shop/a is gone after 9h: Job deleted]"]);
}

#[test]
fn each_channel_has_its_own() {
    let two = |settings: &mut Settings| {
        chat_and_mail(settings);
        settings.dedupe.digest.enabled = true;
    };
    Timeline::with(two)
        .answer("mail", Answer::Busy)
        .apply(&failed_job("a", "0s"))
        .at("5m")
        .expect(&["30s chat: Digest 17:00–17:00 UTC: 1 new [shop/a: failed]"])
        .delete(&failed_job("a", "0s"))
        .answer("mail", Answer::Accepts)
        .at("9h")
        .expect(&["10m30s chat: Digest 17:00–17:10 UTC: 1 ended [shop/a is gone after 5m: Job deleted]"]);
}
