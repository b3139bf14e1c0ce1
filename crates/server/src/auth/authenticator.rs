//! The authenticator: from a request to what its sender may do.
use super::{
    carrier::{self, Carrier},
    credentials::{Credentials, Purpose},
    error::AuthError,
    invalid_token::InvalidToken,
    origin, proxy,
    refusals::{Kind, Refusals},
    settings::AuthSettings,
    token::Token,
    trusted::KeySet,
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
        let brought = self.find(parts, purpose).inspect_err(|error| self.trace(None, purpose, error))?;
        let result = match self.judge(parts, &brought, purpose, Timestamp::now()) {
            Err(AuthError::Invalid(InvalidToken::UnknownKey)) if self.refresh(&brought, purpose).await => {
                self.judge(parts, &brought, purpose, Timestamp::now())
            }
            result => result,
        };
        result.inspect_err(|error| self.trace(brought.token(), purpose, error))
    }

    /// Refuses what somebody asks for who was let in, and leaves a trace of their token.
    pub(crate) fn refuse(&self, credentials: &Credentials, error: AuthError) -> AuthError {
        if let (true, Some(reason)) = (credentials.has_token, error.logged()) {
            self.refusals.note(Kind::new(reason, credentials.issuer.as_deref(), true));
        }
        error
    }

    /// The credentials of a request at a given time.
    #[cfg(test)]
    pub(super) fn authenticate_at(
        &self,
        parts: &Parts,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Credentials, AuthError> {
        self.judge(parts, &self.find(parts, purpose)?, purpose, now)
    }

    /// Finds the token of a request, and reads it, once.
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

    /// Decides what the token is worth, with the keys that hold now.
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
        assert!(!self.settings.open, "an open hub looks at no token");
        token.check_carrier()?;
        let trusted = self.settings.keys.current();
        token.identify(purpose, &self.settings, &trusted)?.verify()?.credentials(now)
    }

    /// The keys that decide about a token.
    fn keys(&self, token: &Token<'_>, purpose: Purpose) -> Option<KeySet> {
        let trusted = self.settings.keys.current();
        token.identify(purpose, &self.settings, &trusted).ok().map(|identified| identified.keys().clone())
    }

    /// Asks for newer keys of the issuer that the token names, and returns whether there are other ones now.
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
        let reason = if unfetched { format!("{reason}, and its JWK set cannot be fetched").into() } else { reason };
        self.refusals.note(Kind::new(reason, issuer.as_deref(), is_known));
    }
}

/// The thing that a request brings to be authorized with.
enum Brought<'r> {
    /// A token, or the reason why what is in its place cannot be read as one.
    Token(Carrier, Result<Token<'r>, InvalidToken>),
    /// No token, and none is needed for this.
    Nothing(Credentials),
}

impl<'r> Brought<'r> {
    /// The token, if it can be read.
    fn token(&self) -> Option<&Token<'r>> {
        match self {
            Self::Token(_, token) => token.as_ref().ok(),
            Self::Nothing(_) => None,
        }
    }
}
