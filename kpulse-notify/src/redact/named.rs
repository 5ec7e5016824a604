//! Secrets that are known by the name before them: `password=…`, `"token": "…"`, `--api-key …`, `Cookie: …`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Match};

use super::Rule;

/// Names of what is secret, alone or at the end of a longer name: `dbPassword`, `X-Auth-Token`, `AWS_SECRET_ACCESS_KEY`.
const NAME: &str = r"(?i-u: \b (?:
    [a-z0-9_.-]* (?: password | passwd | passphrase | passcode | secret | token | credentials? | api[_.-]?key
        | (?:access|secret|private|encryption|encrypt|signing|master|account|shared|auth|license)[_.-]?key
        | session[_.-]?(?:id|key|token) | sess(?:ion)?id | connect\.sid | authorization )
    | (?: [a-z0-9_.-]* [_.-] )? (?: pass | pwd | pw | psk | otp | auth )
    ) (?: [_.-]? (?: [0-9]{1,3} | value | b64 | base64 | str | string | key | plain | hash ) )? )";

/// What stands between a name and its value: `=`, `": "`, `=>`, `: Some(`, `:[`, and of a variable `", "value": "`.
const IS: &str = r#"\\?["'`]? [\x20\t]* (?: => | := | : | = | ,[\x20\t]* \\?["']value\\?["'][\x20\t]*: ) [\x20\t]*
    (?: (?i-u: some | just | optional | string | secret ) [(\[] )? [\[(]?"#;

/// A value: in quotes, in quotes within quotes, or up to what cannot be in one.
const VALUE: &str = r#"(?:
    \\" (?<escaped> (?: [^"\\] | \\[^"] )* )
    | " (?<double> (?: [^"\\\n] | \\. )* )
    | ' (?<single> [^'\n]* )
    | ` (?<back> [^`\n]* )
    | (?<rest> (?i-u: digest | negotiate | ntlm | aws4-hmac-sha256 ) [\x20\t] [^\n]* )
    | (?: (?i-u: bearer | basic | token | apikey | bot ) [\x20\t]+ )? (?<bare> [^\x00-\x20"'`<>{}(\[&;,] [^\x00-\x20"'`<>&;]* )
    )"#;

pub(super) static NAMED: LazyLock<Rule> = LazyLock::new(|| {
    let pattern = format!(
        r#"
        (?-u:\b) (?i-u: (?:set-)? cookie ) \\?["'`]? [\x20\t]* [:=] [\x20\t]* \[? \\?["'`]?
            (?<cookie> [^"'`\x00-\x20=\]]+ = [^"'`\n\]]* )
        | < {NAME} > (?<element> [^<\n]+ ) </
        | (?-u:\b) (?i-u: identified[\x20\t]+by | password ) [\x20\t]+ ' (?<sql> [^'\n]+ )
        | (?: (?<flag> --? {NAME} (?: [\x20\t]+ | ["'],[\x20\t]*(?:["']|$) ) ) | {NAME} (?<is> {IS} ) ) {VALUE}
        "#
    );
    Rule::new(&pattern, secret)
});

fn secret(text: &str, found: &Captures<'_>) -> Option<Range<usize>> {
    let whole = ["cookie", "element", "sql", "rest"].into_iter().find_map(|name| found.name(name));
    if let Some(secret) = whole {
        return Some(secret.range());
    }
    let quoted = ["escaped", "double", "single", "back"].into_iter().find_map(|name| found.name(name));
    let begin = found.get(0)?.start();
    if is_no_name(text.get(..begin)?, found) {
        return None;
    }
    match (quoted, found.name("bare")) {
        (Some(quoted), _) => (!says_nothing(quoted.as_str())).then(|| quoted.range()),
        (None, Some(bare)) => bare_secret(text, found, &bare),
        (None, None) => None,
    }
}

/// A value without quotes ends where the sentence goes on; in a sentence, it may be a word like any other.
fn bare_secret(text: &str, found: &Captures<'_>, bare: &Match<'_>) -> Option<Range<usize>> {
    let value = bare.as_str().trim_end_matches([')', ']', '}', ',', '.']);
    let line = text.get(bare.end()..)?.lines().next().unwrap_or_default();
    let in_sentence = found.name("is").is_none_or(|is| is.as_str().ends_with([' ', '\t']));
    let plain = says_nothing(value) || (in_sentence && (is_word(value, line) || is_next_pair(value)));
    (!plain).then(|| bare.start()..bare.start() + value.len())
}

/// What parsers say of source code, `Unexpected token: }`, and what tests say of themselves, `PASS: TestCart`.
fn is_no_name(before: &str, found: &Captures<'_>) -> bool {
    let before = before.trim_end();
    let passed = found.get(0).is_some_and(|found| found.as_str().starts_with("PASS: "));
    passed || ["nexpected", "nvalid"].iter().any(|word| before.ends_with(word))
}

/// Whether a value says only that there is one, or none, or where it is.
fn says_nothing(value: &str) -> bool {
    let value = value.trim();
    let plain = |word: &str| PLAIN.split(' ').any(|plain| plain.eq_ignore_ascii_case(word));
    let sentence = || value.contains(' ') && value.split([' ', ',', '.']).any(plain);
    value.is_empty() || plain(value) || is_path(value) || is_reference(value) || sentence()
}

/// Words for the state of a secret, or for none.
const PLAIN: &str = "*** absent auth cannot changed credential credentials denied disabled empty enabled eof expired failed \
    false flag forbidden found instead invalid mismatch missing must nil no none null ok password rbac rejected required \
    revoked secret set should token true unauthorized undefined unknown unset wrong yes";

/// `/var/run/secrets/token`, `./password`: where a secret is.
fn is_path(value: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    ["/", "./", "~/"].iter().any(|begin| value.starts_with(begin))
        && value.chars().all(lower)
        && value.split('/').nth(1).is_some_and(|first| first.len() > 2)
}

/// `shop/web-tls`: the Secret of this name.
fn is_reference(value: &str) -> bool {
    let name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    value.split_once('/').is_some_and(|(namespace, secret)| name(namespace) && name(secret))
}

/// After a name without a value: `PASSWORD= HOST=db`.
fn is_next_pair(value: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    value.split_once('=').is_some_and(|(next, value)| next.chars().all(name) && value.starts_with(name))
}

/// Whether a value is a word of the sentence around it: the rest of the line follows it.
fn is_word(value: &str, rest: &str) -> bool {
    let letters = |c: char| c.is_alphabetic() || c == '-';
    let capital_inside = value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    let word = value.chars().all(letters) && !capital_inside;
    let count = value.len() <= 3 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    value.ends_with(':') || count || (word && rest.starts_with([' ', '\t']))
}
