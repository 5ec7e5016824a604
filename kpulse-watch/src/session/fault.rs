//! What a watcher's error means for the session, and how it is said to people.

use std::time::Duration;

use kube::core::Status;
use kube::runtime::watcher;

use crate::explain::{explain, explain_status};

/// What went wrong with a watch. All of it can be tried again; how soon, and from where, differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The history from which to resume is gone (410): list anew. Ordinary after a long gap.
    Expired,
    /// The server does not know streaming lists: use pages.
    NoStreaming,
    /// The server will not let us, or has no such thing: asking again soon is no use.
    Refused {
        /// 403, 404 or 405.
        code: u16,
        /// What it said.
        why: String,
    },
    /// The connection stands, and nothing comes.
    Silent(String),
    /// The server is away, overloaded, or talks nonsense.
    Failed {
        /// What was seen of that.
        why: String,
        /// It asked us to stay away for this long.
        after: Option<Duration>,
        /// Something that came could not be read: resuming would pass over it.
        lossy: bool,
    },
}

impl Fault {
    /// The server did not do in time what it ought to.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), after: None, lossy: false }
    }

    fn unreadable(why: String) -> Self {
        Self::Failed { why, after: None, lossy: true }
    }

    /// The meaning of a watcher's error. `probing` says that a streaming list was asked for and none has worked yet.
    pub(crate) fn of(error: &watcher::Error, probing: bool) -> Self {
        match error {
            // kube takes any JSON object for a Status if it is no event of a watch; one without a code is none.
            watcher::Error::WatchFailed(kube::Error::Api(status)) if status.code == 0 => {
                Self::unreadable("the API server sent something that is no event of a watch".to_owned())
            }
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchFailed(error) => Self::of_request(error),
            watcher::Error::WatchStartFailed(kube::Error::Api(status)) if probing && rejects_streaming(status.code) => {
                Self::NoStreaming
            }
            watcher::Error::WatchStartFailed(error) => Self::of_request(error),
            watcher::Error::WatchError(status) => Self::of_status(status),
            watcher::Error::NoResourceVersion => {
                Self::unreadable("the API server sent an object without a resourceVersion".to_owned())
            }
        }
    }

    fn of_request(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) | kube::Error::LinesCodecMaxLineLengthExceeded => {
                Self::unreadable(explain(error))
            }
            _ => Self::failed(explain(error)),
        }
    }

    fn of_status(status: &Status) -> Self {
        let why = explain_status(status);
        match status.code {
            410 => Self::Expired,
            code @ 403..=405 => Self::Refused { code, why },
            _ => {
                let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                let after = (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)));
                Self::Failed { why, after, lossy: false }
            }
        }
    }
}

/// Answers to a streaming list that an ordinary list would not get.
fn rejects_streaming(code: u16) -> bool {
    (400..500).contains(&code) && !matches!(code, 401 | 403 | 404 | 405 | 410 | 429)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, message: &str) -> Box<Status> {
        Status::failure(message, "").with_code(code).boxed()
    }

    #[track_caller]
    fn check(error: &watcher::Error, expect: &Fault) {
        assert_eq!(Fault::of(error, false), *expect);
    }

    #[test]
    fn gone_means_expired_however_it_comes() {
        let gone = || kube::Error::Api(status(410, "too old"));
        check(&watcher::Error::WatchStartFailed(gone()), &Fault::Expired);
        check(&watcher::Error::WatchError(status(410, "too old")), &Fault::Expired);
        check(&watcher::Error::InitialListFailed(gone()), &Fault::Expired);
    }

    #[test]
    fn refusals_are_told_from_failures() {
        let list = |code| watcher::Error::InitialListFailed(kube::Error::Api(status(code, "no")));
        for code in [403, 404, 405] {
            check(&list(code), &Fault::Refused { code, why: format!("the API server answered {code}: no") });
        }
        for code in [401, 429, 500, 503] {
            check(&list(code), &Fault::failed(format!("the API server answered {code}: no")));
        }
    }

    #[test]
    fn a_streaming_list_is_given_up_for_what_a_list_would_not_hear() {
        let start = |code| watcher::Error::WatchStartFailed(kube::Error::Api(status(code, "no")));
        for code in [400, 422] {
            assert_eq!(Fault::of(&start(code), true), Fault::NoStreaming);
            assert_ne!(Fault::of(&start(code), false), Fault::NoStreaming);
        }
        for code in [401, 403, 404, 410, 429, 500] {
            assert_ne!(Fault::of(&start(code), true), Fault::NoStreaming);
        }
    }
}
