use super::*;
use crate::example;
use crate::settings::Problem;

#[track_caller]
fn check(json: &str, expect: &[&str]) {
    let secrets = [("URL", "https://hooks.slack.com/services/T0/B0/s3cr3t"), ("TOKEN", "xoxb-s3cr3t")];
    let secrets: Secrets = secrets.into_iter().collect();
    let settings: Settings = serde_json::from_str(json).unwrap();
    let problems: Vec<Problem> = settings.faults(&secrets).into_iter().map(Problem::from).collect();
    let found: Vec<_> = problems.iter().map(|problem| format!("{}: {}", problem.key, problem.fault)).collect();
    assert_eq!(found, expect, "{json}");
    assert!(!format!("{problems:?} {settings:?}").contains("s3cr3t"));
}

#[test]
fn a_webhook_or_a_bot_is_needed() {
    check(r#"{"webhook_url_from_secret": "URL"}"#, &[]);
    check(r##"{"bot_token_from_secret": "TOKEN", "channel": "#ops"}"##, &[]);
    check("{}", &["webhook_url_from_secret: is not set"]);
    check(
        r#"{"webhook_url_from_secret": "URL", "bot_token_from_secret": "TOKEN"}"#,
        &["webhook_url_from_secret: there is bot_token_from_secret too"],
    );
    check(r#"{"bot_token_from_secret": "TOKEN"}"#, &["channel: the bot does not know where to write"]);
    check(
        r#"{"webhook_url_from_secret": "URL", "channel": "C1"}"#,
        &["channel: an incoming webhook has its own channel"],
    );
    check(
        r#"{"webhook_url_from_secret": "NOPE", "api_url": "slack.com"}"#,
        &["api_url: is not a URL", "webhook_url_from_secret: secret NOPE is missing"],
    );
}

#[test]
fn every_payload_keeps_the_platforms_rules() {
    let within = |object: &Value, limit: usize| {
        let length = object["text"].as_str().unwrap().encode_utf16().count();
        assert!((1..=limit).contains(&length), "{length} of {limit}: {object}");
    };
    for hostile in example::hostile() {
        let payload = payload(&hostile, &example::long_links());
        assert!(payload["text"].as_str().unwrap().encode_utf16().count() <= 3_000);
        within(&payload["blocks"][0]["text"], 150);
        let blocks = payload["attachments"][0]["blocks"].as_array().unwrap();
        assert!(blocks.len() < 50);
        for block in blocks {
            if block["text"].is_object() {
                within(&block["text"], 3_000);
            }
            let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
            assert!(fields.len() <= 10);
            fields.iter().for_each(|field| within(field, 2_000));
            block["elements"].as_array().into_iter().flatten().for_each(|element| within(element, 2_000));
        }
        assert!(payload.to_string().len() < 40_000);
    }
}

/// Marks that mean something to Slack stand only in plain text objects, where they mean nothing.
#[test]
fn mentions_and_marks_of_others_are_defused() {
    let mut hostile = example::firing();
    let text = "<!channel> <@U1> @here & a <b> `c`";
    let report = hostile.content.report_mut().unwrap();
    (report.title, report.reason) = (text.to_owned(), text.into());
    (report.command, report.silence) = (Some(text.to_owned()), None);
    let payload = payload(&hostile, &Links::default());
    let defused = "&lt;!channel&gt; &lt;@\u{200b}U1&gt; @\u{200b}here &amp; a &lt;b&gt; `c`";
    assert_eq!(payload["text"], format!("🔴 {defused} · prod-eu"));
    let panel = &payload["attachments"][0]["blocks"];
    assert_eq!(panel[1]["text"]["text"], "`&lt;!channel&gt; &lt;@U1&gt; @here &amp; a &lt;b&gt; 'c'`");
    let reason = panel[2]["fields"].as_array().unwrap().last().unwrap();
    assert_eq!(reason["text"], format!("*Reason*\n{defused}"));
    assert_eq!((&panel[0]["text"]["type"], &panel[0]["text"]["emoji"]), (&json!("plain_text"), &json!(false)));
}

#[test]
fn every_kind_of_message_has_its_look() {
    let looks: Vec<_> =
        example::all().into_iter().map(|(name, example)| (name, payload(&example, &example::links()))).collect();
    insta::assert_json_snapshot!(looks);
}

#[test]
fn a_late_message_says_so_and_an_unnamed_cluster_too() {
    let mut late = example::firing();
    late.delayed = Some(jiff::SignedDuration::from_mins(14));
    late.content.report_mut().unwrap().cluster = "REPLACE_ME".into();
    let payload = payload(&late, &Links::default());
    assert!(payload["text"].as_str().unwrap().ends_with("· delayed 14m"), "{payload}");
    assert!(payload.to_string().contains("set cluster.name, it is still REPLACE_ME"));
}
