//! Watches: what was, and then every change, line by line.
//!
//! A watch holds its place in the table's history, not a copy of it. One that falls further behind than the ring
//! is long is told that its history expired, as in a real cluster.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header;
use tokio::sync::watch;
use tokio::time::Instant;

use super::faults::{Disturber, Flow, error_line};
use super::list;
use super::object::Object;
use super::query::Query;
use super::resources::Resource;
use super::selectors::Selection;
use super::shape::Shape;
use super::status::StatusError;
use super::store::{Change, Happened, Store};
use super::{Expiry, Inner, StreamingLists, lock};

/// Changes are taken from the store so many at a time, so that no watch holds its lock for long.
const BATCH: usize = 256;

/// No watch lasts longer than this, whatever it asks for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What an open watch is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Run,
    /// Say nothing more, and stay open.
    Stall,
    /// End as if the time were up.
    Close,
    /// End as if the connection broke.
    Cut,
}

/// All open watches, by number: their resource and how to reach them.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    /// How many were opened so far: the number of the latest.
    opened: watch::Sender<u64>,
    open: BTreeMap<u64, (String, watch::Sender<Command>)>,
}

impl Watches {
    fn open(&mut self, resource: &str) -> (u64, watch::Receiver<Command>) {
        let (sender, receiver) = watch::channel(Command::Run);
        let number = *self.opened.borrow() + 1;
        self.open.insert(number, (resource.to_owned(), sender));
        self.opened.send_replace(number);
        (number, receiver)
    }

    /// A signal for each watch that opens.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.opened.subscribe()
    }

    /// Tells all watches of a resource, or with `*` all.
    pub(crate) fn tell(&self, resource: &str, command: Command) {
        for (_, sender) in self.open.values().filter(|(of, _)| resource == "*" || of == resource) {
            sender.send_replace(command);
        }
    }

    pub(crate) fn count(&self, resource: &str) -> usize {
        self.open.values().filter(|(of, _)| resource == "*" || of == resource).count()
    }
}

/// The body of a watch broke off on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the connection broke in the middle of the watch")]
pub(crate) struct Broken;

/// What starts a watch.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) table: usize,
    pub(crate) row: &'a Resource,
    pub(crate) selection: Selection,
    pub(crate) query: &'a Query,
    pub(crate) shape: Shape,
    pub(crate) disturber: Disturber,
}

/// Starts a watch, or says why not.
pub(crate) fn respond(cluster: &Arc<Inner>, start: Start<'_>) -> Result<Response, StatusError> {
    let asked = start.query.number("timeoutSeconds")?.map(Duration::from_secs);
    let lasts = asked.filter(|asked| !asked.is_zero()).unwrap_or(cluster.settings.watch_timeout).min(LONGEST);
    let (beginning, changed) = {
        let store = lock(&cluster.store);
        (Beginning::find(cluster, &store, &start), store.table(start.table).subscribe())
    };
    let beginning = match beginning {
        Err(error) if error.code == 410 && cluster.settings.expiry == Expiry::Event => {
            let line = stream::iter([Ok::<_, Infallible>(error_line(&error))]);
            return Ok(line_response(Body::from_stream(line)));
        }
        beginning => beginning?,
    };
    let (number, commands) = lock(&cluster.watches).open(start.row.plural);
    let now = Instant::now();
    let watching = Watching {
        open: Open { cluster: Arc::clone(cluster), number },
        table: start.table,
        row: start.row.clone(),
        selection: start.selection,
        shape: start.shape,
        beginning,
        deadline: now + lasts,
        next_bookmark: start
            .query
            .flag("allowWatchBookmarks")
            .then(|| now + cluster.settings.bookmark_interval.min(LONGEST)),
        changed,
        commands,
        disturber: start.disturber,
        flow: Flow::Goes,
    };
    let lines = stream::unfold(watching, |mut watching| async move {
        let line = watching.next().await?;
        Some((line, watching))
    });
    Ok(line_response(Body::from_stream(lines)))
}

fn line_response(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Where a watch stands: what it still has to give of the beginning, and its place in the history.
#[derive(Debug)]
struct Beginning {
    objects: std::vec::IntoIter<Arc<Object>>,
    /// The revision the initial objects are of, until its bookmark was given.
    marks_end: Option<u64>,
    place: u64,
    /// Changes up to here are known to the client already.
    after: u64,
}

impl Beginning {
    fn find(cluster: &Inner, store: &Store, start: &Start<'_>) -> Result<Self, StatusError> {
        let asked = start.query.number("resourceVersion")?;
        let table = store.table(start.table);
        let now = Self {
            objects: Vec::new().into_iter(),
            marks_end: None,
            place: table.end(),
            after: asked.unwrap_or_default(),
        };
        let streams = start.query.get("sendInitialEvents");
        if streams.is_some() {
            Self::check_streaming(cluster, store, start.query)?;
        } else if start.query.get("resourceVersionMatch").is_some() {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return Err(StatusError::invalid_list_options("resourceVersionMatch", why));
        }
        let any = matches!(asked, None | Some(0));
        if start.query.flag("sendInitialEvents") || (any && streams.is_none()) {
            let all = list::page(store, start.table, &start.selection, &Query::default())?;
            let marks_end = (streams.is_some() && start.query.flag("allowWatchBookmarks")).then_some(store.revision);
            return Ok(Self { objects: all.items.into_iter(), marks_end, after: store.revision, ..now });
        }
        match asked {
            Some(revision) if revision > 0 => {
                let place = table
                    .place_after(revision)
                    .map_err(|forgotten| StatusError::too_old(revision, forgotten.oldest))?;
                Ok(Self { place, ..now })
            }
            _ => Ok(now),
        }
    }

    fn check_streaming(cluster: &Inner, store: &Store, query: &Query) -> Result<(), StatusError> {
        let refuse = |why| Err(StatusError::invalid_list_options("sendInitialEvents", why));
        if cluster.settings.streaming_lists == StreamingLists::Refused {
            return refuse("sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
        }
        if query.get("resourceVersionMatch") != Some("NotOlderThan") {
            return refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        match query.number("resourceVersion")? {
            Some(asked) if asked > store.revision => Err(StatusError::from_the_future(asked, store.revision)),
            _ => Ok(()),
        }
    }
}

/// Counts as an open watch while it lives.
struct Open {
    cluster: Arc<Inner>,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.cluster.watches).open.remove(&self.number);
    }
}

/// One open watch.
struct Watching {
    open: Open,
    table: usize,
    row: Resource,
    selection: Selection,
    shape: Shape,
    beginning: Beginning,
    deadline: Instant,
    next_bookmark: Option<Instant>,
    changed: watch::Receiver<u64>,
    commands: watch::Receiver<Command>,
    disturber: Disturber,
    flow: Flow,
}

impl Watching {
    /// The next lines, when there are any; none when the watch is over.
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            let command = *self.commands.borrow_and_update();
            match (command, self.flow) {
                (Command::Close, _) | (_, Flow::Ends) => return None,
                (Command::Cut, _) | (_, Flow::Breaks) => {
                    self.flow = Flow::Ends;
                    return Some(Err(Broken));
                }
                (Command::Stall, _) | (_, Flow::Stalls) => {
                    self.commands.changed().await.ok()?;
                    continue;
                }
                (Command::Run, Flow::Goes) => {}
            }
            if Instant::now() >= self.deadline {
                self.flow = Flow::Ends;
                // A real server's last word is a bookmark, so that the next watch starts where this one ended.
                return self.next_bookmark.map(|_| Ok(self.bookmark()));
            }
            let lines = self.ready();
            if !lines.is_empty() {
                return Some(Ok(Bytes::from(lines)));
            }
            if self.flow == Flow::Goes {
                self.wait().await;
            }
        }
    }

    /// What can be said without waiting.
    fn ready(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.disturber.stalls_now() {
            self.flow = Flow::Stalls;
            return out;
        }
        for object in self.beginning.objects.by_ref().take(BATCH) {
            self.flow = self.disturber.pass(&self.shape.event_line("ADDED", &object), &mut out);
            if self.flow != Flow::Goes {
                return out;
            }
        }
        if !out.is_empty() {
            return out;
        }
        if let Some(revision) = self.beginning.marks_end.take() {
            return self.shape.bookmark_line(revision, true).to_vec();
        }
        self.write_changes(&mut out);
        if out.is_empty() && self.next_bookmark.is_some_and(|due| due <= Instant::now()) {
            self.next_bookmark = Some(Instant::now() + self.open.cluster.settings.bookmark_interval.min(LONGEST));
            out = self.bookmark().to_vec();
        }
        out
    }

    /// Writes the next batch of changes in which something is selected.
    fn write_changes(&mut self, out: &mut Vec<u8>) {
        self.changed.mark_unchanged();
        while out.is_empty() && self.flow == Flow::Goes {
            let changes = lock(&self.open.cluster.store).table(self.table).changes(self.beginning.place, BATCH);
            match changes {
                Ok(changes) if changes.is_empty() => return,
                Ok(changes) => changes.iter().for_each(|change| self.write_change(change, out)),
                Err(forgotten) => {
                    let error = StatusError::too_old(self.beginning.after, forgotten.oldest);
                    out.extend_from_slice(&error_line(&error));
                    self.flow = Flow::Ends;
                }
            }
        }
    }

    fn write_change(&mut self, change: &Change, out: &mut Vec<u8>) {
        self.beginning.place += 1;
        if self.flow != Flow::Goes || change.object.revision <= self.beginning.after {
            return;
        }
        self.beginning.after = change.object.revision;
        if let Some(line) = self.line(change) {
            self.flow = self.disturber.pass(&line, out);
        }
    }

    /// An object that enters what is selected is new to this client, one that leaves is gone.
    fn line(&self, change: &Change) -> Option<Bytes> {
        let was = change.before.as_ref().is_some_and(|before| self.selection.matches(before));
        let is = change.happened != Happened::Deleted && self.selection.matches(&change.object);
        match (was, is) {
            (false, true) => Some(self.shape.event_line("ADDED", &change.object)),
            (true, true) => Some(self.shape.event_line("MODIFIED", &change.object)),
            (true, false) if change.happened == Happened::Deleted => {
                Some(self.shape.event_line("DELETED", &change.object))
            }
            (true, false) => {
                // As it was while it was selected, with the revision at which it left.
                let before = change.before.as_ref()?.bare();
                let left = Object::new(before, &self.row, change.object.revision);
                Some(self.shape.event_line("DELETED", &left))
            }
            (false, false) => None,
        }
    }

    fn bookmark(&self) -> Bytes {
        let store = lock(&self.open.cluster.store);
        // Only a watch that has given everything may say so.
        let caught_up = store.table(self.table).end() == self.beginning.place;
        let revision = if caught_up { store.revision } else { self.beginning.after };
        self.shape.bookmark_line(revision, false)
    }

    async fn wait(&mut self) {
        let wake = self.next_bookmark.unwrap_or(self.deadline).min(self.deadline);
        tokio::select! {
            _ = self.commands.changed() => {}
            _ = self.changed.changed() => {}
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}
