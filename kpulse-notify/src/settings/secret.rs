//! What settings stand for that name a secret or an address.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::SetupError;
use crate::endpoint::Endpoint;
use crate::secrets::{Masked, Secrets};

/// What is set; an empty text is not, as files of the earlier program have it.
pub(crate) fn set(setting: Option<&String>) -> Option<&str> {
    setting.map(String::as_str).filter(|text| !text.is_empty())
}

/// Whether a block says by empty texts, and nothing else, that there is no such channel.
pub(crate) fn all_empty(settings: &[Option<&str>]) -> bool {
    let mut given = settings.iter().flatten().peekable();
    given.peek().is_some() && given.all(|text| text.is_empty())
}

/// The value of the secret that `setting` names by its `key`.
pub(crate) fn value(setting: &str, key: Option<&String>, secrets: &Secrets) -> Result<SecretString, SetupError> {
    let Some(key) = set(key) else {
        return Err(SetupError::invalid(setting, "is not set", "name the key of the secret that holds it"));
    };
    let value = secrets.get(key).map_err(|missing| SetupError::missing(setting, missing))?;
    if value.expose_secret().trim().is_empty() {
        let fault = format!("the value of secret {key} is empty");
        return Err(SetupError::invalid(setting, fault, "put the value there that the platform shows"));
    }
    Ok(value.expose_secret().trim().into())
}

/// The address that is the value of the secret that `setting` names by its `key`.
pub(crate) fn address(setting: &str, key: Option<&String>, secrets: &Secrets) -> Result<Endpoint, SetupError> {
    let address = value(setting, key, secrets)?;
    Endpoint::parse(address.expose_secret()).map_err(|error| {
        let fault = format!("the value of secret {} {error}", set(key).unwrap_or_default());
        SetupError::invalid(setting, fault, "put the address there as the platform shows it: https://…")
    })
}

/// The address in `setting`, or `usual` where there is none.
pub(crate) fn base(setting: &str, url: Option<&Masked>, usual: &str) -> Result<Endpoint, SetupError> {
    let url = url.map(Masked::expose).filter(|url| !url.is_empty()).unwrap_or(usual);
    Endpoint::parse(url)
        .map_err(|error| SetupError::invalid(setting, error.to_string(), "write it like https://example.com/path"))
}

/// The header that shows a token.
pub(crate) fn bearer(setting: &str, token: &SecretString) -> Result<HeaderMap, SetupError> {
    let header = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
    let mut header = header.map_err(|_| {
        let remedy = "put the token alone there, on one line";
        SetupError::invalid(setting, "the secret's value cannot stand in a header", remedy)
    })?;
    header.set_sensitive(true);
    Ok([(AUTHORIZATION, header)].into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        [("URL", "https://h/s3cr3t\n"), ("BAD", "s3cr3t"), ("BLANK", " \n"), ("LINES", "s3c\nr3t")]
            .into_iter()
            .collect()
    }

    #[track_caller]
    fn check<T>(result: Result<T, SetupError>, expect: Option<&str>) {
        let error = result.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expect);
        assert!(!error.unwrap_or_default().contains("s3cr3t"));
    }

    #[test]
    fn an_address_is_the_value_of_a_secret() {
        let address = |key: &str| address("webhook_url_from_secret", Some(&key.to_owned()), &secrets());
        check(address("URL"), None);
        check(address(""), Some("webhook_url_from_secret: is not set: name the key of the secret that holds it"));
        check(
            address("BAD"),
            Some(
                "webhook_url_from_secret: the value of secret BAD is not a URL: put the address there as the platform shows it: https://…",
            ),
        );
        check(
            address("BLANK"),
            Some(
                "webhook_url_from_secret: the value of secret BLANK is empty: put the value there that the platform shows",
            ),
        );
        assert!(matches!(address("NOPE"), Err(SetupError::MissingSecret { .. })));
    }

    #[test]
    fn a_token_of_two_lines_is_none() {
        let token = value("token_from_secret", Some(&"LINES".to_owned()), &secrets()).unwrap();
        check(
            bearer("token_from_secret", &token),
            Some(
                "token_from_secret: the secret's value cannot stand in a header: put the token alone there, on one line",
            ),
        );
        assert!(!format!("{:?}", bearer("t", &"s3cr3t".into())).contains("s3cr3t"));
    }

    #[test]
    fn empty_texts_alone_say_that_there_is_no_channel() {
        assert!(all_empty(&[Some(""), None]));
        assert!(!all_empty(&[None, None]) && !all_empty(&[]) && !all_empty(&[Some(""), Some("x")]));
    }
}
