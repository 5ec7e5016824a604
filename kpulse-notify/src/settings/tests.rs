use std::collections::BTreeMap;

use super::*;

/// Reads JSON and YAML alike; the order and names of what was found, or the error of the JSON.
#[track_caller]
fn read(json: &str) -> Result<Channels, String> {
    let from_json = serde_json::from_str::<Channels>(json).map_err(|error| error.to_string());
    let from_yaml = serde_saphyr::from_str::<Channels>(json).map_err(|error| error.to_string());
    match (&from_json, &from_yaml) {
        (Ok(from_json), Ok(from_yaml)) => assert_eq!(from_json, from_yaml),
        (Err(_), Err(_)) => {}
        _ => panic!("JSON and YAML differ: {from_json:?}, {from_yaml:?}"),
    }
    from_json
}

#[track_caller]
fn check(json: &str, expect: &[&str]) {
    let channels = read(json).unwrap();
    let found: Vec<_> = channels.iter().map(|(name, settings)| format!("{}/{name}", settings.kind())).collect();
    assert_eq!(found, expect, "{json}");
}

#[track_caller]
fn check_error(json: &str, expect: &str) {
    let error = read(json).unwrap_err();
    assert!(error.starts_with(expect), "{json}\n{error}\n{expect}");
}

#[test]
fn a_kind_is_one_block_or_blocks_by_name() {
    check("{}", &[]);
    check("null", &[]);
    check(r#"{"stdout": {}}"#, &["stdout/stdout"]);
    check(r#"{"stdout": null}"#, &["stdout/stdout"]);
    check(r#"{"webhook": {"url": "http://h/"}}"#, &["webhook/webhook"]);
    check(
        r#"{"webhook": {"ops": {"url": "http://h/"}, "dev": {"url": "http://h/"}}}"#,
        &["webhook/ops", "webhook/dev"],
    );
    check(r#"{"webhook": {"headers": {"A": "b"}, "url": "http://h/"}}"#, &["webhook/webhook"]);
}

#[test]
fn channels_keep_the_order_of_the_file() {
    let json = r#"{"webhook": {"z": {"url": "http://h/"}, "a": {"url": "http://h/"}}, "stdout": {"m": {}, "b": {}}}"#;
    check(json, &["webhook/z", "webhook/a", "stdout/m", "stdout/b"]);
}

#[test]
fn a_block_of_empty_values_is_no_channel_as_the_earlier_program_had_it() {
    check(r#"{"webhook": {"url": "", "headers": {}}}"#, &[]);
    check(r#"{"webhook": {"url": "", "url_from_secret": ""}, "stdout": {}}"#, &["stdout/stdout"]);
    check(r#"{"webhook": {"url": "", "url_from_secret": "URL"}}"#, &["webhook/webhook"]);
    check(r#"{"webhook": {}}"#, &["webhook/webhook"]);
}

#[test]
fn the_earlier_programs_chats_are_set_up_as_they_were() {
    let channels = read(
        r#"{
            "slack": {"webhook_url_from_secret": "SLACK_WEBHOOK_URL", "default": true},
            "discord": {"webhook_url_from_secret": "DISCORD_WEBHOOK_URL"},
            "teams": {"webhook_url_from_secret": "TEAMS_WEBHOOK_URL"}
        }"#,
    )
    .unwrap();
    let keys = ["SLACK_WEBHOOK_URL", "DISCORD_WEBHOOK_URL", "TEAMS_WEBHOOK_URL"];
    let secrets: Secrets = keys.map(|key| (key, "https://hooks.example/x")).into_iter().collect();
    assert!(channels.iter().all(|(_, settings)| settings.problems(&secrets).is_empty()));
    assert_eq!(channels.default_channel().map(Name::as_str), Some("slack"));
    for ((_, settings), key) in channels.iter().zip(keys) {
        let missing = settings.problems(&Secrets::default());
        assert_eq!(missing.first().and_then(|problem| problem.missing_secret.as_deref()), Some(key));
    }
}

#[test]
fn the_default_channel_is_the_marked_one_or_the_first() {
    let default = |json| read(json).unwrap().default_channel().map(ToString::to_string);
    assert_eq!(default("{}"), None);
    assert_eq!(default(r#"{"stdout": {"b": {}, "a": {}}}"#).as_deref(), Some("b"));
    assert_eq!(default(r#"{"stdout": {"b": {}, "a": {"default": true}}}"#).as_deref(), Some("a"));
    assert_eq!(default(r#"{"pagerduty": {}, "stdout": {"b": {}}}"#).as_deref(), Some("b"));
    assert_eq!(default(r#"{"alertmanager": {}}"#), None, "what wakes people is for routes that name it");
    check_error(
        r#"{"stdout": {"b": {"default": true}, "a": {"default": true}}}"#,
        "both `b` and `a` say `default: true`: only one channel can",
    );
}

#[test]
fn a_name_belongs_to_one_channel_only() {
    check_error(
        r#"{"webhook": {"ops": {"url": "http://h/"}}, "stdout": {"ops": {}}}"#,
        "a webhook and a stdout channel are both called `ops`: give each channel a name of its own",
    );
    check_error(
        r#"{"stdout": {"webhook": {}}, "webhook": {"url": "http://h/"}}"#,
        "a stdout and a webhook channel are both called `webhook`",
    );
    check_error(r#"{"stdout": {"": {}}}"#, r#""" cannot be the name of a channel"#);
    check_error(r#"{"stdout": {"a b": {}}}"#, r#""a b" cannot be the name of a channel"#);
}

#[test]
fn a_mistyped_setting_is_named_with_what_there_is() {
    const WEBHOOK: &str =
        "expected one of `url`, `url_from_secret`, `headers`, `secret_from_secret`, `links`, `ca_file`, `default`";
    check_error(r#"{"webhook": {"ulr": "http://h/"}}"#, &format!("unknown field `ulr`, {WEBHOOK}"));
    check_error(r#"{"webhook": {"url": "http://h/", "heders": {}}}"#, &format!("unknown field `heders`, {WEBHOOK}"));
    check_error(r#"{"webhook": {"heders": {}, "url": "http://h/"}}"#, &format!("unknown field `heders`, {WEBHOOK}"));
    check_error(r#"{"webhook": {"ops": {"ulr": "http://h/"}}}"#, &format!("unknown field `ulr`, {WEBHOOK}"));
    check_error(r#"{"webhook": {"ops": null}}"#, &format!("unknown field `ops`, {WEBHOOK}"));
    check_error(r#"{"stdout": {"defualt": true}}"#, "unknown field `defualt`, expected `links` or `default`");
    check_error(r#"{"slak": {}}"#, "unknown field `slak`, expected");
    check_error(
        r#"{"stdout": 5}"#,
        "invalid type: integer `5`, expected the settings of a stdout channel (links, default)",
    );
    check_error("[]", "invalid type: sequence, expected channels by kind: slack, ");
}

#[test]
fn an_error_does_not_repeat_what_may_be_a_secret() {
    for json in [
        r#"{"webhook": {"ulr": "http://h/s3cr3t"}}"#,
        r#"{"webhook": {"url": ["http://h/s3cr3t"]}}"#,
        r#"{"webhook": {"url": {"s3cr3t": 1}}}"#,
        r#"{"webhook": {"headers": {"X-Pin": 53337}}}"#,
        r#"{"webhook": {"headers": {"X-Pin": true}}}"#,
    ] {
        let error = read(json).unwrap_err();
        assert!(!error.contains("s3cr3t") && !error.contains("53337"), "{error}");
    }
}

#[test]
fn yaml_errors_keep_their_place() {
    let yaml = "webhook:\n  ops:\n    url: http://h/\n    heders: {}\n";
    let error = serde_saphyr::from_str::<Channels>(yaml).unwrap_err().to_string();
    assert!(error.contains("heders") && error.contains("line 4"), "{error}");
}

#[test]
fn figment_reads_both_shapes_and_names_the_path_of_an_error() {
    use figment::Figment;
    use figment::providers::Serialized;
    let read = |json: &str| {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        Figment::from(Serialized::default("channels", value))
            .extract::<BTreeMap<String, Channels>>()
            .map(|mut all| all.remove("channels").unwrap())
            .map_err(Box::new)
    };
    let channels = read(r#"{"webhook": {"ops": {"url": "http://h/"}, "dev": {"url": "http://h/"}}, "stdout": null}"#);
    assert_eq!(channels.unwrap().iter().count(), 3);
    assert_eq!(read(r#"{"webhook": {"url": "http://h/", "default": true}}"#).unwrap().iter().count(), 1);
    let error = read(r#"{"webhook": {"ops": {"url": "http://h/", "default": 5}}}"#).unwrap_err();
    assert_eq!(error.path, ["channels", "webhook", "ops", "default"]);
}

/// `docs/channels.md`: a section for each kind, with a table of its settings.
#[test]
fn the_page_of_channels_names_every_kind_and_each_of_its_settings() {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/channels.md"));
    let sections: BTreeMap<&str, &str> =
        page.split("\n## ").skip(1).map(|section| section.split_once('\n').unwrap()).collect();
    let documented: Vec<_> = sections.keys().copied().collect();
    let mut kinds = ChannelSettings::KINDS.to_vec();
    kinds.sort_unstable();
    assert_eq!(documented, kinds, "docs/channels.md has a section for each kind and no other");
    for kind in kinds {
        let row = |line: &'static str| line.strip_prefix("| `")?.split_once('`').map(|(setting, _)| setting);
        let mut rows: Vec<_> = sections[kind].lines().filter_map(row).collect();
        let mut fields = ChannelSettings::fields(kind).to_vec();
        rows.sort_unstable();
        fields.sort_unstable();
        assert_eq!(rows, fields, "docs/channels.md: the settings of {kind}");
        for part in ["**Looks like**", "**Where from**", "**Limits**", "**When it refuses**"] {
            assert!(sections[kind].contains(part), "docs/channels.md: {kind} does not say {part}");
        }
    }
}
