//! A secret that is never shown by accident.
use fanfare_mask::MASK;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{convert::Infallible, fmt, str::FromStr};

/// The text of a key or a token. Formatting it gives [`MASK`]; only [`Secret::reveal`] and serde give the text.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// Returns the text of the key or the token.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Reads a secret, which must be a text. If it is another value, such as a number, the error does not contain this
/// value, because it may be the secret.
struct Text;

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

impl Text {
    fn refused<E: de::Error>() -> E {
        E::custom("a secret must be a text in quotation marks")
    }
}

impl de::Visitor<'_> for Text {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotation marks")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Secret, E> {
        Err(Self::refused())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
        Err(Self::refused())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
        Err(Self::refused())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
        Err(Self::refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let Ok(secret) = "a very secret key".parse::<Secret>();
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), format!("{MASK} Some(\n    {MASK},\n)"));
        assert_eq!(secret.reveal(), "a very secret key");
    }
}
