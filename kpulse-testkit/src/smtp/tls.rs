//! A certificate that nobody knows but whoever is told.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::SmtpError;

/// A certificate for `localhost`, and what speaks TLS with it.
pub(super) struct Certificate {
    pub(super) pem: String,
    pub(super) acceptor: TlsAcceptor,
}

impl Certificate {
    pub(super) fn generate() -> Result<Self, SmtpError> {
        let failed = |error: &dyn std::fmt::Display| SmtpError::Certificate(error.to_string());
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(|error| failed(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
            .map_err(|error| failed(&error))?;
        Ok(Self { pem: made.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}
