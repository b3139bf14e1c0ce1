//! The header `Content-Encoding`, and its registered names.

use std::fmt;

use http::{HeaderMap, header::CONTENT_ENCODING};

use super::error::EncodingError;

/// How many codings over each other are undone. Each costs its own decoder, and nobody means more than two.
pub(super) const MAX_CODINGS: usize = 4;

/// How much of an unknown name is told.
const MAX_NAME_CHARS: usize = 32;

/// What is asked for: all that can be undone, in the order in which browsers name them.
#[cfg(feature = "compression")]
pub(crate) const ACCEPT_ENCODING: &str = "gzip, deflate, br, zstd";

/// A content coding other than `identity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coding {
    /// `gzip` or `x-gzip`.
    Gzip,
    /// `deflate`: in the zlib format, or without it, as some servers send it and all browsers take it.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        })
    }
}

impl Coding {
    fn from_name(name: &str) -> Option<Self> {
        let known = [
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("br", Self::Brotli),
            ("zstd", Self::Zstd),
        ];
        let found = known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.filter(|_| cfg!(feature = "compression")).map(|(_, coding)| coding)
    }
}

/// The codings of a body, in the order in which they were applied.
pub(super) fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, EncodingError> {
    let mut codings = Vec::new();
    let mut count = 0;
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let names = value.split(',').map(|name| name.trim_matches([' ', '\t']));
        for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")) {
            count += 1;
            let unknown = || EncodingError::Unknown { coding: name.chars().take(MAX_NAME_CHARS).collect() };
            codings.push(Coding::from_name(name).ok_or_else(unknown)?);
        }
    }
    if count > MAX_CODINGS { Err(EncodingError::TooMany { count }) } else { Ok(codings) }
}

#[cfg(all(test, feature = "compression"))]
mod tests {
    use super::{Coding, EncodingError, MAX_CODINGS, codings};
    use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

    fn of(values: &[&str]) -> Result<Vec<Coding>, EncodingError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        codings(&headers)
    }

    #[test]
    fn names_are_read_in_the_order_of_application() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        let cases: &[(&[&str], &[Coding])] = &[
            (&[], &[]),
            (&[""], &[]),
            (&["identity"], &[]),
            (&["gzip"], &[Gzip]),
            (&["X-GZip"], &[Gzip]),
            (&["deflate , br"], &[Deflate, Brotli]),
            (&["identity,, zstd\t"], &[Zstd]),
            (&["gzip", "br, identity"], &[Gzip, Brotli]),
        ];
        for (values, expected) in cases {
            assert_eq!(of(values).as_deref(), Ok(*expected), "{values:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_told() {
        let unknown = |coding: &str| Err(EncodingError::Unknown { coding: coding.into() });
        assert_eq!(of(&["gzip, compress"]), unknown("compress"));
        assert_eq!(of(&["brö"]), unknown("brö"));
        assert_eq!(of(&[&"x".repeat(33)]), unknown(&"x".repeat(32)));
    }

    #[test]
    fn codings_are_bounded() {
        assert_eq!(of(&["gzip", "gzip", "gzip", "gzip"]).map(|codings| codings.len()), Ok(MAX_CODINGS));
        assert_eq!(of(&["gzip, gzip, gzip, gzip", "gzip"]), Err(EncodingError::TooMany { count: 5 }));
    }
}
