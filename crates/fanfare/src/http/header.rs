//! A header of a request as people give it: `Name: value`.
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A header. Its value is sensitive: it goes to nobody but the server that was named, and is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Header {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

/// The text is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidHeader;

impl FromStr for Header {
    type Err = InvalidHeader;

    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let (name, value) = text.split_once(':').ok_or(InvalidHeader)?;
        let name = name.trim().parse().map_err(|_| InvalidHeader)?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| InvalidHeader)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

impl TryFrom<String> for Header {
    type Error = InvalidHeader;

    fn try_from(text: String) -> Result<Self, InvalidHeader> {
        text.parse()
    }
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // It was read from text.
        serializer.collect_str(&format_args!("{}: {}", self.name, String::from_utf8_lossy(self.value.as_bytes())))
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a name and a value, such as 'Authorization: Bearer …'")
    }
}

impl std::error::Error for InvalidHeader {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        for (text, name, value) in [("A-b: c: d ", "a-b", "c: d"), ("x:", "x", ""), ("x:é", "x", "é")] {
            let header: Header = text.parse().unwrap();
            assert_eq!((header.name.as_str(), header.value.as_bytes()), (name, value.as_bytes()), "{text}");
        }
        for text in ["", "x", ": y", "a b: c", "x: a\nb"] {
            assert_eq!(text.parse::<Header>(), Err(InvalidHeader), "{text:?}");
        }
    }
}
