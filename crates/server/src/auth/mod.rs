//! Authorization: from a request's token to a [`Grant`].
//!
//! [Mercure, authorization](https://mercure.rocks/spec#authorization), both revisions. The token itself says which one
//! it belongs to: a token of type `at+jwt` is held to every rule of the newer revision, wherever it is used, so that
//! the older one's leniency never reaches it. The files follow the way of a token: `carrier` finds it, `token` verifies
//! it, the claims of either revision become the grant. `trusted` says whose keys verify which tokens, and `key` what a
//! key is. `origin` asks whether the browser's user meant the request at all, `proxy` whether it came through a proxy,
//! which an open hub does not trust, and `refusals` is what is logged of tokens that were refused.
mod algorithm;
mod carrier;
mod claims_legacy;
mod claims_modern;
mod error;
pub mod explain;
mod key;
pub mod mint;
mod origin;
mod payload;
mod proxy;
mod refusals;
mod token;
mod trusted;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use carrier::{LEGACY_COOKIE, MODERN_COOKIE};
pub use claims_legacy::MAX_SELECTORS;
pub use claims_modern::{DETAIL_TYPE, InvalidDetails, MAX_DETAIL_TOPICS, MAX_DETAILS};
pub use error::{AuthError, InvalidToken, Malformed};
pub use key::{
    InvalidKey, Key, KeyKind, KeyRules, MAX_RSA_BITS, MAX_SET_BYTES, MAX_SET_KEYS, MIN_RSA_BITS, SigningKey,
    UnusableKey,
};
pub use origin::ForeignOrigin;
pub use payload::Payloads;
pub use proxy::ProxyMark;
pub use token::{LEEWAY_MS, MAX_TOKEN_BYTES};
pub use trusted::{KeySet, KeySource, KeyStore, MAX_TRIED_KEYS, TrustedIssuer, TrustedKeys};

use carrier::Carrier;
use fanfare_hub::{entry::Timestamp, grant::Grant};
use http::request::Parts;
use refusals::{Kind, Refusals};
use url::Url;

/// The settings that tokens are checked against. Made from the configuration, once.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// True if there are no keys, and everybody may do everything. Only for a hub that listens on loopback: requests
    /// must then name a loopback host, and a browser's must come from a page that was served by one.
    pub open: bool,
    /// True if an open hub is also for those whom a proxy lets in, so that whoever reaches the proxy may do everything.
    pub open_behind_proxy: bool,
    /// True if public updates may be received without a token.
    pub anonymous_subscribers: bool,
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
    pub allowed_origins: Vec<String>,
}

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To hand over updates.
    Publish,
    /// To receive updates, or to ask who does.
    Subscribe,
}

/// The revision of Mercure that a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// Draft 07 and before: the `mercure` claim.
    Legacy,
    /// Draft 08, "1.0": a token of type `at+jwt` with `authorization_details`.
    Modern,
}

/// The rights of somebody, and the time until which they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The topics that may be published and received.
    pub grant: Grant,
    /// The time when the token expires, and with it every stream that was opened with it. `None` if it does not, or
    /// there is none.
    pub expires_at: Option<Timestamp>,
    /// The revision whose rules the request is held to: that of its token's revision, and the newer one's if there is
    /// no token.
    pub revision: Revision,
    /// The data that active subscriptions of the bearer show to those who may see them.
    pub payloads: Payloads,
    /// The issuer of the token, as it says itself.
    pub issuer: Option<String>,
    has_token: bool,
}

/// Turns requests into [`Credentials`].
#[derive(Clone, Debug)]
pub struct Authenticator {
    settings: AuthSettings,
    refusals: Refusals,
}

impl Credentials {
    fn without_token(grant: Grant) -> Self {
        let (revision, payloads) = (Revision::Modern, Payloads::default());
        Self { grant, expires_at: None, revision, payloads, issuer: None, has_token: false }
    }
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
            anonymous_subscribers: false,
            keys: KeyStore::default(),
            audience: hub_url.to_string(),
            hub_url,
            legacy_cookie: LEGACY_COOKIE.to_owned(),
            modern_cookie: MODERN_COOKIE.to_owned(),
            allowed_origins: Vec::new(),
        }
    }
}

impl Authenticator {
    /// An authenticator that lets everybody on this machine do everything, and pages of no other origin publish.
    #[must_use]
    pub fn open() -> Self {
        let nowhere = Url::parse("http://localhost/").expect("the URL is constant and valid");
        Self::new(AuthSettings::open(nowhere))
    }

    /// An authenticator for `settings`.
    #[must_use]
    pub fn new(settings: AuthSettings) -> Self {
        Self { settings, refusals: Refusals::default() }
    }

    /// The settings that tokens are checked against.
    #[must_use]
    pub fn settings(&self) -> &AuthSettings {
        &self.settings
    }

    /// True if the request `parts` may be looked at, whatever it asks for. With keys every request may; without, an
    /// open hub is for programs and pages of its own machine. The server asks before it looks for a route.
    ///
    /// # Errors
    /// [`AuthError::Origin`] if the request names another machine, [`AuthError::Proxied`] if a proxy let it in.
    pub fn admit(&self, parts: &Parts) -> Result<(), AuthError> {
        let settings = &self.settings;
        if !settings.open {
            return Ok(());
        }
        if !settings.open_behind_proxy
            && let Some(mark) = proxy::mark(parts)
        {
            return Err(AuthError::Proxied(mark));
        }
        Ok(origin::check_name(parts, settings)?)
    }

    /// Finds out what whoever sent the request `parts` may do, if it was [admitted](Self::admit). A token that is
    /// present but bad is always an error: a subscriber whose token expired must learn of it, and not go on without
    /// private updates. A token that names a key that is not there waits until the sources of its issuer's keys were
    /// asked for newer ones, as far as they let themselves be asked. A token that is refused leaves a trace in the log.
    ///
    /// # Errors
    /// [`AuthError`] says whose fault it is and what to answer.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn authenticate(&self, parts: &Parts, purpose: Purpose) -> Result<Credentials, AuthError> {
        let result = match self.authenticate_at(parts, purpose, Timestamp::now()) {
            Err(AuthError::Invalid(InvalidToken::UnknownKey)) if self.refresh(parts, purpose).await => {
                self.authenticate_at(parts, purpose, Timestamp::now())
            }
            result => result,
        };
        result.inspect_err(|error| self.trace(parts, purpose, error))
    }

    /// Refuses what somebody asks for who was let in, and leaves a trace of their token.
    pub(crate) fn refuse(&self, credentials: &Credentials, error: AuthError) -> AuthError {
        if let (true, Some(reason)) = (credentials.has_token, error.logged()) {
            self.refusals.note(Kind::new(reason, credentials.issuer.as_deref(), true));
        }
        error
    }

    fn trace(&self, parts: &Parts, purpose: Purpose, error: &AuthError) {
        let Some(reason) = error.logged().filter(|_| !self.settings.open) else { return };
        let (trusted, presented) = (self.settings.keys.current(), carrier::find(parts, &self.settings));
        let token = presented.ok().flatten().map(|presented| presented.token);
        let issuer = token.as_deref().and_then(token::claimed_issuer);
        let is_known = issuer.as_deref().is_some_and(|issuer| trusted.issuer(issuer).is_some());
        let unfetched = matches!(error, AuthError::Invalid(InvalidToken::UnknownKey))
            && token
                .and_then(|token| token::keys(&token, purpose, &self.settings, &trusted))
                .is_some_and(|keys| keys.fails());
        let reason = if unfetched { format!("{reason}, and its JWK set cannot be fetched").into() } else { reason };
        self.refusals.note(Kind::new(reason, issuer.as_deref(), is_known));
    }

    /// Asks for newer keys of the issuer that the request's token names, and returns whether there are other ones now.
    async fn refresh(&self, parts: &Parts, purpose: Purpose) -> bool {
        let Ok(Some(presented)) = carrier::find(parts, &self.settings) else { return false };
        let keys = token::keys(&presented.token, purpose, &self.settings, &self.settings.keys.current());
        match keys {
            Some(keys) => keys.refresh().await,
            None => false,
        }
    }

    fn authenticate_at(&self, parts: &Parts, purpose: Purpose, now: Timestamp) -> Result<Credentials, AuthError> {
        let settings = &self.settings;
        if settings.open {
            origin::check_page(parts, settings)?;
            return Ok(Credentials::without_token(Grant::open()));
        }
        let Some(presented) = carrier::find(parts, settings)? else {
            return match purpose {
                Purpose::Subscribe if settings.anonymous_subscribers => Ok(Credentials::without_token(Grant::none())),
                _ => Err(AuthError::Missing),
            };
        };
        if matches!(presented.carrier, Carrier::LegacyCookie | Carrier::ModernCookie) && !parts.method.is_safe() {
            origin::check_cookie(parts, settings)?;
        }
        token::verify(&presented, purpose, settings, &settings.keys.current(), now).map_err(AuthError::Invalid)
    }
}

#[cfg(test)]
mod tests;
