//! Defaults, file, environment.

use kpulse_core::settings::{Glob, Span};

use super::*;

#[track_caller]
fn load(text: &str, environment: &[(&str, &str)]) -> Loaded {
    let environment = environment.iter().copied().collect();
    match Config::parse("kpulse.yaml", text, &environment, Purpose::Rehearsal) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let text = "cluster: {name: file}\ndedupe: {window: 1h}\nmonitors: {pod_crashes: {settle: 1s, stable_for: 9m}}\n";
    let environment = [("KPULSE_CLUSTER__NAME", "env"), ("KPULSE_MONITORS__POD_CRASHES__SETTLE", "60s")];
    let config = load(text, &environment).config;
    assert_eq!(config.cluster.name, "env");
    assert_eq!(config.dedupe.window, Span::hours(1));
    assert_eq!(config.monitors.pod_crashes.settle, Span::minutes(1));
    assert_eq!(config.monitors.pod_crashes.stable_for, Span::minutes(9));
    assert_eq!(config.monitors.pod_crashes.pending_grace, Config::default().monitors.pod_crashes.pending_grace);
}

#[test]
fn a_list_replaces_the_whole_list() {
    let globs = |names: &[&str]| names.iter().map(|name| Glob::new(*name)).collect::<Vec<_>>();
    let text = "namespaces: {exclude: [a], include: [b]}\n";
    assert_eq!(load(text, &[]).config.namespaces.exclude, globs(&["a"]));
    let config = load(text, &[("KPULSE_NAMESPACES__EXCLUDE", "[kube-*, *]")]).config;
    assert_eq!(config.namespaces.exclude, globs(&["kube-*", "*"]));
    assert_eq!(config.namespaces.include, globs(&["b"]));
}

#[test]
fn a_text_that_looks_like_something_else_stays_a_text() {
    for name in ["0123", "1.10", "true", "1e3", "-5"] {
        assert_eq!(load(&format!("cluster: {{name: {name}}}"), &[]).config.cluster.name, name);
        assert_eq!(load("", &[("KPULSE_CLUSTER__NAME", name)]).config.cluster.name, name);
    }
    assert_eq!(load("dedupe: {window: 0}", &[]).config.dedupe.window, Span::ZERO);
    assert_eq!(load("namespaces: {include: [123]}", &[]).config.namespaces.include, [Glob::new("123")]);
}

#[test]
fn yes_and_no_are_true_and_false_as_in_the_earlier_program() {
    for (word, truth) in [("yes", true), ("On", true), ("no", false), ("OFF", false), ("true", true), ("false", false)]
    {
        assert_eq!(load(&format!("resolution: {{enabled: {word}}}"), &[]).config.resolution.enabled, truth, "{word}");
        let environment = [("KPULSE_RESOLUTION__ENABLED", word)];
        assert_eq!(load("", &environment).config.resolution.enabled, truth, "{word}");
    }
}

#[test]
fn variables_that_are_no_settings_break_nothing() {
    let environment = [
        ("KPULSE_VERSION", "1.2.3"),
        ("KPULSE_SERVICE_HOST", "10.0.0.1"),
        ("KPULSE_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("KPULSE_PORT", "tcp://10.0.0.1:8080"),
        ("POD_NAMESPACE", "kpulse"),
        ("CLUSTER__NAME", "other"),
    ];
    let loaded = load("channels: {stdout: {}}", &environment);
    assert_eq!(loaded.config.cluster.name, "");
    assert_eq!(loaded.notes, [""; 0]);
}

#[test]
fn a_variable_that_nearly_is_a_setting_is_noted() {
    let loaded = load("channels: {stdout: {}}", &[("KPULSE_LOG_LEVEL", "debug")]);
    let note =
        "environment variable KPULSE_LOG_LEVEL is not read: settings have `__` between keys, as in KPULSE_LOG__LEVEL";
    assert_eq!(loaded.notes, [note]);
}

#[test]
fn a_fault_in_the_environment_names_the_variable() {
    let check = |name, text, expect: &str| {
        let said = refused("log: {level: info}", &[(name, text)], Purpose::Rehearsal);
        assert_eq!(said, with_keys(&format!("environment variable {name}: {expect}")));
    };
    check(
        "KPULSE_MONITORS__POD_CRASHES__SETTLE",
        "soon",
        "monitors.pod_crashes.settle: `soon` is not a duration\n  = write it like 90s, 15m, 6h or 1h30m",
    );
    check("KPULSE_LOG__LEVL", "debug", "log.levl: unknown key\n  = did you mean `level`? known in `log`: <log>");
    check(
        "KPULSE_LOG__LEVEL",
        "loud",
        "log.level: unknown value `loud`\n  = write one of: error, warn, info, debug, trace",
    );
    check(
        "KPULSE_NAMESPACES__EXCLUDE",
        "kube-system",
        "namespaces.exclude: expected a list, found the text `kube-system`\n  \
         = for example `exclude: [kube-system, kube-public]`",
    );
    check("KPULSE_NAMESPACES__", "x", "namespaces.: unknown key\n  = known in `namespaces`: <namespaces>");
}

#[test]
fn nothing_goes_by_default_to_a_channel_that_wakes_people() {
    let text = "
channels:
  pagerduty: {routing_key_from_secret: KEY}
  stdout:
";
    assert_eq!(load(text, &[]).config.settings().default_channel().map(Name::as_str), Some("stdout"));
    let only = "channels: {alertmanager: {url: http://a.example}}";
    assert_eq!(load(only, &[]).config.settings().default_channel(), None);
}

#[test]
fn the_core_knows_which_channels_open_incidents_edit_or_forget() {
    let text = "
channels:
  slack:
    hook: {webhook_url_from_secret: URL}
    bot: {bot_token_from_secret: TOKEN, channel: C1}
  pagerduty: {routing_key_from_secret: KEY}
  alertmanager: {url: http://a.example, interval: 2m}
";
    let settings = load(text, &[]).config.settings();
    let traits = settings.channels.iter().map(|Channel { name, incident, edits, refresh }| {
        format!("{name}: {incident} {edits} {}", refresh.map(|span| span.to_string()).unwrap_or_default())
    });
    assert_eq!(
        traits.collect::<Vec<_>>(),
        ["hook: false false ", "bot: false true ", "pagerduty: true false ", "alertmanager: true false 2m"]
    );
}

#[test]
fn channels_keep_the_order_of_the_file() {
    let text = "
channels:
  webhook: {url: http://a.example}
  stdout: {zebra: {}, ant: {}}
";
    let names = |config: &Config| {
        let channels = config.settings().channels.into_iter();
        channels.map(|channel| channel.name.to_string()).collect::<Vec<_>>()
    };
    let config = load(text, &[]).config;
    assert_eq!(names(&config), ["webhook", "zebra", "ant"]);
    assert_eq!(config.settings().default_channel().map(Name::as_str), Some("webhook"));
    let config = load(text, &[("KPULSE_CHANNELS__STDOUT__ANT__DEFAULT", "true")]).config;
    assert_eq!(config.settings().default_channel().map(Name::as_str), Some("ant"));
    let config = load(text, &[("KPULSE_CHANNELS__STDOUT__BEE", "{}")]).config;
    assert_eq!(names(&config), ["webhook", "zebra", "ant", "bee"]);
}

#[test]
fn lists_of_blocks_and_keys_in_capitals_are_set_as_yaml() {
    let environment = [
        ("KPULSE_ROUTING", "[{match: {severity: critical, labels: {Team: [a, b]}}, channels: [ops]}]"),
        ("KPULSE_CHANNELS__WEBHOOK__OPS", "{url: https://hooks.example, headers: {X-Team: \"*\"}}"),
    ];
    let in_file = "
channels: {webhook: {ops: {url: https://hooks.example, headers: {X-Team: \"*\"}}}}
routing:
  - match: {severity: critical, labels: {Team: [a, b]}}
    channels: [ops]
";
    assert_eq!(load("", &environment).config, load(in_file, &[]).config);
}
