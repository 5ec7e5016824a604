//! Channels whose messages can be edited: one message per group, which always says what is true now.

use std::sync::Arc;

use kpulse_core::{Notification, Why};
use kpulse_notify::{DeliveryError, example};
use kpulse_testkit::sink::{Behaviour, Message};

use crate::bench::Bench;
use crate::channels::{CHANNELS, Channel, Living};

/// A channel that has told of a crash loop, and what it called the message.
struct Told {
    bench: Bench,
    channel: &'static Channel,
    living: &'static Living,
    message_id: String,
}

impl Told {
    async fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for channel in CHANNELS {
            let Some(living) = &channel.living else { continue };
            let bench = Bench::new(channel).await;
            let accepted = bench.deliver(&example::firing()).await.unwrap();
            assert!(!(living.is_edit)(&bench.sink.messages()[0]), "{channel:?}: the first one is posted");
            all.push(Self { bench, channel, living, message_id: accepted.message_id.unwrap() });
        }
        all
    }

    /// The requests for a change of the message, and its id then.
    async fn change(&self, change: Notification) -> Result<(Vec<Arc<Message>>, Option<String>), DeliveryError> {
        self.bench.sink.clear();
        let change = Notification { message_id: Some(self.message_id.clone()), ..change };
        let accepted = self.bench.deliver(&change).await?;
        Ok((self.bench.sink.messages(), accepted.message_id))
    }
}

#[tokio::test]
async fn a_message_is_edited_and_what_somebody_must_notice_is_said_below_it() {
    for told in Told::all().await {
        let channel = told.channel;
        for (name, change) in example::all() {
            let asides = match change.why {
                Why::Grown => told.living.history,
                Why::Escalated | Why::Resolved => 1,
                _ => 0,
            };
            let (requests, message_id) = told.change(change).await.unwrap();
            assert_eq!(requests.len(), 1 + asides, "{channel:?} {name}: {requests:?}");
            assert!((told.living.is_edit)(&requests[0]), "{channel:?} {name}");
            assert!(requests[1..].iter().all(|request| !(told.living.is_edit)(request)), "{channel:?} {name}");
            assert_eq!(message_id.as_ref(), Some(&told.message_id), "{channel:?} {name}: the id stays");
        }
    }
}

#[tokio::test]
async fn the_line_below_says_what_happened() {
    for told in Told::all().await {
        let (requests, _) = told.change(example::resolved()).await.unwrap();
        let aside = requests[1].told();
        assert!(aside.contains("checkout/api recovered after 18m") && aside.lines().count() == 1, "{aside}");
    }
}

#[tokio::test]
async fn a_message_that_was_deleted_is_posted_anew() {
    for told in Told::all().await {
        let (status, body) = told.living.lost;
        told.bench.sink.script(told.channel.kind, [Behaviour::reply(status, body)]);
        let (requests, message_id) = told.change(example::resolved()).await.unwrap();
        let edits: Vec<_> = requests.iter().map(|request| (told.living.is_edit)(request)).collect();
        assert_eq!(edits, [true, false], "{:?}", told.channel);
        assert!(message_id.is_some_and(|id| id != told.message_id), "{:?}", told.channel);
    }
}

#[tokio::test]
async fn an_edit_that_fails_is_tried_again_as_a_whole() {
    for told in Told::all().await {
        told.bench.sink.script(told.channel.kind, [Behaviour::status(503)]);
        let error = told.change(example::escalated()).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Transient { .. }), "{:?}: {error:?}", told.channel);
        assert_eq!(told.bench.sink.count(), 1, "nothing is said below a message that still says the old");
        told.bench.sink.script(told.channel.kind, [Behaviour::Accept, Behaviour::retry_after(7)]);
        let error = told.change(example::escalated()).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Transient { retry_after: Some(_), .. }), "{:?}", told.channel);
    }
}

#[tokio::test]
async fn a_line_below_that_is_refused_leaves_the_edit_standing() {
    for told in Told::all().await {
        told.bench.sink.script(told.channel.kind, [Behaviour::Accept, Behaviour::status(413)]);
        let (_, message_id) = told.change(example::escalated()).await.unwrap();
        assert_eq!(message_id.as_ref(), Some(&told.message_id));
    }
}

/// Ids come from a ledger that another kind of channel of the same name may have written.
#[tokio::test]
async fn an_id_that_is_none_of_ours_is_no_id() {
    for told in Told::all().await {
        for odd in ["", "x", "<1@kpulse>", "/", "a/b/c?d#e"] {
            told.bench.sink.clear();
            let change = Notification { message_id: Some(odd.to_owned()), ..example::grown() };
            told.bench.deliver(&change).await.unwrap();
        }
    }
}
