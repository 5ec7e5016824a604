//! Routes: which channels an alert goes to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::settings::{Glob, Settings};
use crate::{Alert, Name, Workload};

/// One entry of `routing`: the first that matches decides, unless it says to go on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Route {
    /// Which alerts; an empty match takes all.
    #[serde(rename = "match")]
    pub matches: Matcher,
    /// Where they go.
    pub channels: Vec<Name>,
    /// Whether later routes are asked too.
    #[serde(rename = "continue")]
    pub go_on: bool,
}

/// What an alert must be like. All that is set must fit; each is a value, a list of values, or globs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// `info`, `warning`, `critical`.
    pub severity: OneOf,
    /// The monitor's name.
    pub monitor: OneOf,
    /// The namespace; never fits a cluster-scoped object.
    pub namespace: OneOf,
    /// The workload, as `Deployment/api` or `api`; a bare object is its own.
    pub workload: OneOf,
    /// The reason.
    pub reason: OneOf,
    /// The node.
    pub node: OneOf,
    /// Labels of the object.
    pub labels: BTreeMap<String, OneOf>,
}

/// Any one of these fits; an empty list fits everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OneOf(pub Vec<Glob>);

impl OneOf {
    fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    fn fits(&self, value: &str) -> bool {
        self.is_any() || self.0.iter().any(|glob| glob.matches(value))
    }
}

impl<'de> Deserialize<'de> for OneOf {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct ValueOrList;
        impl<'de> serde::de::Visitor<'de> for ValueOrList {
            type Value = OneOf;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value, a glob or a list of them")
            }
            // The earlier program wrote an empty text for "any".
            fn visit_str<E>(self, text: &str) -> Result<OneOf, E> {
                Ok(OneOf(if text.is_empty() { Vec::new() } else { vec![Glob::new(text)] }))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOf, A::Error> {
                let mut globs = Vec::new();
                while let Some(glob) = list.next_element()? {
                    globs.push(glob);
                }
                Ok(OneOf(globs))
            }
        }
        value.deserialize_any(ValueOrList)
    }
}

impl Matcher {
    /// Whether this alert is meant.
    #[must_use]
    pub fn matches(&self, alert: &Alert) -> bool {
        self.misfits(alert).next().is_none()
    }

    /// The keys that do not fit this alert: `severity`, `labels.team`.
    pub fn misfits<'a>(&'a self, alert: &'a Alert) -> impl Iterator<Item = Cow<'static, str>> + 'a {
        // The alert's own place, not its group's: what several objects share is one group across namespaces.
        let object = &alert.key.object;
        let workload = alert.workload.clone().unwrap_or_else(|| Workload::from(object));
        let fits = [
            ("severity", self.severity.fits(alert.severity.as_str())),
            ("monitor", self.monitor.fits(alert.key.monitor.as_str())),
            ("namespace", self.namespace.fits(&object.namespace)),
            ("workload", self.workload.fits(&workload.name) || self.workload.fits(&workload.to_string())),
            ("reason", self.reason.fits(&alert.reason)),
            ("node", self.node.is_any() || alert.node.as_ref().is_some_and(|node| self.node.fits(node))),
        ];
        let has =
            |key: &String, wanted: &OneOf| alert.labels.iter().any(|(label, value)| label == key && wanted.fits(value));
        let labels = self.labels.iter().filter(move |(key, wanted)| !has(key, wanted));
        let keys = fits.into_iter().filter(|(_, fits)| !fits).map(|(key, _)| Cow::Borrowed(key));
        keys.chain(labels.map(|(key, _)| Cow::Owned(format!("labels.{key}"))))
    }
}

/// The channels an alert goes to: those of the first route that matches and of those after it while they say to go
/// on; where none matches, the default channel. What happens rather than lasts opens an incident only where a route
/// names its monitor; nothing else does unless a route leads there.
#[must_use]
pub fn channels_for<'a>(alert: &Alert, settings: &'a Settings) -> Vec<&'a Name> {
    let is_incident = |name: &Name| settings.channel(name).is_some_and(|channel| channel.incident);
    let mut channels: Vec<&Name> = Vec::new();
    let mut matched = false;
    for route in settings.routing.iter().filter(|route| route.matches.matches(alert)) {
        matched = true;
        let has_end = alert.occurrences == 0 || !route.matches.monitor.is_any();
        for channel in route.channels.iter().filter(|channel| has_end || !is_incident(channel)) {
            if !channels.contains(&channel) {
                channels.push(channel);
            }
        }
        if !route.go_on {
            break;
        }
    }
    if !matched {
        channels.extend(settings.default_channel());
    }
    channels
}
