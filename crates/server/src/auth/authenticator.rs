//! The authenticator: it finds out what the sender of a request may do.
use super::{
    carrier::{self, Carrier},
    credentials::{Credentials, Purpose},
    error::AuthError,
    invalid_token::InvalidToken,
    origin, proxy,
    refusals::{Kind, Refusals},
    settings::AuthSettings,
    signer::Signers,
    token::Token,
    trusted::KeySet,
};
use fanfare_hub::{entry::Timestamp, grant::Grant};
use http::request::Parts;
use std::sync::Arc;
use url::Url;

/// Turns requests into [`Credentials`].
#[derive(Clone, Debug)]
pub struct Authenticator {
    settings: AuthSettings,
    refusals: Refusals,
    signers: Signers,
}

impl Authenticator {
    /// Creates an authenticator that needs no tokens: every program on this machine may do everything, but a page that
    /// comes from another machine may not publish.
    #[must_use]
    pub fn open() -> Self {
        let nowhere = Url::parse("http://localhost/").expect("the URL is constant and valid");
        Self::new(AuthSettings::open(nowhere))
    }

    /// Creates an authenticator for `settings`.
    #[must_use]
    pub fn new(settings: AuthSettings) -> Self {
        Self { settings, refusals: Refusals::default(), signers: Signers::default() }
    }

    /// The settings that tokens are checked against.
    #[must_use]
    pub fn settings(&self) -> &AuthSettings {
        &self.settings
    }

    /// Checks whether the request `parts` may be served at all, whatever it asks for. A hub that requires tokens serves
    /// every request. An open hub, which requires none, serves only programs and pages of its own machine, and requests
    /// from a proxy only if `open_behind_proxy` is set. The server calls this before it looks for a route.
    ///
    /// # Errors
    /// [`AuthError::Origin`] if the request names another machine, [`AuthError::Proxied`] if it came through a proxy.
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

    /// Finds out what the sender of the request `parts` may do, if the request was [admitted](Self::admit). A token
    /// that is present but bad is always an error: a subscriber whose token has expired must learn this, and must not
    /// continue without private updates. If a token names a key that the hub does not have, the hub first asks the
    /// sources of the issuer's keys for newer keys, as often as the sources allow it. A refused token is logged.
    ///
    /// # Errors
    /// [`AuthError`] if the request is not authorized. The error decides the status of the answer.
    ///
    /// # Cancel safety
    /// The future can be dropped at any time: the request then gets no credentials, and nothing else changes.
    pub async fn authenticate(&self, parts: &Parts, purpose: Purpose) -> Result<Credentials, AuthError> {
        let brought = self.find(parts, purpose).inspect_err(|error| self.trace(None, purpose, error))?;
        let result = match self.judge(parts, &brought, purpose, Timestamp::now()) {
            Err(AuthError::Invalid(InvalidToken::UnknownKey)) if self.refresh(&brought, purpose).await => {
                self.judge(parts, &brought, purpose, Timestamp::now())
            }
            result => result,
        };
        result.inspect_err(|error| self.trace(brought.token(), purpose, error))
    }

    /// Logs that a request is refused, if it had a token, and returns `error`, the reason of the refusal. The sender of
    /// the request was authenticated, but may not do what the request asks for.
    pub(crate) fn refuse(&self, credentials: &Credentials, error: AuthError) -> AuthError {
        if let (Some(_), Some(reason)) = (&credentials.signer, error.logged()) {
            self.refusals.note(Kind::new(reason, credentials.issuer.as_deref(), true));
        }
        error
    }

    /// Revokes the signers of tokens that the hub does not trust any more. Returns the number of times that this has
    /// happened, by this authenticator and its clones: when the number has changed, streams have to end.
    pub(crate) fn revoke_signers(&self) -> u64 {
        self.signers.revoke_untrusted(&self.settings.keys.current(), &self.settings.audience)
    }

    /// Returns the credentials of a request, as if the current time were `now`.
    #[cfg(test)]
    pub(super) fn authenticate_at(
        &self,
        parts: &Parts,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Credentials, AuthError> {
        self.judge(parts, &self.find(parts, purpose)?, purpose, now)
    }

    /// Finds the token of a request and reads it. The caller keeps the result, so that the token is read only once even
    /// if it is judged twice.
    fn find<'r>(&self, parts: &'r Parts, purpose: Purpose) -> Result<Brought<'r>, AuthError> {
        let settings = &self.settings;
        if settings.open {
            origin::check_page(parts, settings)?;
            return Ok(Brought::Nothing(Credentials::without_token(Grant::open())));
        }
        match carrier::find(parts, settings)? {
            Some(presented) => Ok(Brought::Token(presented.carrier, Token::read(presented))),
            None if purpose == Purpose::Subscribe && settings.anonymous => {
                Ok(Brought::Nothing(Credentials::without_token(Grant::none())))
            }
            None => Err(AuthError::Missing),
        }
    }

    /// Decides what the token allows, with the keys that are valid now.
    fn judge(
        &self,
        parts: &Parts,
        brought: &Brought<'_>,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Credentials, AuthError> {
        let (carrier, token) = match brought {
            Brought::Token(carrier, token) => (carrier, token),
            Brought::Nothing(credentials) => return Ok(credentials.clone()),
        };
        if matches!(carrier, Carrier::LegacyCookie | Carrier::ModernCookie) && !parts.method.is_safe() {
            origin::check_cookie(parts, &self.settings)?;
        }
        let token = token.as_ref().map_err(|error| AuthError::Invalid(error.clone()))?;
        self.verify(token, purpose, now).map_err(AuthError::Invalid)
    }

    fn verify(&self, token: &Token<'_>, purpose: Purpose, now: Timestamp) -> Result<Credentials, InvalidToken> {
        assert!(!self.settings.open, "an open hub does not look at tokens");
        token.check_carrier()?;
        let trusted = self.settings.keys.current();
        let verified = token.identify(purpose, &self.settings, &trusted)?.verify()?;
        let (terms, key) = (verified.terms(), Arc::clone(verified.key()));
        let credentials = verified.credentials(now)?;
        Ok(Credentials { signer: Some(self.signers.get(terms, key)), ..credentials })
    }

    /// Returns the keys that may verify the token.
    fn keys(&self, token: &Token<'_>, purpose: Purpose) -> Option<KeySet> {
        let trusted = self.settings.keys.current();
        token.identify(purpose, &self.settings, &trusted).ok().map(|identified| identified.keys().clone())
    }

    /// Asks for newer keys of the issuer that the token names. Returns true if there may be new keys, so that the token
    /// must be judged again.
    async fn refresh(&self, brought: &Brought<'_>, purpose: Purpose) -> bool {
        match brought.token().and_then(|token| self.keys(token, purpose)) {
            Some(keys) => keys.refresh().await,
            None => false,
        }
    }

    fn trace(&self, token: Option<&Token<'_>>, purpose: Purpose, error: &AuthError) {
        let Some(reason) = error.logged().filter(|_| !self.settings.open) else { return };
        let issuer = token.and_then(Token::told_issuer);
        let is_known = issuer.as_deref().is_some_and(|issuer| self.settings.keys.current().issuer(issuer).is_some());
        let unfetched = matches!(error, AuthError::Invalid(InvalidToken::UnknownKey))
            && token.and_then(|token| self.keys(token, purpose)).is_some_and(|keys| keys.fails());
        let reason = if unfetched { format!("{reason}, and the hub cannot fetch the JWK set").into() } else { reason };
        self.refusals.note(Kind::new(reason, issuer.as_deref(), is_known));
    }
}

/// The token that a request carries, or the credentials of a request that needs no token.
enum Brought<'r> {
    /// A token with its carrier. The result is an error if the value that the carrier holds cannot be read as a token.
    Token(Carrier, Result<Token<'r>, InvalidToken>),
    /// The request has no token and needs none. These are its credentials.
    Nothing(Credentials),
}

impl<'r> Brought<'r> {
    /// Returns the token, if it can be read.
    fn token(&self) -> Option<&Token<'r>> {
        match self {
            Self::Token(_, token) => token.as_ref().ok(),
            Self::Nothing(_) => None,
        }
    }
}
