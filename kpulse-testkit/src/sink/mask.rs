//! Keeps secrets off the page: what authorises a sender is shown as `•••`, the rest as it came.

use http::HeaderMap;
use serde_json::Value;

const MASK: &str = "•••";

/// From this length on an unbroken run of letters and digits is taken for a token, if it has both.
const TOKEN: usize = 20;

const SECRET_NAMES: [&str; 9] =
    ["authorization", "cookie", "token", "secret", "password", "signature", "api-key", "apikey", "routing-key"];

/// Headers in the order they came, secret values and long tokens masked.
pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &str, value: &str| if is_secret(name) { scheme(value) } else { tokens(value) };
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), shown(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))))
        .collect()
}

/// A path with its tokens masked: those of Slack, Discord and Telegram carry one.
pub(super) fn path(path: &str) -> String {
    path.split('/').map(tokens).collect::<Vec<_>>().join("/")
}

/// A query with the values of secret names, and tokens, masked.
pub(super) fn query(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) || matches!(name, "sig" | "key") => format!("{name}={MASK}"),
        _ => tokens(pair),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// A JSON body with the texts under secret names masked. Other texts stay whole: a person must see what was said.
pub(super) fn json(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::String(text) if is_secret(name) => *text = MASK.to_owned(),
                    other => json(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(json),
        _ => {}
    }
}

/// Whether a header or field of this name holds what authorises somebody.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

/// `Bearer …` keeps its first word, which says how the sender means to be known.
fn scheme(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => format!("{scheme} {MASK}"),
        _ => MASK.to_owned(),
    }
}

fn tokens(text: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (run, after) = rest.split_at(rest.find(|c| !in_token(c)).unwrap_or(rest.len()));
        shown.push_str(if looks_random(run) { MASK } else { run });
        let mut others = after.chars();
        shown.extend(others.next());
        rest = others.as_str();
    }
    shown
}

fn looks_random(run: &str) -> bool {
    let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
    run.len() >= TOKEN && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_in_headers_are_masked_and_the_scheme_stays() {
        let mut sent = HeaderMap::new();
        sent.insert("authorization", HeaderValue::from_static("Bearer abc"));
        sent.insert("x-auth-token", HeaderValue::from_static("abc"));
        sent.insert("x-kpulse-signature", HeaderValue::from_static("sha256=00ff"));
        sent.insert("content-type", HeaderValue::from_static("application/json; charset=utf-8"));
        let shown: Vec<_> = headers(&sent).into_iter().map(|(_, value)| value).collect();
        assert_eq!(shown, ["Bearer •••", "•••", "•••", "application/json; charset=utf-8"]);
    }

    #[test]
    fn tokens_in_paths_and_queries_are_masked() {
        let cases = [
            ("/slack/services/T1/B2/a1b2c3d4e5f6a7b8c9d0e1f2", "/slack/services/T1/B2/•••"),
            ("/telegram/bot123:AAbbCCdd00112233445566/sendMessage", "/telegram/bot123:•••/sendMessage"),
            ("/mattermost/a-name-without-digits-is-none", "/mattermost/a-name-without-digits-is-none"),
            ("/é/ü", "/é/ü"),
        ];
        for (sent, shown) in cases {
            assert_eq!(path(sent), shown);
        }
        assert_eq!(query("wait=true&sig=x&access_token=y"), "wait=true&sig=•••&access_token=•••");
    }

    #[test]
    fn secrets_in_bodies_are_masked_at_any_depth() {
        let mut body = json!({"routing_key": "k", "payload": [{"token": "t", "summary": "all of this"}]});
        super::json(&mut body);
        assert_eq!(body, json!({"routing_key": "•••", "payload": [{"token": "•••", "summary": "all of this"}]}));
    }
}
