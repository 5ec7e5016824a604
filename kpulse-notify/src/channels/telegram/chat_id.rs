//! Where a bot writes.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A chat's number, or a channel's `@name`. YAML may have the number as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatId(String);

impl ChatId {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether several people read it: groups have numbers below zero, channels names.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.0.starts_with(['-', '@'])
    }
}

impl From<&str> for ChatId {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ChatId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChatId {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct NumberOrName;

        impl Visitor<'_> for NumberOrName {
            type Value = ChatId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chat's number or @name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ChatId, E> {
                Ok(ChatId::from(text))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ChatId, E> {
                Ok(ChatId(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ChatId, E> {
                Ok(ChatId(number.to_string()))
            }
        }

        value.deserialize_any(NumberOrName)
    }
}
