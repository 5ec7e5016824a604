//! Errors, in the form the API server gives them.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::resources::Resource;

/// A refusal, as the API server words it: what a client finds in a `Status` object.
///
/// `code` and `reason` say whether trying again can help, as they do in a real cluster.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message} ({code} {reason})")]
pub struct StatusError {
    /// The HTTP status code.
    pub code: u16,
    /// The machine-readable reason, such as `NotFound`.
    pub reason: &'static str,
    /// The sentence for people.
    pub message: String,
    details: Option<Box<Value>>,
    continue_token: Option<String>,
}

impl StatusError {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continue_token: None }
    }

    fn of(code: u16, reason: &'static str, message: String, row: &Resource, name: &str) -> Self {
        let details = json!({ "name": name, "group": row.group, "kind": row.plural });
        Self { details: Some(Box::new(details)), ..Self::new(code, reason, message) }
    }

    pub(crate) fn not_found(row: &Resource, name: &str) -> Self {
        Self::of(404, "NotFound", format!("{} \"{name}\" not found", row.qualified()), row, name)
    }

    pub(crate) fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(crate) fn already_exists(row: &Resource, name: &str) -> Self {
        Self::of(409, "AlreadyExists", format!("{} \"{name}\" already exists", row.qualified()), row, name)
    }

    pub(crate) fn modified(row: &Resource, name: &str) -> Self {
        Self::conflict(
            row,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(crate) fn conflict(row: &Resource, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", row.qualified());
        Self::of(409, "Conflict", message, row, name)
    }

    pub(crate) fn forbidden(row: &Resource, name: &str, message: String) -> Self {
        Self::of(403, "Forbidden", message, row, name)
    }

    pub(crate) fn invalid(row: &Resource, name: &str, field: &str, why: &str) -> Self {
        let qualified_kind =
            if row.group.is_empty() { row.kind.to_owned() } else { format!("{}.{}", row.kind, row.group) };
        let message = format!("{qualified_kind} \"{name}\" is invalid: {field}: {why}");
        let mut error = Self::of(422, "Invalid", message, row, name);
        error.add_cause("FieldValueInvalid", why, field);
        error
    }

    pub(crate) fn invalid_list_options(field: &str, why: &str) -> Self {
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: Forbidden: {why}");
        let mut error = Self::new(422, "Invalid", message);
        error.details = Some(Box::new(json!({ "group": "meta.k8s.io", "kind": "ListOptions" })));
        error.add_cause("FieldValueForbidden", &format!("Forbidden: {why}"), field);
        error
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
    }

    pub(crate) fn unsupported_media_type(accepted: &str) -> Self {
        Self::new(
            415,
            "UnsupportedMediaType",
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}"),
        )
    }

    pub(crate) fn too_old(asked: u64, oldest: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({oldest})"))
    }

    /// A `continue` token from before the compaction; `fresh` lists the rest as it is now.
    pub(crate) fn continue_expired(fresh: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. \
             You can start a new list without the continue parameter, or use the continue token in this \
             response to retrieve the remainder of the results. Continuing with the provided token results \
             in an inconsistent list - objects that were created, modified, or deleted between the time the \
             first chunk was returned and now may show up in the list.";
        Self { continue_token: Some(fresh), ..Self::new(410, "Expired", message) }
    }

    pub(crate) fn from_the_future(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut error = Self::new(504, "Timeout", message);
        error.details = Some(Box::new(json!({ "retryAfterSeconds": 1 })));
        error.add_cause("ResourceVersionTooLarge", "Too large resource version", "");
        error
    }

    fn add_cause(&mut self, reason: &str, message: &str, field: &str) {
        let details = self.details.get_or_insert_with(|| Box::new(json!({})));
        let mut cause = json!({ "reason": reason, "message": message });
        if !field.is_empty() {
            cause["field"] = json!(field);
        }
        details["causes"] = json!([cause]);
    }

    /// The `Status` object a client reads.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        });
        if let Some(details) = &self.details {
            status["details"] = (**details).clone();
        }
        if let Some(token) = &self.continue_token {
            status["metadata"]["continue"] = json!(token);
        }
        status
    }
}

impl IntoResponse for StatusError {
    fn into_response(self) -> Response {
        json_response(self.code, &self.status())
    }
}

/// A success without an object to show: what a finished deletion answers.
pub(crate) fn success(row: &Resource, name: &str, uid: &str) -> Value {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": { "name": name, "group": row.group, "kind": row.plural, "uid": uid },
    })
}

pub(crate) fn json_response(code: u16, body: &Value) -> Response {
    bytes_response(code, body.to_string().into())
}

pub(crate) fn bytes_response(code: u16, body: bytes::Bytes) -> Response {
    let mut response = body.into_response();
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(crate) fn with_retry_after(mut response: Response, after: Option<Duration>) -> Response {
    if let Some(after) = after {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
