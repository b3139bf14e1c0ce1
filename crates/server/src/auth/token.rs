//! The signature and the claims that every token has:
//! [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519), and [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068) for the newer
//! revision.
//!
//! The library verifies signatures. The few claims are checked here, against a given time, because the library reads the
//! clock itself and accepts what RFC 9068 does not (several issuers, say).
use super::{
    AuthSettings, Credentials, Key, Purpose, Revision,
    carrier::{Carrier, Presented},
    claims_legacy, claims_modern,
    error::InvalidToken,
};
use fanfare_hub::entry::Timestamp;
use jsonwebtoken::{Algorithm, Header, Validation, errors::ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest token, in bytes: proxies and browsers rarely carry longer ones.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How far the clocks of issuer and hub may differ, in milliseconds.
pub const LEEWAY_MS: u64 = 10_000;

/// What an algorithm must be one of. There is no `none`, and no public-key algorithm that a shared secret could pass for.
const ALGORITHMS: [Algorithm; 1] = [Algorithm::HS256];

/// The claims of a token whose signature has been verified.
pub(super) type Claims = Map<String, Value>;

/// Verifies a token and reads what it grants.
pub(super) fn verify(
    presented: &Presented<'_>,
    purpose: Purpose,
    settings: &AuthSettings,
    now: Timestamp,
) -> Result<Credentials, InvalidToken> {
    let bytes = presented.token.len();
    if bytes > MAX_TOKEN_BYTES {
        return Err(InvalidToken::TooLong { bytes, limit: MAX_TOKEN_BYTES });
    }
    let header = jsonwebtoken::decode_header(presented.token.as_bytes()).map_err(|_| InvalidToken::Unreadable)?;
    if header.crit.is_some() {
        return Err(InvalidToken::CriticalHeader);
    }
    let revision = revision(&header);
    match (revision, presented.carrier) {
        (_, Carrier::Header)
        | (Revision::Legacy, Carrier::Query | Carrier::LegacyCookie)
        | (Revision::Modern, Carrier::ModernCookie) => {}
        _ => return Err(InvalidToken::Carrier),
    }
    let token = presented.token.as_bytes();
    let claims = match revision {
        Revision::Legacy => verify_legacy(token, purpose, settings)?,
        Revision::Modern => verify_modern(token, settings)?,
    };
    let expires_at = check_time(&claims, now)?;
    let grant = match revision {
        Revision::Legacy => claims_legacy::grant(&claims)?,
        // RFC 9068 requires the claim that the older revision leaves out.
        Revision::Modern if expires_at.is_none() => return Err(InvalidToken::Claim("exp")),
        Revision::Modern => claims_modern::grant(&claims, &settings.hub_url).map_err(InvalidToken::Details)?,
    };
    Ok(Credentials { grant, expires_at, revision })
}

fn revision(header: &Header) -> Revision {
    let typ = header.typ.as_deref().unwrap_or_default();
    let is_modern = ["at+jwt", "application/at+jwt"].iter().any(|name| name.eq_ignore_ascii_case(typ));
    if is_modern { Revision::Modern } else { Revision::Legacy }
}

fn verify_legacy(token: &[u8], purpose: Purpose, settings: &AuthSettings) -> Result<Claims, InvalidToken> {
    let key = match purpose {
        Purpose::Publish => &settings.publisher_key,
        Purpose::Subscribe => &settings.subscriber_key,
    };
    verify_signature(token, key.as_ref().ok_or(InvalidToken::NoKey)?)
}

fn verify_modern(token: &[u8], settings: &AuthSettings) -> Result<Claims, InvalidToken> {
    #[derive(Deserialize)]
    struct Unverified {
        iss: String,
    }
    if settings.issuers.is_empty() {
        return Err(InvalidToken::NoKey);
    }
    // The issuer that the token claims chooses the key, so that no issuer can sign for another. A claim that is there
    // twice is an error to this reader, so that it cannot mean one issuer here and another one later.
    let Unverified { iss } =
        jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| InvalidToken::Claim("iss"))?;
    let trusted = settings.issuers.iter().find(|trusted| trusted.issuer == iss).ok_or(InvalidToken::Issuer)?;
    let claims = verify_signature(token, &trusted.key)?;
    let is_us = |audience: &Value| audience.as_str() == Some(&settings.audience);
    match claims.get("aud") {
        Some(audience) if is_us(audience) => {}
        Some(Value::Array(audiences)) if audiences.iter().any(is_us) => {}
        Some(Value::String(_) | Value::Array(_)) => return Err(InvalidToken::Audience),
        _ => return Err(InvalidToken::Claim("aud")),
    }
    Ok(claims)
}

fn verify_signature(token: &[u8], key: &Key) -> Result<Claims, InvalidToken> {
    let mut signature_only = Validation::new(Algorithm::HS256);
    signature_only.algorithms = ALGORITHMS.to_vec();
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    match jsonwebtoken::decode(token, key.verifying(), &signature_only) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => InvalidToken::Signature,
            ErrorKind::InvalidAlgorithm => InvalidToken::Algorithm,
            _ => InvalidToken::Unreadable,
        }),
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
