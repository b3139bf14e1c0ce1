//! The hub under test, and what the suite has to be told of it.
use std::fmt;
use url::Url;

/// A hub, and the secrets with which the suite makes tokens for it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its URL, the path included.
    pub hub: Url,
    /// The HS256 secret of older-revision tokens of publishers.
    pub publisher_key: Option<Secret>,
    /// The same for subscribers.
    pub subscriber_key: Option<Secret>,
    /// Whose newer-revision tokens the hub trusts.
    pub issuer: Option<Issuer>,
    /// The hub's resource identifier, which is the `aud` claim of its tokens. If it is not told, it is what the hub's
    /// metadata says, or the hub's URL.
    pub audience: Option<String>,
    /// An origin whose pages the hub allows to use credentials.
    pub cors_origin: Option<String>,
    /// The cookie for older-revision tokens.
    pub legacy_cookie: String,
    /// The cookie for newer-revision tokens. If it is not told, it is what the hub's metadata says, or the recommended
    /// name.
    pub modern_cookie: Option<String>,
}

/// An issuer of newer-revision tokens, and the HS256 secret that it signs with.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its `iss` claim.
    pub name: String,
    /// Its secret.
    pub key: Secret,
}

/// A secret. It is never printed.
#[derive(Clone)]
pub struct Secret(String);

/// A revision of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Draft 07: `topic=`, the `mercure` claim.
    Legacy,
    /// Draft 08: `match=`, `authorization_details`.
    Modern,
}

impl Target {
    /// A hub of which nothing but its URL is known: no secrets, every name at its default.
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
    /// The bytes to sign with.
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
