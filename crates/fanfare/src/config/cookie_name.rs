//! The name of a cookie: a token of [RFC 6265, section 4.1.1](https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1).
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A name that a `Cookie` header can carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CookieName(String);

/// The error for a text that is not a valid name of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidCookieName;

impl CookieName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CookieName {
    type Err = InvalidCookieName;

    fn from_str(text: &str) -> Result<Self, InvalidCookieName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !text.is_empty() && text.bytes().all(fits) { Ok(Self(text.to_owned())) } else { Err(InvalidCookieName) }
    }
}

impl TryFrom<String> for CookieName {
    type Error = InvalidCookieName;

    fn try_from(text: String) -> Result<Self, InvalidCookieName> {
        text.parse()
    }
}

impl fmt::Display for InvalidCookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the name of a cookie, such as mercureAuthorization")
    }
}

impl std::error::Error for InvalidCookieName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_token() {
        assert_eq!("__Secure-token".parse::<CookieName>().unwrap().as_str(), "__Secure-token");
        for text in ["", "a b", "a=b", "a;b", "é", "a,b", "\"a\""] {
            assert_eq!(text.parse::<CookieName>(), Err(InvalidCookieName), "{text}");
        }
    }
}
