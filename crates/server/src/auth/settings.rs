//! The settings of authorization.
use super::trusted::KeyStore;
use url::Url;

/// The cookie that carries older-revision tokens, unless configured otherwise.
pub const LEGACY_COOKIE: &str = "mercureAuthorization";
/// The cookie that carries newer-revision tokens, unless configured otherwise. Browsers take it over HTTPS only.
pub const MODERN_COOKIE: &str = "__Secure-mercure_access_token";

/// The settings that tokens are checked against. Made from the configuration, once.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// True if there are no keys, and everybody may do everything. Only for a hub that listens on loopback: requests
    /// must then name a loopback host, and a browser's must come from a page that was served by one.
    pub open: bool,
    /// True if an open hub is also for those whom a proxy lets in, so that whoever reaches the proxy may do everything.
    pub open_behind_proxy: bool,
    /// True if public updates may be received without a token.
    pub anonymous: bool,
    /// The keys that verify tokens. Whoever keeps a clone can replace the keys while the hub runs.
    pub keys: KeyStore,
    /// The hub's own name in the `aud` claim of tokens that name an issuer; usually its URL.
    pub audience: String,
    /// The hub's public URL, which relative URL Patterns in tokens are resolved against.
    pub hub_url: Url,
    /// The cookie for older-revision tokens, [`LEGACY_COOKIE`] by default.
    pub legacy_cookie: String,
    /// The cookie for newer-revision tokens, [`MODERN_COOKIE`] by default.
    pub modern_cookie: String,
    /// Other origins whose pages may publish with a cookie, each as `scheme://host[:port]`.
    pub publish_origins: Vec<String>,
}

impl AuthSettings {
    /// The settings of an open hub: no keys, and everybody on this machine may do everything.
    #[must_use]
    pub fn open(hub_url: Url) -> Self {
        Self { open: true, ..Self::closed(hub_url) }
    }

    /// The settings of a hub without any keys yet that lets nobody do anything, with every other value at its default.
    #[must_use]
    pub fn closed(hub_url: Url) -> Self {
        Self {
            open: false,
            open_behind_proxy: false,
            anonymous: false,
            keys: KeyStore::default(),
            audience: hub_url.to_string(),
            hub_url,
            legacy_cookie: LEGACY_COOKIE.to_owned(),
            modern_cookie: MODERN_COOKIE.to_owned(),
            publish_origins: Vec::new(),
        }
    }
}
