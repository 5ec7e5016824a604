//! Secrets that are known by their shape, whatever stands before them.

use std::sync::LazyLock;

use super::Rule;

/// Up to its end, or the text's. A tail may begin in the middle of one: what is left then is lines of base64, which are
/// masked one by one, and the last line before the end.
pub(super) static PRIVATE_KEY: LazyLock<Rule> = LazyLock::new(|| {
    Rule::new(
        r"
        -----BEGIN[ A-Z0-9\x20]*PRIVATE\x20KEY(?:\x20BLOCK)?----- (?<body> (?s:.*?) )
            (?: -----END[ A-Z0-9\x20]*PRIVATE\x20KEY(?:\x20BLOCK)?----- | \z )
        | (?m:^) (?<last> [A-Za-z0-9+/=]{1,100} ) \r?\n -----END[ A-Z0-9\x20]*PRIVATE\x20KEY
        | (?m:^) [\x20\t]* (?<line> [A-Za-z0-9+/]{60,}={0,2} ) [\x20\t\r]* (?m:$)
        ",
        |_, found| {
            let line = found.name("line").filter(|line| is_random(line.as_str()));
            found.name("body").or(found.name("last")).or(line).map(|secret| secret.range())
        },
    )
});

/// Those that nothing else looks like: what each platform begins its tokens with, and passwords in addresses.
pub(super) static CERTAIN: LazyLock<Rule> = LazyLock::new(|| {
    Rule::new(
        r#"
        (?-u:\b) (?:
            # GitHub, GitLab
            ( gh[pousr]_[A-Za-z0-9]{20,} ) | ( github_pat_[A-Za-z0-9_]{20,} ) | ( gl[a-z]{2,5}-[A-Za-z0-9_-]{20,} )
            # Slack
            | ( xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,} ) | ( xapp-[0-9]-[A-Za-z0-9-]{10,} )
            # AWS, Google, DigitalOcean
            | ( (?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16} ) (?-u:\b)
            | ( AIza[A-Za-z0-9_-]{30,} ) | ( ya29\.[A-Za-z0-9_-]{20,} ) | ( GOCSPX-[A-Za-z0-9_-]{20,} )
            | ( do[opr]_v1_[a-f0-9]{40,} )
            # Stripe, Shopify, SendGrid
            | ( [sr]k_(?:live|test)_[A-Za-z0-9]{10,} ) | ( whsec_[A-Za-z0-9+/=]{20,} )
            | ( shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32} ) | ( SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,} )
            # npm, PyPI, Docker, Hugging Face
            | ( npm_[A-Za-z0-9]{30,} ) | ( pypi-[A-Za-z0-9_-]{50,} ) | ( dckr_pat_[A-Za-z0-9_-]{20,} )
            | ( hf_[A-Za-z0-9]{30,} )
            # Vault, age
            | ( hv[sb]\.[A-Za-z0-9_-]{20,} ) | ( AGE-SECRET-KEY-1[A-Z0-9]{20,} )
            # Telegram
            | (?:bot)? ( [0-9]{8,10}:[A-Za-z0-9_-]{35} )
            # A JWT: {" in base64, with or without its signature
            | ( eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)* )
        )
        # Addresses that are keys themselves
        | hooks\.slack\.com/(?:services|workflows|triggers)/ ( [A-Za-z0-9/_-]{8,} )
        | discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/ ( [0-9]+/[A-Za-z0-9_-]{20,} )
        | \.webhook\.office\.com/webhookb2/ ( [^\x00-\x20"'<>]+ )
        # The password in an address: up to the last @ before its path; a database's may hold anything
        | (?i-u: postgres(?:ql)? | mysql | mariadb | mongodb(?:\+srv)? | rediss? | amqps? | ldaps? | smtps? | s?ftps? | nats
            | clickhouse | sqlserver | mssql | kafka )
            ://[^\x00-\x20:/?\#@"'<>]*: ( [^\x00-\x20"'<>]+ ) @
        | (?i-u: [a-z][a-z0-9+.-]* ) ://[^\x00-\x20:/?\#@"'<>]*: ( [^\x00-\x20/?\#"'<>]+ ) @
        | (?i-u: https? ) :// ( [A-Za-z0-9_-]{20,} ) @
        | [A-Za-z0-9_.-]+: ( [^\x00-\x20@:/"']+ ) @(?:tcp|unix)\(
        | (?-u:\b) curl (?-u:\b) [^\n]*? \x20 (?: -u | --user ) [\x20=]+ ["']?[^\x00-\x20:"']+: ( [^\x00-\x20"']+ )
        # Signed addresses
        | [?&;] (?i-u: x-amz-(?:signature|credential|security-token) | x-goog-(?:signature|credential) | sig(?:nature)? )
            = ( [^\x00-\x20&"'<>]+ )
        "#,
        |_, found| found.iter().skip(1).flatten().next().map(|secret| secret.range()),
    )
});

/// Those that other things look like, unless their characters are random.
pub(super) static LIKELY: LazyLock<Rule> = LazyLock::new(|| {
    Rule::new(
        r#"
        (?-u:\b) ( sk-[A-Za-z0-9_-]{20,} )
        | (?-u:\b) (?i-u: bearer ) [\x20\t]+ ( [A-Za-z0-9._~+/=-]{16,} )
        | (?-u:\b) (?i-u: basic ) [\x20\t]+ ( (?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)? )
        | (?i-u: key | hmac | seed | sig(?:nature)? ) \\?["'`]? [\x20\t]* [:=] [\x20\t]* \\?["'`]? ( [A-Za-z0-9+/_=-]{32,} )
        "#,
        |_, found| {
            let secret = found.iter().skip(1).flatten().next()?;
            is_random(secret.as_str()).then(|| secret.range())
        },
    )
});

/// Whether nobody would write this by hand: letters of both cases with digits between them, base64 that says so by its
/// end, or many hexadecimal digits.
fn is_random(text: &str) -> bool {
    let has = |what: fn(&u8) -> bool| text.bytes().any(|byte| what(&byte));
    let letters = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let base64 = text.ends_with('=') || (letters && text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase()));
    let hex = text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && has(u8::is_ascii_alphabetic);
    has(u8::is_ascii_digit) && (letters || hex) || (base64 && text.len().is_multiple_of(4))
}
