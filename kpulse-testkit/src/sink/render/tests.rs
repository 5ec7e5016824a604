//! Each platform's format, and what its reader sees. A [`sketch`] shows the model as text: `*bold*`, `[link](to)`, one block a line.

use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-10-02T15:00:00Z".parse().unwrap()
}

#[track_caller]
fn check(kind: &str, body: &Value, expect: &str) {
    let rendered = of_json(&Kind::from(kind), body, now()).toned();
    let expect: Vec<_> = expect.trim().lines().map(str::trim).collect();
    let seen = sketch(&rendered);
    let seen: Vec<_> = seen.lines().map(str::trim).collect();
    assert_eq!(seen, expect);
}

fn sketch(rendered: &Rendered) -> String {
    let mut lines = Vec::new();
    let words = [rendered.severity.map(Severity::word), rendered.state.map(State::word), rendered.colour.as_deref()];
    let words: Vec<_> = words.into_iter().flatten().chain(rendered.addressed.iter().map(String::as_str)).collect();
    lines.push(format!("{{{}}} {}", words.join(", "), sketch_text(&rendered.title)));
    sketch_blocks(&rendered.blocks, &mut lines);
    lines.extend(rendered.notification.iter().map(|words| format!("phone: {words}")));
    lines.join("\n")
}

fn sketch_blocks(blocks: &[Block], lines: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Heading(text) => lines.push(format!("# {}", sketch_text(text))),
            Block::Paragraph(text) => lines.push(sketch_text(text)),
            Block::Note(text) => lines.push(format!("note: {}", sketch_text(text))),
            Block::Code(code) => lines.push(format!("code: {}", code.replace('\n', "⏎"))),
            Block::List(items) => lines.extend(items.iter().map(|item| format!("- {}", sketch_text(item)))),
            Block::Facts(facts) => {
                lines.extend(facts.iter().map(|(name, value)| format!("{name} = {}", sketch_text(value))));
            }
            Block::Links(links) => lines.extend(links.iter().map(|link| format!("button: {}", sketch_text(link)))),
            Block::Rule => lines.push("---".to_owned()),
            Block::Quote(inner) | Block::Panel { blocks: inner, .. } => {
                let name =
                    if let Block::Panel { colour, .. } = block { colour.as_deref().unwrap_or("panel") } else { ">" };
                lines.push(format!("{name} {{"));
                sketch_blocks(inner, lines);
                lines.push("}".to_owned());
            }
        }
    }
}

fn sketch_text(text: &Text) -> String {
    text.0.iter().map(sketch_span).collect::<String>().replace('\n', "⏎")
}

fn sketch_span(span: &Span) -> String {
    let style = span.style;
    let marks = [(style.code, "`"), (style.strike, "~"), (style.italic, "_"), (style.bold, "*")];
    let said =
        marks.iter().filter(|(set, _)| *set).fold(span.text.clone(), |said, (_, mark)| format!("{mark}{said}{mark}"));
    match &span.link {
        Some(to) => format!("[{said}]({to})"),
        None => said,
    }
}

#[test]
fn webhook_shows_where_what_and_since_when() {
    check(
        "webhook",
        &json!({"monitor": "pod_crashes", "severity": "critical", "state": "firing", "cluster": "prod-eu",
            "namespace": "checkout", "object": "pod/api-1", "workload": "Deployment/api", "reason": "CrashLoopBackOff",
            "title": "checkout/api: 12 of 12 Pods crash-looping", "body": "line *one*\n\nsee https://x.example/a.",
            "started_at": "2026-10-02T14:02:10Z", "fired_at": "2026-10-02T14:03:00Z", "count": 2,
            "members": ["pod/api-1", {"object": "pod/api-2", "reason": "OOMKilled"}, 7],
            "log": ["starting", "  *connection* refused"]}),
        "{critical, firing} checkout/api: 12 of 12 Pods crash-looping
         line *one*
         see [https://x.example/a](https://x.example/a).
         code: starting⏎  *connection* refused
         Namespace = checkout
         Object = pod/api-1
         Workload = Deployment/api
         Reason = CrashLoopBackOff
         Monitor = pod_crashes
         Cluster = prod-eu
         Since = 2 Oct 2026 14:02:10 UTC
         Count = 2
         # 3 members
         - pod/api-1
         - pod/api-2 · OOMKilled
         - 7",
    );
}

#[test]
fn webhook_of_the_earlier_program_resolves_with_what_it_knows() {
    check(
        "webhook",
        &json!({"monitor": "node_conditions", "severity": "info", "state": "resolved", "cluster": "c", "namespace": "",
            "object": "node/n", "reason": "NotReady", "title": "ready again", "body": "", "fired_at": "2026-10-02T14:02:10Z"}),
        "{info, resolved} ready again
         Object = node/n
         Reason = NotReady
         Monitor = node_conditions
         Cluster = c
         Fired = 2 Oct 2026 14:02:10 UTC",
    );
}

#[test]
fn webhook_says_how_long_it_lasted_and_how_it_ended() {
    let ended = |started: &str, lasted: &str| {
        check(
            "webhook",
            &json!({"monitor": "m", "title": "t", "started_at": started, "ended_at": "2026-10-02T14:00:00Z", "ending": "gone"}),
            &format!(
                "{{}} t
                Monitor = m
                Since = {}
                Ended = 2 Oct 2026 14:00:00 UTC
                Lasted = {lasted}
                Ending = gone",
                webhook::clock(started.parse().unwrap())
            ),
        );
    };
    for (started, lasted) in [
        ("2026-10-02T13:59:18Z", "42s"),
        ("2026-10-02T13:42:00Z", "18m"),
        ("2026-10-02T11:00:00Z", "3h"),
        ("2026-10-02T10:55:00Z", "3h 5m"),
        ("2026-09-30T14:00:00Z", "2d"),
        ("2026-09-30T10:00:00Z", "2d 4h"),
    ] {
        ended(started, lasted);
    }
}

#[test]
fn slack_text_is_read_as_mrkdwn_with_its_entities() {
    check(
        "slack",
        &json!({"text": ":warning: *[prod]* `ns/a&lt;b` _it_ ~no~ &amp; <https://x.example/?a=1&amp;b=2|here> <!here> <@U1>\n&gt; quoted\n```a\nb```"}),
        "{warning}
         ⚠️ *[prod]* `ns/a<b` _it_ ~no~ & [here](https://x.example/?a=1&b=2) @here @U1
         > {
         quoted
         }
         code: a⏎b",
    );
}

#[test]
fn slack_marks_inside_words_and_without_an_end_are_text() {
    check(
        "slack",
        &json!({"text": "2*3*4 a_b_c * x * *open `x ~ <b> 5 < 6"}),
        "{}\n2*3*4 a_b_c * x * *open `x ~ <b> 5 < 6",
    );
}

#[test]
fn slack_blocks_are_the_message_and_text_is_what_a_phone_shows() {
    check(
        "slack",
        &json!({"channel": "C1", "thread_ts": "1.2", "text": "*short*", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "🔴 title <b>"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*body*"}, "fields": [{"type": "mrkdwn", "text": "*Node*\n`n1`"}]},
            {"type": "divider"},
            {"type": "rich_text", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "rich", "style": {"bold": true}}, {"type": "link", "url": "https://x"}]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "log"}]}]},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}, "url": "https://x"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}, {"type": "image", "alt_text": "pic"}]}]}),
        "{critical, in C1, reply in the thread of 1.2} 🔴 title <b>
         *body*
         Node = `n1`
         ---
         *rich*[https://x](https://x)
         code: log
         button: [Go](https://x)
         note: small
         note: pic
         phone: short",
    );
}

#[test]
fn slack_attachments_are_panels_with_an_edge() {
    check(
        "slack",
        &json!({"attachments": [{"color": "danger", "title": "t", "title_link": "https://x", "text": "*b*", "footer": "f",
            "fields": [{"title": "n", "value": "v"}]}]}),
        "{}\n#e01e5a {\n# [t](https://x)\n*b*\nn = v\nnote: f\n}",
    );
}

#[test]
fn discord_reads_markdown_and_a_lone_embed_is_the_message() {
    check(
        "discord",
        &json!({"content": "[!!] **[c]** `ns/o` __t__ \\*x\\* ~~s~~"}),
        "{critical}\n[!!] *[c]* `ns/o` *t* *x* ~s~",
    );
    check(
        "discord",
        &json!({"username": "kpulse", "embeds": [{"title": "🟠 t", "color": 0xdd_2e44, "description": "a\n- **b**\n# h\n```sh\nls\n```",
            "fields": [{"name": "n", "value": "<t:1790000000:R>"}], "footer": {"text": "f"}}]}),
        "{warning, #dd2e44, as kpulse} 🟠 t
         a
         - *b*
         # h
         code: ls
         n = 21 Sep 2026 14:13 UTC
         note: f",
    );
}

#[test]
fn discord_content_with_embeds_keeps_both() {
    check("discord", &json!({"content": "c", "embeds": [{"title": "t"}]}), "{}\nc\npanel {\n# t\n}");
}

#[test]
fn teams_message_card_shows_its_sections() {
    check(
        "teams",
        &json!({"@type": "MessageCard", "themeColor": "D13438", "summary": "s", "title": "[c] [RESOLVED] t",
            "sections": [{"text": "b **x**", "facts": [{"name": "Reason", "value": "r"}]}],
            "potentialAction": [{"@type": "OpenUri", "name": "Go", "targets": [{"os": "default", "uri": "https://x"}]}]}),
        "{resolved, #d13438} [c] [RESOLVED] t
         b *x*
         Reason = r
         button: [Go](https://x)
         phone: s",
    );
}

#[test]
fn teams_severity_is_read_from_its_fact() {
    check(
        "teams",
        &json!({"@type": "MessageCard", "title": "t", "sections": [{"facts": [{"name": "Severity", "value": "warning"}]}]}),
        "{warning} t\nSeverity = warning",
    );
}

#[test]
fn teams_adaptive_card_in_a_message_shows_its_elements() {
    check(
        "teams",
        &json!({"type": "message", "attachments": [{"content": {"type": "AdaptiveCard", "fallbackText": "short", "body": [
            {"type": "TextBlock", "weight": "bolder", "text": "🔵 t"},
            {"type": "Container", "style": "attention", "items": [{"type": "TextBlock", "fontType": "Monospace", "text": "log"}]},
            {"type": "ColumnSet", "columns": [{"items": [{"type": "TextBlock", "text": "left"}]}, {"items": [{"type": "TextBlock", "text": "right", "isSubtle": true}]}]},
            {"type": "RichTextBlock", "inlines": ["a ", {"type": "TextRun", "text": "b", "weight": "Bolder"}]},
            {"type": "TextBlock", "text": "hidden", "isVisible": false},
            {"type": "Mystery", "x": 1}],
            "actions": [{"type": "Action.OpenUrl", "title": "Go", "url": "https://x"}]}}]}),
        "{info} 🔵 t
         #c4314b {
         code: log
         }
         left
         note: right
         a *b*
         code: {\"type\":\"Mystery\",\"x\":1}
         button: [Go](https://x)
         phone: short",
    );
}

#[test]
fn telegram_reads_the_parse_mode_it_is_told() {
    check("telegram", &json!({"text": "*x* <b>y</b>"}), "{}\n*x* <b>y</b>");
    check(
        "telegram",
        &json!({"parse_mode": "MarkdownV2", "text": "*x* \\- [l](https://x)"}),
        "{}\n*x* - [l](https://x)",
    );
    check(
        "telegram",
        &json!({"parse_mode": "HTML", "chat_id": -7, "message_id": 3,
            "text": "🔴 <b>x &lt;y&gt;</b> <a href=\"https://x/?a&amp;b\">l</a> <weird>\n<pre><code class=\"language-sh\">a &amp;&amp; b</code></pre>\n<blockquote>q <i>r</i></blockquote>"}),
        "{critical, in chat -7, replaces 3}
         🔴 *x <y>* [l](https://x/?a&b) <weird>
         code: a && b
         > {
         q _r_
         }",
    );
}

#[test]
fn a_link_that_would_run_a_script_is_text() {
    check("telegram", &json!({"parse_mode": "HTML", "text": "<a href=\"javascript:x\">l</a>"}), "{}\nl");
    check("discord", &json!({"content": "[l](javascript:x)"}), "{}\n[l](javascript:x)");
}

#[test]
fn mattermost_webhook_and_api_say_the_same() {
    check("mattermost", &json!({"channel": "ops", "text": "**x**"}), "{in ops}\n*x*");
    check(
        "mattermost",
        &json!({"message": "**x**", "props": {"attachments": [{"color": "#F00", "text": "y"}]}}),
        "{}\n*x*\n#f00 {\ny\n}",
    );
}

#[test]
fn google_chat_text_and_cards_are_read() {
    check(
        "googlechat",
        &json!({"text": "*x* <https://x|l>", "thread": {"threadKey": "k"}}),
        "{in thread k}\n*x* [l](https://x)",
    );
    check(
        "googlechat",
        &json!({"cardsV2": [{"card": {"header": {"title": "✅ t", "subtitle": "s"}, "sections": [{"header": "h", "widgets": [
            {"textParagraph": {"text": "<b>x</b><br>y"}},
            {"decoratedText": {"topLabel": "n", "text": "v"}}, {"decoratedText": {"topLabel": "m", "text": "w"}},
            {"buttonList": {"buttons": [{"text": "Go", "onClick": {"openLink": {"url": "https://x"}}}]}}]}]}}]}),
        "{resolved} ✅ t
         note: s
         # h
         *x*⏎y
         n = v
         m = w
         button: [Go](https://x)",
    );
}

#[test]
fn pagerduty_shows_action_details_and_key() {
    check(
        "pagerduty",
        &json!({"event_action": "trigger", "dedup_key": "k", "payload": {"summary": "s", "severity": "error", "source": "c",
            "custom_details": {"a": 1}}, "links": [{"href": "https://x", "text": "Go"}]}),
        "{critical, firing} s
         action = trigger
         severity = error
         source = c
         dedup_key = k
         a = 1
         button: [Go](https://x)",
    );
    check(
        "pagerduty",
        &json!({"event_action": "resolve", "dedup_key": "k"}),
        "{resolved} resolve k\naction = resolve\ndedup_key = k",
    );
}

#[test]
fn alertmanager_alert_is_resolved_once_its_end_has_passed() {
    let alert = |ends: &str| json!({"labels": {"alertname": "a", "severity": "warning"}, "annotations": {"summary": "s"}, "endsAt": ends});
    check(
        "alertmanager",
        &json!([alert("2026-10-02T15:01:00Z")]),
        "{warning, firing} s\nalertname = a\nseverity = warning\nendsAt = 2 Oct 2026 15:01:00 UTC",
    );
    check(
        "alertmanager",
        &json!([alert("2026-10-02T14:59:00Z")]),
        "{warning, resolved} s\nalertname = a\nseverity = warning\nendsAt = 2 Oct 2026 14:59:00 UTC",
    );
    check("alertmanager", &json!([alert(""), alert("")]), &{
        let panel = "panel {\n# s\nnote: firing warning\nalertname = a\nseverity = warning\n}";
        format!("{{}} 2 alerts\n{panel}\n{panel}")
    });
}

#[test]
fn bodies_of_the_wrong_shape_say_nothing_rather_than_fail() {
    let odd = [
        json!(null),
        json!(7),
        json!("text"),
        json!([]),
        json!([{"labels": 1}]),
        json!({"text": 7, "blocks": "x", "embeds": {}}),
    ];
    for kind in [
        "webhook",
        "slack",
        "discord",
        "teams",
        "pagerduty",
        "telegram",
        "mattermost",
        "googlechat",
        "alertmanager",
        "x",
    ] {
        for body in &odd {
            assert_eq!(of_json(&Kind::from(kind), body, now()), Rendered::default(), "{kind}: {body}");
        }
    }
}

#[test]
fn hostile_markup_is_read_in_reasonable_time() {
    for piece in ["*a ", "[", "<", "`", "_*~", "**", "<b>", "&", "```", ":a", "> "] {
        let text = piece.repeat(200_000);
        for (kind, body) in [
            ("slack", json!({"text": text})),
            ("discord", json!({"content": text})),
            ("telegram", json!({"parse_mode": "HTML", "text": text})),
        ] {
            of_json(&Kind::from(kind), &body, now()).plain();
        }
    }
}
