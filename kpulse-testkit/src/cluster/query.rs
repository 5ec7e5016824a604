//! The query of a request.

use axum::extract::Query as Parsed;
use http::Uri;

use super::status::StatusError;

/// Parameters in the order given; the first of a name counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(Parsed::try_from_uri(uri).map(|Parsed(pairs)| pairs).unwrap_or_default())
    }

    /// A parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, StatusError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| StatusError::bad_request(format!("invalid {name}: \"{text}\" is no number")))
        };
        self.get(name).map(parse).transpose()
    }
}
