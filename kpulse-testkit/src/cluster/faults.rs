//! What goes wrong, on demand.
//!
//! A [`Fault`] says what happens and to which requests. It is used up by the requests it hits:
//!
//! ```
//! use std::time::Duration;
//! use kpulse_testkit::cluster::{Disturbance, FakeCluster, Fault};
//!
//! let cluster = FakeCluster::new();
//! cluster.inject(Fault::status(429).retry_after(Duration::from_secs(2)).on("list", "pods").times(3));
//! cluster.inject(Fault::status(503).after(Duration::from_secs(30)).on("*", "nodes"));
//! cluster.inject(Fault::watch(Disturbance::Stall).after_events(5).on("watch", "pods"));
//! ```

use std::time::Duration;

use bytes::Bytes;

use super::status::StatusError;

/// One thing that goes wrong, and for which requests: by default the next one, whatever it is.
#[derive(Debug, Clone)]
pub struct Fault {
    aim: Aim,
    skip: usize,
    /// How many more requests it hits; none for all of them.
    left: Option<usize>,
    delay: Duration,
    outcome: Outcome,
}

/// Which requests a fault hits. Nothing set means any.
#[derive(Debug, Clone, Default)]
struct Aim {
    verb: Option<String>,
    resource: Option<String>,
    namespace: Option<String>,
    path_prefix: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// The ordinary answer.
    Serve,
    Answer {
        code: u16,
        retry_after: Option<Duration>,
        body: Option<String>,
    },
    /// No answer: the connection ends.
    Disconnect,
    /// The ordinary answer of a watch, spoilt on its way.
    Disturb(Disturber),
}

/// How the stream of a watch goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disturbance {
    /// Nothing comes any more, and the connection stays open, past its own time limit.
    Stall,
    /// This text comes as a line of its own before the next event; then all is well.
    Garbage(String),
    /// The next event breaks off in the middle, and the connection ends.
    Truncate,
    /// Every event comes twice.
    Duplicate,
    /// Events come in swapped pairs: the second before the first.
    Swap,
    /// An `ERROR` event with this HTTP status code comes, and the watch ends. 410 says that history is lost.
    Error(u16),
}

impl Fault {
    fn new(outcome: Outcome) -> Self {
        Self { aim: Aim::default(), skip: 0, left: Some(1), delay: Duration::ZERO, outcome }
    }

    /// The answer is this HTTP status, with a `Status` object unless [`body`](Self::body) says otherwise.
    pub fn status(code: u16) -> Self {
        Self::new(Outcome::Answer { code, retry_after: None, body: None })
    }

    /// The ordinary answer comes, but only after this long.
    pub fn hang(delay: Duration) -> Self {
        Self::new(Outcome::Serve).after(delay)
    }

    /// The connection ends without an answer.
    pub fn disconnect() -> Self {
        Self::new(Outcome::Disconnect)
    }

    /// The watch begins well and then goes wrong. Requests other than watches are served as ever.
    pub fn watch(disturbance: Disturbance) -> Self {
        let mut fault = Self::new(Outcome::Disturb(Disturber::new(disturbance)));
        fault.aim.verb = Some("watch".to_owned());
        fault
    }

    /// With a `Retry-After` header, in whole seconds, rounded up. Only for [`status`](Self::status).
    pub fn retry_after(mut self, after: Duration) -> Self {
        if let Outcome::Answer { retry_after, .. } = &mut self.outcome {
            *retry_after = Some(after);
        }
        self
    }

    /// With this body instead of a `Status` object. Only for [`status`](Self::status).
    pub fn body(mut self, text: impl Into<String>) -> Self {
        if let Outcome::Answer { body, .. } = &mut self.outcome {
            *body = Some(text.into());
        }
        self
    }

    /// Waits this long first.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Lets this many events of the watch pass first. Only for [`watch`](Self::watch).
    pub fn after_events(mut self, events: usize) -> Self {
        if let Outcome::Disturb(disturber) = &mut self.outcome {
            disturber.sound = events;
        }
        self
    }

    /// Only requests of this verb (`get list watch create update patch delete deletecollection`) to this resource
    /// (`pods`, or with a subresource `pods/log`). `*` stands for any.
    pub fn on(mut self, verb: &str, resource: &str) -> Self {
        let named = |name: &str| (name != "*").then(|| name.to_owned());
        self.aim.verb = named(verb).or(self.aim.verb);
        self.aim.resource = named(resource);
        self
    }

    /// Only requests inside this namespace.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.aim.namespace = Some(namespace.to_owned());
        self
    }

    /// Only requests whose path begins so: for what is no resource, such as `/version`.
    pub fn on_path(mut self, prefix: &str) -> Self {
        self.aim.path_prefix = Some(prefix.to_owned());
        self
    }

    /// Hits this many requests instead of one.
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    /// Hits every request, until [`clear_faults`](super::FakeCluster::clear_faults).
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Lets this many requests it is aimed at pass first: "the second page fails".
    pub fn skipping(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }
}

/// What a request is, as far as faults are aimed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shot<'a> {
    pub(crate) verb: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) path: &'a str,
}

impl Aim {
    fn hits(&self, shot: Shot<'_>) -> bool {
        let same = |aim: &Option<String>, is: &str| aim.as_ref().is_none_or(|wanted| wanted == is);
        same(&self.verb, shot.verb)
            && same(&self.resource, shot.resource)
            && same(&self.namespace, shot.namespace)
            && self.path_prefix.as_ref().is_none_or(|prefix| shot.path.starts_with(prefix.as_str()))
    }
}

/// The faults not yet used up, in the order they were injected.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Vec<Fault>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What happens to this request; the first fault that hits is the one.
    pub(crate) fn take(&mut self, shot: Shot<'_>) -> (Duration, Outcome) {
        for fault in &mut self.waiting {
            if !fault.aim.hits(shot) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            let hit = (fault.delay, fault.outcome.clone());
            fault.left = fault.left.map(|left| left.saturating_sub(1));
            self.waiting.retain(|fault| fault.left != Some(0));
            return hit;
        }
        (Duration::ZERO, Outcome::Serve)
    }
}

/// What a disturbed watch does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Goes,
    Stalls,
    Ends,
    Breaks,
}

/// Spoils the lines of one watch.
#[derive(Debug, Clone)]
pub(crate) struct Disturber {
    disturbance: Option<Disturbance>,
    /// Events that pass unspoilt first.
    sound: usize,
    held: Option<Bytes>,
}

impl Disturber {
    fn new(disturbance: Disturbance) -> Self {
        Self { disturbance: Some(disturbance), sound: 0, held: None }
    }

    /// Lets everything through.
    pub(crate) fn none() -> Self {
        Self { disturbance: None, sound: 0, held: None }
    }

    /// Writes what becomes of one event's line.
    pub(crate) fn pass(&mut self, line: &Bytes, out: &mut Vec<u8>) -> Flow {
        let Some(disturbance) = &self.disturbance else {
            out.extend_from_slice(line);
            return Flow::Goes;
        };
        if self.sound > 0 {
            self.sound -= 1;
            out.extend_from_slice(line);
            return Flow::Goes;
        }
        match disturbance {
            Disturbance::Stall => return Flow::Stalls,
            Disturbance::Garbage(text) => {
                out.extend_from_slice(text.as_bytes());
                out.push(b'\n');
                out.extend_from_slice(line);
                self.disturbance = None;
            }
            Disturbance::Truncate => {
                out.extend_from_slice(line.get(..line.len() / 2).unwrap_or_default());
                return Flow::Breaks;
            }
            Disturbance::Duplicate => {
                out.extend_from_slice(line);
                out.extend_from_slice(line);
            }
            Disturbance::Swap => match self.held.take() {
                Some(earlier) => {
                    out.extend_from_slice(line);
                    out.extend_from_slice(&earlier);
                }
                None => self.held = Some(line.clone()),
            },
            Disturbance::Error(code) => {
                out.extend_from_slice(&error_line(&error_of(*code)));
                return Flow::Ends;
            }
        }
        Flow::Goes
    }

    /// Whether it stalls already before any event.
    pub(crate) fn stalls_now(&self) -> bool {
        self.sound == 0 && self.disturbance == Some(Disturbance::Stall)
    }
}

/// The line of a watch that reports an error.
pub(crate) fn error_line(error: &StatusError) -> Bytes {
    Bytes::from(format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", error.status()))
}

/// What a server says with this code when nothing more is known.
pub(crate) fn error_of(code: u16) -> StatusError {
    let (reason, message) = match code {
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "forbidden"),
        404 => ("NotFound", "the server could not find the requested resource"),
        409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
        410 => ("Expired", "too old resource version"),
        429 => ("TooManyRequests", "too many requests, please try again later"),
        500 => ("InternalError", "Internal error occurred"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "request did not complete within the allotted timeout"),
        _ => ("", "this answer was asked for by the test"),
    };
    StatusError::new(code, reason, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(disturbance: Disturbance, events: &[&str], expect: &str, flow: Flow) {
        let mut disturber = Disturber::new(disturbance);
        disturber.sound = 1;
        let mut out = Vec::new();
        let flows: Vec<_> = events
            .iter()
            .map(|event| disturber.pass(&Bytes::from(format!("{event}\n")), &mut out))
            .take_while(|flow| *flow == Flow::Goes)
            .collect();
        let last = if flows.len() == events.len() { Flow::Goes } else { flow };
        assert_eq!((String::from_utf8(out).unwrap().as_str(), last), (expect, flow));
    }

    #[test]
    fn each_disturbance_spoils_in_its_way() {
        check(Disturbance::Garbage("?".to_owned()), &["a", "b", "c"], "a\n?\nb\nc\n", Flow::Goes);
        check(Disturbance::Duplicate, &["a", "b", "c"], "a\nb\nb\nc\nc\n", Flow::Goes);
        check(Disturbance::Swap, &["a", "b", "c"], "a\nc\nb\n", Flow::Goes);
        check(Disturbance::Truncate, &["a", "bbb", "c"], "a\nbb", Flow::Breaks);
        check(Disturbance::Stall, &["a", "b", "c"], "a\n", Flow::Stalls);
    }

    #[test]
    fn a_fault_is_used_up_by_those_it_is_aimed_at() {
        let list_pods = Shot { verb: "list", resource: "pods", namespace: "", path: "/api/v1/pods" };
        let list_nodes = Shot { resource: "nodes", path: "/api/v1/nodes", ..list_pods };
        let mut faults = Faults::default();
        faults.inject(Fault::status(503).on("list", "pods").skipping(1).times(2));
        let mut hit = |shot| matches!(faults.take(shot).1, Outcome::Answer { code: 503, .. });
        assert!(!hit(list_nodes));
        assert_eq!([hit(list_pods), hit(list_pods), hit(list_pods), hit(list_pods)], [false, true, true, false]);
        assert_eq!(faults.len(), 0);
    }
}
