//! The explanation of a token: what it contains, and why the hub accepts or refuses it. `fanfare check --token` prints
//! the explanation.
use super::{
    AuthSettings, InvalidToken, KeySet, Purpose, Revision,
    carrier::{Carrier, Presented},
    claims::Claims,
    token::Token,
};
use fanfare_hub::{entry::Timestamp, grant::Matchers};
use serde_json::Value;

/// The contents of a token, and the rights that it gives. If both [`publish`](Self::publish) and
/// [`subscribe`](Self::subscribe) are refusals, perhaps no key has verified the contents, and anybody may have written
/// them.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The revision of Mercure whose rules apply to the token.
    pub revision: Revision,
    /// The signing algorithm that the token's header names.
    pub algorithm: String,
    /// The key ID (`kid`) that the token's header names, if it names one.
    pub key_id: Option<String>,
    /// The type (`typ`) that the token's header names, if it names one.
    pub token_type: Option<String>,
    /// The claims of the token, an object.
    pub claims: Value,
    /// The rights that the token gives a publisher.
    pub publish: Verdict,
    /// The rights that the token gives a subscriber.
    pub subscribe: Verdict,
}

/// The rights that a token gives for one purpose.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The topics that are granted, or the reason why the token is refused.
    pub outcome: Result<Granted, InvalidToken>,
    /// The trusted issuer whose keys were tried; `None` if the keys for tokens without a trusted issuer were tried.
    pub issuer: Option<String>,
    /// The keys that were tried, each described without its secret.
    pub keys: Vec<String>,
}

/// The rights of a token that was accepted.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The topics that are granted.
    pub topics: Matchers,
    /// The key that verified the token, described without its secret.
    pub key: String,
    /// The time when the rights expire; `None` if they never do.
    pub expires_at: Option<Timestamp>,
}

/// Explains what `token` allows at the time `now` if it is sent in the `Authorization` header.
///
/// # Errors
/// [`InvalidToken`] if the text cannot be read as a token.
pub fn explain(token: &str, settings: &AuthSettings, now: Timestamp) -> Result<Explanation, InvalidToken> {
    let read = Token::read(Presented { token: token.into(), carrier: Carrier::Header })?;
    let claims: Claims =
        jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| InvalidToken::Unreadable)?;
    let verdict = |purpose| judge(&read, purpose, settings, now);
    Ok(Explanation {
        revision: read.revision(),
        algorithm: format!("{:?}", read.header().alg),
        key_id: read.header().kid.clone(),
        token_type: read.header().typ.clone(),
        claims: claims.into(),
        publish: verdict(Purpose::Publish),
        subscribe: verdict(Purpose::Subscribe),
    })
}

fn judge(token: &Token<'_>, purpose: Purpose, settings: &AuthSettings, now: Timestamp) -> Verdict {
    let trusted = settings.keys.current();
    let mut verdict = Verdict { outcome: Err(InvalidToken::NoKey), issuer: None, keys: Vec::new() };
    verdict.outcome = (|| {
        let identified = token.identify(purpose, settings, &trusted)?;
        verdict.issuer = identified.issuer().map(str::to_owned);
        verdict.keys = shown(identified.keys());
        let verified = identified.verify()?;
        let key = verified.key().to_string();
        let credentials = verified.credentials(now)?;
        let topics = match purpose {
            Purpose::Publish => credentials.grant.publish,
            Purpose::Subscribe => credentials.grant.subscribe,
        };
        Ok(Granted { topics, key, expires_at: credentials.expires_at })
    })();
    verdict
}

fn shown(keys: &KeySet) -> Vec<String> {
    keys.keys().iter().map(ToString::to_string).collect()
}
