//! Issuers whose tokens the hub accepts, and the keys of each issuer.
use super::{
    as_text::AsText,
    list::TextOr,
    words::{self, Words},
};
use crate::secret::Secret;
use fanfare_jwks::{InvalidJwksUrl, JwksUrl};
use fanfare_server::auth::Algorithm;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, path::PathBuf, str::FromStr};

/// An `[[issuer]]` table of the configuration file. It has the same options for keys as the hub. An issuer without keys
/// uses the hub's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Issuer {
    /// The `iss` claim of the issuer's tokens.
    pub name: String,
    /// The `aud` claim that the issuer's tokens must have. `None` means the hub's audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    #[serde(default, with = "words", skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Vec<Words<AsText<Algorithm>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// The file whose content becomes `key` when the layers are merged. `publisher_key_file` and `subscriber_key_file`
    /// are read in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
    #[serde(default, with = "words", skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Vec<Words<AsText<JwksUrl>>>>,
    #[serde(default, with = "words", skip_serializing_if = "Option::is_none")]
    pub publisher_algorithm: Option<Vec<Words<AsText<Algorithm>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher_key: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher_key_file: Option<PathBuf>,
    #[serde(default, with = "words", skip_serializing_if = "Option::is_none")]
    pub publisher_jwks: Option<Vec<Words<AsText<JwksUrl>>>>,
    #[serde(default, with = "words", skip_serializing_if = "Option::is_none")]
    pub subscriber_algorithm: Option<Vec<Words<AsText<Algorithm>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriber_key: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscriber_key_file: Option<PathBuf>,
    #[serde(default, with = "words", skip_serializing_if = "Option::is_none")]
    pub subscriber_jwks: Option<Vec<Words<AsText<JwksUrl>>>>,
}

/// An issuer that was read from a table of the configuration file.
#[derive(Deserialize)]
#[serde(transparent)]
struct IssuerTable(#[serde(with = "Issuer")] Issuer);

/// The reason why a text is not an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidIssuer {
    /// The issuer has no name.
    NoName,
    /// The text after `=` contains `://`, but is not the URL of a JWK set.
    Jwks(InvalidJwksUrl),
}

impl TryFrom<IssuerTable> for Issuer {
    type Error = InvalidIssuer;

    fn try_from(IssuerTable(issuer): IssuerTable) -> Result<Self, InvalidIssuer> {
        if issuer.name.trim().is_empty() { Err(InvalidIssuer::NoName) } else { Ok(issuer) }
    }
}

impl<'de> Deserialize<'de> for Issuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOr::<IssuerTable, Self>::deserialize(deserializer)
    }
}

impl Serialize for Issuer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // This is not a recursion: it calls the inherent function that serde derives because of `remote = "Self"`.
        Self::serialize(self, serializer)
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    /// Parses `NAME` (an issuer whose tokens are verified with the hub's keys), `NAME=URL` (the URL of its JWK set) or
    /// `NAME=FILE` (a file with its keys).
    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let (name, keys) = text.split_once('=').map_or((text, None), |(name, keys)| (name, Some(keys)));
        if name.trim().is_empty() {
            return Err(InvalidIssuer::NoName);
        }
        let is_url = |keys: &&str| keys.contains("://");
        let jwks = keys.filter(is_url).map(str::parse).transpose().map_err(InvalidIssuer::Jwks)?;
        Ok(Self {
            name: name.to_owned(),
            audience: None,
            algorithm: None,
            key: None,
            key_file: keys.filter(|keys| !is_url(keys)).map(PathBuf::from),
            jwks: jwks.map(|url| vec![Words(vec![AsText(url)])]),
            publisher_algorithm: None,
            publisher_key: None,
            publisher_key_file: None,
            publisher_jwks: None,
            subscriber_algorithm: None,
            subscriber_key: None,
            subscriber_key_file: None,
            subscriber_jwks: None,
        })
    }
}

impl fmt::Display for InvalidIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("expected the name of an issuer, such as https://login.example.com"),
            Self::Jwks(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidIssuer {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_has_a_name_in_each_form() {
        for name in ["", " ", "\t"] {
            assert_eq!(name.parse::<Issuer>(), Err(InvalidIssuer::NoName));
            assert_eq!(format!("{name}=https://a.example/k").parse::<Issuer>(), Err(InvalidIssuer::NoName));
            let table = format!("name = {name:?}\njwks = 'https://a.example/k'");
            let error = toml::from_str::<Issuer>(&table).unwrap_err().to_string();
            assert!(error.contains("expected the name of an issuer"), "{error}");
        }
    }

    #[test]
    fn an_issuer_is_a_name_and_perhaps_its_keys() {
        let read = |text: &str| text.parse::<Issuer>().unwrap();
        let plain = read("https://login.example.com");
        assert_eq!((plain.name.as_str(), plain.jwks, plain.key_file), ("https://login.example.com", None, None));
        let url = read("https://l.example=https://l.example/jwks?a=b");
        assert_eq!(url.jwks.unwrap()[0].0[0].0.to_string(), "https://l.example/jwks?a=b");
        assert_eq!(read("me=/etc/key.pem").key_file, Some("/etc/key.pem".into()));
        assert_eq!("=x".parse::<Issuer>(), Err(InvalidIssuer::NoName));
        let plain = "me=http://l.example/jwks".parse::<Issuer>();
        assert_eq!(plain, Err(InvalidIssuer::Jwks(InvalidJwksUrl::Plain)));
    }
}
