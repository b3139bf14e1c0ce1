//! The values of an option that is repeatable. One text, from a flag, a variable or the file, may contain several
//! values, separated by white space. A flag that is given several times has several such texts.
use super::list;
use clap::{
    Arg, Command,
    builder::{StringValueParser, TypedValueParser, ValueParserFactory},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{error::Error, ffi::OsStr, marker::PhantomData, slice, str::FromStr};

/// The values that one text contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words<T>(pub Vec<T>);

/// The parser of the text of a flag or a variable, which may contain several values.
pub(crate) struct WordsParser<T>(PhantomData<fn() -> T>);

/// Deserializes a list of values, or one text with values that white space separates.
///
/// # Errors
/// The error of the first value that is not valid.
pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<Vec<Words<T>>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let values: Vec<T> = list::split_or_list(deserializer, split)?;
    Ok(Some(values.into_iter().map(|value| Words(vec![value])).collect()))
}

/// Serializes the values of all texts as one list.
///
/// # Errors
/// The error of the first value that cannot be serialized.
pub(super) fn serialize<S, T>(texts: &Option<Vec<Words<T>>>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize,
{
    match texts {
        Some(texts) => serializer.collect_seq(texts.iter().flatten()),
        None => serializer.serialize_none(),
    }
}

/// Splits a text at white space. A text with nothing but white space gives one empty word, which is an error later. If
/// it gave an empty list instead, a variable that is blank by mistake would leave the hub without keys.
fn split(text: &str) -> Vec<&str> {
    if text.trim().is_empty() { vec![""] } else { text.split_whitespace().collect() }
}

impl<'a, T> IntoIterator for &'a Words<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> Clone for WordsParser<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T> ValueParserFactory for Words<T> {
    type Parser = WordsParser<T>;

    fn value_parser() -> Self::Parser {
        WordsParser(PhantomData)
    }
}

impl<T> TypedValueParser for WordsParser<T>
where
    T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    type Value = Words<T>;

    /// Parses each word by itself, so that an error shows only the word that is wrong.
    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, text: &OsStr) -> Result<Words<T>, clap::Error> {
        let text = StringValueParser::new().parse_ref(command, argument, text)?;
        let parser = |word: &str| word.parse::<T>();
        let parse = |word: &str| parser.parse_ref(command, argument, OsStr::new(word));
        split(&text).into_iter().map(parse).collect::<Result<_, _>>().map(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_separates_values() {
        for text in ["a b", "a  b", " a b ", "a\tb", "a\nb\n", "\r\na\r\nb", "a\u{3000}b"] {
            assert_eq!(split(text), ["a", "b"], "{text:?}");
        }
        assert_eq!(split("a"), ["a"]);
        for blank in ["", " ", "\t\n"] {
            assert_eq!(split(blank), [""], "{blank:?}");
        }
    }
}
