//! Origins whose pages may use the hub from a browser.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use url::Url;

/// The origin of a page as browsers send it, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CorsOrigin(String);

/// The error for a text that is not an origin in the form that browsers send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidOrigin {
    /// The origin in the form that browsers send, if the text is a URL with an origin.
    instead: Option<String>,
}

impl CorsOrigin {
    /// Returns the text that is compared with the `Origin` header.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CorsOrigin {
    type Err = InvalidOrigin;

    /// Accepts only the form that browsers send, because an origin in any other form would never be equal to an
    /// `Origin` header.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Ok(Self(text.to_owned()));
        }
        match Url::parse(text).map(|url| url.origin()) {
            // The URL parser accepts `*` and `,` in a host, but no browser sends such a host.
            _ if text.contains(['*', ',']) => Err(InvalidOrigin { instead: None }),
            Ok(origin) if origin.is_tuple() && origin.ascii_serialization() == text => Ok(Self(text.to_owned())),
            Ok(origin) if origin.is_tuple() => Err(InvalidOrigin { instead: Some(origin.ascii_serialization()) }),
            _ => Err(InvalidOrigin { instead: None }),
        }
    }
}

impl TryFrom<String> for CorsOrigin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        text.parse()
    }
}

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instead {
            Some(origin) => write!(f, "browsers write this origin as {origin}"),
            None => f.write_str(
                "expected an origin such as https://example.com, or *; separate several origins with spaces",
            ),
        }
    }
}

impl std::error::Error for InvalidOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for text in ["*", "https://example.com", "http://localhost:5173", "http://[::1]:8000"] {
            assert_eq!(text.parse::<CorsOrigin>().map(|origin| origin.0).as_deref(), Ok(text));
        }
        let instead = |origin: &str| InvalidOrigin { instead: Some(origin.to_owned()) };
        let cases = [
            ("https://example.com/", instead("https://example.com")),
            ("https://Example.com", instead("https://example.com")),
            ("https://example.com:443", instead("https://example.com")),
            ("https://bücher.example", instead("https://xn--bcher-kva.example")),
            ("example.com", InvalidOrigin { instead: None }),
            ("https://*.example.com", InvalidOrigin { instead: None }),
            ("file:///tmp", InvalidOrigin { instead: None }),
            ("https://a.example,https://b.example", InvalidOrigin { instead: None }),
            ("", InvalidOrigin { instead: None }),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<CorsOrigin>(), Err(error), "{text}");
        }
    }
}
