//! A header of a request as people give it: `Name: value`.
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    str::FromStr,
};

/// A header. Its value is sensitive: it goes to nobody but the server that was named, and is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Header {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

/// Headers as an argument gives them: one, or `@FILE` with one on each line, which other users of the machine cannot see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderArgument(pub Vec<Header>);

/// The longest file of headers, in bytes: no server takes more.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// The text is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidHeader;

/// The argument gives no headers.
#[derive(Debug)]
pub(crate) enum InvalidHeaderArgument {
    /// It is no header.
    Header(InvalidHeader),
    /// The file cannot be read.
    File(io::Error),
    /// A line of the file, counted from 1, is no header.
    Line(usize),
}

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

impl FromStr for HeaderArgument {
    type Err = InvalidHeaderArgument;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderArgument> {
        let Some(path) = text.strip_prefix('@') else {
            return text.parse().map(|header| Self(vec![header])).map_err(InvalidHeaderArgument::Header);
        };
        let mut lines = String::new();
        let read = |file: File| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut lines);
        let bytes = File::open(path).and_then(read).map_err(InvalidHeaderArgument::File)?;
        if bytes as u64 > MAX_FILE_BYTES {
            return Err(InvalidHeaderArgument::File(io::ErrorKind::FileTooLarge.into()));
        }
        let numbered = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let header = |(index, line): (usize, &str)| line.parse().map_err(|_| InvalidHeaderArgument::Line(index + 1));
        numbered.map(header).collect::<Result<_, _>>().map(Self)
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

impl fmt::Display for InvalidHeaderArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => write!(f, "{error}, or a file with such lines, as in @FILE"),
            Self::File(error) => write!(f, "cannot read the file of headers: {error}"),
            Self::Line(number) => write!(f, "line {number} of the file: {InvalidHeader}"),
        }
    }
}

impl std::error::Error for InvalidHeader {}
impl std::error::Error for InvalidHeaderArgument {}

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
