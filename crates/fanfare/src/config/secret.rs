//! A secret that does not show itself.
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fmt, str::FromStr};

/// How [`Secret`]s are shown.
pub(crate) const MASK: &str = "********";

/// The text of a key or a token. Formatting it gives [`MASK`]; only [`Secret::reveal`] and serde give the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
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
