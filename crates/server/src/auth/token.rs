//! The signature and the claims that every token has: [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519), and [RFC
//! 9068](https://www.rfc-editor.org/rfc/rfc9068) for the newer revision.
//!
//! The library verifies signatures. The few claims are checked here, against a given time, because the library reads
//! the clock itself and accepts what RFC 9068 does not (several issuers, say).
use super::{
    carrier::{Carrier, Presented},
    claims::Claims,
    claims_legacy, claims_modern,
    credentials::{Credentials, Purpose, Revision},
    invalid_token::InvalidToken,
    payload::Payloads,
    settings::AuthSettings,
    trusted::{KeySet, TrustedKeys},
};
use fanfare_hub::{entry::Timestamp, grant::Matchers};
use jsonwebtoken::Header;
use serde::Deserialize;
use serde_json::Value;

/// The longest token, in bytes: proxies and browsers rarely carry longer ones.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The time by which the clocks of issuer and hub may differ, in milliseconds.
pub const LEEWAY_MS: u64 = 10_000;

/// The keys that a token may be verified with, and what follows from whose they are.
pub(super) struct Chosen<'a> {
    pub(super) keys: &'a KeySet,
    /// The trusted issuer that the token names.
    pub(super) issuer: Option<&'a str>,
    /// The audience that its `aud` claim must name.
    audience: Option<&'a str>,
    /// True if they are also the keys for the other purpose.
    serve_both: bool,
}

/// Verifies a token and reads what it grants.
pub(super) fn verify(
    presented: &Presented<'_>,
    purpose: Purpose,
    settings: &AuthSettings,
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Credentials, InvalidToken> {
    let header = header(&presented.token)?;
    let revision = revision(&header);
    match (revision, presented.carrier) {
        (_, Carrier::Header)
        | (Revision::Legacy, Carrier::Query | Carrier::LegacyCookie)
        | (Revision::Modern, Carrier::ModernCookie) => {}
        _ => return Err(InvalidToken::Carrier),
    }
    let token = presented.token.as_bytes();
    let chosen = choose(token, revision, purpose, settings, trusted)?;
    let (mut claims, _) = chosen.keys.verify(token, &header)?;
    let credentials = read(&claims, &chosen, revision, purpose, settings, now)?;
    let issuer =
        claims.remove("iss").and_then(|issuer| if let Value::String(issuer) = issuer { Some(issuer) } else { None });
    Ok(Credentials { issuer, ..credentials })
}

/// The issuer that a token names, which nobody has verified.
pub(super) fn claimed_issuer(token: &str) -> Option<String> {
    header(token).ok()?;
    let mut claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    match claims.remove("iss")? {
        Value::String(issuer) => Some(issuer),
        _ => None,
    }
}

/// The keys that decide about a token, for who wants to ask their sources for newer ones.
pub(super) fn keys(token: &str, purpose: Purpose, settings: &AuthSettings, trusted: &TrustedKeys) -> Option<KeySet> {
    let revision = revision(&header(token).ok()?);
    choose(token.as_bytes(), revision, purpose, settings, trusted).ok().map(|chosen| chosen.keys.clone())
}

/// The header of a token that is worth looking at.
pub(super) fn header(token: &str) -> Result<Header, InvalidToken> {
    let bytes = token.len();
    if bytes > MAX_TOKEN_BYTES {
        return Err(InvalidToken::TooLong { bytes, limit: MAX_TOKEN_BYTES });
    }
    let header = jsonwebtoken::decode_header(token.as_bytes()).map_err(|_| InvalidToken::Unreadable)?;
    // What else it says of keys, in `jwk`, `jku`, `x5u` or `x5c`, is never looked at.
    if header.crit.is_some() { Err(InvalidToken::CriticalHeader) } else { Ok(header) }
}

/// The grant of verified claims for `purpose`, if they keep all rules of their revision.
pub(super) fn read(
    claims: &Claims,
    chosen: &Chosen<'_>,
    revision: Revision,
    purpose: Purpose,
    settings: &AuthSettings,
    now: Timestamp,
) -> Result<Credentials, InvalidToken> {
    if let Some(audience) = chosen.audience {
        check_audience(claims, audience)?;
    }
    let expires_at = check_time(claims, now)?;
    let (mut grant, payloads) = match revision {
        Revision::Legacy => (claims_legacy::grant(claims)?, Payloads::legacy(claims)),
        // RFC 9068 requires the claim that the older revision leaves out.
        Revision::Modern if expires_at.is_none() => return Err(InvalidToken::Claim("exp")),
        Revision::Modern => {
            let (grant, details) = claims_modern::grant(claims, &settings.hub_url).map_err(InvalidToken::Details)?;
            (grant, Payloads::modern(details))
        }
    };
    match purpose {
        _ if chosen.serve_both => {}
        Purpose::Publish => grant.subscribe = Matchers::default(),
        Purpose::Subscribe => grant.publish = Matchers::default(),
    }
    Ok(Credentials { grant, expires_at, revision, payloads, issuer: None, has_token: true })
}

pub(super) fn revision(header: &Header) -> Revision {
    let typ = header.typ.as_deref().unwrap_or_default();
    let is_modern = ["at+jwt", "application/at+jwt"].iter().any(|name| name.eq_ignore_ascii_case(typ));
    if is_modern { Revision::Modern } else { Revision::Legacy }
}

/// Chooses the keys by the issuer that the token claims, so that no issuer can sign for another. Tokens of the older
/// revision need not name one, and carry any `iss` that their maker liked: if it is not a trusted issuer's, the keys
/// are those for tokens without.
pub(super) fn choose<'a>(
    token: &[u8],
    revision: Revision,
    purpose: Purpose,
    settings: &'a AuthSettings,
    trusted: &'a TrustedKeys,
) -> Result<Chosen<'a>, InvalidToken> {
    #[derive(Deserialize)]
    struct Unverified {
        iss: Option<String>,
    }
    // A claim that is there twice is an error to this reader, so that it cannot mean one issuer here and another one
    // later.
    let Unverified { iss } =
        jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| InvalidToken::Claim("iss"))?;
    if let Some(issuer) = iss.as_deref().and_then(|iss| trusted.issuer(iss)) {
        let keys = issuer.keys(purpose);
        return if keys.is_empty() {
            Err(InvalidToken::NoKey)
        } else {
            Ok(Chosen {
                keys,
                issuer: Some(&issuer.issuer),
                audience: Some(issuer.audience.as_ref().unwrap_or(&settings.audience)),
                serve_both: issuer.publisher_keys.is_same(&issuer.subscriber_keys),
            })
        };
    }
    let keys = trusted.keys(purpose);
    match (revision, iss) {
        (Revision::Modern, None) if !trusted.issuers.is_empty() => Err(InvalidToken::Claim("iss")),
        (Revision::Modern, Some(_)) if !trusted.issuers.is_empty() => Err(InvalidToken::Issuer),
        (Revision::Legacy, Some(_)) if keys.is_empty() && !trusted.issuers.is_empty() => Err(InvalidToken::Issuer),
        (Revision::Legacy, _) if !keys.is_empty() => {
            let serve_both = trusted.publisher_keys.is_same(&trusted.subscriber_keys);
            Ok(Chosen { keys, issuer: None, audience: None, serve_both })
        }
        _ => Err(InvalidToken::NoKey),
    }
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

/// Checks `exp` and `nbf` and returns when the token expires.
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

/// A claim in seconds since the Unix epoch, possibly with a fraction.
fn numeric_date(claims: &Claims, name: &'static str) -> Result<Option<Timestamp>, InvalidToken> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0).ok_or(InvalidToken::Claim(name))?;
    // The cast saturates: a date beyond the year 500,000,000 is as good as none.
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

    /// B31: the types of an access token, in any case; every other token belongs to the older revision.
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
