//! The words for what is well formed and makes no sense, and for what cannot be read at all.

use super::*;

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(refused(text, &[], Purpose::Rehearsal), with_keys(expect.trim()));
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
fn limits_out_of_order_or_reach_are_told() {
    check(
        "monitors:\n  pvc_usage: {warn_at: 95}\n  node_disk: {crit_at: 110}\n",
        "
kpulse.yaml:2:24: monitors.pvc_usage.warn_at: at 95% it has been critical for long: crit_at is 90
  |
2 |   pvc_usage: {warn_at: 95}
  |                        ^^
  = write at most 90, or raise crit_at

kpulse.yaml:3:24: monitors.node_disk.crit_at: nothing is ever 110% full
  |
3 |   node_disk: {crit_at: 110}
  |                        ^^^
  = write at most 100
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

#[test]
fn a_silence_that_never_holds_or_matches_is_told() {
    check(
        "
silences:
  - match: {monitor: pod_crash}
    from: 2026-12-02T08:00:00Z
    until: 2026-12-01T08:00:00Z
  - weekly: [{days: [sat], from: 22:00, until: \"6\"}]
    zone: Berlin
",
        "
kpulse.yaml:3:22: silences[0].match.monitor[0]: there is no monitor `pod_crash`
  |
3 |   - match: {monitor: pod_crash}
  |                      ^^^^^^^^^
  = did you mean `pod_crashes`? write one of: <monitor>, or a glob

kpulse.yaml:5:12: silences[0].until: this silence ends before it begins, at 2026-12-02T08:00:00Z
  |
5 |     until: 2026-12-01T08:00:00Z
  |            ^^^^^^^^^^^^^^^^^^^^
  = write a later time, or leave it out

kpulse.yaml:6:48: silences[1].weekly[0].until: `6` is no time of day
  |
6 |   - weekly: [{days: [sat], from: 22:00, until: \"6\"}]
  |                                                ^^^
  = write it like \"22:30\"

kpulse.yaml:7:11: silences[1].zone: `Berlin` is no zone of the tz database
  |
7 |     zone: Berlin
  |           ^^^^^^
  = write it like Europe/Berlin
",
    );
}

#[test]
fn a_link_to_nowhere_is_told() {
    check(
        "
channels:
  stdout:
    links:
      grafana: \"https://grafana.example.com/{namspace}\"
      wiki: wiki.example.com
",
        "
kpulse.yaml:5:16: channels.stdout.links.grafana: there is nothing to put in the place of `{namspace}`
  |
5 |       grafana: \"https://grafana.example.com/*********}\"
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = use {cluster}, {namespace}, {workload}, {kind}, {name}, {container}, {node}, {reason}, {monitor}, {fingerprint}

kpulse.yaml:6:13: channels.stdout.links.wiki: `wiki.example.com` is no address
  |
6 |       wiki: wiki.example.com
  |             ^^^^^^^^^^^^^^^^
  = begin with https:// or http://
",
    );
}
