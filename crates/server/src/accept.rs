//! Content negotiation by the `Accept` header ([RFC 9110,
//! 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)).
use crate::problem::Problem;
use http::{HeaderMap, header};

/// The preference of a client for one media type. Of two types, the client prefers the one whose `Acceptance` is
/// greater: first the weights are compared, then the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Acceptance {
    /// The weight in thousandths; 0 means that the client refuses the type.
    pub(crate) weight: u16,
    /// The kind of the media range that matches the type.
    pub(crate) range: Range,
}

/// The kinds of media ranges, from the least to the most specific. If several ranges match a media type, the most
/// specific one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Range {
    /// The range `*/*`: every media type.
    Anything,
    /// The range `type/*`: all subtypes of one type.
    Type,
    /// The range `type/subtype`: one media type.
    Exact,
}

impl Acceptance {
    /// Reads the preference of a request for `media_type`, which is in lower case; `None` if no range matches it.
    pub(crate) fn of(headers: &HeaderMap, media_type: &str) -> Option<Self> {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let matching = values.flat_map(|value| split(value, ',')).filter_map(|range| Self::read(range, media_type));
        matching.max_by_key(|acceptance| (acceptance.range, acceptance.weight))
    }

    /// Checks that the request does not refuse `media_type`, the type of the answer that it would get. If no range
    /// matches the type, the answer is sent in this type anyway.
    pub(crate) fn require(headers: &HeaderMap, media_type: &'static str) -> Result<(), Problem> {
        match Self::is_refusal(Self::of(headers, media_type)) {
            true => Err(Problem::NotAcceptable { available: media_type }),
            false => Ok(()),
        }
    }

    /// Returns true if `of`, the preference for a media type, refuses this type. `None` means that the request says
    /// nothing about the type; this is not a refusal.
    pub(crate) fn is_refusal(of: Option<Self>) -> bool {
        of.is_some_and(|acceptance| acceptance.weight == 0)
    }

    fn read(range: &str, media_type: &str) -> Option<Self> {
        let mut parts = split(range, ';');
        let name = parts.next()?.trim();
        let (kind, subtype) = name.split_once('/')?;
        let range = match (kind, subtype) {
            ("*", "*") => Range::Anything,
            (kind, "*") if media_type.split('/').next()?.eq_ignore_ascii_case(kind) => Range::Type,
            _ if media_type.eq_ignore_ascii_case(name) => Range::Exact,
            _ => return None,
        };
        let weight = parts.filter_map(|parameter| parameter.split_once('='));
        let weight = weight.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")).last();
        Some(Self { weight: weight.map_or(1_000, |(_, value)| thousandths(value.trim())), range })
    }
}

/// Reads a weight between 0 and 1, and returns it in thousandths. A text that is not a weight counts as weight 1, as if
/// the request gave no weight.
fn thousandths(value: &str) -> u16 {
    match value.parse::<f64>() {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the result is between 0 and 1000")]
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1_000.0).ceil() as u16,
        _ => 1_000,
    }
}

/// Splits a list at each `separator` that is not within a quoted string.
fn split(list: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |character| {
        let escapes = quoted && !escaped && character == '\\';
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = escapes;
        !quoted && character == separator
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn weight(values: &[&'static str], media_type: &str) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        Acceptance::of(&headers, media_type).map(|acceptance| acceptance.weight)
    }

    #[test]
    fn the_most_specific_range_counts() {
        let cases: [(&[&str], Option<u16>); 20] = [
            (&[], None),
            (&[""], None),
            (&["text/html"], None),
            (&["text/plain"], Some(1_000)),
            (&["TEXT/Plain"], Some(1_000)),
            (&["text/*"], Some(1_000)),
            (&["Text/*;Q=0.5"], Some(500)),
            (&["*/*"], Some(1_000)),
            (&["*/*;q=0"], Some(0)),
            (&["text/plain;q=0"], Some(0)),
            (&["text/plain; q=0.000"], Some(0)),
            (&["text/plain ; q = 0.001"], Some(1)),
            (&["text/plain;q=0, */*"], Some(0)),
            (&["*/*;q=0, text/plain"], Some(1_000)),
            (&["text/*;q=0.3, */*;q=0.8"], Some(300)),
            (&["text/html", "text/plain;q=0.2"], Some(200)),
            (&["text/plain;charset=utf-8;q=0.7"], Some(700)),
            (&["a/b;x=\"q=0, text/plain;q=0.1\", text/plain;q=0.9"], Some(900)),
            (&["text/plain;q=2, x"], Some(1_000)),
            (&["text/plain;q=nan, text"], Some(1_000)),
        ];
        for (values, expected) in cases {
            assert_eq!(weight(values, "text/plain"), expected, "{values:?}");
        }
    }
}
