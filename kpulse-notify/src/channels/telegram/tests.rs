use super::*;
use crate::example;
use crate::settings::Problem;

#[test]
fn every_payload_keeps_the_platforms_rules() {
    for hostile in example::hostile() {
        for body in [payload(&hostile, &example::long_links()), message::aside(&headline(&hostile))] {
            let text = body["text"].as_str().unwrap();
            // Telegram does not count what its tags hold.
            let shown: String = text.split('<').filter_map(|piece| piece.split('>').nth(1).or(Some(piece))).collect();
            let length = shown.encode_utf16().count();
            assert!((1..=4_096).contains(&length), "{length}");
            // Every `<` begins a tag of ours, every `&` an entity.
            let tags = ["b>", "/b>", "i>", "/i>", "code>", "/code>", "pre>", "/pre>", "a href=\"https://", "/a>"];
            assert!(text.split('<').skip(1).all(|rest| tags.iter().any(|tag| rest.starts_with(tag))), "{text}");
            assert!(text.split('&').skip(1).all(|rest| ["amp;", "lt;", "gt;"].iter().any(|e| rest.starts_with(e))));
            for tag in ["b", "i", "code", "pre"] {
                assert_eq!(text.matches(&format!("<{tag}>")).count(), text.matches(&format!("</{tag}>")).count());
            }
        }
    }
}

#[test]
fn tags_and_mentions_of_others_are_defused() {
    let mut hostile = example::firing();
    hostile.content.report_mut().unwrap().title = "<b>x</b> @admin & co".to_owned();
    let text = payload(&hostile, &Links::default())["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("<b>🔴 &lt;b&gt;x&lt;/b&gt; @\u{200b}admin &amp; co · prod-eu</b>\n"), "{text}");
}

#[test]
fn every_kind_of_message_has_its_look() {
    let looks: Vec<_> = example::all()
        .into_iter()
        .map(|(name, example)| format!("{name}:\n{}", payload(&example, &example::links())["text"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(looks.join("\n\n"));
}

#[test]
fn a_token_and_a_chat_are_needed() {
    let secrets: Secrets = [("TOKEN", "123:s3cr3t")].into_iter().collect();
    let check = |json: &str, expect: &[&str]| {
        let settings: Settings = serde_json::from_str(json).unwrap();
        let problems: Vec<Problem> = settings.faults(&secrets).into_iter().map(Problem::from).collect();
        let found: Vec<_> = problems.iter().map(|problem| format!("{}: {}", problem.key, problem.fault)).collect();
        assert_eq!(found, expect, "{json}");
    };
    check(r#"{"bot_token_from_secret": "TOKEN", "chat_id": -1001234567890}"#, &[]);
    check(r#"{"bot_token_from_secret": "TOKEN", "chat_id": "@ops"}"#, &[]);
    check("{}", &["chat_id: the bot does not know where to write", "bot_token_from_secret: is not set"]);
}

#[test]
fn a_group_is_left_alone_for_longer() {
    assert!(ChatId::from("-1001234567890").is_group() && ChatId::from("@ops").is_group());
    assert!(!ChatId::from("1234").is_group());
}

#[test]
fn an_id_names_its_chat() {
    let posted = Posted::read("-100123/42").unwrap();
    assert_eq!((posted.chat.to_string().as_str(), posted.number), ("-100123", 42));
    assert_eq!(posted.message_id(), "-100123/42");
    for odd in ["", "42", "/42", "-100123/", "-100123/x"] {
        assert!(Posted::read(odd).is_none(), "{odd}");
    }
}
