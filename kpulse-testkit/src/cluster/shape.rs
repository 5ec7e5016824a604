//! The form objects leave the server in: whole, metadata only, or as `events.k8s.io` names an Event's fields.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::events::events_view;
use super::object::Object;
use super::resources::Resource;

/// How objects of one kind are written to one client.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// `"apiVersion":…,"kind":…,` — what an object has and a list's item has not.
    prefix: String,
    list_head: String,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    MetadataOnly,
    EventsView,
}

impl Shape {
    /// The shape a client asks for by its `Accept` header.
    pub(crate) fn accepted(headers: &HeaderMap, row: &Resource) -> Self {
        let accept = headers.get(http::header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let first = accept.split(',').next().unwrap_or_default();
        if first.contains("as=PartialObjectMetadata") {
            let prefix = r#""kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","#.to_owned();
            let list_head = r#""kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","#.to_owned();
            return Self { prefix, list_head, form: Form::MetadataOnly };
        }
        Self::whole(row)
    }

    pub(crate) fn whole(row: &Resource) -> Self {
        let api_version = row.api_version();
        Self {
            prefix: format!(r#""kind":"{}","apiVersion":"{api_version}","#, row.kind),
            list_head: format!(r#""kind":"{}List","apiVersion":"{api_version}","#, row.kind),
            form: if row.is_events_view() { Form::EventsView } else { Form::Whole },
        }
    }

    /// The opening of a list, up to its items.
    pub(crate) fn list_opening(&self, metadata: &Value) -> String {
        format!(r#"{{{}"metadata":{metadata},"items":["#, self.list_head)
    }

    /// Writes an object as it stands alone.
    pub(crate) fn write_object(&self, object: &Object, out: &mut Vec<u8>) {
        out.push(b'{');
        out.extend_from_slice(self.prefix.as_bytes());
        // Stored JSON is never empty (it has metadata), so what follows the brace continues this object.
        out.extend_from_slice(self.body(object).get(1..).unwrap_or_default());
    }

    /// Writes an object as an item of a list: without kind, except for those who asked for another kind.
    pub(crate) fn write_item(&self, object: &Object, out: &mut Vec<u8>) {
        match self.form {
            Form::MetadataOnly => self.write_object(object, out),
            Form::Whole | Form::EventsView => out.extend_from_slice(&self.body(object)),
        }
    }

    pub(crate) fn object(&self, object: &Arc<Object>) -> Bytes {
        let mut out = Vec::with_capacity(object.json().len() + self.prefix.len() + 1);
        self.write_object(object, &mut out);
        Bytes::from(out)
    }

    /// A line of a watch.
    pub(crate) fn event_line(&self, event: &str, object: &Object) -> Bytes {
        let mut out = Vec::with_capacity(object.json().len() + self.prefix.len() + 40);
        out.extend_from_slice(format!(r#"{{"type":"{event}","object":"#).as_bytes());
        self.write_object(object, &mut out);
        out.extend_from_slice(b"}\n");
        Bytes::from(out)
    }

    /// A bookmark; `initial` marks the end of a streaming list.
    pub(crate) fn bookmark_line(&self, revision: u64, initial: bool) -> Bytes {
        let mut metadata = json!({ "resourceVersion": revision.to_string(), "creationTimestamp": null });
        if initial {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        Bytes::from(format!("{{\"type\":\"BOOKMARK\",\"object\":{{{}\"metadata\":{metadata}}}}}\n", self.prefix))
    }

    fn body(&self, object: &Object) -> Bytes {
        match self.form {
            Form::Whole => object.json().clone(),
            Form::MetadataOnly => {
                let metadata = object.bare()["metadata"].take();
                json!({ "metadata": metadata }).to_string().into()
            }
            Form::EventsView => events_view(object.bare()).to_string().into(),
        }
    }
}
