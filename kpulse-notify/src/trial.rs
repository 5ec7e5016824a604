//! Whether messages reach a channel: one that a person asks for, past engine and lane.

use std::time::Duration;

use jiff::Timestamp;
use kpulse_core::{
    AlertState, Bulletin, BulletinKind, Content, Fingerprint, Name, Notification, NotificationId, Severity, Why,
};

use crate::lane::attempt;
use crate::notifier::{Accepted, DeliveryError, Notifier};

/// The message. It is another one each time: no platform takes it for a repeat.
#[must_use]
pub fn message(channel: &Name, cluster: &Name, now: Timestamp) -> Notification {
    let fingerprint = Fingerprint::of(&format!("test|{channel}|{}", now.as_nanosecond()));
    Notification {
        id: NotificationId(0),
        channel: channel.clone(),
        why: Why::First,
        idempotency_key: format!("{fingerprint}-test"),
        message_id: None,
        delayed: None,
        content: Content::Bulletin(Box::new(Bulletin {
            kind: BulletinKind::Test,
            fingerprint,
            state: AlertState::Firing,
            severity: Severity::Info,
            cluster: cluster.clone(),
            title: "kpulse test alert".to_owned(),
            lead: "Somebody asked whether messages of kpulse arrive here. They do.".to_owned(),
            lines: Vec::new(),
            more: 0,
            covers: Vec::new(),
            hints: Vec::new(),
            started_at: now,
            at: now,
        })),
    }
}

/// Makes one attempt, bounded in time.
///
/// # Errors
///
/// As [`Notifier::deliver`]; also where there is no answer within `limit`.
pub async fn send(notifier: &dyn Notifier, message: &Notification, limit: Duration) -> Result<Accepted, DeliveryError> {
    attempt(notifier, message, limit).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_platform_takes_a_second_test_for_the_first() {
        let at = |nanosecond| Timestamp::from_nanosecond(nanosecond).unwrap();
        let message = |channel: &str, at| message(&channel.into(), &"prod-eu".into(), at);
        let (first, second) = (message("ops", at(1)), message("ops", at(2)));
        assert_ne!(first.idempotency_key, second.idempotency_key);
        assert_ne!(first.content.fingerprint(), message("night", at(1)).content.fingerprint());
    }
}
