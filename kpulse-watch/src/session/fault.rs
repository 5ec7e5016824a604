//! What a watcher's error means for the session, and how it is said to people.

use std::time::Duration;

use kube::core::Status;
use kube::runtime::watcher;

use crate::wire::NoAnswer;

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

    /// The meaning of a watcher's error. `probing` says that a streaming list was asked for and none has worked yet.
    pub(crate) fn of(error: &watcher::Error, probing: bool) -> Self {
        match error {
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchFailed(error) => Self::of_request(error),
            watcher::Error::WatchStartFailed(kube::Error::Api(status)) if probing && rejects_streaming(status.code) => {
                Self::NoStreaming
            }
            watcher::Error::WatchStartFailed(error) => Self::of_request(error),
            watcher::Error::WatchError(status) => Self::of_status(status),
            watcher::Error::NoResourceVersion => Self::Failed {
                why: "the API server sent an object without a resourceVersion".to_owned(),
                after: None,
                lossy: true,
            },
        }
    }

    fn of_request(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) | kube::Error::LinesCodecMaxLineLengthExceeded => {
                Self::Failed { why: explain(error), after: None, lossy: true }
            }
            _ => Self::failed(explain(error)),
        }
    }

    fn of_status(status: &Status) -> Self {
        let why = explain_status(status);
        match status.code {
            410 => Self::Expired,
            code @ (403 | 404 | 405) => Self::Refused { code, why },
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

/// An error of a request, in words for people and without anything of an object.
pub(crate) fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => explain_status(status),
        // The decoder's own words quote what it could not read.
        kube::Error::SerdeError(error) => {
            format!("the API server sent something unreadable (line {}, column {})", error.line(), error.column())
        }
        kube::Error::FromUtf8(_) => "the API server sent something that is not text".to_owned(),
        error => match causes(error).find_map(|cause| cause.downcast_ref::<NoAnswer>()) {
            Some(silent) => format!("the API server is silent: {silent}"),
            None => format!("cannot speak to the API server: {}", innermost(error)),
        },
    }
}

fn explain_status(status: &Status) -> String {
    // Where the answer was no Status, kube puts the whole page of some proxy here.
    if status.reason == "Failed to parse error data" || status.message.is_empty() {
        return format!("the API server answered {}", status.code);
    }
    let message: String = status.message.chars().take(300).collect();
    format!("the API server answered {}: {message}", status.code)
}

fn causes(error: &kube::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let outermost: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(outermost), |error| error.source())
}

/// The last two links of a chain of errors say what happened; the first ones, only that something did.
fn innermost(error: &kube::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        let text = cause.to_string();
        if let Some(outer) = said.last_mut().filter(|outer| outer.contains(&text)) {
            *outer = text;
        } else {
            said.push(text);
        }
    }
    let from = said.len().saturating_sub(2);
    said.get(from..).unwrap_or_default().join(": ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, message: &str) -> Box<Status> {
        Status::failure(message, "").with_code(code).boxed()
    }

    #[track_caller]
    fn check(error: watcher::Error, expect: &Fault) {
        assert_eq!(Fault::of(&error, false), *expect);
    }

    #[test]
    fn gone_means_expired_however_it_comes() {
        let gone = || kube::Error::Api(status(410, "too old"));
        check(watcher::Error::WatchStartFailed(gone()), &Fault::Expired);
        check(watcher::Error::WatchError(status(410, "too old")), &Fault::Expired);
        check(watcher::Error::InitialListFailed(gone()), &Fault::Expired);
    }

    #[test]
    fn refusals_are_told_from_failures() {
        let list = |code| watcher::Error::InitialListFailed(kube::Error::Api(status(code, "no")));
        for code in [403, 404, 405] {
            check(list(code), &Fault::Refused { code, why: format!("the API server answered {code}: no") });
        }
        for code in [401, 429, 500, 503] {
            check(list(code), &Fault::failed(format!("the API server answered {code}: no")));
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

    #[test]
    fn what_could_not_be_read_is_not_quoted() {
        let secret = serde_json::from_str::<u8>("\"hunter2\"").unwrap_err();
        assert!(secret.to_string().contains("hunter2"));
        let Fault::Failed { why, lossy, .. } = Fault::of_request(&kube::Error::SerdeError(secret)) else { panic!() };
        assert!(lossy && !why.contains("hunter2"), "{why}");
    }

    #[test]
    fn a_proxys_page_is_not_quoted() {
        let page = Status::failure("<html>", "Failed to parse error data").with_code(502);
        assert_eq!(explain_status(&page), "the API server answered 502");
    }

    #[test]
    fn the_innermost_causes_are_said() {
        let refused = std::io::Error::other("Connection refused");
        let error = kube::Error::Service(Box::new(refused));
        assert_eq!(explain(&error), "cannot speak to the API server: Connection refused");
    }
}
