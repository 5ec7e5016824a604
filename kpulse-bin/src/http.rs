//! Health over HTTP: `/healthz` says that the program runs, `/readyz` that it knows the cluster, `/metrics` how it is
//! doing.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::metrics;
use crate::pulse::Status;

/// The address of `-http`: `:8080` is every address of this machine.
///
/// # Errors
/// Where it is no address.
pub(crate) fn address(text: &str) -> anyhow::Result<SocketAddr> {
    let full = if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.replace("localhost", "127.0.0.1") };
    full.parse().with_context(|| format!("--http {text}: write it like :8080 or 127.0.0.1:8080"))
}

/// Opens the port, so that a port already taken is an error before anything else happens.
///
/// # Errors
/// Where the port cannot be had.
pub(crate) async fn listen(text: &str) -> anyhow::Result<TcpListener> {
    let address = address(text)?;
    TcpListener::bind(address).await.with_context(|| format!("--http {text}: choose another port, or end who has it"))
}

/// Serves until the program ends.
pub(crate) async fn serve(listener: TcpListener, status: watch::Receiver<Status>) {
    let app = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .with_state(status);
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "HTTP server ended");
    }
}

/// `?verbose` names what cannot be seen and which channel cannot be told.
async fn ready(State(status): State<watch::Receiver<Status>>, RawQuery(query): RawQuery) -> (StatusCode, String) {
    let status = status.borrow();
    let code = if status.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let verbose =
        query.is_some_and(|query| query.split('&').any(|word| word == "verbose" || word.starts_with("verbose=")));
    (code, if verbose { status.text() } else { status.word().to_owned() })
}

async fn measured(State(status): State<watch::Receiver<Status>>) -> ([(HeaderName, &'static str); 1], String) {
    let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, text)], metrics::text(&status.borrow()))
}
