//! The address of a channel. Its path and query are often the key to the channel, so only its host is ever shown.

use std::fmt;

use reqwest::Url;

/// An `http` or `https` address. Printed, it is its host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    url: Url,
}

/// Why a text is no address of a channel. It does not say the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EndpointError {
    #[error("is not a URL")]
    NotAUrl,
    #[error("is not an http or https URL")]
    OtherScheme,
    #[error("is a URL without a host")]
    NoHost,
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, EndpointError> {
        let url = match Url::parse(text.trim()) {
            Ok(url) => url,
            Err(_) if text.trim().ends_with("://") => return Err(EndpointError::NoHost),
            Err(_) => return Err(EndpointError::NotAUrl),
        };
        match (url.scheme(), url.host_str()) {
            ("http" | "https", Some(host)) if !host.is_empty() => Ok(Self { url }),
            ("http" | "https", _) => Err(EndpointError::NoHost),
            _ => Err(EndpointError::OtherScheme),
        }
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// The same address, `segments` deeper and with `query` after what is asked there already.
    pub(crate) fn join(&self, segments: &[&str], query: &[(&str, &str)]) -> Self {
        let mut url = self.url.clone();
        // An address with a host always has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Self { url }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.host_str().unwrap_or_default())?;
        self.url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, EndpointError>) {
        let endpoint = Endpoint::parse(text);
        assert_eq!(endpoint.map(|endpoint| endpoint.to_string()).as_deref().map_err(|error| *error), expect, "{text}");
    }

    #[test]
    fn only_the_host_of_an_address_is_shown() {
        check("https://hooks.example.com/services/T0/B0/token", Ok("hooks.example.com"));
        check("http://user:password@10.0.0.1:8081/x?token=1\n", Ok("10.0.0.1:8081"));
        check("HTTPS://[::1]:8443/x", Ok("[::1]:8443"));
    }

    #[test]
    fn a_deeper_address_keeps_what_was_asked() {
        let join = |base: &str, segments: &[&str], query: &[(&str, &str)]| {
            Endpoint::parse(base).unwrap().join(segments, query).url().to_string()
        };
        assert_eq!(join("https://h/a/b/?t=1", &["c", "d"], &[("wait", "true")]), "https://h/a/b/c/d?t=1&wait=true");
        assert_eq!(join("https://h", &["bot1:x", "send"], &[]), "https://h/bot1:x/send");
        assert_eq!(join("https://h/a", &[], &[("k", "a&b é")]), "https://h/a?k=a%26b+%C3%A9");
        assert_eq!(join("https://h/a", &["../b?c"], &[]), "https://h/a/..%2Fb%3Fc");
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        check("", Err(EndpointError::NotAUrl));
        check("hooks.example.com/x", Err(EndpointError::NotAUrl));
        check("https://", Err(EndpointError::NoHost));
        check("ftp://h/x", Err(EndpointError::OtherScheme));
        check("localhost:8081", Err(EndpointError::OtherScheme));
        check("file:///etc/passwd", Err(EndpointError::OtherScheme));
    }
}
