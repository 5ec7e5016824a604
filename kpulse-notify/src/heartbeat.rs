//! A sign of life for a service that tells people when it stops coming (healthchecks.io, Uptime Kuma, Dead Man's Snitch).
//! When to give it is not decided here.

use std::fmt;
use std::path::PathBuf;

use kpulse_core::settings::Span;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::http::{Http, HttpClient, certificates};
use crate::notifier::DeliveryError;
use crate::secrets::Secrets;
use crate::settings::secret::{address, set};
use crate::settings::{Problem, SetupError, worst_first};

/// What the user says about signs of life. Without an address there are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatSettings {
    /// The key of the secret that holds the address to get.
    pub url_from_secret: Option<String>,
    /// How long lies between two signs.
    pub interval: Span,
    /// Certificates to trust besides the platform's, as PEM.
    pub ca_file: Option<PathBuf>,
}

impl Default for HeartbeatSettings {
    fn default() -> Self {
        Self { url_from_secret: None, interval: Span::minutes(1), ca_file: None }
    }
}

impl HeartbeatSettings {
    /// Whether there is to be one.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        set(self.url_from_secret.as_ref()).is_some()
    }

    /// Everything that keeps it from being given, for `kpulse check`. Nothing is sent.
    #[must_use]
    pub fn problems(&self, secrets: &Secrets) -> Vec<Problem> {
        if !self.is_wanted() {
            return Vec::new();
        }
        let ca_file = self.ca_file.as_deref().and_then(|path| certificates(path).err());
        worst_first([self.endpoint(secrets).err(), ca_file]).into_iter().map(Problem::from).collect()
    }

    /// The heartbeat, if there is to be one. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// A missing secret may still appear; anything else is for the configuration's author.
    pub fn heartbeat(&self, secrets: &Secrets, http: &Http) -> Option<Result<Heartbeat, SetupError>> {
        let made = || {
            let endpoint = self.endpoint(secrets)?;
            Ok(Heartbeat { endpoint, client: http.client(self.ca_file.as_deref())? })
        };
        self.is_wanted().then(made)
    }

    fn endpoint(&self, secrets: &Secrets) -> Result<Endpoint, SetupError> {
        address("url_from_secret", self.url_from_secret.as_ref(), secrets)
    }
}

/// Gives a sign of life.
#[derive(Clone)]
pub struct Heartbeat {
    endpoint: Endpoint,
    client: HttpClient,
}

impl Heartbeat {
    /// Gives one sign.
    ///
    /// # Errors
    ///
    /// When it was not taken. The error names no more of the address than its host.
    pub async fn beat(&self) -> Result<(), DeliveryError> {
        self.client.get(&self.endpoint).await?.verdict()
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Heartbeat").field(&self.endpoint).finish()
    }
}

#[cfg(test)]
mod tests {
    use kpulse_testkit::sink::{Behaviour, EchoSink};

    use super::*;
    use crate::clock::wall_clock;
    use crate::http::{HttpSettings, install_crypto};

    fn http() -> Http {
        install_crypto();
        Http::new(HttpSettings { proxies: false, ..HttpSettings::default() }, wall_clock()).unwrap()
    }

    fn wanted() -> HeartbeatSettings {
        HeartbeatSettings { url_from_secret: Some("URL".to_owned()), ..HeartbeatSettings::default() }
    }

    #[tokio::test]
    async fn a_beat_is_a_get_and_its_answer_counts() {
        let sink = EchoSink::new();
        let server = sink.serve("127.0.0.1:0").await.unwrap();
        let secrets: Secrets = [("URL", format!("{}\n", server.url_of("heartbeat/s3cr3t")))].into_iter().collect();
        let heartbeat = wanted().heartbeat(&secrets, &http()).unwrap().unwrap();
        heartbeat.beat().await.unwrap();
        let beat = sink.messages().pop().unwrap();
        assert_eq!((beat.method.as_str(), beat.body.len()), ("GET", 0));
        sink.script("heartbeat", [Behaviour::status(500)]);
        let error = heartbeat.beat().await.unwrap_err().to_string();
        assert!(error.contains("500") && error.contains("127.0.0.1") && !error.contains("s3cr3t"), "{error}");
        assert!(!format!("{heartbeat:?}").contains("s3cr3t"));
    }

    #[test]
    fn without_an_address_there_is_none_and_a_missing_secret_is_named() {
        let secrets = Secrets::default();
        assert!(HeartbeatSettings::default().heartbeat(&secrets, &http()).is_none());
        assert!(HeartbeatSettings::default().problems(&secrets).is_empty());
        let missing = wanted().heartbeat(&secrets, &http()).unwrap().unwrap_err();
        assert!(matches!(missing, SetupError::MissingSecret { .. }), "{missing}");
        assert_eq!(wanted().problems(&secrets)[0].missing_secret.as_deref(), Some("URL"));
    }
}
