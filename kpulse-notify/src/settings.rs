//! Which channels there are: the registry, and what the configuration says of each.
//!
//! A new channel is a file in `channels/` and a line in the table below.

mod fault;
mod fields;
pub(crate) mod secret;
mod shape;

use std::collections::BTreeMap;
use std::fmt;

use kpulse_core::settings::Span;
use kpulse_core::{Name, Notification};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::channels::*;
use crate::http::Http;
use crate::notifier::Notifier;
use crate::secrets::Secrets;
pub(crate) use fault::worst_first;
pub use fault::{Problem, SetupError};

/// What whoever decides what a channel is told must know of its kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    /// Each message opens or closes an incident: it wakes people, or hands on to what does. Nothing goes there but by a
    /// route that names it.
    pub incident: bool,
    /// It changes its earlier message in place.
    pub edits: bool,
    /// How often it must be told again what lasts, for it forgets.
    pub refresh: Option<Span>,
}

/// What every kind of channel can do with its settings. The implementor is the settings themselves.
pub(crate) trait Channel {
    /// Whether it takes what no route matches.
    fn is_default(&self) -> bool;

    /// What whoever decides what is told must know of it.
    fn traits(&self) -> Traits {
        Traits::default()
    }

    /// Whether the block says by empty values that there is no such channel, as the earlier program's configuration may.
    fn is_unset(&self) -> bool {
        false
    }

    /// Everything that keeps it from being set up, worst first. Files may be read; nothing is sent.
    fn faults(&self, secrets: &Secrets) -> Vec<SetupError>;

    /// Sets it up.
    fn notifier(&self, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError>;

    /// The message as it would be sent, for a person to look at.
    fn preview(&self, notification: &Notification) -> String;
}

macro_rules! registry {
    ($($kind:literal => $variant:ident($settings:ty), $doc:literal;)+) => {
        /// The settings of one channel.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum ChannelSettings {
            $(#[doc = $doc] $variant($settings),)+
        }

        impl ChannelSettings {
            /// Every kind of channel, as the configuration names it.
            pub const KINDS: &[&str] = &[$($kind),+];

            /// The kind as the configuration names it.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $kind,)+
                }
            }

            /// Which settings a kind of channel has; none for a kind that there is not.
            #[must_use]
            pub fn fields(kind: &str) -> &'static [&'static str] {
                match kind {
                    $($kind => fields::fields_of::<$settings>(),)+
                    _ => &[],
                }
            }

            fn write<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(settings) => settings.serialize(out),)+
                }
            }

            fn channel(&self) -> &dyn Channel {
                match self {
                    $(Self::$variant(settings) => settings,)+
                }
            }

            /// Reads what stands under a kind's key: the channels of that kind, with their names if they have any.
            fn read<'de, A: MapAccess<'de>>(kind: &str, map: &mut A) -> Result<Vec<(Option<String>, Self)>, A::Error> {
                match kind {
                    $($kind => {
                        let blocks = map.next_value_seed(shape::Blocks::<$settings>::new($kind))?;
                        Ok(blocks.into_iter().map(|(name, block)| (name, Self::$variant(block))).collect())
                    })+
                    _ => Err(de::Error::unknown_field(kind, Self::KINDS)),
                }
            }
        }
    };
}

registry! {
    "slack" => Slack(slack::Settings), "Slack, by incoming webhook or bot.";
    "discord" => Discord(discord::Settings), "Discord, by webhook.";
    "teams" => Teams(teams::Settings), "Microsoft Teams, by webhook.";
    "telegram" => Telegram(telegram::Settings), "Telegram, by bot.";
    "mattermost" => Mattermost(mattermost::Settings), "Mattermost, by incoming webhook.";
    "googlechat" => GoogleChat(googlechat::Settings), "Google Chat, by webhook.";
    "ntfy" => Ntfy(ntfy::Settings), "ntfy, the public server or one's own.";
    "email" => Email(email::Settings), "Mail, by SMTP.";
    "pagerduty" => PagerDuty(pagerduty::Settings), "PagerDuty, Events API v2.";
    "alertmanager" => Alertmanager(alertmanager::Settings), "An Alertmanager, API v2.";
    "webhook" => Webhook(webhook::Settings), "JSON to an address of one's own.";
    "stdout" => Stdout(stdout::Settings), "Lines on standard output.";
}

impl ChannelSettings {
    /// Whether it takes what no route matches.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.channel().is_default()
    }

    /// What whoever decides what it is told must know of it.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.channel().traits()
    }

    /// Everything that keeps the channel from being set up, for `kpulse check`. Nothing is sent.
    #[must_use]
    pub fn problems(&self, secrets: &Secrets) -> Vec<Problem> {
        self.channel().faults(secrets).into_iter().map(Problem::from).collect()
    }

    /// Sets up the channel called `name`. Nothing is sent.
    ///
    /// # Errors
    ///
    /// A missing secret may still appear; anything else is for the configuration's author.
    pub fn notifier(&self, name: &Name, secrets: &Secrets, http: &Http) -> Result<Box<dyn Notifier>, SetupError> {
        let made = self.channel().notifier(secrets, http);
        if let Err(error) = &made {
            tracing::debug!(channel = %name, %error, "channel cannot be set up");
        }
        made
    }

    /// The message as it would be sent, for a person to look at.
    #[must_use]
    pub fn preview(&self, notification: &Notification) -> String {
        self.channel().preview(notification)
    }
}

/// Every channel of the configuration, in its order.
///
/// Under `channels:` each kind is one block of settings, and is then called by its kind, or a map of such blocks by
/// name. A name belongs to one channel only, whatever its kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Channels {
    list: Vec<(Name, ChannelSettings)>,
}

impl Channels {
    /// Each channel with its name, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &ChannelSettings)> {
        self.list.iter().map(|(name, settings)| (name, settings))
    }

    /// The settings of a channel.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ChannelSettings> {
        self.iter().find(|(channel, _)| ***channel == *name).map(|(_, settings)| settings)
    }

    /// The channel for what no route matches: the one that says `default: true`, else the first that opens no incidents.
    #[must_use]
    pub fn default_channel(&self) -> Option<&Name> {
        let marked = self.iter().find(|(_, settings)| settings.is_default());
        let mut open = self.iter().filter(|(_, settings)| !settings.traits().incident);
        marked.or_else(|| open.next()).map(|(name, _)| name)
    }

    fn add(&mut self, name: String, settings: ChannelSettings) -> Result<(), String> {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{name:?} cannot be the name of a channel: use letters, digits and dashes"));
        }
        if let Some(other) = self.get(&name) {
            let kinds = if other.kind() == settings.kind() {
                format!("two {} channels are", settings.kind())
            } else {
                format!("a {} and a {} channel are both", other.kind(), settings.kind())
            };
            return Err(format!("{kinds} called `{name}`: give each channel a name of its own"));
        }
        if let Some((other, _)) = self.iter().find(|(_, other)| other.is_default() && settings.is_default()) {
            return Err(format!("both `{other}` and `{name}` say `default: true`: only one channel can"));
        }
        self.list.push((name.into(), settings));
        Ok(())
    }
}

/// As much of it as may be shown; what is not set is left out.
impl Serialize for ChannelSettings {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.write(out)
    }
}

/// By kind and name, for people to look at: what may be secret is not written. Only the one channel that is called by
/// its kind stands there without a name.
impl Serialize for Channels {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut kinds: BTreeMap<&str, Block<'_>> = BTreeMap::new();
        for (name, settings) in self.iter() {
            let kind = settings.kind();
            if name.as_str() == kind && self.iter().filter(|(_, other)| other.kind() == kind).count() == 1 {
                kinds.insert(kind, Block::One(settings));
            } else if let Block::Named(named) = kinds.entry(kind).or_insert_with(|| Block::Named(BTreeMap::new())) {
                named.insert(name, settings);
            }
        }
        kinds.serialize(out)
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Block<'a> {
    One(&'a ChannelSettings),
    Named(BTreeMap<&'a str, &'a ChannelSettings>),
}

impl<'de> Deserialize<'de> for Channels {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct ByKind;

        impl<'de> Visitor<'de> for ByKind {
            type Value = Channels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "channels by kind: {}", ChannelSettings::KINDS.join(", "))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Channels, E> {
                Ok(Channels::default())
            }

            fn visit_none<E: de::Error>(self) -> Result<Channels, E> {
                Ok(Channels::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Channels, A::Error> {
                let mut channels = Channels::default();
                while let Some(kind) = map.next_key::<String>()? {
                    for (name, settings) in ChannelSettings::read(&kind, &mut map)? {
                        if !settings.channel().is_unset() {
                            channels.add(name.unwrap_or_else(|| kind.clone()), settings).map_err(de::Error::custom)?;
                        }
                    }
                }
                Ok(channels)
            }
        }

        value.deserialize_any(ByKind)
    }
}

#[cfg(test)]
mod tests;
