//! Objects as the core wants them: decoded from the API's text to facts, with nothing kept in between.
//!
//! kube's watcher is given a type to decode, and no more. Which kind of facts to make of it is known only to the
//! session that asks, so it says so in a task-local while it polls the watcher. An object that cannot be decoded
//! becomes a [`Lean`] without facts: an error would fail its whole page, for ever.

use std::borrow::Cow;
use std::fmt;

use futures::{Stream, StreamExt};
use kpulse_core::facts::Facts;
use kpulse_core::{Kind, Resource};
use kube::core::{DynamicResourceScope, ObjectMeta};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

tokio::task_local! {
    static KIND: Kind;
}

/// Polls a watcher of [`Lean`] objects so that they are decoded as facts of this kind.
pub(crate) fn decoding<S: Stream>(kind: Kind, watcher: S) -> impl Stream<Item = S::Item> {
    let mut watcher = Box::pin(watcher);
    futures::stream::poll_fn(move |context| KIND.sync_scope(kind, || watcher.poll_next_unpin(context)))
}

/// An object of the API, reduced to its facts.
#[derive(Clone)]
pub(crate) struct Lean {
    /// What the core reads of it; nothing if it is not an object with a name.
    pub(crate) facts: Option<Facts>,
    /// Only its version, from which the watcher resumes.
    meta: ObjectMeta,
}

impl fmt::Debug for Lean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.facts.as_ref().map(Facts::object);
        f.debug_struct("Lean").field("object", &object).finish_non_exhaustive()
    }
}

impl Lean {
    fn from_json(kind: Kind, json: &str) -> Self {
        let facts = Facts::from_json(kind, json.as_bytes()).ok().filter(|facts| !facts.meta().name.is_empty());
        Self { facts, meta: ObjectMeta { resource_version: version(json), ..ObjectMeta::default() } }
    }
}

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(object)?;
        let kind = KIND.try_with(|kind| *kind).map_err(D::Error::custom)?;
        Ok(Self::from_json(kind, json.get()))
    }
}

impl kube::Resource for Lean {
    type DynamicType = Resource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &Resource) -> Cow<'_, str> {
        resource.kind().as_str().into()
    }
    fn group(resource: &Resource) -> Cow<'_, str> {
        resource.api_version().rsplit_once('/').map_or("", |(group, _)| group).into()
    }
    fn version(resource: &Resource) -> Cow<'_, str> {
        resource.api_version().rsplit_once('/').map_or(resource.api_version(), |(_, version)| version).into()
    }
    fn plural(resource: &Resource) -> Cow<'_, str> {
        resource.plural().into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

/// `metadata.resourceVersion`, read no further than to its end: it stands in the first lines of an object, and the
/// rest was read for the facts already.
fn version(json: &str) -> Option<String> {
    let mut found = None;
    let seek = Seek { path: &["metadata", "resourceVersion"], found: &mut found };
    // Breaking off is an error to the decoder; what was found by then is in `found`.
    seek.deserialize(&mut serde_json::Deserializer::from_str(json)).ok();
    found.filter(|version| !version.is_empty())
}

struct Seek<'a> {
    path: &'a [&'a str],
    found: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or text")
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.path.is_empty() {
            *self.found = Some(text.to_owned());
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Some((wanted, path)) = self.path.split_first() else { return Err(A::Error::custom("not text")) };
        while let Some(key) = object.next_key::<Cow<'de, str>>()? {
            if key == *wanted {
                object.next_value_seed(Seek { path, found: &mut *self.found })?;
                return Err(A::Error::custom("read far enough"));
            }
            object.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_version(json: &str, expect: Option<&str>) {
        assert_eq!(version(json).as_deref(), expect, "{json}");
    }

    #[test]
    fn the_version_is_found_wherever_it_stands() {
        check_version(r#"{"metadata":{"name":"a","resourceVersion":"7","labels":{}},"spec":{"x":1}}"#, Some("7"));
        check_version(r#"{"spec":{"metadata":{"resourceVersion":"1"}},"metadata":{"resourceVersion":"8"}}"#, Some("8"));
        check_version(r#"{"metadata":{"name":"a"}}"#, None);
        check_version(r#"{"metadata":{"resourceVersion":""}}"#, None);
        check_version(r#"{"metadata":{"resourceVersion":7}}"#, None);
        check_version(r#"{"metadata":null}"#, None);
        check_version(r#""text""#, None);
        check_version("7", None);
    }

    fn decode(json: &str) -> Vec<Option<String>> {
        let objects: Vec<Lean> = KIND.sync_scope(Kind::Pod, || serde_json::from_str(json).unwrap());
        objects.iter().map(|lean| lean.facts.as_ref().map(|facts| facts.meta().name.to_string())).collect()
    }

    #[test]
    fn odd_items_do_not_fail_the_others() {
        let json = r#"[{"metadata":{"name":"a"}}, 7, null, "x", [], {}, {"metadata":{"name":1}},
            {"metadata":{"name":"b"},"spec":"odd","status":[]}]"#;
        let mut expect = vec![None; 8];
        expect[0] = Some("a".to_owned());
        expect[7] = Some("b".to_owned());
        assert_eq!(decode(json), expect);
    }

    #[test]
    fn nothing_is_decoded_outside_a_session() {
        assert!(serde_json::from_str::<Lean>("{}").is_err());
    }

    #[test]
    fn every_resource_has_a_path() {
        for resource in Resource::ALL {
            let path = <Lean as kube::Resource>::url_path(&resource, Some("shop"));
            let api = if resource.api_version().contains('/') { "apis" } else { "api" };
            let expect = format!("/{api}/{}/namespaces/shop/{}", resource.api_version(), resource.plural());
            assert_eq!(path, expect);
        }
    }
}
