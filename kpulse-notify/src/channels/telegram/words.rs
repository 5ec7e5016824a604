//! Telegram's words for what went wrong, which stand in `description`. None of them is repeated.

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::Value;

use crate::http::judge;
use crate::notifier::DeliveryError;
use crate::retry_after;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The message that was to be edited cannot be edited any more.
    Lost,
    /// It says that already.
    Same,
    Other(DeliveryError),
}

impl Failure {
    pub(super) fn at(self, place: impl FnOnce(DeliveryError) -> DeliveryError) -> Self {
        match self {
            Self::Other(error) => Self::Other(place(error)),
            other => other,
        }
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for DeliveryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost | Failure::Same => Self::refused("says that the message cannot be edited"),
            Failure::Other(error) => error,
        }
    }
}

/// Words for which somebody must do something, and what.
const CLOSED: [(&str, &str); 8] = [
    ("chat not found", "check chat_id, and add the bot to the chat"),
    ("group chat was upgraded to a supergroup", "set the chat_id of the supergroup"),
    ("bot was blocked", "unblock the bot"),
    ("bot was kicked", "add the bot to the chat again"),
    ("bot is not a member", "add the bot to the chat"),
    ("not enough rights", "let the bot post in the chat"),
    ("user is deactivated", "set another chat_id"),
    ("message thread not found", "check topic_id"),
];

/// Words for which the message to edit is lost.
const LOST: [&str; 3] = ["message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID"];

/// What an answer with `ok: false` means; `verdict` is what its status says.
pub(super) fn failure(said: &Value, verdict: Result<(), DeliveryError>) -> Failure {
    let description = said["description"].as_str().unwrap_or_default();
    let says = |words: &str| description.contains(words);
    if says("message is not modified") {
        return Failure::Same;
    }
    if LOST.iter().any(|words| says(words)) {
        return Failure::Lost;
    }
    if let Some((words, remedy)) = CLOSED.iter().find(|(words, _)| says(words)) {
        let moved = said["parameters"]["migrate_to_chat_id"].as_i64();
        let moved = moved.map_or(String::new(), |chat| format!(": {chat}"));
        return Failure::Other(DeliveryError::unavailable(format!("says {words}: {remedy}{moved}")));
    }
    let code = said["error_code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let by_code = code.and_then(|code| StatusCode::from_u16(code).ok()).and_then(judged);
    // A 200 with `ok: false` is judged by the code in the body.
    let error = verdict.err().or(by_code).unwrap_or_else(|| DeliveryError::transient("answered ok: false"));
    Failure::Other(error.pausing(retry_after::seconds(&said["parameters"]["retry_after"])))
}

/// What a status means that stands in a body.
fn judged(code: StatusCode) -> Option<DeliveryError> {
    judge(code, None, Timestamp::UNIX_EPOCH).err()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(description: &str) -> Failure {
        failure(&json!({"ok": false, "error_code": 400, "description": description}), Ok(()))
    }

    #[test]
    fn a_message_that_says_it_already_is_no_failure() {
        let text = "Bad Request: message is not modified: specified new message content and reply markup are exactly \
                    the same as a current content and reply markup of the message";
        assert!(matches!(of(text), Failure::Same));
    }

    #[test]
    fn where_a_group_went_is_told() {
        let said = json!({
            "ok": false,
            "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat",
            "parameters": {"migrate_to_chat_id": -100_555},
        });
        let error = DeliveryError::from(failure(&said, Ok(())));
        let expect = "says group chat was upgraded to a supergroup: set the chat_id of the supergroup: -100555";
        assert_eq!(error, DeliveryError::unavailable(expect));
    }

    #[test]
    fn what_is_not_known_is_judged_by_its_code() {
        assert!(
            matches!(of("Bad Request: s3cr3t"), Failure::Other(DeliveryError::Refused { cause }) if !cause.contains("s3cr3t"))
        );
        let odd = failure(&json!({"ok": false}), Ok(()));
        assert!(matches!(odd, Failure::Other(DeliveryError::Transient { .. })));
    }
}
