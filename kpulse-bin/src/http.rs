//! Health over HTTP: `/healthz` says that the program runs, `/readyz` that it knows the cluster.

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

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
    let app = Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(status);
    if let Err(error) = axum::serve(listener, app).await {
        tracing::error!(%error, "HTTP server ended");
    }
}

async fn ready(State(status): State<watch::Receiver<Status>>) -> (StatusCode, String) {
    let status = status.borrow();
    if status.ready { (StatusCode::OK, status.text()) } else { (StatusCode::SERVICE_UNAVAILABLE, status.text()) }
}
