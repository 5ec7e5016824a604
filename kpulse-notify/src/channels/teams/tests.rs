use serde_json::json;

use super::*;
use crate::example;

const FORMATS: [Format; 2] = [Format::AdaptiveCard, Format::MessageCard];

#[test]
fn every_payload_keeps_the_platforms_rules() {
    for hostile in example::hostile() {
        let [message, card] = FORMATS.map(|format| payload(&hostile, &example::long_links(), format));
        for payload in [&message, &card] {
            let size = payload.to_string().len();
            assert!(size <= 28 << 10, "{size}");
        }
        assert!(!card["summary"].as_str().unwrap().is_empty(), "Summary or Text is required");
        assert_eq!(message["attachments"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn marks_of_others_mean_nothing() {
    let mut hostile = example::firing();
    let text = "*b* _i_ [a](http://h) `c` <at>x</at>";
    let report = hostile.content.report_mut().unwrap();
    (report.title, report.cause) = (text.to_owned(), text.to_owned());
    let body = &payload(&hostile, &Links::default(), Format::AdaptiveCard)["attachments"][0]["content"]["body"];
    let marked = "\\*b\\* \\_i\\_ \\[a\\](http://h) \\`c\\` \\<at\\>x\\</at\\>";
    assert_eq!(body[0]["items"][0]["text"], format!("🔴 {marked} · prod-eu"));
    assert_eq!(body[1]["inlines"][0]["text"], text, "a RichTextBlock reads no marks");
    let card = payload(&hostile, &Links::default(), Format::MessageCard);
    assert_eq!(card["title"], format!("🔴 {marked} · prod-eu"));
    assert!(card["sections"][0]["text"].as_str().unwrap().starts_with(marked));
}

#[test]
fn every_kind_of_message_has_its_look() {
    let looks = example::all()
        .into_iter()
        .map(|(name, example)| (name, payload(&example, &example::links(), Format::default())));
    insta::assert_json_snapshot!(looks.collect::<Vec<_>>());
}

#[test]
fn a_connector_gets_a_message_card() {
    insta::assert_json_snapshot!(payload(&example::logged(), &Links::default(), Format::MessageCard));
    assert_eq!(payload(&example::resolved(), &Links::default(), Format::MessageCard)["themeColor"], json!("10B981"));
}

#[test]
fn the_earlier_programs_settings_are_understood_and_a_format_must_be_one() {
    let read = |json: &str| serde_json::from_str::<Settings>(json).map_err(|error| error.to_string());
    assert_eq!(read(r#"{"webhook_url_from_secret": "URL"}"#).unwrap().format, Format::AdaptiveCard);
    assert_eq!(read(r#"{"format": "message_card"}"#).unwrap().format, Format::MessageCard);
    assert!(read(r#"{"format": "card"}"#).unwrap_err().contains("expected `adaptive_card` or `message_card`"));
}
