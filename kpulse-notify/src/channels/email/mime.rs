//! A mail as it goes over the wire: addresses, headers and two bodies of which one is shown.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use ring::digest;

use super::letter::Letter;

/// Who a channel's mails are from, and who they go to.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
    pub(super) to: Vec<Mailbox>,
}

/// Puts a mail together.
///
/// # Errors
///
/// Never for addresses that were read from settings.
pub(super) fn message(letter: &Letter, addresses: &Addresses, now: Timestamp) -> Result<Message, lettre::error::Error> {
    // A date before 1970 cannot be written.
    let now = SystemTime::from(now.max(Timestamp::UNIX_EPOCH));
    let mut message = Message::builder().from(addresses.from.clone());
    if let Some(reply_to) = &addresses.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    message = addresses.to.iter().cloned().fold(message, MessageBuilder::to);
    message = message.subject(&*letter.subject).date(now).message_id(Some(letter.id.clone()));
    if let Some(first) = &letter.follows {
        message = message.in_reply_to(first.clone()).references(first.clone());
    }
    for (name, value) in &letter.headers {
        message = message.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.clone()));
    }
    // The last part is the one that is shown, if it can be.
    let bodies = MultiPart::alternative().boundary(boundary(&letter.id));
    message.multipart(
        bodies
            .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
            .singlepart(part(ContentType::TEXT_HTML, &letter.html)),
    )
}

/// Quoted-printable holds any text in short lines of ASCII, so no server needs to be able to do more.
fn part(kind: ContentType, body: &str) -> SinglePart {
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(body.to_owned())
}

/// Nothing in a body can look like it: `=_` is never written in quoted-printable.
fn boundary(id: &str) -> String {
    let digest = digest::digest(&digest::SHA256, id.as_bytes());
    let hex: String = digest.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("=_kpulse_{hex}")
}
