//! From a request to its answer: recorded, perhaps spoilt, checked, served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::{StatusCode, header, request};
use serde_json::Value;
use tokio::time::Instant;

use super::access::Attempt;
use super::discovery;
use super::faults::{Disturber, Outcome, Shot, error_of};
use super::object::Key;
use super::objects;
use super::query::Query;
use super::requests::RecordedRequest;
use super::server::HungUp;
use super::shape::Shape;
use super::status::{StatusError, bytes_response, json_response, with_retry_after};
use super::target::{Call, Target};
use super::watch::Broken;
use super::{Inner, lock};

/// What a real server takes at most in one request.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

pub(crate) fn router(cluster: Arc<Inner>) -> Router {
    Router::new().fallback(dated).with_state(cluster)
}

/// Every answer, dated by the cluster's own clock.
async fn dated(State(cluster): State<Arc<Inner>>, request: Request) -> Response {
    let mut response = answer(State(Arc::clone(&cluster)), request).await;
    let date = httpdate::fmt_http_date(cluster.clock.now().into());
    if let Ok(date) = date.parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn answer(State(cluster): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = Query::of(&parts.uri);
    let target = Target::parse(&parts.method, &parts.uri, &query, &cluster.catalogue);
    let recorded = recorded(&cluster, &parts, &target);
    let (delay, outcome) = lock(&cluster.faults).take(Shot {
        verb: &recorded.verb,
        resource: &recorded.resource,
        namespace: &recorded.namespace,
        path: &recorded.path,
    });
    let number = lock(&cluster.requests).record(recorded);
    if delay > Duration::ZERO {
        tokio::time::sleep(delay).await;
    }
    let disturber = match outcome {
        Outcome::Serve => Disturber::none(),
        Outcome::Disturb(disturber) => disturber,
        Outcome::Disconnect => return hung_up(),
        Outcome::Answer { code, retry_after, body } => {
            lock(&cluster.requests).answered(number, code);
            let answer = body.unwrap_or_else(|| error_of(code).status().to_string());
            return with_retry_after(bytes_response(code, answer.into()), retry_after);
        }
    };
    let asked = Asked { cluster, parts, query, disturber };
    let log = Arc::clone(&asked.cluster);
    let response = match axum::body::to_bytes(body, LARGEST_BODY).await {
        Ok(body) => asked.serve(&target, &body).unwrap_or_else(IntoResponse::into_response),
        Err(_) => StatusError::new(413, "RequestEntityTooLarge", "the request is larger than 3 MiB").into_response(),
    };
    lock(&log.requests).answered(number, response.status().as_u16());
    response
}

fn recorded(cluster: &Inner, parts: &request::Parts, target: &Target) -> RecordedRequest {
    let (verb, resource, namespace, name) = match target {
        Target::Call(call) => (call.verb, call.resource(&cluster.catalogue), call.namespace.clone(), call.name.clone()),
        Target::Review(plural) => ("create", plural.clone(), String::new(), String::new()),
        _ => ("", String::new(), String::new(), String::new()),
    };
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    RecordedRequest {
        at: Instant::now(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        verb: verb.to_owned(),
        resource,
        namespace,
        name,
        user_agent: user_agent.to_owned(),
        status: None,
    }
}

/// Marked, so that [`server`](super::server) ends the connection; elsewhere at least the body breaks off.
fn hung_up() -> Response {
    let body = Body::from_stream(stream::iter([Err::<Bytes, _>(Broken)]));
    let mut response = body.into_response();
    response.extensions_mut().insert(HungUp);
    response
}

/// A request that is to be served.
pub(crate) struct Asked {
    pub(crate) cluster: Arc<Inner>,
    pub(crate) parts: request::Parts,
    pub(crate) query: Query,
    pub(crate) disturber: Disturber,
}

impl Asked {
    fn serve(self, target: &Target, body: &Bytes) -> Result<Response, StatusError> {
        match target {
            Target::Health => Ok("ok".into_response()),
            Target::Review(plural) if !self.hides("authorization.k8s.io", "v1") => self.review(plural, body),
            Target::Call(call) => {
                let row = self.cluster.catalogue.row(call.row);
                if self.hides(row.group, row.version) { Ok(page_not_found()) } else { self.call(call, body) }
            }
            described => {
                let described = self.describe(described);
                Ok(described.map_or_else(page_not_found, |value| json_response(200, &value)))
            }
        }
    }

    fn hides(&self, group: &str, version: &str) -> bool {
        lock(&self.cluster.hidden).hides(group, version)
    }

    fn describe(&self, target: &Target) -> Option<Value> {
        let catalogue = &self.cluster.catalogue;
        let hidden = lock(&self.cluster.hidden);
        match target {
            Target::Version => Some(discovery::version(&self.cluster.settings.version)),
            Target::CoreVersions => Some(discovery::core_versions()),
            Target::Groups => Some(discovery::groups(catalogue, &hidden)),
            Target::Group(group) => discovery::group(catalogue, &hidden, group),
            Target::Resources { group, version } => discovery::resources(catalogue, &hidden, group, version),
            _ => None,
        }
    }

    fn review(&self, plural: &str, body: &[u8]) -> Result<Response, StatusError> {
        let review: Value = serde_json::from_slice(body)
            .map_err(|error| StatusError::bad_request(format!("error decoding the review: {error}")))?;
        if !review.is_object() {
            return Err(StatusError::bad_request("a review is an object"));
        }
        let access = lock(&self.cluster.access);
        let review = match plural {
            "selfsubjectaccessreviews" => access.review(review),
            "selfsubjectrulesreviews" => access.rules(review, &self.cluster.catalogue),
            _ => return Err(StatusError::no_such_resource()),
        };
        Ok(json_response(201, &review))
    }

    fn call(self, call: &Call, body: &Bytes) -> Result<Response, StatusError> {
        let cluster = Arc::clone(&self.cluster);
        let row = cluster.catalogue.row(call.row);
        let attempt = Attempt {
            verb: call.verb,
            group: row.group,
            resource: &call.resource(&cluster.catalogue),
            namespace: &call.namespace,
            name: &call.name,
        };
        lock(&cluster.access).check(&attempt, row, &cluster.settings.user)?;
        if !row.namespaced && !call.namespace.is_empty() {
            return Err(StatusError::no_such_resource());
        }
        match (call.verb, row.plural, call.subresource.as_str()) {
            (_, _, "") => objects::serve(self, call, row, body),
            (_, _, "status") if row.status => objects::serve(self, call, row, body),
            ("get", "pods", "log") => {
                let key = Key { namespace: call.namespace.clone(), name: call.name.clone() };
                let pod = lock(&cluster.store).get(cluster.catalogue.table(call.row), &key);
                let pod = pod.ok_or_else(|| StatusError::not_found(row, &call.name))?;
                lock(&cluster.kubelets).log_response(&pod, &self.query)
            }
            ("get", "nodes", "proxy") if call.rest == "stats/summary" => {
                let key = Key { namespace: String::new(), name: call.name.clone() };
                let node = lock(&cluster.store).get(cluster.catalogue.table(call.row), &key);
                node.ok_or_else(|| StatusError::not_found(row, &call.name))?;
                lock(&cluster.kubelets).summary_response(&call.name)
            }
            _ => Err(StatusError::no_such_resource()),
        }
    }

    pub(crate) fn shape(&self, row: &super::Resource) -> Shape {
        Shape::accepted(&self.parts.headers, row)
    }
}

/// What a server says of a path it does not have at all: no `Status`, plain text.
fn page_not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}
