//! What a mail server's answer means for a message.

use super::letter::words;
use crate::notifier::DeliveryError;

/// How far a conversation got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The connection is made, the server greets and says what it can.
    Greeting,
    /// The connection is encrypted.
    StartTls,
    /// The login.
    Login,
    /// The sender's address.
    Sender,
    /// A recipient's address.
    Recipient,
    /// The server is asked whether it takes a mail.
    Data,
    /// The mail itself.
    Content,
}

impl Stage {
    /// What a stage without an answer means. Only once its content went out may a mail be on its way.
    pub(super) fn unanswered(self, cause: String) -> DeliveryError {
        match self {
            Self::Content => DeliveryError::unanswered(cause),
            _ => DeliveryError::transient(cause),
        }
    }

    /// What was refused, or was not answered.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::StartTls => "STARTTLS",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "the recipients",
            Self::Data => "DATA",
            Self::Content => "the mail",
        }
    }
}

/// An answer that is not the wished one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    /// The server's own words. They may repeat what it was told.
    pub(super) text: String,
}

/// Status codes (RFC 3463, and Exchange's own) that speak of who sends and not of what is sent, after the mail itself:
/// sender unknown, limit of the account, login needed or wrong, not this sender, no relaying.
const ACCOUNT: &[&str] =
    &["5.1.7", "5.1.8", "5.4.5", "5.7.3", "5.7.8", "5.7.9", "5.7.14", "5.7.57", "5.7.60", "5.7.64", "5.7.139"];

/// Decides what became of a message by the server's answer. `secrets` are never repeated.
///
/// Every mail of a channel has the same sender and recipients, so whatever is refused for good before the mail itself is
/// the channel's trouble: the next message would be refused too. Only its size is this message's. Of what is refused with
/// the mail before it, all is this message's that does not speak of the account.
pub(super) fn judge(stage: Stage, refusal: &Refusal, secrets: &[&str]) -> DeliveryError {
    let Refusal { code, text } = refusal;
    let status = status(text);
    let said = match stage {
        // What was sent was the secret itself, in one form or another.
        Stage::Login => status.unwrap_or_default().to_owned(),
        _ => words(&masked(text, secrets)),
    };
    let cause = format!("answered {code} {said}").trim_end().to_owned();
    let cause = match remedy(stage, *code) {
        Some(remedy) => format!("{cause} to {}: {remedy}", stage.what()),
        None => format!("{cause} to {}", stage.what()),
    };
    let size = *code == 552 || status == Some("5.3.4") || status == Some("5.2.3");
    match (stage, code) {
        (_, ..500) => DeliveryError::transient(cause),
        (Stage::Login, _) | (_, 530 | 535) => DeliveryError::Unavailable { cause },
        (Stage::Content, _) if is_about_the_account(text, status) => DeliveryError::Unavailable { cause },
        (Stage::Data | Stage::Content, _) => DeliveryError::Refused { cause },
        (Stage::Sender | Stage::Recipient, _) if size => DeliveryError::Refused { cause },
        _ => DeliveryError::Unavailable { cause },
    }
}

const fn remedy(stage: Stage, code: u16) -> Option<&'static str> {
    match (stage, code) {
        (Stage::Login, 500..) => Some("check the secrets named by user_from_secret and pass_from_secret"),
        (_, 530) => Some("it wants a login: set user_from_secret and pass_from_secret"),
        (Stage::Sender, 500..) => Some("check that it lets this sender send (from)"),
        (Stage::Recipient, 500..) => Some("check the addresses (to), and that it relays for kpulse"),
        _ => None,
    }
}

/// SES tells with a mail, without a status, that nobody has confirmed the sender's address.
fn is_about_the_account(text: &str, status: Option<&str>) -> bool {
    status.is_some_and(|status| ACCOUNT.contains(&status)) || text.contains("address is not verified")
}

/// The enhanced status at the start of an answer's text: `5.7.1`.
fn status(text: &str) -> Option<&str> {
    let first = text.split_whitespace().next()?;
    let numbers =
        first.split('.').map(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let (count, all) = numbers.fold((0, true), |(count, all), number| (count + 1, all && number));
    (count == 3 && all).then_some(first)
}

/// The text without any of these.
fn masked(text: &str, secrets: &[&str]) -> String {
    let known = secrets.iter().filter(|secret| !secret.is_empty());
    known.fold(text.to_owned(), |text, secret| text.replace(secret, "[not shown]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stage: Stage, code: u16, text: &str, expect: &str) {
        let error = judge(stage, &Refusal { code, text: text.to_owned() }, &["s3cr3t", "czNjcjN0"]);
        let found = match &error {
            DeliveryError::Transient { retry_after: None, cause, .. } => format!("transient: {cause}"),
            DeliveryError::Transient { .. } => "with a pause".to_owned(),
            DeliveryError::Refused { cause } => format!("refused: {cause}"),
            DeliveryError::Unavailable { cause } => format!("unavailable: {cause}"),
        };
        assert_eq!(found, expect);
    }

    #[test]
    fn what_is_put_off_is_tried_again() {
        check(Stage::Greeting, 421, "4.7.0 too busy", "transient: answered 421 4.7.0 too busy to the greeting");
        check(Stage::Recipient, 450, "4.2.0 greylisted", "transient: answered 450 4.2.0 greylisted to the recipients");
        check(Stage::Login, 454, "4.7.0 later: s3cr3t", "transient: answered 454 4.7.0 to the login");
        check(Stage::Content, 451, "", "transient: answered 451 to the mail");
    }

    #[test]
    fn what_is_refused_before_the_mail_is_the_channels_trouble() {
        const LOGIN: &str = "check the secrets named by user_from_secret and pass_from_secret";
        check(Stage::Greeting, 554, "go away", "unavailable: answered 554 go away to the greeting");
        check(Stage::Login, 535, "5.7.8 no: s3cr3t", &format!("unavailable: answered 535 5.7.8 to the login: {LOGIN}"));
        check(Stage::Login, 501, "bad czNjcjN0", &format!("unavailable: answered 501 to the login: {LOGIN}"));
        check(
            Stage::Sender,
            550,
            "5.7.1 relaying denied",
            "unavailable: answered 550 5.7.1 relaying denied to the sender: check that it lets this sender send (from)",
        );
        check(
            Stage::Sender,
            530,
            "5.7.0 Authentication required",
            "unavailable: answered 530 5.7.0 Authentication required to the sender: it wants a login: set user_from_secret and pass_from_secret",
        );
        check(
            Stage::Recipient,
            554,
            "5.7.1 Relay access denied",
            "unavailable: answered 554 5.7.1 Relay access denied to the recipients: check the addresses (to), and that it relays for kpulse",
        );
    }

    #[test]
    fn what_is_refused_with_the_mail_is_this_messages_trouble() {
        check(Stage::Content, 554, "5.7.1 spam", "refused: answered 554 5.7.1 spam to the mail");
        check(Stage::Content, 552, "5.3.4 too big", "refused: answered 552 5.3.4 too big to the mail");
        check(Stage::Data, 554, "no valid recipients", "refused: answered 554 no valid recipients to DATA");
        let too_big = judge(Stage::Sender, &Refusal { code: 552, text: "5.3.4 too big".to_owned() }, &[]);
        assert!(matches!(too_big, DeliveryError::Refused { .. }));
    }

    #[test]
    fn an_account_that_may_not_send_is_the_channels_trouble_also_after_the_mail() {
        for text in [
            "5.7.60 SMTP; Client does not have permissions to send as this sender",
            "5.4.5 Daily user sending limit exceeded",
            "Message rejected: Email address is not verified. The following identities failed the check",
        ] {
            let error = judge(Stage::Content, &Refusal { code: 550, text: text.to_owned() }, &[]);
            assert!(matches!(error, DeliveryError::Unavailable { .. }), "{text}");
        }
    }

    #[test]
    fn a_servers_words_are_one_short_line_without_our_secrets() {
        check(
            Stage::Content,
            554,
            "5.6.0 s3cr3t\r\nX: \u{1b}[2J\u{202e}",
            "refused: answered 554 5.6.0 [not shown] X: [2J to the mail",
        );
        let long = judge(Stage::Content, &Refusal { code: 554, text: "x".repeat(100_000) }, &[]);
        assert!(long.cause().chars().count() < 250);
    }

    #[test]
    fn a_status_is_three_numbers_at_the_start() {
        for (text, expect) in
            [("5.7.1 no", Some("5.7.1")), ("5.7 no", None), ("5.7.x", None), ("", None), ("1.2.3.4", None)]
        {
            assert_eq!(status(text), expect, "{text}");
        }
    }
}
