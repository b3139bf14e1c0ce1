//! The hub under test, and the facts about it that the user of the suite gives.
use std::fmt;
use url::Url;

/// A hub, and the secrets with which the suite makes tokens for it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The URL of the hub, with its path.
    pub hub: Url,
    /// The HS256 secret that signs publishers' tokens in the older Mercure revision.
    pub publisher_key: Option<Secret>,
    /// The HS256 secret that signs subscribers' tokens in the older Mercure revision.
    pub subscriber_key: Option<Secret>,
    /// The issuer whose tokens the hub trusts in the newer Mercure revision.
    pub issuer: Option<Issuer>,
    /// The hub's resource identifier, which is the `aud` claim of tokens. `None` means the identifier in the hub's
    /// metadata, or else the hub's URL.
    pub audience: Option<String>,
    /// An origin whose pages the hub allows to use credentials.
    pub cors_origin: Option<String>,
    /// The name of the cookie for tokens of the older Mercure revision.
    pub legacy_cookie: String,
    /// The name of the cookie for tokens of the newer Mercure revision. `None` means the name in the hub's metadata, or
    /// else the name that draft 08 recommends.
    pub modern_cookie: Option<String>,
}

/// An issuer of tokens of the newer Mercure revision, and the HS256 secret that it signs with.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The `iss` claim of the issuer's tokens.
    pub name: String,
    /// The HS256 secret that signs the issuer's tokens.
    pub key: Secret,
}

/// A secret. `Debug` does not print it.
#[derive(Clone)]
pub struct Secret(String);

/// A revision of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Draft 07, which has the query parameter `topic` and the token claim `mercure`.
    Legacy,
    /// Draft 08, which has the query parameter `match` and the token claim `authorization_details`.
    Modern,
}

impl Target {
    /// Returns a target of which only the URL is known: it has no secrets, and the default names.
    #[must_use]
    pub fn new(hub: Url) -> Self {
        Self {
            publisher_key: None,
            subscriber_key: None,
            issuer: None,
            audience: None,
            cors_origin: None,
            legacy_cookie: "mercureAuthorization".into(),
            modern_cookie: None,
            hub,
        }
    }
}

impl Secret {
    /// Returns the bytes of the secret, for signing.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        })
    }
}
