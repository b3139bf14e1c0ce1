//! The states of a token: presented, read, identified, verified, and then credentials. Each state has its own type,
//! which is made only from the state before it, so that the contents of a token have no effect before its signature is
//! verified.
//!
//! Tokens are as in [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519), and in [RFC
//! 9068](https://www.rfc-editor.org/rfc/rfc9068) for Mercure's newer revision. The library `jsonwebtoken` verifies
//! signatures, but this module itself checks the claims. It checks them for a time that its caller gives, while the
//! library would read the clock, and the library accepts claims that RFC 9068 does not allow (several issuers, for
//! example).
use super::{
    algorithm::Algorithm,
    carrier::{Carrier, Presented},
    claims::Claims,
    claims_legacy, claims_modern,
    credentials::{Credentials, Purpose, Revision},
    invalid_token::InvalidToken,
    key::Key,
    object::Object,
    payload::Payloads,
    settings::AuthSettings,
    signer::Terms,
    trusted::{KeySet, TrustedIssuer, TrustedKeys},
};
use fanfare_hub::{entry::Timestamp, grant::Matchers};
use jsonwebtoken::{Header, dangerous::insecure_decode_claims};
use serde::Deserialize;
use serde_json::Value;
use std::{borrow::Cow, sync::Arc};

/// The longest token that is accepted, in bytes: proxies and browsers rarely carry longer ones.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The time by which the clocks of an issuer and the hub may differ, in milliseconds.
pub const LEEWAY_MS: u64 = 10_000;

/// A token whose header has been read. Its signature is not verified yet.
pub(super) struct Token<'r> {
    text: Cow<'r, str>,
    carrier: Carrier,
    header: Box<Header>,
    revision: Revision,
    /// The issuer that the token claims to come from, if it names one.
    issuer: Result<Option<String>, InvalidToken>,
}

/// A token, and the keys that may verify it.
pub(super) struct Identified<'t> {
    token: &'t Token<'t>,
    purpose: Purpose,
    settings: &'t AuthSettings,
    keys: &'t KeySet,
    /// The trusted issuer that the token names; `None` if it names none.
    issuer: Option<&'t TrustedIssuer>,
    /// The audience that the token's `aud` claim must name; `None` if the claim is not checked.
    audience: Option<&'t str>,
    /// True if the same keys verify the tokens of publishers and of subscribers.
    serve_both: bool,
}

/// A token that one of the keys has signed.
pub(super) struct Verified<'t> {
    identified: Identified<'t>,
    claims: Claims,
    key: Arc<Key>,
}

impl<'r> Token<'r> {
    /// Reads the header of a token, and the issuer that the token names. Fails if the token is too long.
    pub(super) fn read(presented: Presented<'r>) -> Result<Self, InvalidToken> {
        let Presented { token: text, carrier } = presented;
        let bytes = text.len();
        if bytes > MAX_TOKEN_BYTES {
            return Err(InvalidToken::TooLong { bytes, limit: MAX_TOKEN_BYTES });
        }
        let header = jsonwebtoken::decode_header(text.as_bytes()).map_err(|_| InvalidToken::Unreadable)?;
        // The header may also bring or name keys, in `jwk`, `jku`, `x5u` or `x5c`. Such keys are never used.
        if header.crit.is_some() {
            return Err(InvalidToken::CriticalHeader);
        }
        let (revision, issuer) = (revision(&header), claimed_issuer(&text));
        Ok(Self { text, carrier, header: Box::new(header), revision, issuer })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the issuer that the token names, for the log. The signature may not have been verified.
    pub(super) fn told_issuer(&self) -> Option<String> {
        match &self.issuer {
            Ok(issuer) => issuer.clone(),
            // The issuer could not be read, for example because the token has two `iss` claims. In this case, the last
            // of them is logged.
            Err(_) => match insecure_decode_claims::<Claims>(self.text.as_bytes()).ok()?.remove("iss")? {
                Value::String(issuer) => Some(issuer),
                _ => None,
            },
        }
    }

    /// Checks that the revision allows the carrier that brought the token.
    pub(super) fn check_carrier(&self) -> Result<(), InvalidToken> {
        match (self.revision, self.carrier) {
            (_, Carrier::Header)
            | (Revision::Legacy, Carrier::Query | Carrier::LegacyCookie)
            | (Revision::Modern, Carrier::ModernCookie) => Ok(()),
            _ => Err(InvalidToken::Carrier),
        }
    }

    /// Chooses the keys by the issuer that the token names, so that no issuer can sign for another. A token of
    /// Mercure's older revision need not name an issuer, and may have any text as its `iss`. If this text is not a
    /// trusted issuer, the keys for tokens without an issuer are used.
    pub(super) fn identify<'t>(
        &'t self,
        purpose: Purpose,
        settings: &'t AuthSettings,
        trusted: &'t TrustedKeys,
    ) -> Result<Identified<'t>, InvalidToken> {
        let claimed = self.issuer.as_ref().map_err(Clone::clone)?.as_deref();
        if let Some(issuer) = claimed.and_then(|name| trusted.issuer(name)) {
            let keys = issuer.keys(purpose);
            if keys.is_empty() {
                return Err(InvalidToken::NoKey);
            }
            return Ok(Identified {
                token: self,
                purpose,
                settings,
                keys,
                issuer: Some(issuer),
                audience: Some(issuer.audience.as_ref().unwrap_or(&settings.audience)),
                serve_both: issuer.publisher_keys.is_same(&issuer.subscriber_keys),
            });
        }
        let keys = trusted.keys(purpose);
        match (self.revision, claimed) {
            (Revision::Modern, None) if !trusted.issuers.is_empty() => Err(InvalidToken::Claim("iss")),
            (Revision::Modern, Some(_)) if !trusted.issuers.is_empty() => Err(InvalidToken::Issuer),
            (Revision::Legacy, Some(_)) if keys.is_empty() && !trusted.issuers.is_empty() => Err(InvalidToken::Issuer),
            (Revision::Legacy, _) if !keys.is_empty() => {
                let serve_both = trusted.publisher_keys.is_same(&trusted.subscriber_keys);
                Ok(Identified { token: self, purpose, settings, keys, issuer: None, audience: None, serve_both })
            }
            _ => Err(InvalidToken::NoKey),
        }
    }
}

impl<'t> Identified<'t> {
    pub(super) fn keys(&self) -> &'t KeySet {
        self.keys
    }

    pub(super) fn issuer(&self) -> Option<&'t str> {
        self.issuer.map(|trusted| trusted.issuer.as_str())
    }

    /// Verifies the signature.
    pub(super) fn verify(self) -> Result<Verified<'t>, InvalidToken> {
        assert!(!self.keys.is_empty(), "a token for which there are no keys was refused before");
        let (claims, key) = self.keys.verify(self.token.text.as_bytes(), &self.token.header)?;
        // The issuer that decided which keys were tried was read before the signature was verified. The verified claims
        // must name the same issuer.
        let claimed = self.token.issuer.as_ref().ok().and_then(Option::as_deref);
        assert_eq!(claims.get("iss").and_then(Value::as_str), claimed, "a token has one issuer");
        Ok(Verified { identified: self, claims, key })
    }
}

impl Verified<'_> {
    pub(super) fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// Returns the rules under which the key has verified the token.
    pub(super) fn terms(&self) -> Terms {
        let Identified { token, purpose, issuer, audience, keys, .. } = self.identified;
        let algorithm = Algorithm::from_library(token.header.alg);
        Terms {
            purpose,
            issuer: issuer.map(|trusted| trusted.issuer.clone()),
            audience: audience.map(str::to_owned),
            algorithm: algorithm.expect("the key has verified the token with this algorithm"),
            is_sourced: keys.is_sourced(&self.key),
        }
    }

    /// Returns the credentials that the claims give for the purpose of the request. Fails if the claims break a rule of
    /// their revision of Mercure.
    pub(super) fn credentials(mut self, now: Timestamp) -> Result<Credentials, InvalidToken> {
        let Identified { token, purpose, settings, audience, serve_both, .. } = self.identified;
        let (claims, revision) = (&self.claims, token.revision);
        if let Some(audience) = audience {
            check_audience(claims, audience)?;
        }
        let expires_at = check_time(claims, now)?;
        let (mut grant, payloads) = match revision {
            Revision::Legacy => (claims_legacy::grant(claims, purpose.patterns())?, Payloads::legacy(claims)),
            // RFC 9068 requires the claim `exp`; in the older revision it is optional.
            Revision::Modern if expires_at.is_none() => return Err(InvalidToken::Claim("exp")),
            Revision::Modern => {
                let (grant, details) = claims_modern::grant(claims, &settings.hub_url, purpose.patterns())
                    .map_err(InvalidToken::Details)?;
                (grant, Payloads::modern(details))
            }
        };
        match purpose {
            _ if serve_both => {}
            Purpose::Publish => grant.subscribe = Matchers::default(),
            Purpose::Subscribe => grant.publish = Matchers::default(),
        }
        assert!(revision == Revision::Legacy || expires_at.is_some(), "an access token without exp was refused before");
        let issuer = match self.claims.remove("iss") {
            Some(Value::String(issuer)) => Some(issuer),
            _ => None,
        };
        Ok(Credentials { grant, expires_at, revision, payloads, issuer, signer: None })
    }
}

/// Returns the revision of Mercure to which a token belongs, according to its type.
fn revision(header: &Header) -> Revision {
    let typ = header.typ.as_deref().unwrap_or_default();
    let is_modern = ["at+jwt", "application/at+jwt"].iter().any(|name| name.eq_ignore_ascii_case(typ));
    if is_modern { Revision::Modern } else { Revision::Legacy }
}

/// Reads the issuer that a token names. A token with two `iss` claims is an error. Otherwise one issuer might decide
/// which keys are tried, and the other issuer might be used after the signature is verified.
fn claimed_issuer(token: &str) -> Result<Option<String>, InvalidToken> {
    #[derive(Deserialize)]
    struct Unverified {
        iss: Option<String>,
    }
    let Object(Unverified { iss }) = insecure_decode_claims(token).map_err(|_| InvalidToken::Claim("iss"))?;
    Ok(iss)
}

fn check_audience(claims: &Claims, audience: &str) -> Result<(), InvalidToken> {
    let is_us = |claim: &Value| claim.as_str() == Some(audience);
    match claims.get("aud") {
        Some(claim) if is_us(claim) => Ok(()),
        Some(Value::Array(audiences)) if audiences.iter().any(is_us) => Ok(()),
        Some(Value::String(_) | Value::Array(_)) => Err(InvalidToken::Audience),
        _ => Err(InvalidToken::Claim("aud")),
    }
}

/// Checks the claims `exp` and `nbf`, and returns the time when the token expires; `None` if it never does.
fn check_time(claims: &Claims, now: Timestamp) -> Result<Option<Timestamp>, InvalidToken> {
    let expires_at = numeric_date(claims, "exp")?;
    if expires_at.is_some_and(|Timestamp(expires_at)| now.0 >= expires_at.saturating_add(LEEWAY_MS)) {
        return Err(InvalidToken::Expired);
    }
    match numeric_date(claims, "nbf")? {
        Some(Timestamp(not_before)) if now.0.saturating_add(LEEWAY_MS) < not_before => Err(InvalidToken::NotYetValid),
        _ => Ok(expires_at),
    }
}

/// Reads a claim whose value is a time in seconds since the Unix epoch, possibly with a fraction; `None` if the token
/// does not have the claim.
fn numeric_date(claims: &Claims, name: &'static str) -> Result<Option<Timestamp>, InvalidToken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0).ok_or(InvalidToken::Claim(name))?;
    // The cast saturates; a date beyond the year 500,000,000 need not be exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(Some(Timestamp((seconds * 1_000.0) as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &Value) -> Claims {
        json.as_object().unwrap().clone()
    }

    /// B32, B37: `exp` and `nbf` within the leeway, to the millisecond.
    #[test]
    fn time_is_checked_with_leeway() {
        let at = |json: Value, now| check_time(&claims(&json), Timestamp(now));
        let expiry = serde_json::json!({"exp": 1_000});
        assert_eq!(at(expiry.clone(), 1_000_000 + LEEWAY_MS - 1), Ok(Some(Timestamp(1_000_000))));
        assert_eq!(at(expiry, 1_000_000 + LEEWAY_MS), Err(InvalidToken::Expired));
        let start = serde_json::json!({"nbf": 1_000.5});
        assert_eq!(at(start.clone(), 1_000_500 - LEEWAY_MS), Ok(None));
        assert_eq!(at(start, 1_000_500 - LEEWAY_MS - 1), Err(InvalidToken::NotYetValid));
        assert_eq!(at(serde_json::json!({}), u64::MAX), Ok(None));
        assert_eq!(at(serde_json::json!({"exp": 1e300}), u64::MAX - 1), Ok(Some(Timestamp(u64::MAX))));
    }

    #[test]
    fn dates_are_numbers() {
        for bad in [serde_json::json!("1000"), serde_json::json!(-1), Value::Null, serde_json::json!([1]), true.into()]
        {
            for name in ["exp", "nbf"] {
                let claims = claims(&serde_json::json!({name: bad}));
                assert_eq!(check_time(&claims, Timestamp(0)), Err(InvalidToken::Claim(name)), "{bad}");
            }
        }
    }

    /// B31: an access token has one of these types, in any case; every other token belongs to the older revision.
    #[test]
    fn the_type_says_which_revision() {
        let of = |typ: Option<&str>| revision(&Header { typ: typ.map(Into::into), ..Header::default() });
        for modern in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert_eq!(of(Some(modern)), Revision::Modern);
        }
        for legacy in [None, Some(""), Some("JWT"), Some("at+jwt "), Some("x/at+jwt")] {
            assert_eq!(of(legacy), Revision::Legacy);
        }
    }
}
