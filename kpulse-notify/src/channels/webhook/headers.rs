//! Headers that the user adds.

use std::fmt;

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde::Serializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::secrets::{Masked, Secrets};
use crate::settings::SetupError;

/// What HTTP itself says about a body cannot be said otherwise.
const RESERVED: [&str; 4] = ["connection", "content-length", "host", "transfer-encoding"];

/// A header as it is sent, its secrets filled in.
pub(super) fn read(name: &str, value: &Masked, secrets: &Secrets) -> Result<(HeaderName, HeaderValue), SetupError> {
    let setting = || format!("headers.{name}");
    let header = HeaderName::try_from(name).map_err(|_| {
        SetupError::invalid(setting(), "is no name of a header", "use letters, digits and dashes: X-Team")
    })?;
    if RESERVED.contains(&header.as_str()) {
        return Err(SetupError::invalid(setting(), "is set by HTTP itself", "leave it out"));
    }
    let value = secrets.expand(value.expose()).map_err(|missing| SetupError::missing(setting(), missing))?;
    let mut value = HeaderValue::from_bytes(value.expose_secret().as_bytes()).map_err(|_| {
        SetupError::invalid(
            setting(),
            "its value cannot stand in a header",
            "remove line breaks and control characters",
        )
    })?;
    value.set_sensitive(true);
    Ok((header, value))
}

/// Writes headers as the map they were read from, for people to look at.
pub(super) fn to_map<S: Serializer>(headers: &[(String, Masked)], out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

/// Reads a map of headers in its order; a name that comes twice is an error.
pub(super) fn in_order<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<(String, Masked)>, D::Error> {
    struct Headers;

    impl<'de> Visitor<'de> for Headers {
        type Value = Vec<(String, Masked)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("headers: names and their values")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut headers: Vec<(String, Masked)> = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                if headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                    return Err(de::Error::custom(format_args!("header `{name}` is there twice: keep one")));
                }
                headers.push((name, map.next_value()?));
            }
            Ok(headers)
        }
    }

    value.deserialize_any(Headers)
}
