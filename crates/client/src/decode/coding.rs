//! The header `Content-Encoding`, and its registered names.

use std::fmt;

use http::{HeaderMap, header::CONTENT_ENCODING};

use super::error::EncodingError;

/// The greatest number of content codings that one body may have, applied one after the other. Each coding needs a
/// decoder, and no server uses more than two on purpose.
pub(super) const MAX_CODINGS: usize = 4;

/// The number of characters of an unknown coding's name that a warning shows.
const MAX_NAME_CHARS: usize = 32;

/// The value of `Accept-Encoding`: all codings that this crate can decode, in the order in which browsers name them.
#[cfg(feature = "compression")]
pub(crate) const ACCEPT_ENCODING: &str = "gzip, deflate, br, zstd";

/// A content coding other than `identity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coding {
    /// The coding `gzip`, also called `x-gzip` (RFC 1952).
    Gzip,
    /// The coding `deflate`: in the zlib format (RFC 1950), or raw, as some servers send it and all browsers accept it.
    Deflate,
    /// The coding `br` (RFC 7932).
    Brotli,
    /// The coding `zstd` (RFC 8878).
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
    fn named(name: &str) -> Option<Self> {
        let known = [
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("br", Self::Brotli),
            ("zstd", Self::Zstd),
        ];
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, coding)| coding)
    }
}

/// The codings of a body, as the headers of its response name them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Codings {
    /// The known codings, in the order in which they were applied.
    pub(super) known: Vec<Coding>,
    /// The names that are not known, at most the first [`MAX_CODINGS`] of them. The body is read as if these names were
    /// not there, as browsers do: some servers write `none` or `utf-8` in `Content-Encoding` to keep a proxy from
    /// compressing the body.
    pub(super) unknown: Vec<String>,
}

/// Reads the codings of a body from the headers.
pub(super) fn codings(headers: &HeaderMap) -> Result<Codings, EncodingError> {
    let mut codings = Codings::default();
    let mut count = 0;
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let names = value.split(',').map(|name| name.trim_matches([' ', '\t']));
        for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")) {
            let short = || name.chars().take(MAX_NAME_CHARS).collect();
            match Coding::named(name) {
                Some(_) if !cfg!(feature = "compression") => return Err(EncodingError::NotBuiltIn { coding: short() }),
                Some(coding) => {
                    count += 1;
                    codings.known.extend((count <= MAX_CODINGS).then_some(coding));
                }
                None if codings.unknown.len() < MAX_CODINGS => codings.unknown.push(short()),
                None => {}
            }
        }
    }
    if count > MAX_CODINGS { Err(EncodingError::TooMany { count }) } else { Ok(codings) }
}

#[cfg(all(test, feature = "compression"))]
mod tests {
    use super::{Coding, Codings, EncodingError, MAX_CODINGS, codings};
    use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};

    fn of(values: &[&str]) -> Result<Codings, EncodingError> {
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
            let codings = of(values).expect("known codings");
            assert_eq!((&*codings.known, codings.unknown.is_empty()), (*expected, true), "{values:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_no_coding_and_is_told() {
        use Coding::{Brotli, Gzip};
        let cases: &[(&[&str], &[Coding], &[&str])] = &[
            (&["none"], &[], &["none"]),
            (&["utf-8"], &[], &["utf-8"]),
            (&["Binary"], &[], &["Binary"]),
            (&["gzip, none"], &[Gzip], &["none"]),
            (&["none, br", "8bit,gzip"], &[Brotli, Gzip], &["none", "8bit"]),
            (&["brö"], &[], &["brö"]),
            (&["a,b,c,d,e"], &[], &["a", "b", "c", "d"]),
        ];
        for (values, known, unknown) in cases {
            let codings = of(values).expect("none is an error");
            assert_eq!(codings.known, *known, "{values:?}");
            assert_eq!(codings.unknown, *unknown, "{values:?}");
        }
        assert_eq!(of(&[&"x".repeat(33)]).expect("no error").unknown, ["x".repeat(32)]);
    }

    #[test]
    fn codings_are_bounded() {
        assert_eq!(of(&["gzip", "gzip", "gzip", "gzip"]).map(|codings| codings.known.len()), Ok(MAX_CODINGS));
        assert_eq!(of(&["gzip, gzip, gzip, gzip", "gzip"]), Err(EncodingError::TooMany { count: 5 }));
    }
}
