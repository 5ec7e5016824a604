//! Lists: whole or in pages, now or at an earlier revision.

use std::ops::Bound;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::header;
use serde_json::json;

use super::object::{Key, Object};
use super::query::Query;
use super::selectors::Selection;
use super::shape::Shape;
use super::status::StatusError;
use super::store::Store;

/// Bodies leave in pieces of about this many bytes.
const PIECE: usize = 64 * 1024;

/// Where the next page starts. Written as text it is what clients pass back in `continue`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    /// The list's revision; 0 for "as it is now", after the list itself was compacted.
    revision: u64,
    /// How many items follow, where that is known.
    remaining: Option<u64>,
    after: Key,
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        let revision = parts.next()?.parse().ok()?;
        let remaining = match parts.next()? {
            "" => None,
            count => Some(count.parse().ok()?),
        };
        let after = Key { namespace: parts.next()?.to_owned(), name: parts.next()?.to_owned() };
        Some(Self { revision, remaining, after })
    }

    fn text(&self) -> String {
        let remaining = self.remaining.map(|count| count.to_string()).unwrap_or_default();
        format!("{}:{remaining}:{}:{}", self.revision, self.after.namespace, self.after.name)
    }
}

/// One page of a list, or all of it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Arc<Object>>,
    pub(crate) revision: u64,
    next: Option<Token>,
}

/// The page a query asks for.
pub(crate) fn page(store: &Store, table: usize, selection: &Selection, query: &Query) -> Result<Page, StatusError> {
    let asked = query.number("resourceVersion")?;
    let mut limit = query.number("limit")?.filter(|limit| *limit > 0);
    if let Some(text) = query.get("continue") {
        if asked.is_some_and(|revision| revision > 0) {
            return Err(StatusError::bad_request("specifying resource version is not allowed when using continue"));
        }
        let token = Token::parse(text)
            .ok_or_else(|| StatusError::bad_request("continue key is not valid: it was not given by this server"))?;
        return collect(store, table, selection, limit, Some(token), store.revision);
    }
    let mut revision = store.revision;
    match (asked, query.get("resourceVersionMatch")) {
        (None, Some(_)) => {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(StatusError::invalid_list_options("resourceVersionMatch", why));
        }
        (Some(asked), _) if asked > store.revision => {
            return Err(StatusError::from_the_future(asked, store.revision));
        }
        (Some(asked), Some("Exact")) => revision = asked,
        // A real server answers "any" from its cache, which has no pages.
        (Some(0), _) => limit = None,
        _ => {}
    }
    collect(store, table, selection, limit, None, revision)
}

fn collect(
    store: &Store,
    table: usize,
    selection: &Selection,
    limit: Option<u64>,
    token: Option<Token>,
    revision: u64,
) -> Result<Page, StatusError> {
    let table = store.table(table);
    let (revision, start) = match &token {
        Some(Token { revision: 0, after, .. }) => (store.revision, Bound::Excluded(after.clone())),
        Some(token) => (token.revision, Bound::Excluded(token.after.clone())),
        None => {
            let namespace = selection.namespace.clone().unwrap_or_default();
            (revision, Bound::Included(Key { namespace, name: String::new() }))
        }
    };
    let undone = table.undone_to(revision).map_err(|forgotten| match &token {
        Some(token) => StatusError::continue_expired(Token { revision: 0, remaining: None, ..token.clone() }.text()),
        None => StatusError::too_old(revision, forgotten.oldest),
    })?;
    let in_scope =
        |object: &&Arc<Object>| selection.namespace.as_ref().is_none_or(|namespace| *namespace == object.key.namespace);
    let mut rest = table.range(&undone, start.as_ref()).take_while(in_scope).filter(|o| selection.matches(o));
    let Some(limit) = limit else {
        return Ok(Page { items: rest.cloned().collect(), revision, next: None });
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let items: Vec<_> = rest.by_ref().take(limit).cloned().collect();
    let more = rest.next().is_some();
    let remaining = match token.and_then(|token| token.remaining) {
        Some(before) => Some(before.saturating_sub(items.len() as u64)),
        // With selectors a real server does not count either.
        None if more && selection.is_whole() => Some(1 + rest.count() as u64),
        None => None,
    };
    let next = items.last().filter(|_| more).map(|last| Token { revision, remaining, after: last.key.clone() });
    Ok(Page { items, revision, next })
}

impl Page {
    /// The list as a response, written piece by piece while it is read.
    pub(crate) fn into_response(self, shape: Shape) -> Response {
        let mut metadata = json!({ "resourceVersion": self.revision.to_string() });
        if let Some(next) = &self.next {
            metadata["continue"] = json!(next.text());
            if let Some(remaining) = next.remaining {
                metadata["remainingItemCount"] = json!(remaining);
            }
        }
        let opening = shape.list_opening(&metadata).into_bytes();
        let pieces = Pieces { items: self.items.into_iter(), shape, piece: Some(opening), first: true };
        let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::convert::Infallible>)));
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

struct Pieces {
    items: std::vec::IntoIter<Arc<Object>>,
    shape: Shape,
    /// What is begun; none once the list is closed.
    piece: Option<Vec<u8>>,
    first: bool,
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut piece = self.piece.take()?;
        while piece.len() < PIECE {
            let Some(object) = self.items.next() else {
                piece.extend_from_slice(b"]}");
                return Some(Bytes::from(piece));
            };
            if !std::mem::take(&mut self.first) {
                piece.push(b',');
            }
            self.shape.write_item(&object, &mut piece);
        }
        self.piece = Some(Vec::new());
        Some(Bytes::from(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went() {
        for remaining in [None, Some(7)] {
            let after = Key { namespace: "shop".to_owned(), name: "system:a".to_owned() };
            let token = Token { revision: 12, remaining, after };
            assert_eq!(Token::parse(&token.text()), Some(token));
        }
    }

    #[test]
    fn odd_tokens_are_refused() {
        for text in ["", "x", "1:2", "1:x:a:b", ":::"] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}
