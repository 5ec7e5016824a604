//! Links that a channel puts under its messages: templates of the user's, filled in from each message.
//!
//! What is filled in is percent-encoded, so that a link leads where its template says, whatever things are called. A link
//! of which something is not known, because the message is not about one object or one container, is left out: it would
//! lead astray.

mod template;

use std::fmt;

use kpulse_core::Notification;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::text;
use template::Template;

/// The most links under a message.
const MOST: usize = 5;

/// The longest name of a link, in characters: what a button shows.
const NAME: usize = 30;

/// The longest address, in characters. Every platform takes as much.
const LENGTH: usize = 1_000;

/// The links of a channel, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    templates: Vec<(String, Template)>,
}

/// A link under a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// What it is called.
    pub(crate) name: String,
    /// Where it leads. It holds no character that means anything to a platform's markup but `&`.
    pub(crate) url: String,
}

impl Links {
    /// The links of a message.
    pub(crate) fn of(&self, notification: &Notification) -> Vec<Link> {
        let filled = self.templates.iter().filter_map(|(name, template)| {
            let url = template.fill(&notification.content)?;
            Some(Link { name: name.clone(), url }).filter(|link| link.url.len() <= LENGTH)
        });
        filled.collect()
    }
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.templates.iter().map(|(name, template)| (name, template)))
    }
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct ByName;

        impl<'de> Visitor<'de> for ByName {
            type Value = Links;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "links by name: {grafana: \"https://grafana.example.com/d/pods?var-namespace={namespace}\"}",
                )
            }

            fn visit_unit<E: de::Error>(self) -> Result<Links, E> {
                Ok(Links::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Links, A::Error> {
                let mut links = Links::default();
                while let Some(name) = map.next_key::<String>()? {
                    let template = map.next_value::<Template>()?;
                    if name.is_empty() || text::line(&name) != name || name.chars().count() > NAME {
                        return Err(de::Error::custom(format_args!(
                            "`{name}` cannot be the name of a link: use {NAME} characters at most, in one line"
                        )));
                    }
                    links.templates.push((name, template));
                }
                if links.templates.len() > MOST {
                    let count = links.templates.len();
                    return Err(de::Error::custom(format_args!("there are {count} links: keep {MOST} at most")));
                }
                Ok(links)
            }
        }

        value.deserialize_any(ByName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn links(json: &str) -> Links {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_message_has_the_links_of_which_all_is_known() {
        let links = links(
            r#"{"pods": "https://g/{namespace}/{container}", "node": "https://g/{node}", "all": "https://g/{cluster}"}"#,
        );
        let names = |notification: &Notification| {
            links.of(notification).into_iter().map(|link| format!("{} {}", link.name, link.url)).collect::<Vec<_>>()
        };
        // Three Pods have no node in common.
        assert_eq!(names(&example::firing()), ["pods https://g/checkout/api", "all https://g/prod-eu"]);
        let bare = ["pods https://g/checkout/migrate", "node https://g/ip-10-0-3-17", "all https://g/prod-eu"];
        assert_eq!(names(&example::bare()), bare);
        assert_eq!(names(&example::digest()), ["all https://g/prod-eu"]);
    }

    #[test]
    fn an_address_too_long_for_a_platform_is_left_out() {
        let mut odd = example::firing();
        odd.content.report_mut().unwrap().object.namespace = "é".repeat(200).as_str().into();
        assert_eq!(links(r#"{"pods": "https://g/{namespace}"}"#).of(&odd), []);
    }

    #[test]
    fn names_are_short_and_few() {
        let error = |json: &str| serde_json::from_str::<Links>(json).unwrap_err().to_string();
        assert!(error(r#"{"a\nb": "https://g"}"#).contains("cannot be the name of a link"));
        assert!(error(&format!("{{\"{}\": \"https://g\"}}", "x".repeat(31))).contains("30 characters at most"));
        let many: Vec<_> = (0..6).map(|number| format!("\"{number}\": \"https://g\"")).collect();
        assert!(error(&format!("{{{}}}", many.join(","))).contains("there are 6 links: keep 5 at most"));
    }
}
