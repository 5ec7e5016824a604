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
    fn what_is_no_address_is_refused_without_being_repeated() {
        check("", Err(EndpointError::NotAUrl));
        check("hooks.example.com/x", Err(EndpointError::NotAUrl));
        check("https://", Err(EndpointError::NoHost));
        check("ftp://h/x", Err(EndpointError::OtherScheme));
        check("localhost:8081", Err(EndpointError::OtherScheme));
        check("file:///etc/passwd", Err(EndpointError::OtherScheme));
    }
}
