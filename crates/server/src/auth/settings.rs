//! The settings of authorization.
use super::trusted::KeyStore;
use url::Url;

/// The default name of the cookie that carries tokens of Mercure's older revision.
pub const LEGACY_COOKIE: &str = "mercureAuthorization";
/// The default name of the cookie that carries tokens of Mercure's newer revision. Browsers accept this name only over
/// HTTPS.
pub const MODERN_COOKIE: &str = "__Secure-mercure_access_token";

/// The settings by which tokens are checked. They are made from the configuration, once.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// True if there are no keys and everybody may do everything. This is only for a hub that listens on loopback:
    /// every request must name a loopback host, and a request of a browser must come from a page that a loopback host
    /// served.
    pub open: bool,
    /// True if an open hub also serves requests that came through a proxy. Then everybody who can reach the proxy may
    /// do everything.
    pub open_behind_proxy: bool,
    /// True if public updates may be received without a token.
    pub anonymous: bool,
    /// The keys that verify tokens. The holder of a clone of the store can replace the keys while the hub runs.
    pub keys: KeyStore,
    /// The hub's own name in the `aud` claim of tokens that name an issuer; usually the URL of the hub.
    pub audience: String,
    /// The hub's public URL. Relative URL Patterns in tokens are resolved against it.
    pub hub_url: Url,
    /// The name of the cookie for tokens of Mercure's older revision, [`LEGACY_COOKIE`] by default.
    pub legacy_cookie: String,
    /// The name of the cookie for tokens of Mercure's newer revision, [`MODERN_COOKIE`] by default.
    pub modern_cookie: String,
    /// Other origins whose pages may publish with a cookie, each as `scheme://host[:port]`.
    pub publish_origins: Vec<String>,
}

impl AuthSettings {
    /// Returns the settings of an open hub: no keys, and everybody on this machine may do everything.
    #[must_use]
    pub fn open(hub_url: Url) -> Self {
        Self { open: true, ..Self::closed(hub_url) }
    }

    /// Returns the settings of a hub that has no keys yet and lets nobody do anything. All other settings have their
    /// defaults.
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
