//! All objects and their recent history, under one revision counter.
//!
//! Lists and watches share the stored objects; nothing is copied. A list at an earlier revision is the present
//! with the later changes undone, so a paged list costs no memory between its pages.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::object::{Key, Object};
use super::resources::Resource;

/// What happened to an object, in the words of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Added,
    Modified,
    Deleted,
}

/// One step of a table's history. `object` is the new state, or the last one with the deletion's revision.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) happened: Happened,
    pub(crate) object: Arc<Object>,
    pub(crate) before: Option<Arc<Object>>,
}

/// All objects of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) objects: BTreeMap<Key, Arc<Object>>,
    history: VecDeque<Change>,
    /// How many changes have left the ring: the place of its first one.
    dropped: u64,
    /// Changes up to this revision are not served to new watches.
    compacted: u64,
    changed: watch::Sender<u64>,
}

/// What is stored: one table for each kind.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) revision: u64,
    /// Counts made objects: their uids and generated names.
    made: u64,
    tables: Vec<Table>,
    history_limit: usize,
}

impl Store {
    pub(crate) fn new(tables: usize, history_limit: usize) -> Self {
        let table = || Table {
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            dropped: 0,
            compacted: 0,
            changed: watch::Sender::new(0),
        };
        // A real cluster is never at revision 0, which clients read as "any".
        Self { revision: 1, made: 0, tables: std::iter::repeat_with(table).take(tables).collect(), history_limit }
    }

    pub(crate) fn table(&self, table: usize) -> &Table {
        &self.tables[table]
    }

    pub(crate) fn get(&self, table: usize, key: &Key) -> Option<Arc<Object>> {
        self.tables[table].objects.get(key).cloned()
    }

    /// The next number for a uid or a generated name.
    pub(crate) fn count_up(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// What writing `value` would store.
    pub(crate) fn preview(&self, row: &Resource, value: Value) -> Arc<Object> {
        Arc::new(Object::new(value, row, self.revision))
    }

    /// Stores a new object or a new state of one, and tells the watches.
    pub(crate) fn put(&mut self, table: usize, row: &Resource, value: Value) -> Arc<Object> {
        self.revision += 1;
        let object = Arc::new(Object::new(value, row, self.revision));
        let before = self.tables[table].objects.insert(object.key.clone(), Arc::clone(&object));
        let happened = if before.is_some() { Happened::Modified } else { Happened::Added };
        self.record(table, Change { happened, object: Arc::clone(&object), before });
        object
    }

    /// Takes an object away, and tells the watches. Gives its last state, with the deletion's revision.
    pub(crate) fn remove(&mut self, table: usize, row: &Resource, key: &Key) -> Option<Arc<Object>> {
        let before = self.tables[table].objects.remove(key)?;
        self.revision += 1;
        let object = Arc::new(Object::new(before.bare(), row, self.revision));
        self.record(table, Change { happened: Happened::Deleted, object: Arc::clone(&object), before: Some(before) });
        Some(object)
    }

    fn record(&mut self, table: usize, change: Change) {
        let revision = change.object.revision;
        let limit = self.history_limit;
        let table = &mut self.tables[table];
        table.history.push_back(change);
        while table.history.len() > limit {
            if let Some(forgotten) = table.history.pop_front() {
                table.dropped += 1;
                table.compacted = table.compacted.max(forgotten.object.revision);
            }
        }
        table.changed.send_replace(revision);
    }

    /// Watches and paged lists from before now are refused from here on. Open watches go on: theirs was granted.
    pub(crate) fn compact(&mut self) {
        for table in &mut self.tables {
            table.compacted = self.revision;
        }
    }
}

/// Why changes cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) oldest: u64,
}

impl Table {
    /// A signal for each later change.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The place after the last change.
    pub(crate) fn end(&self) -> u64 {
        self.dropped + self.history.len() as u64
    }

    /// The place of the first change after a revision.
    pub(crate) fn place_after(&self, revision: u64) -> Result<u64, Forgotten> {
        if revision < self.compacted {
            return Err(Forgotten { oldest: self.compacted });
        }
        Ok(self.dropped + self.history.partition_point(|change| change.object.revision <= revision) as u64)
    }

    /// Up to `limit` changes from a place on.
    pub(crate) fn changes(&self, place: u64, limit: usize) -> Result<Vec<Change>, Forgotten> {
        let Some(offset) = place.checked_sub(self.dropped) else {
            return Err(Forgotten { oldest: self.compacted });
        };
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(self.history.iter().skip(offset).take(limit).cloned().collect())
    }

    /// What differed at an earlier revision: each object touched since, as it was, or absent.
    pub(crate) fn undone_to(&self, revision: u64) -> Result<BTreeMap<Key, Option<Arc<Object>>>, Forgotten> {
        if revision < self.compacted {
            return Err(Forgotten { oldest: self.compacted });
        }
        let later = self.history.iter().rev().take_while(|change| change.object.revision > revision);
        Ok(later.map(|change| (change.object.key.clone(), change.before.clone())).collect())
    }

    /// The objects in order, with what `undone` says in place of the present.
    pub(crate) fn range<'a>(
        &'a self,
        undone: &'a BTreeMap<Key, Option<Arc<Object>>>,
        start: Bound<&Key>,
    ) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let bounds = (start.cloned(), Bound::Unbounded);
        let mut present = self.objects.range(bounds.clone()).filter(|(key, _)| !undone.contains_key(*key)).peekable();
        let mut past = undone.range(bounds).filter_map(|(key, was)| Some((key, was.as_ref()?))).peekable();
        std::iter::from_fn(move || {
            let from_past = match (present.peek(), past.peek()) {
                (Some((now, _)), Some((then, _))) => then < now,
                (None, Some(_)) => true,
                _ => false,
            };
            if from_past { past.next() } else { present.next() }.map(|(_, object)| object)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::resources::Catalogue;
    use serde_json::json;

    fn pod(name: &str) -> Value {
        json!({ "metadata": { "namespace": "shop", "name": name } })
    }

    #[track_caller]
    fn check(store: &Store, revision: u64, expect: &[&str]) {
        let undone = store.table(0).undone_to(revision).unwrap();
        let names: Vec<_> = store.table(0).range(&undone, Bound::Unbounded).map(|o| o.key.name.clone()).collect();
        assert_eq!(names, expect, "at {revision}");
    }

    #[test]
    fn the_past_is_the_present_with_changes_undone() {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("Pod").unwrap());
        let mut store = Store::new(1, 100);
        let first = store.revision;
        let a = store.put(0, row, pod("a")).revision;
        let c = store.put(0, row, pod("c")).revision;
        store.remove(0, row, &Key { namespace: "shop".to_owned(), name: "a".to_owned() });
        store.put(0, row, pod("b"));
        check(&store, first, &[]);
        check(&store, a, &["a"]);
        check(&store, c, &["a", "c"]);
        check(&store, store.revision, &["b", "c"]);
    }

    #[test]
    fn a_full_ring_forgets_the_oldest() {
        let catalogue = Catalogue::new(Vec::new());
        let row = catalogue.row(catalogue.by_name("Pod").unwrap());
        let mut store = Store::new(1, 2);
        let first = store.put(0, row, pod("a")).revision;
        store.put(0, row, pod("b"));
        assert!(store.table(0).place_after(first - 1).is_ok());
        store.put(0, row, pod("c"));
        assert_eq!(store.table(0).place_after(first - 1), Err(Forgotten { oldest: first }));
        assert!(store.table(0).place_after(first).is_ok());
        assert!(store.table(0).changes(0, 10).is_err());
    }
}
