use serde_json::json;

use super::*;
use crate::example;

#[test]
fn every_payload_keeps_the_platforms_rules() {
    let length = |text: &Value| text.as_str().unwrap().encode_utf16().count();
    for hostile in example::hostile() {
        let payload = payload(&hostile, &example::long_links());
        let embed = &payload["embeds"][0];
        let fields = embed["fields"].as_array().unwrap();
        assert!((1..=256).contains(&length(&embed["title"])));
        assert!(length(&embed["description"]) <= 4_096 && length(&embed["footer"]["text"]) <= 2_048);
        assert!(fields.len() <= 25);
        let mut all = length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]);
        for field in fields {
            assert!((1..=256).contains(&length(&field["name"])) && (1..=1_024).contains(&length(&field["value"])));
            all += length(&field["name"]) + length(&field["value"]);
        }
        assert!(all <= 6_000, "{all}");
        assert_eq!(payload["allowed_mentions"], json!({"parse": []}));
        assert!(length(&message::aside(&headline(&hostile))["content"]) <= 2_000);
    }
}

#[test]
fn marks_of_others_mean_nothing() {
    let mut hostile = example::firing();
    let report = hostile.content.report_mut().unwrap();
    report.title = "*b* _i_ ~s~ `c` ||x|| <@1> [a](http://h) # > \\".to_owned();
    (report.command, report.silence) = (Some("echo `id`".to_owned()), None);
    let payload = payload(&hostile, &Links::default());
    assert_eq!(
        payload["embeds"][0]["title"],
        "🔴 \\*b\\* \\_i\\_ \\~s\\~ \\`c\\` \\|\\|x\\|\\| \\<@1\\> \\[a\\](http://h) \\# \\> \\\\ · prod-eu"
    );
    assert!(payload["embeds"][0]["description"].as_str().unwrap().ends_with("\n`echo 'id'`"));
}

#[test]
fn every_kind_of_message_has_its_look() {
    let looks: Vec<_> =
        example::all().into_iter().map(|(name, example)| (name, payload(&example, &example::links()))).collect();
    insta::assert_json_snapshot!(looks);
}

#[test]
fn an_address_is_needed() {
    let settings: Settings = serde_json::from_str("{}").unwrap();
    assert_eq!(settings.faults(&Secrets::default()).len(), 1);
    let unset: Settings = serde_json::from_str(r#"{"webhook_url_from_secret": ""}"#).unwrap();
    assert!(unset.is_unset() && !settings.is_unset());
}
