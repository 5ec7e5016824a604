//! An answer that was read: what its status means, and what its body says.

use serde_json::Value;

use super::Reply;
use crate::endpoint::Endpoint;
use crate::notifier::DeliveryError;

/// What a platform answered. Its words may repeat what was sent to it, secrets too: they are compared, never shown.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What the status means.
    pub(crate) verdict: Result<(), DeliveryError>,
    /// As much as is read of any body.
    pub(crate) body: String,
    from: Endpoint,
}

impl Reply {
    /// Reads the whole answer.
    ///
    /// A status that is an error stands whether or not its body can be read. A success whose body cannot be read may be
    /// a refusal: it is a passing failure.
    pub(crate) async fn answer(self) -> Result<Answer, DeliveryError> {
        let (status, verdict, from) = (self.status().as_u16(), self.verdict(), self.from.clone());
        let body = match (self.text().await, &verdict) {
            (Ok(body), _) => body,
            (Err(_), Err(_)) => String::new(),
            (Err(error), Ok(())) => return Err(error),
        };
        Ok(Answer { status, verdict, body, from })
    }
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The same error, saying who answered so.
    pub(crate) fn says(&self, error: DeliveryError) -> DeliveryError {
        error.at(&self.from)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kpulse_testkit::sink::Behaviour;

    use super::super::tests::exchange;
    use super::*;

    async fn answer(behaviour: Behaviour) -> Result<Answer, DeliveryError> {
        exchange(behaviour, Reply::answer).await
    }

    #[tokio::test]
    async fn an_answer_has_a_verdict_and_words() {
        let found = answer(Behaviour::reply(404, r#"{"code": 10015}"#)).await.unwrap();
        assert_eq!((found.status, found.json()["code"].as_u64()), (404, Some(10_015)));
        assert!(matches!(found.verdict, Err(DeliveryError::Unavailable { .. })));
        assert!(answer(Behaviour::reply(200, "x")).await.unwrap().json().is_null());
    }

    #[tokio::test]
    async fn a_success_that_cannot_be_read_is_none_yet() {
        let slow = Behaviour::SlowBody { pause: Duration::from_secs(60) };
        assert!(matches!(answer(slow).await.err(), Some(DeliveryError::Transient { .. })));
    }
}
