//! The authenticator: from a request to what its sender may do.
use super::{
    carrier::{self, Carrier},
    credentials::{Credentials, Purpose},
    error::AuthError,
    invalid_token::InvalidToken,
    origin, proxy,
    refusals::{Kind, Refusals},
    settings::AuthSettings,
    token,
};
use fanfare_hub::{entry::Timestamp, grant::Grant};
use http::request::Parts;
use url::Url;

/// Turns requests into [`Credentials`].
#[derive(Clone, Debug)]
pub struct Authenticator {
    settings: AuthSettings,
    refusals: Refusals,
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

    pub(super) fn authenticate_at(
        &self,
        parts: &Parts,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Credentials, AuthError> {
        let settings = &self.settings;
        if settings.open {
            origin::check_page(parts, settings)?;
            return Ok(Credentials::without_token(Grant::open()));
        }
        let Some(presented) = carrier::find(parts, settings)? else {
            return match purpose {
                Purpose::Subscribe if settings.anonymous => Ok(Credentials::without_token(Grant::none())),
                _ => Err(AuthError::Missing),
            };
        };
        if matches!(presented.carrier, Carrier::LegacyCookie | Carrier::ModernCookie) && !parts.method.is_safe() {
            origin::check_cookie(parts, settings)?;
        }
        token::verify(&presented, purpose, settings, &settings.keys.current(), now).map_err(AuthError::Invalid)
    }
}
