//! What a status means for a message.

use jiff::Timestamp;
use reqwest::StatusCode;

use crate::notifier::DeliveryError;
use crate::retry_after::retry_after;

/// Decides what became of a message by the status of the answer and its `Retry-After` header.
///
/// A status that speaks of the request's place or its sender (an address that moved, a token revoked) is the channel's
/// trouble; any other of the 4xx is this message's, so that one odd message never holds up those behind it.
///
/// # Errors
///
/// For every status but 2xx.
pub fn judge(status: StatusCode, retry_after_header: Option<&str>, now: Timestamp) -> Result<(), DeliveryError> {
    let answered = || match status.canonical_reason() {
        Some(reason) => format!("answered {} {reason}", status.as_u16()),
        None => format!("answered {}", status.as_u16()),
    };
    match status.as_u16() {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500.. | ..200 => Err(DeliveryError::Transient {
            perhaps: false,
            cause: answered(),
            retry_after: retry_after_header.and_then(|header| retry_after(header, now)),
        }),
        300..=399 => Err(DeliveryError::Unavailable {
            cause: format!("{}: redirects are not followed, set the address it leads to", answered()),
        }),
        status @ (401..=405 | 407 | 410 | 421 | 423 | 426 | 451) => {
            Err(DeliveryError::Unavailable { cause: format!("{}: {}", answered(), remedy(status)) })
        }
        _ => Err(DeliveryError::Refused { cause: answered() }),
    }
}

/// What somebody must do before any message is taken.
const fn remedy(status: u16) -> &'static str {
    match status {
        401 => "check the token or login in its secret",
        403 => "check that the token or address in its secret is still good, and what it is allowed",
        404 | 410 => "nobody takes messages there (any more): check the address, or make a new one",
        407 => "the proxy wants a login: put it into HTTPS_PROXY",
        _ => "check the address",
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[track_caller]
    fn check(statuses: &[u16], header: Option<&str>, expect: &str) {
        for status in statuses {
            let now = "2026-11-06T08:49:00Z".parse().unwrap();
            let found = match judge(StatusCode::from_u16(*status).unwrap(), header, now) {
                Ok(()) => "accepted".to_owned(),
                Err(DeliveryError::Transient { retry_after: None, .. }) => "transient".to_owned(),
                Err(DeliveryError::Transient { retry_after: Some(pause), .. }) => format!("transient {pause:?}"),
                Err(DeliveryError::Refused { .. }) => "refused".to_owned(),
                Err(DeliveryError::Unavailable { .. }) => "unavailable".to_owned(),
            };
            assert_eq!(found, expect, "{status}");
        }
    }

    #[test]
    fn each_status_has_its_meaning() {
        check(&[200, 201, 202, 204, 299], None, "accepted");
        check(&[408, 425, 429, 500, 501, 502, 503, 504, 529, 599, 999], None, "transient");
        check(&[400, 406, 409, 411, 412, 413, 414, 415, 417, 418, 422, 428, 431, 499], None, "refused");
        check(&[401, 402, 403, 404, 405, 407, 410, 421, 423, 426, 451], None, "unavailable");
        check(&[300, 301, 302, 303, 304, 307, 308], None, "unavailable");
        check(&[100, 101], None, "transient");
    }

    #[test]
    fn a_pause_is_taken_from_whoever_may_take_the_message_later() {
        check(&[408, 425, 429, 500, 503], Some("7"), "transient 7s");
        check(&[429], Some("Fri, 06 Nov 2026 08:49:37 GMT"), "transient 37s");
        check(&[429], Some("86400"), "transient 3600s");
        check(&[429], Some("soon"), "transient");
        check(&[200], Some("7"), "accepted");
        check(&[400], Some("7"), "refused");
        check(&[401, 301], Some("7"), "unavailable");
    }

    #[test]
    fn the_cause_names_the_status() {
        let cause = |status| judge(StatusCode::from_u16(status).unwrap(), None, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(cause(503).cause(), "answered 503 Service Unavailable");
        assert_eq!(cause(599).cause(), "answered 599");
        assert_eq!(cause(401).cause(), "answered 401 Unauthorized: check the token or login in its secret");
        assert_eq!(cause(302).cause(), "answered 302 Found: redirects are not followed, set the address it leads to");
    }
}
