//! What a mail server does when it is not to do the usual.

use std::collections::{HashMap, VecDeque};

/// What a client may say, and the moments at which a server says something by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// A client has connected, and waits for the greeting.
    Connect,
    /// `EHLO` or `HELO`.
    Hello,
    /// `STARTTLS`.
    StartTls,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`.
    Data,
    /// The mail has been sent, with the dot at its end.
    Content,
    /// `QUIT`.
    Quit,
    /// Anything else.
    Other,
}

/// What is done instead of the usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Answers with a code and a text, and hangs up after 421. A mail that is refused like this is not remembered.
    Reply(u16, String),
    /// Never answers.
    Hang,
    /// Closes the connection without an answer.
    Drop,
    /// Sends these bytes, then goes on as if it had answered.
    Send(Vec<u8>),
    /// Sends a line that never ends.
    Flood,
    /// The usual.
    Usual,
}

impl Does {
    /// Answers with a code and a text.
    #[must_use]
    pub fn reply(code: u16, text: &str) -> Self {
        Self::Reply(code, text.to_owned())
    }
}

/// What is still to be done, by command.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    queues: HashMap<Command, VecDeque<Does>>,
}

impl Scripts {
    pub(super) fn queue(&mut self, command: Command, does: impl IntoIterator<Item = Does>) {
        self.queues.entry(command).or_default().extend(does);
    }

    /// What is done now; nothing for the usual.
    pub(super) fn take(&mut self, command: Command) -> Option<Does> {
        self.queues.get_mut(&command)?.pop_front().filter(|does| *does != Does::Usual)
    }
}
