//! The words of every kind of fault.

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
fn a_route_to_nowhere_is_told_the_channels_there_are() {
    check(
        "
channels:
  stdout: {ops: {}, night: {}}
routing:
  - match: {severity: critical}
    channels: [opps]
  - channels: []
",
        "
kpulse.yaml:6:16: routing[0].channels[0]: there is no channel `opps`
  |
6 |     channels: [opps]
  |                ^^^^
  = did you mean `ops`? configured under `channels`: ops, night

kpulse.yaml:7:15: routing[1].channels: this route leads to no channel
  |
7 |   - channels: []
  |               ^
  = name one or more: ops, night
",
    );
    check(
        "routing: [{channels: [slack]}]\n",
        "
kpulse.yaml:1:23: routing[0].channels[0]: there is no channel `slack`
  |
1 | routing: [{channels: [slack]}]
  |                       ^^^^^
  = configure it under `channels`
",
    );
}

#[test]
fn a_route_that_can_never_match_is_told() {
    check(
        "
channels: {stdout: {}}
routing:
  - match: {severity: crit, monitor: [\"pod_*\", pod_crash]}
    channels: [stdout]
",
        "
kpulse.yaml:4:23: routing[0].match.severity[0]: there is no severity `crit`
  |
4 |   - match: {severity: crit, monitor: [\"pod_*\", pod_crash]}
  |                       ^^^^
  = did you mean `critical`? write one of: <severity>, or a glob

kpulse.yaml:4:48: routing[0].match.monitor[1]: there is no monitor `pod_crash`
  |
4 |   - match: {severity: crit, monitor: [\"pod_*\", pod_crash]}
  |                                                ^^^^^^^^^
  = did you mean `pod_crashes`? write one of: <monitor>, or a glob
",
    );
}

#[test]
fn an_empty_namespace_is_told() {
    check(
        "namespaces: {exclude: [\"\"]}\n",
        "
kpulse.yaml:1:24: namespaces.exclude[0]: an empty name fits no namespace
  |
1 | namespaces: {exclude: [\"\"]}
  |                        ^^
  = remove it, or write \"*\" for all
",
    );
}

#[test]
fn two_channels_of_one_name_and_two_defaults_are_told() {
    check(
        "channels:\n  webhook: {ops: {url: http://a.example}}\n  stdout: {ops: {}}\n",
        "
kpulse.yaml:3:12: channels.stdout.ops: a stdout and a webhook channel are both called `ops`
  |
3 |   stdout: {ops: {}}
  |            ^^^
  = give each channel a name of its own
",
    );
    check(
        "channels:\n  stdout:\n    a: {default: true}\n    b: {default: true}\nrouting: [{channels: [a, b]}]\n",
        "
kpulse.yaml:4:5: channels.stdout.b: both `a` and `b` say `default: true`
  |
4 |     b: {default: true}
  |     ^
  = only one channel can
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

#[test]
fn a_cluster_without_a_name_is_told_where_people_are_told() {
    let missing = "the cluster has no name\n  = give it the name that people know it by, for example \
                   `cluster: {name: prod-eu}`";
    let said = refused("", &[], Purpose::Telling);
    assert_eq!(said, format!("kpulse.yaml: cluster.name: {missing}"));
    let said = refused("cluster: {name: ' '}", &[], Purpose::Telling);
    assert!(said.starts_with("kpulse.yaml:1:17: cluster.name: the cluster has no name\n"), "{said}");
    // A mistyped key is why there is no name.
    let said = refused("cluster: {nam: prod}", &[], Purpose::Telling);
    assert!(!said.contains("has no name") && said.contains("did you mean `name`?"), "{said}");
}

#[test]
fn a_bad_channel_is_told_where_people_are_told_and_a_missing_secret_where_it_is_checked() {
    let text = "
cluster: {name: prod}
channels:
  webhook:
    good: {url_from_secret: HOOK, headers: {Authorization: Bearer $TOKEN}}
    bad: {url: hooks.example/T0/s3cr3t}
";
    let bad = "
kpulse.yaml:6:16: channels.webhook.bad.url: is not a URL
  |
6 |     bad: {url: hooks.example/*********}
  |                ^^^^^^^^^^^^^^^^^^^^^^^
  = write it like https://example.com/alerts";
    assert_eq!(refused(text, &[], Purpose::Telling), bad.trim());
    let secrets = Secrets::from_iter([("HOOK", "https://hooks.example")]);
    let said = refused(text, &[], Purpose::Checking(&secrets));
    let missing = "
kpulse.yaml:5:60: channels.webhook.good.headers.Authorization: secret TOKEN is missing
  |
5 |     good: {url_from_secret: HOOK, headers: {Authorization: Bearer $TOKEN}}
  |                                                            ^^^^^^^^^^^^^
  = add the key TOKEN to the Secret that is mounted as the secrets directory
";
    assert_eq!(said, format!("{}\n{bad}", missing.trim()));
}

#[test]
fn an_unreadable_file_is_told_with_a_remedy() {
    let load = |path: &str| Config::load(path.as_ref(), &Environment::default(), Purpose::Telling).unwrap_err();
    assert_eq!(
        load("/nowhere/kpulse.yaml").to_string(),
        "/nowhere/kpulse.yaml: cannot be read: No such file or directory (os error 2)\n  \
         = create it, or name another file with --config"
    );
    let said = load("/").to_string();
    assert!(said.starts_with("/: cannot be read: ") && said.ends_with("name the file in it: --config FILE"), "{said}");
}
