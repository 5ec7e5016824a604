//! An address with placeholders.

use std::fmt::Write;

use kpulse_core::{Content, Kind, Report};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};

use crate::endpoint::{Endpoint, EndpointError};

/// An address in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// As the user wrote it.
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// As it stands, fit to be part of an address.
    Plain(String),
    Placeholder(Placeholder),
}

/// What is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Cluster,
    Namespace,
    Workload,
    Kind,
    Name,
    Container,
    Node,
    Reason,
    Monitor,
    Fingerprint,
}

const PLACEHOLDERS: [(&str, Placeholder); 10] = [
    ("cluster", Placeholder::Cluster),
    ("namespace", Placeholder::Namespace),
    ("workload", Placeholder::Workload),
    ("kind", Placeholder::Kind),
    ("name", Placeholder::Name),
    ("container", Placeholder::Container),
    ("node", Placeholder::Node),
    ("reason", Placeholder::Reason),
    ("monitor", Placeholder::Monitor),
    ("fingerprint", Placeholder::Fingerprint),
];

impl Template {
    /// Reads a template. A word in braces is a placeholder; other braces are text, as queries have them.
    fn parse(text: &str) -> Result<Self, String> {
        if !["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(format!("`{text}` is no address: begin with https:// or http://"));
        }
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let word = after.split_once('}').filter(|(word, _)| is_word(word));
            plain.push_str(before);
            match word {
                None => {
                    plain.push('{');
                    rest = after;
                }
                Some((word, beyond)) => {
                    let known =
                        PLACEHOLDERS.iter().find(|(name, _)| *name == word).map(|(_, placeholder)| *placeholder);
                    parts.push(Part::Plain(legible(&std::mem::take(&mut plain))));
                    parts.push(Part::Placeholder(known.ok_or_else(|| unknown(word))?));
                    rest = beyond;
                }
            }
        }
        plain.push_str(rest);
        parts.push(Part::Plain(legible(&plain)));
        let template = Self { text: text.to_owned(), parts };
        template.check().map_err(|error| format!("`{text}` {error}: write it like https://grafana.example.com/…"))?;
        Ok(template)
    }

    /// The address for a message; nothing if anything of it is not known.
    pub(super) fn fill(&self, content: &Content) -> Option<String> {
        self.filled(|placeholder| placeholder.of(content))
    }

    fn filled(&self, value: impl Fn(Placeholder) -> Option<String>) -> Option<String> {
        let mut url = String::new();
        for part in &self.parts {
            match part {
                Part::Plain(text) => url.push_str(text),
                Part::Placeholder(placeholder) => {
                    let value = value(*placeholder).filter(|value| !value.is_empty())?;
                    push_encoded(&mut url, &value, |c| c.is_ascii_alphanumeric() || "-._~".contains(c));
                }
            }
        }
        Some(url)
    }

    /// Whether it is an address whatever is filled in.
    fn check(&self) -> Result<(), EndpointError> {
        let sample = self.filled(|_| Some("x".to_owned())).unwrap_or_default();
        Endpoint::parse(&sample).map(drop)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(text)?).map_err(de::Error::custom)
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}

impl Placeholder {
    /// What it stands for in a message; nothing where that is not one thing.
    fn of(self, content: &Content) -> Option<String> {
        if self == Self::Cluster {
            return Some(content.cluster().to_string());
        }
        let report = content.report()?;
        let object = &report.object;
        Some(match self {
            Self::Cluster => return None,
            Self::Namespace => object.namespace.to_string(),
            Self::Workload => report.workload.as_ref().map_or(&object.name, |workload| &workload.name).to_string(),
            Self::Kind => object.kind.to_string(),
            Self::Name => object.name.to_string(),
            Self::Container => report.trouble.container.as_ref()?.to_string(),
            Self::Node => node(report)?,
            Self::Reason => report.reason.to_string(),
            Self::Monitor => report.monitor.to_string(),
            Self::Fingerprint => report.fingerprint.to_string(),
        })
    }
}

/// Of several objects, it would be the node of the first only.
fn node(report: &Report) -> Option<String> {
    match report.object.kind {
        _ if report.count > 1 => None,
        Kind::Node => Some(report.object.name.to_string()),
        _ => report.node.as_ref().map(ToString::to_string),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
}

fn unknown(word: &str) -> String {
    let known: Vec<_> = PLACEHOLDERS.iter().map(|(name, _)| format!("{{{name}}}")).collect();
    format!("there is nothing to put in the place of `{{{word}}}`: use {}", known.join(", "))
}

/// Text of the user's as an address takes it. What means something to Markdown or HTML is encoded too, which leads to
/// the same place.
fn legible(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    push_encoded(&mut url, text, |c| c.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(c));
    url
}

fn push_encoded(url: &mut String, text: &str, stays: impl Fn(char) -> bool) {
    for byte in text.bytes() {
        match char::from(byte) {
            c if stays(c) => url.push(c),
            _ => {
                // Writing to a String cannot fail.
                let _infallible = write!(url, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[track_caller]
    fn check(template: &str, expect: &str) {
        let template = Template::parse(template).unwrap();
        assert_eq!(template.fill(&example::bare().content).unwrap(), expect);
    }

    #[test]
    fn a_template_is_filled_in() {
        check(
            "https://g.example.com/{cluster}/{namespace}/{workload}?k={kind}&n={name}&c={container}#{node}",
            "https://g.example.com/prod-eu/checkout/migrate?k=Pod&n=migrate&c=migrate#ip-10-0-3-17",
        );
        let fingerprint = example::bare().content.fingerprint().to_string();
        check(
            "http://{cluster}.example.com/{reason}/{monitor}/{fingerprint}",
            &format!("http://prod-eu.example.com/CrashLoopBackOff/pod_crashes/{fingerprint}"),
        );
        let firing = Template::parse("https://g/{workload}").unwrap();
        assert_eq!(firing.fill(&example::firing().content).unwrap(), "https://g/api");
    }

    #[test]
    fn what_is_filled_in_stays_where_it_was_put() {
        let mut hostile = example::bare();
        hostile.content.report_mut().unwrap().reason = "a/b?c&d#e é|<>\"' ../%".into();
        let template = Template::parse("https://g/{reason}/x").unwrap();
        let url = template.fill(&hostile.content).unwrap();
        assert_eq!(url, "https://g/a%2Fb%3Fc%26d%23e%20%C3%A9%7C%3C%3E%22%27%20..%2F%25/x");
    }

    #[test]
    fn braces_of_a_query_are_text_and_marks_are_encoded() {
        check(
            r#"https://g/explore?left={"expr":"{namespace=\"{namespace}\"}"}&x=(a)[b]|<c>"#,
            "https://g/explore?left=%7B%22expr%22:%22%7Bnamespace=%5C%22checkout%5C%22%7D%22%7D&x=%28a%29%5Bb%5D%7C%3Cc%3E",
        );
        check("https://g/{}/{ namespace }/{", "https://g/%7B%7D/%7B%20namespace%20%7D/%7B");
    }

    #[test]
    fn what_is_no_address_or_names_nothing_is_refused() {
        let error = |text: &str| Template::parse(text).unwrap_err();
        assert_eq!(
            error("https://g/{namspace}"),
            "there is nothing to put in the place of `{namspace}`: use {cluster}, {namespace}, {workload}, {kind}, {name}, \
             {container}, {node}, {reason}, {monitor}, {fingerprint}"
        );
        assert_eq!(error("g/{namespace}"), "`g/{namespace}` is no address: begin with https:// or http://");
        assert_eq!(error("javascript:alert(1)"), "`javascript:alert(1)` is no address: begin with https:// or http://");
        assert!(error("https://").contains("is a URL without a host"));
    }
}
