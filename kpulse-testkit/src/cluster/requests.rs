//! What was asked of the server: for tests that count.

use std::collections::VecDeque;

use tokio::time::Instant;

/// One request, as it came in.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// When it came, on tokio's clock: virtual where the test paused it.
    pub at: Instant,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, undecoded; empty where there is none.
    pub query: String,
    /// `get list watch create update patch delete deletecollection`; empty where the path names no resource.
    pub verb: String,
    /// The plural, with the subresource: `pods`, `pods/log`. Empty where the path names no resource.
    pub resource: String,
    /// Empty for requests across the cluster.
    pub namespace: String,
    /// Empty for requests about a collection.
    pub name: String,
    /// The `User-Agent` header; empty where absent.
    pub user_agent: String,
    /// The HTTP status of the answer. None while there is none, and for connections cut by a fault.
    pub status: Option<u16>,
}

/// Requests in the order they came, to be narrowed and counted:
///
/// ```no_run
/// # let cluster = kpulse_testkit::cluster::FakeCluster::new();
/// assert!(cluster.requests().verb("list").resource("pods").len() <= 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Requests(Vec<RecordedRequest>);

impl Requests {
    /// Only those of this verb.
    pub fn verb(self, verb: &str) -> Self {
        self.filter(|request| request.verb == verb)
    }

    /// Only those to this resource, such as `pods` or `pods/log`.
    pub fn resource(self, resource: &str) -> Self {
        self.filter(|request| request.resource == resource)
    }

    /// Only those inside this namespace.
    pub fn namespace(self, namespace: &str) -> Self {
        self.filter(|request| request.namespace == namespace)
    }

    /// Only those answered with this HTTP status.
    pub fn status(self, status: u16) -> Self {
        self.filter(|request| request.status == Some(status))
    }

    /// Only those that came at this moment or later.
    pub fn since(self, moment: Instant) -> Self {
        self.filter(|request| request.at >= moment)
    }

    /// Only those for which `keep` holds.
    pub fn filter(mut self, keep: impl Fn(&RecordedRequest) -> bool) -> Self {
        self.0.retain(keep);
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after another.
    pub fn iter(&self) -> std::slice::Iter<'_, RecordedRequest> {
        self.0.iter()
    }
}

impl IntoIterator for Requests {
    type Item = RecordedRequest;
    type IntoIter = std::vec::IntoIter<RecordedRequest>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Requests {
    type Item = &'a RecordedRequest;
    type IntoIter = std::slice::Iter<'a, RecordedRequest>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The latest requests, up to a limit.
#[derive(Debug)]
pub(crate) struct RequestLog {
    kept: VecDeque<RecordedRequest>,
    /// How many came before the first one kept.
    dropped: u64,
    limit: usize,
}

impl RequestLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), dropped: 0, limit }
    }

    /// Notes a request; the number is for [`answered`](Self::answered).
    pub(crate) fn record(&mut self, request: RecordedRequest) -> u64 {
        self.kept.push_back(request);
        let number = self.dropped + self.kept.len() as u64 - 1;
        while self.kept.len() > self.limit {
            self.kept.pop_front();
            self.dropped += 1;
        }
        number
    }

    pub(crate) fn answered(&mut self, number: u64, status: u16) {
        let place = number.checked_sub(self.dropped).and_then(|place| usize::try_from(place).ok());
        if let Some(request) = place.and_then(|place| self.kept.get_mut(place)) {
            request.status = Some(status);
        }
    }

    pub(crate) fn all(&self) -> Requests {
        Requests(self.kept.iter().cloned().collect())
    }

    /// How many came in all, those no longer kept included.
    pub(crate) fn count(&self) -> u64 {
        self.dropped + self.kept.len() as u64
    }

    pub(crate) fn forget(&mut self) {
        self.dropped = self.count();
        self.kept.clear();
    }
}
