//! Decoding that takes what it can use and passes over the rest: a value of the wrong type is as good as absent.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::Name;

/// What a lenient decoder does with each type of JSON; what it does not override is passed over.
trait Take<'de>: Sized + Default {
    fn text(_: &str) -> Self {
        Self::default()
    }
    fn number(_: i64) -> Self {
        Self::default()
    }
    fn flag(_: bool) -> Self {
        Self::default()
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

struct Taker<T>(PhantomData<T>);

impl<'de, T: Take<'de>> Visitor<'de> for Taker<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }
    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::number(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(i64::try_from(number).map(T::number).unwrap_or_default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_bool<E>(self, flag: bool) -> Result<T, E> {
        Ok(T::flag(flag))
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_none<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<T, D::Error> {
        value.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

fn take<'de, D: Deserializer<'de>, T: Take<'de>>(value: D) -> Result<T, D::Error> {
    value.deserialize_any(Taker(PhantomData))
}

struct Text<T>(Option<T>);

impl<T> Default for Text<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: for<'a> From<&'a str>> Take<'_> for Text<T> {
    fn text(text: &str) -> Self {
        Self(Some(T::from(text)))
    }
}

/// Text, turned into `T`; anything else is `T::default()`.
pub(crate) fn text<'de, D: Deserializer<'de>, T: for<'a> From<&'a str> + Default>(value: D) -> Result<T, D::Error> {
    Ok(take::<D, Text<T>>(value)?.0.unwrap_or_default())
}

/// Text that is not empty, turned into `T`.
pub(crate) fn text_opt<'de, D: Deserializer<'de>, T: for<'a> From<&'a str>>(value: D) -> Result<Option<T>, D::Error> {
    struct NonEmpty<T>(Option<T>);
    impl<T> Default for NonEmpty<T> {
        fn default() -> Self {
            Self(None)
        }
    }
    impl<T: for<'a> From<&'a str>> Take<'_> for NonEmpty<T> {
        fn text(text: &str) -> Self {
            Self((!text.is_empty()).then(|| T::from(text)))
        }
    }
    Ok(take::<D, NonEmpty<T>>(value)?.0)
}

#[derive(Default)]
struct Time(Option<Timestamp>);

impl Take<'_> for Time {
    fn text(text: &str) -> Self {
        // The epoch is what some kubelets write for "not known" (a container that could not be started).
        Self(text.parse().ok().filter(|time: &Timestamp| *time > Timestamp::UNIX_EPOCH))
    }
}

/// An RFC 3339 time; the epoch, an unreadable one and null are all "not known".
pub(crate) fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(take::<D, Time>(value)?.0)
}

#[derive(Default)]
struct Number(i64);

impl Take<'_> for Number {
    fn number(number: i64) -> Self {
        Self(number)
    }
}

/// A whole number within `i32`; absent, odd or out of range is 0.
pub(crate) fn number<'de, D: Deserializer<'de>>(value: D) -> Result<i32, D::Error> {
    Ok(i32::try_from(take::<D, Number>(value)?.0).unwrap_or_default())
}

#[derive(Default)]
struct SomeNumber(Option<i64>);

impl Take<'_> for SomeNumber {
    fn number(number: i64) -> Self {
        Self(Some(number))
    }
}

/// A whole number, where absent differs from 0; an odd one is absent.
pub(crate) fn number_opt<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    Ok(take::<D, SomeNumber>(value)?.0)
}

#[derive(Default)]
struct Flag(bool);

impl Take<'_> for Flag {
    fn flag(flag: bool) -> Self {
        Self(flag)
    }
}

/// A truth value; absent or odd is false.
pub(crate) fn flag<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    Ok(take::<D, Flag>(value)?.0)
}

struct Object<T>(Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Take<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|value| Self(Some(value)))
    }
}

/// An object; anything else is `T::default()`.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(value: D) -> Result<T, D::Error> {
    Ok(take::<D, Object<T>>(value)?.0.unwrap_or_default())
}

/// An object, if there is one.
pub(crate) fn object_opt<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    Ok(take::<D, Object<T>>(value)?.0)
}

struct Entry<T>(Object<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        take(value).map(Self)
    }
}

struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Take<'de> for List<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut entries = Vec::new();
        while let Some(Entry(Object(entry))) = list.next_element()? {
            entries.extend(entry);
        }
        Ok(Self(entries))
    }
}

/// A list of objects; entries that are not objects are left out.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Vec<T>, D::Error> {
    Ok(take::<D, List<T>>(value)?.0)
}

#[derive(Default)]
struct Texts(Vec<Name>);

impl<'de> Take<'de> for Texts {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        struct Word(Option<Name>);
        impl<'de> Deserialize<'de> for Word {
            fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
                Ok(Self(take::<D, Text<Name>>(value)?.0))
            }
        }
        let mut words = Vec::new();
        while let Some(Word(word)) = list.next_element()? {
            words.extend(word);
        }
        Ok(Self(words))
    }
}

/// A list of texts; entries that are not text are left out.
pub(crate) fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Name>, D::Error> {
    Ok(take::<D, Texts>(value)?.0)
}

#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl<'de> Take<'de> for Pairs {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut pairs = Vec::with_capacity(object.size_hint().unwrap_or(8).min(64));
        while let Some(key) = object.next_key::<String>()? {
            struct Value(Option<String>);
            impl<'de> Deserialize<'de> for Value {
                fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
                    Ok(Self(take::<D, Text<String>>(value)?.0))
                }
            }
            if let Value(Some(value)) = object.next_value()? {
                pairs.push((key, value));
            }
        }
        Ok(Self(pairs))
    }
}

/// The text values of an object, in its order: labels.
pub(crate) fn pairs<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<(String, String)>, D::Error> {
    Ok(take::<D, Pairs>(value)?.0)
}
