//! A TLS Secret: the certificates it holds. Its key is never read.

use serde::Deserialize;

use super::certificates::Certificates;
use super::{Meta, lenient};
use crate::Name;

/// The type of the Secrets that kpulse looks into.
const TLS: &str = "kubernetes.io/tls";

/// What kpulse reads of a Secret of type `kubernetes.io/tls`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SecretFacts {
    /// Its metadata.
    #[serde(rename = "metadata", deserialize_with = "lenient::object")]
    pub meta: Meta,
    /// Its type: `kubernetes.io/tls`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub secret_type: Name,
    /// What it holds, as far as anybody may see it.
    #[serde(deserialize_with = "lenient::object")]
    pub data: SecretData,
}

/// The public part of `data`. Every other entry, `tls.key` above all, is passed over by the decoder: it is neither
/// copied nor decoded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SecretData {
    /// What `tls.crt` holds.
    #[serde(rename = "tls.crt", deserialize_with = "lenient::text")]
    pub certificates: Certificates,
}

impl SecretFacts {
    /// Whether it is of the type that promises a certificate.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.secret_type == TLS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "the key that nobody may see", as `data` writes it.
    const KEY: &str = "dGhlIGtleSB0aGF0IG5vYm9keSBtYXkgc2Vl";

    #[test]
    fn the_key_is_never_read_wherever_it_stands() {
        let json = format!(
            r#"{{"metadata":{{"name":"web-tls","namespace":"shop","labels":{{"app":"web"}},
                  "annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{{\"data\":{{\"tls.key\":\"{KEY}\"}}}}"}},
                  "managedFields":[{{"fieldsV1":{{"f:tls.key":"{KEY}"}}}}]}},
                "data":{{"tls.key":"{KEY}","tls.crt":"Z2FyYmFnZQ==","ca.crt":"{KEY}","other":{{"nested":"{KEY}"}}}},
                "stringData":{{"tls.key":"{KEY}"}},"type":"kubernetes.io/tls","immutable":true}}"#
        );
        let secret: SecretFacts = serde_json::from_str(&json).unwrap();
        assert!(secret.is_tls());
        assert!(matches!(secret.data.certificates, Certificates::Unreadable(_)));
        let shown = format!("{secret:?} {secret:#?}");
        for word in [KEY, "the key that nobody", "nobody may see"] {
            assert!(!shown.contains(word), "{shown}");
        }
    }

    #[test]
    fn a_key_in_the_place_of_the_certificate_is_not_shown_either() {
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n");
        let crt = <base64ct::Base64 as base64ct::Encoding>::encode_string(pem.as_bytes());
        let json = format!(r#"{{"type":"kubernetes.io/tls","data":{{"tls.crt":"{crt}"}}}}"#);
        let secret: SecretFacts = serde_json::from_str(&json).unwrap();
        assert!(matches!(secret.data.certificates, Certificates::Unreadable(_)));
        let shown = format!("{secret:?}");
        assert!(!shown.contains(KEY) && !shown.contains(&crt), "{shown}");
    }

    #[test]
    fn odd_secrets_hold_nothing() {
        for json in [
            "{}",
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"data":{"tls.crt":null}}"#,
            r#"{"data":{"tls.crt":""}}"#,
            r#"{"data":{"tls.crt":7},"type":7}"#,
            r#"{"data":"x","metadata":4}"#,
        ] {
            let secret: SecretFacts = serde_json::from_str(json).unwrap();
            assert_eq!(secret.data.certificates, Certificates::Empty, "{json}");
            assert!(!secret.is_tls(), "{json}");
        }
    }
}
