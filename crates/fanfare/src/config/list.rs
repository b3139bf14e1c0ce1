//! Reads lists in the configuration file. A list with only one value needs no brackets.
use serde::{
    Deserialize, Deserializer,
    de::{self, IntoDeserializer as _, value::MapAccessDeserializer, value::SeqAccessDeserializer},
};
use std::{fmt, marker::PhantomData};

/// Deserializes a list, or a single value, which becomes a list with one value.
///
/// # Errors
/// The error of the first value that is not valid.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    split_or_list(deserializer, |text| vec![text])
}

/// Deserializes a list, or one text, which `split` divides into the values.
///
/// # Errors
/// The error of the first value that is not valid.
pub(super) fn split_or_list<'de, D, T>(deserializer: D, split: fn(&str) -> Vec<&str>) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(OneOrMany { split, value: PhantomData })
}

struct OneOrMany<T> {
    split: fn(&str) -> Vec<&str>,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotation marks, or a list in brackets")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        (self.split)(text).into_iter().map(|text| T::deserialize(text.into_deserializer())).collect()
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, values: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(values))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(|value| vec![value])
    }
}

/// Reads a value that may have two forms in a file: the text that the flag takes, or a table, which has more fields.
pub(super) struct TextOr<Fields, T>(PhantomData<(Fields, T)>);

impl<'de, Fields, T> TextOr<Fields, T>
where
    Fields: Deserialize<'de>,
    T: TryFrom<Fields, Error: fmt::Display> + std::str::FromStr<Err: fmt::Display>,
{
    /// Reads a value in either of its two forms.
    ///
    /// # Errors
    /// The error that parsing the text, or reading the table, returns.
    pub(super) fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(Self(PhantomData))
    }
}

impl<'de, Fields, T> de::Visitor<'de> for TextOr<Fields, T>
where
    Fields: Deserialize<'de>,
    T: TryFrom<Fields, Error: fmt::Display> + std::str::FromStr<Err: fmt::Display>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotation marks, in the form of the flag, or a table")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(fields))?;
        T::try_from(fields).map_err(de::Error::custom)
    }
}
