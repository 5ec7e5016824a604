//! `stdout`: each message as readable lines on standard output, for dry runs and demonstrations.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kpulse_core::{Name, Notification};
use serde::{Deserialize, Serialize};

use crate::http::Http;
use crate::links::Links;
use crate::notifier::{Accepted, DeliveryError, Notifier};
use crate::secrets::Secrets;
use crate::settings::{Channel, SetupError};
use crate::text;

// ---- settings

/// What a `stdout` channel is told by the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Links to put under each message.
    pub links: Links,
    /// Whether it takes what no route matches.
    pub default: bool,
}

// ---- setting up

impl Channel for Settings {
    fn is_default(&self) -> bool {
        self.default
    }

    fn faults(&self, _secrets: &Secrets) -> Vec<SetupError> {
        Vec::new()
    }

    fn notifier(&self, _secrets: &Secrets, _http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        Ok(Box::new(Printer::new(io::stdout()).with(self.links.clone())))
    }

    fn preview(&self, notification: &Notification) -> String {
        paragraph(notification, &self.links)
    }
}

// ---- sending

/// Writes messages as text, a blank line after each.
#[derive(Debug)]
pub struct Printer<W> {
    writer: Arc<Mutex<W>>,
    /// For which channel, where it prints in the place of another.
    instead_of: Option<Name>,
    links: Links,
}

impl<W: Write + Send + 'static> Printer<W> {
    /// Writes to `writer`, for example standard output or a test's buffer.
    pub fn new(writer: W) -> Self {
        Self { writer: Arc::new(Mutex::new(writer)), instead_of: None, links: Links::default() }
    }

    /// Writes what another channel would have got, and that it is for that one.
    #[must_use]
    pub fn instead_of(self, channel: &Name) -> Self {
        Self { instead_of: Some(channel.clone()), ..self }
    }

    fn with(self, links: Links) -> Self {
        Self { links, ..self }
    }
}

#[async_trait]
impl<W: Write + Send + 'static> Notifier for Printer<W> {
    async fn deliver(&self, notification: &Notification) -> Result<Accepted, DeliveryError> {
        let heading = self.instead_of.as_ref().map_or_else(String::new, |channel| format!("To {channel}:\n"));
        let paragraph = format!("{heading}{}\n\n", paragraph(notification, &self.links));
        let writer = Arc::clone(&self.writer);
        // A pipe that nobody reads blocks its writer: not one of the threads that serve everybody.
        let written = tokio::task::spawn_blocking(move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write_all(paragraph.as_bytes()).and_then(|()| writer.flush())
        });
        match written.await {
            Ok(Ok(())) => Ok(Accepted::default()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(DeliveryError::Unavailable { cause: "standard output is closed".to_owned() })
            }
            Ok(Err(error)) => Err(DeliveryError::transient(format!("standard output: {error}"))),
            Err(_) => Err(DeliveryError::transient("standard output: the writer stopped")),
        }
    }
}

// ---- the message

fn paragraph(notification: &Notification, links: &Links) -> String {
    let links = links.of(notification).into_iter().map(|link| format!("\n  {}: {}", link.name, link.url));
    std::iter::once(text::message(notification).to_string()).chain(links).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    /// A buffer that a test can look into while a printer writes.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn messages_are_paragraphs() {
        let paper = Paper::default();
        let printer = Printer::new(paper.clone());
        printer.deliver(&example::firing()).await.unwrap();
        printer.deliver(&example::resolved()).await.unwrap();
        let written = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        let paragraphs: Vec<_> = written.split_terminator("\n\n").collect();
        assert_eq!(paragraphs.len(), 2, "{written}");
        assert!(paragraphs[0].starts_with('🔴') && paragraphs[1].starts_with('✅'), "{written}");
    }

    #[tokio::test]
    async fn what_is_printed_for_another_channel_says_so() {
        let paper = Paper::default();
        Printer::new(paper.clone()).instead_of(&"slack".into()).deliver(&example::firing()).await.unwrap();
        assert!(paper.0.lock().unwrap().starts_with(b"To slack:\n"));
    }

    #[tokio::test]
    async fn a_closed_output_is_unavailable() {
        let error = Printer::new(Closed).deliver(&example::firing()).await.unwrap_err();
        assert_eq!(error, DeliveryError::Unavailable { cause: "standard output is closed".to_owned() });
    }
}
