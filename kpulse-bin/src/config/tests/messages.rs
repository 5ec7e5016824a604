//! The words for what is not understood.

use super::*;

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(refused(text, &[], Purpose::Rehearsal), with_keys(expect.trim()));
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_one() {
    check(
        "monitors:\n  pod_crashes:\n    pending_grce: 2m\n",
        "
kpulse.yaml:3:5: monitors.pod_crashes.pending_grce: unknown key
  |
3 |     pending_grce: 2m
  |     ^^^^^^^^^^^^
  = did you mean `pending_grace`? known in `monitors.pod_crashes`: <monitors.pod_crashes>
",
    );
}

#[test]
fn an_unknown_key_that_is_like_no_other_gets_the_list_only() {
    check(
        "prometheus: true\n",
        "
kpulse.yaml:1:1: prometheus: unknown key
  |
1 | prometheus: true
  | ^^^^^^^^^^
  = known at the top: <>
",
    );
}

#[test]
fn a_key_at_the_wrong_level_is_told_where_it_belongs() {
    check(
        "pending_grace: 2m\n",
        "
kpulse.yaml:1:1: pending_grace: unknown key
  |
1 | pending_grace: 2m
  | ^^^^^^^^^^^^^
  = it belongs in `monitors.pod_crashes`; known at the top: <>
",
    );
}

#[test]
fn a_wrong_type_is_told_with_an_example() {
    check(
        "resolution:\n  enabled: maybe\n",
        "
kpulse.yaml:2:12: resolution.enabled: expected true or false, found the text `maybe`
  |
2 |   enabled: maybe
  |            ^^^^^
  = for example `enabled: true`
",
    );
    check(
        "namespaces: {exclude: kube-system}\n",
        "
kpulse.yaml:1:23: namespaces.exclude: expected a list, found the text `kube-system`
  |
1 | namespaces: {exclude: kube-system}
  |                       ^^^^^^^^^^^
  = for example `exclude: [kube-system, kube-public]`
",
    );
    check(
        "namespaces:\n  include:\n    - {name: shop}\n",
        "
kpulse.yaml:3:7: namespaces.include[0]: expected a text, found a block of keys
  |
3 |     - {name: shop}
  |       ^
",
    );
}

#[test]
fn a_block_that_is_none_is_told_its_keys() {
    check(
        "monitors:\n  pod_crashes: false\n",
        "
kpulse.yaml:2:16: monitors.pod_crashes: expected a block of keys, found `false`
  |
2 |   pod_crashes: false
  |                ^^^^^
  = write a block with any of these keys: <monitors.pod_crashes>
",
    );
    check(
        "routing: {match: {}}\n",
        "
kpulse.yaml:1:10: routing: expected a list, found a block of keys
  |
1 | routing: {match: {}}
  |          ^
  = write a list (`- `) of blocks with any of these keys: <routing.0>
",
    );
}

#[test]
fn a_bad_duration_is_told_how_to_write_one() {
    for (text, carets) in [("soon", "^^^^"), ("5", "^"), ("-5m", "^^^")] {
        check(
            &format!("dedupe:\n  window: {text}\n"),
            &format!(
                "
kpulse.yaml:2:11: dedupe.window: `{text}` is not a duration
  |
2 |   window: {text}
  |           {carets}
  = write it like 90s, 15m, 6h or 1h30m
"
            ),
        );
    }
}

#[test]
fn a_word_that_does_not_exist_is_told_which_do() {
    check(
        "log: {level: warning}\n",
        "
kpulse.yaml:1:14: log.level: unknown value `warning`
  |
1 | log: {level: warning}
  |              ^^^^^^^
  = did you mean `warn`? write one of: error, warn, info, debug, trace
",
    );
}

#[test]
fn a_word_that_does_not_exist_is_shown_within_a_map_too() {
    check(
        "monitors:\n  pod_crashes:\n    severity:\n      OOMKilled: fatal\n",
        "
kpulse.yaml:4:18: monitors.pod_crashes.severity.OOMKilled: unknown value `fatal`
  |
4 |       OOMKilled: fatal
  |                  ^^^^^
  = write one of: <severity>
",
    );
}

#[test]
fn a_key_that_stands_twice_is_told_with_both_places() {
    check(
        "log:\n  level: info\n  format: json\n  level: debug\n",
        "
kpulse.yaml:4:3: log.level: this key stands here for the second time; first on line 2
  |
4 |   level: debug
  |   ^^^^^
  = remove one of the two
",
    );
}

#[test]
fn what_is_no_yaml_is_shown_where_it_stops_being_so() {
    check(
        "cluster:\n  name: prod: eu\n",
        "
kpulse.yaml:2:13: mapping values are not allowed in this context
  |
2 |   name: prod: eu
  |             ^
  = look at this line and those before it: indentation, brackets, quotes
",
    );
    check(
        "just words\n",
        "
kpulse.yaml:1:1: expected keys at the top of the file
  |
1 | just words
  | ^^^^^^^^^^
  = start with a key, for example `cluster: {name: prod-eu}`
",
    );
}

#[test]
fn a_mistyped_setting_of_a_channel_is_told() {
    check(
        "channels:\n  webhook:\n    headrs: {A: b}\n    url: http://a.example\n",
        "
kpulse.yaml:3:5: channels.webhook.headrs: unknown key
  |
3 |     headrs: {A: b}
  |     ^^^^^^
  = did you mean `headers`? known in `channels.webhook`: <channels.webhook>
",
    );
    check(
        "channels:\n  webhok: {url: http://a.example}\n",
        "
kpulse.yaml:2:3: channels.webhok: unknown key
  |
2 |   webhok: {url: http://a.example}
  |   ^^^^^^
  = did you mean `webhook`? known in `channels`: <channels>
",
    );
}

#[test]
fn all_faults_are_told_in_the_order_of_the_file() {
    check(
        "
log: {levl: info, level: loud}
namespaces:
  include: [{}, shop, {}]
routing:
  - 5
  - matches: {}
    channels: [nowhere]
  - match: {severity: [bad]}
    channels: [nowhere]
",
        "
kpulse.yaml:2:7: log.levl: unknown key
  |
2 | log: {levl: info, level: loud}
  |       ^^^^
  = did you mean `level`? known in `log`: <log>

kpulse.yaml:2:26: log.level: unknown value `loud`
  |
2 | log: {levl: info, level: loud}
  |                          ^^^^
  = write one of: error, warn, info, debug, trace

kpulse.yaml:4:13: namespaces.include[0]: expected a text, found a block of keys
  |
4 |   include: [{}, shop, {}]
  |             ^

kpulse.yaml:4:23: namespaces.include[2]: expected a text, found a block of keys
  |
4 |   include: [{}, shop, {}]
  |                       ^

kpulse.yaml:6:5: routing[0]: expected a block of keys, found the number 5
  |
6 |   - 5
  |     ^
  = write a block with any of these keys: <routing.0>

kpulse.yaml:7:5: routing[1].matches: unknown key
  |
7 |   - matches: {}
  |     ^^^^^^^
  = did you mean `match`? known in `routing[1]`: <routing.0>

kpulse.yaml:8:16: routing[1].channels[0]: there is no channel `nowhere`
  |
8 |     channels: [nowhere]
  |                ^^^^^^^
  = configure it under `channels`

kpulse.yaml:9:24: routing[2].match.severity[0]: there is no severity `bad`
  |
9 |   - match: {severity: [bad]}
  |                        ^^^
  = write one of: <severity>, or a glob

kpulse.yaml:10:16: routing[2].channels[0]: there is no channel `nowhere`
   |
10 |     channels: [nowhere]
   |                ^^^^^^^
   = configure it under `channels`
",
    );
}
