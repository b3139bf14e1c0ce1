//! Headers of requests as people write them: `Name: value`.
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize, Serializer};
use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    str::FromStr,
};

/// A header of a request. Its value may be a secret: it is sent only to the server that the user named, and is never
/// shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Header {
    /// The name of the header.
    pub name: HeaderName,
    /// The value of the header.
    pub value: HeaderValue,
}

/// The headers that one argument gives: a single header, or, with `@FILE`, all headers in a file, one on each line.
/// Other users of the machine can see arguments, but not such a file. As with curl, `Name;` is a header with an empty
/// value, and `Name:` removes a header that would be sent otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderArgument {
    /// The headers to send.
    pub sent: Vec<Header>,
    /// The names of the headers to remove.
    pub removed: Vec<HeaderName>,
}

/// The size of the largest file of headers that is read, in bytes: no server accepts more bytes of headers.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// The error for a text that is not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidHeader;

/// The reason why an argument is neither a header nor a file of headers.
#[derive(Debug)]
pub(crate) enum InvalidHeaderArgument {
    /// The argument is not a header.
    Header(InvalidHeader),
    /// The file cannot be read.
    File { path: String, error: io::Error },
    /// A line of the file is not a header. Lines are counted from 1.
    Line { path: String, number: usize },
}

impl FromStr for Header {
    type Err = InvalidHeader;

    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        let empty = || Some((text.trim_end().strip_suffix(';')?, ""));
        let (name, value) = text.split_once(':').or_else(empty).ok_or(InvalidHeader)?;
        let name = name.trim().parse().map_err(|_| InvalidHeader)?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| InvalidHeader)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

impl FromStr for HeaderArgument {
    type Err = InvalidHeaderArgument;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderArgument> {
        let mut given = Self::default();
        let Some(path) = text.strip_prefix('@') else {
            given.add(text).map_err(InvalidHeaderArgument::Header)?;
            return Ok(given);
        };
        let unfit = |error| InvalidHeaderArgument::File { path: path.to_owned(), error };
        let mut lines = String::new();
        let read = |file: File| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut lines);
        let bytes = File::open(path).and_then(read).map_err(unfit)?;
        if bytes as u64 > MAX_FILE_BYTES {
            return Err(unfit(io::ErrorKind::FileTooLarge.into()));
        }
        for (index, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let no_header = |_| InvalidHeaderArgument::Line { path: path.to_owned(), number: index + 1 };
            given.add(line).map_err(no_header)?;
        }
        Ok(given)
    }
}

impl HeaderArgument {
    fn add(&mut self, text: &str) -> Result<(), InvalidHeader> {
        let header: Header = text.parse()?;
        match text.trim_end().ends_with(':') && header.value.is_empty() {
            true => self.removed.push(header.name),
            false => self.sent.push(header),
        }
        Ok(())
    }

    /// Returns the headers of several arguments together, in the order of the arguments.
    pub(crate) fn join(arguments: Vec<Self>) -> Self {
        arguments.into_iter().fold(Self::default(), |mut joined, argument| {
            joined.sent.extend(argument.sent);
            joined.removed.extend(argument.removed);
            joined
        })
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
        // The value was read from text, so it is UTF-8.
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
            Self::File { path, error } => write!(f, "cannot read headers from {path}: {error}"),
            Self::Line { path, number } => write!(f, "line {number} of {path}: {InvalidHeader}"),
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
        for (text, name, value) in [("A-b: c: d ", "a-b", "c: d"), ("x:", "x", ""), ("x:é", "x", "é"), ("x;", "x", "")]
        {
            let header: Header = text.parse().unwrap();
            assert_eq!((header.name.as_str(), header.value.as_bytes()), (name, value.as_bytes()), "{text}");
        }
        for text in ["", "x", ": y", "a b: c", "x: a\nb", ";", "x;y"] {
            assert_eq!(text.parse::<Header>(), Err(InvalidHeader), "{text:?}");
        }
    }

    #[test]
    fn an_argument_may_take_a_header_away_or_give_an_empty_one() {
        let given = ["A: b", "C;", "D:", "E: "].map(|text| text.parse().unwrap());
        let HeaderArgument { sent, removed } = HeaderArgument::join(given.to_vec());
        let sent: Vec<_> = sent.iter().map(|header| (header.name.as_str(), header.value.as_bytes())).collect();
        assert_eq!(sent, [("a", &b"b"[..]), ("c", b"")]);
        assert_eq!(removed, ["d", "e"]);
    }
}
