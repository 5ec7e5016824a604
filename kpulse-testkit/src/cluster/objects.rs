//! The verbs on objects.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::header;
use serde_json::{Value, json};

use super::list;
use super::object::{Key, Object, metadata_mut, metadata_text};
use super::patch::{Patch, read_object};
use super::query::Query;
use super::resources::Resource;
use super::routes::Asked;
use super::selectors::{FieldSelector, LabelSelector, Selection};
use super::settings::PodDeletion;
use super::status::{StatusError, bytes_response, json_response, success};
use super::store::Store;
use super::target::Call;
use super::watch;
use super::writes::{Deleted, Deletion, Part, Writer};
use super::{Inner, lock};

/// Serves a verb on a kind, or on the status of one object.
pub(crate) fn serve(asked: Asked, call: &Call, row: &Resource, body: &Bytes) -> Result<Response, StatusError> {
    if row.namespaced && call.namespace.is_empty() && !matches!(call.verb, "list" | "watch") {
        return Err(StatusError::method_not_allowed());
    }
    let status = !call.subresource.is_empty();
    match call.verb {
        "list" => {
            let cluster = &asked.cluster;
            let selection = selection(call, row, &asked.query)?;
            let table = cluster.catalogue.table(call.row);
            let page = list::page(&lock(&cluster.store), table, &selection, &asked.query)?;
            Ok(page.into_response(asked.shape(row)))
        }
        "watch" => {
            let start = watch::Start {
                table: asked.cluster.catalogue.table(call.row),
                row,
                selection: selection(call, row, &asked.query)?,
                query: &asked.query,
                shape: asked.shape(row),
                disturber: asked.disturber,
            };
            watch::respond(&asked.cluster, start)
        }
        "get" => asked.get(call, row),
        "create" if !call.name.is_empty() => Err(StatusError::method_not_allowed()),
        "create" => asked.create(call, row, body),
        "update" if !call.name.is_empty() => asked.update(call, row, body),
        "patch" if !call.name.is_empty() => asked.patch(call, row, body),
        "delete" if !status => asked.delete(call, row, body),
        "deletecollection" => asked.delete_collection(call, row, body),
        _ => Err(StatusError::method_not_allowed()),
    }
}

fn selection(call: &Call, row: &Resource, query: &Query) -> Result<Selection, StatusError> {
    let labels = LabelSelector::parse(query.get("labelSelector").unwrap_or_default())?;
    let mut fields = FieldSelector::parse(query.get("fieldSelector").unwrap_or_default(), row)?;
    if !call.name.is_empty() {
        fields = fields.by_name(&call.name);
    }
    let namespace = (!call.namespace.is_empty()).then(|| call.namespace.clone());
    Ok(Selection { namespace, labels, fields })
}

fn key(call: &Call) -> Key {
    Key { namespace: call.namespace.clone(), name: call.name.clone() }
}

fn part(call: &Call) -> Part {
    if call.subresource == "status" { Part::Status } else { Part::Main }
}

impl Asked {
    /// Writes under the store's lock, as one step.
    fn write<T>(
        &self,
        call: &Call,
        row: &Resource,
        write: impl FnOnce(&mut Writer<'_>) -> Result<T, StatusError>,
    ) -> Result<T, StatusError> {
        let mut store = lock(&self.cluster.store);
        let mut writer = Writer {
            store: &mut store,
            row,
            table: self.cluster.catalogue.table(call.row),
            now: self.cluster.clock.now(),
            dry_run: self.query.get("dryRun") == Some("All"),
        };
        write(&mut writer)
    }

    fn respond(&self, row: &Resource, code: u16, object: &Arc<Object>) -> Response {
        bytes_response(code, self.shape(row).object(object))
    }

    fn get(&self, call: &Call, row: &Resource) -> Result<Response, StatusError> {
        let object = self.write(call, row, |writer| writer.current(&key(call)))?;
        Ok(self.respond(row, 200, &object))
    }

    fn create(&self, call: &Call, row: &Resource, body: &Bytes) -> Result<Response, StatusError> {
        let object = self.object_in(call, row, body)?;
        let made = self.write(call, row, |writer| writer.create(object, Part::Main))?;
        Ok(self.respond(row, 201, &made))
    }

    fn update(&self, call: &Call, row: &Resource, body: &Bytes) -> Result<Response, StatusError> {
        let object = self.object_in(call, row, body)?;
        if metadata_text(&object, "name").is_empty() {
            let why = "Required value: name or generateName is required";
            return Err(StatusError::invalid(row, "", "metadata.name", why));
        }
        let written = self.write(call, row, |writer| writer.update(&key(call), object, part(call)))?;
        Ok(self.respond(row, 200, &written))
    }

    fn patch(&self, call: &Call, row: &Resource, body: &Bytes) -> Result<Response, StatusError> {
        let patch = Patch::parse(self.content_type(), body)?;
        if patch.creates() && self.query.get("fieldManager").is_none() {
            let why = "fieldManager: Required value: is required for apply patch";
            return Err(StatusError::new(422, "Invalid", format!("PatchOptions.meta.k8s.io \"\" is invalid: {why}")));
        }
        let (existed, written) = self.write(call, row, |writer| {
            let existed = writer.current(&key(call)).is_ok();
            Ok((existed, writer.patch(&key(call), &patch, part(call))?))
        })?;
        Ok(self.respond(row, if existed { 200 } else { 201 }, &written))
    }

    fn delete(&self, call: &Call, row: &Resource, body: &Bytes) -> Result<Response, StatusError> {
        let options = self.delete_options(body)?;
        let deleted = self.write(call, row, |writer| {
            writer.dry_run |= options["dryRun"][0] == "All";
            let deletion = self.deletion(writer, &key(call), &options)?;
            let deleted = writer.delete(&key(call), &deletion)?;
            if row.kind == "Namespace" && !writer.dry_run && matches!(deleted, Deleted::Gone(_)) {
                empty_namespace(&self.cluster, writer.store, &call.name);
            }
            Ok(deleted)
        })?;
        Ok(match deleted {
            Deleted::Gone(object) if row.kind == "Pod" => self.respond(row, 200, &object),
            Deleted::Gone(object) => json_response(200, &success(row, &call.name, &object.uid)),
            Deleted::Marked(object) => self.respond(row, 200, &object),
        })
    }

    fn delete_collection(&self, call: &Call, row: &Resource, body: &Bytes) -> Result<Response, StatusError> {
        let options = self.delete_options(body)?;
        let selection = selection(call, row, &self.query)?;
        let items = self.write(call, row, |writer| {
            writer.dry_run |= options["dryRun"][0] == "All";
            let page = list::page(writer.store, writer.table, &selection, &Query::default())?;
            let mut items = Vec::new();
            for object in page.items {
                let deletion = self.deletion(writer, &object.key, &options)?;
                writer.delete(&object.key, &deletion)?;
                items.push(object.value(row));
            }
            Ok(items)
        })?;
        Ok(json_response(200, &json!({ "kind": "List", "apiVersion": "v1", "metadata": {}, "items": items })))
    }

    /// The object in a body, put where the path says.
    fn object_in(&self, call: &Call, row: &Resource, body: &[u8]) -> Result<Value, StatusError> {
        let content_type = self.content_type();
        let accepted = ["", "application/json", "application/yaml"];
        if !accepted.contains(&content_type.split(';').next().unwrap_or_default().trim()) {
            return Err(StatusError::unsupported_media_type("application/json, application/yaml"));
        }
        let mut object = read_object(body)?;
        if !object.is_object() {
            return Err(StatusError::bad_request("the body is no object"));
        }
        check_kind(&object, row)?;
        let namespace = metadata_text(&object, "namespace");
        if !namespace.is_empty() && namespace != call.namespace {
            return Err(StatusError::bad_request(format!(
                "the namespace of the provided object does not match the namespace sent on the request \
                 ({namespace}, {})",
                call.namespace
            )));
        }
        if row.namespaced {
            metadata_mut(&mut object).insert("namespace".to_owned(), json!(call.namespace));
        }
        Ok(object)
    }

    fn content_type(&self) -> &str {
        self.parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    fn delete_options(&self, body: &[u8]) -> Result<Value, StatusError> {
        let mut options = if body.is_empty() { json!({}) } else { read_object(body)? };
        if !options.is_object() {
            return Err(StatusError::bad_request("delete options are no object"));
        }
        if let Some(grace) = self.query.number("gracePeriodSeconds")? {
            options["gracePeriodSeconds"] = json!(grace);
        }
        Ok(options)
    }

    fn deletion(&self, writer: &Writer<'_>, key: &Key, options: &Value) -> Result<Deletion, StatusError> {
        let text = |field: &str| options["preconditions"][field].as_str().map(str::to_owned);
        let mut deletion = Deletion { uid: text("uid"), resource_version: text("resourceVersion"), grace: None };
        if writer.row.kind == "Pod" && self.cluster.settings.pod_deletion == PodDeletion::Graceful {
            let own = writer.current(key)?.bare()["spec"]["terminationGracePeriodSeconds"].as_u64();
            deletion.grace = Some(options["gracePeriodSeconds"].as_u64().or(own).unwrap_or(30));
        }
        Ok(deletion)
    }
}

fn check_kind(object: &Value, row: &Resource) -> Result<(), StatusError> {
    let said = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (said("apiVersion"), said("kind"));
    let fits = (api_version.is_empty() || api_version == row.api_version()) && (kind.is_empty() || kind == row.kind);
    if fits {
        return Ok(());
    }
    Err(StatusError::bad_request(format!(
        "{kind} in version \"{api_version}\" cannot be handled as a {} in version \"{}\"",
        row.kind,
        row.api_version()
    )))
}

/// Takes away all that lived in a namespace.
pub(crate) fn empty_namespace(cluster: &Inner, store: &mut Store, namespace: &str) {
    let inside = Selection { namespace: Some(namespace.to_owned()), ..Selection::default() };
    for (table, row) in cluster.catalogue.iter().enumerate().filter(|(_, row)| row.namespaced) {
        let Ok(page) = list::page(store, table, &inside, &Query::default()) else { continue };
        for object in page.items {
            store.remove(table, row, &object.key);
        }
    }
}
