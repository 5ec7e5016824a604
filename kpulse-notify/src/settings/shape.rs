//! The two shapes of a kind's settings: one block, or a map of blocks by name.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, StringDeserializer};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};

use super::fields::fields_of;

/// Reads one block or several. The first key decides: a setting's name makes it one block, any other a map of blocks.
/// Nothing is buffered, so errors keep their place in the file.
pub(super) struct Blocks<T> {
    kind: &'static str,
    settings: PhantomData<T>,
}

impl<T> Blocks<T> {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, settings: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Blocks<T> {
    type Value = Vec<(Option<String>, T)>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Blocks<T> {
    type Value = Vec<(Option<String>, T)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, fields) = (self.kind, fields_of::<T>().join(", "));
        write!(f, "the settings of a {kind} channel ({fields}), or several such blocks by name")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        let empty = MapDeserializer::new(std::iter::empty::<(String, ())>());
        T::deserialize(empty).map(|block| vec![(None, block)])
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        self.visit_unit()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let fields = fields_of::<T>();
        let is_field = |key: &str| fields.contains(&key);
        let Some(first) = map.next_key::<String>()? else { return self.visit_unit() };
        if is_field(&first) {
            let block = Begun { first: Some(first), rest: map };
            return Ok(vec![(None, T::deserialize(MapAccessDeserializer::new(block))?)]);
        }
        let mut blocks = Vec::new();
        let mut name = first;
        loop {
            let block = map.next_value_seed(Named { name: &name, settings: PhantomData })?;
            blocks.push((Some(name), block));
            match map.next_key::<String>()? {
                None => return Ok(blocks),
                // Settings follow what looked like a name: it was a mistyped setting.
                Some(next) if is_field(&next) => {
                    let typo = blocks.first().and_then(|(name, _)| name.as_deref()).unwrap_or_default();
                    return Err(de::Error::unknown_field(typo, fields));
                }
                Some(next) => name = next,
            }
        }
    }
}

/// Reads a block under a name.
struct Named<'a, T> {
    name: &'a str,
    settings: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Named<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<T, D::Error> {
        value.deserialize_any(self)
    }
}

/// A value that is no block cannot be a channel's: then the name was meant to be a setting's.
impl<'de, T: Deserialize<'de>> Visitor<'de> for Named<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` to be one of the settings {}, or a block of them", self.name, fields_of::<T>().join(", "))
    }

    fn visit_bool<E: de::Error>(self, _value: bool) -> Result<T, E> {
        self.unknown()
    }

    fn visit_i64<E: de::Error>(self, _value: i64) -> Result<T, E> {
        self.unknown()
    }

    fn visit_u64<E: de::Error>(self, _value: u64) -> Result<T, E> {
        self.unknown()
    }

    fn visit_f64<E: de::Error>(self, _value: f64) -> Result<T, E> {
        self.unknown()
    }

    fn visit_str<E: de::Error>(self, _value: &str) -> Result<T, E> {
        self.unknown()
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, _list: A) -> Result<T, A::Error> {
        self.unknown()
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        self.unknown()
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        self.unknown()
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de>> Named<'_, T> {
    /// The value is not repeated: it may be an address.
    fn unknown<E: de::Error>(self) -> Result<T, E> {
        Err(E::unknown_field(self.name, fields_of::<T>()))
    }
}

/// A map whose first key was read already.
struct Begun<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => {
                let first: StringDeserializer<A::Error> = first.into_deserializer();
                seed.deserialize(first).map(Some)
            }
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}
