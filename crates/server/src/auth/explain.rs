//! The explanation of a token, for whoever wonders why it is refused: `fanfare check --token` prints it.
use super::{
    AuthSettings, InvalidToken, KeySet, Purpose, Revision,
    carrier::{Carrier, Presented},
    token::Token,
};
use fanfare_hub::{entry::Timestamp, grant::Matchers};
use serde_json::Value;

/// The claims of a token, and what it opens. What it says is not verified where both verdicts are errors.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The revision of Mercure whose rules it is held to.
    pub revision: Revision,
    /// The algorithm that it says it is signed with.
    pub algorithm: String,
    /// The name of the key that it says it is signed with.
    pub key_id: Option<String>,
    /// Its type.
    pub token_type: Option<String>,
    /// Its payload.
    pub claims: Value,
    /// The rights that it opens when somebody publishes.
    pub publish: Verdict,
    /// The rights that it opens when somebody subscribes.
    pub subscribe: Verdict,
}

/// The rights that a token opens for one purpose.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The topics, or why there are none.
    pub outcome: Result<Granted, InvalidToken>,
    /// The trusted issuer whose keys decided; `None` if they are those for tokens without.
    pub issuer: Option<String>,
    /// The keys that it was verified with, as they may be shown.
    pub keys: Vec<String>,
}

/// A good token.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The topics.
    pub topics: Matchers,
    /// The key that verified it, as it may be shown.
    pub key: String,
    /// The time until which they hold.
    pub expires_at: Option<Timestamp>,
}

/// Says what `token` is worth at the time `now`, sent in the `Authorization` header.
///
/// # Errors
/// [`InvalidToken`] if it is no token of which more could be said.
pub fn explain(token: &str, settings: &AuthSettings, now: Timestamp) -> Result<Explanation, InvalidToken> {
    let read = Token::read(Presented { token: token.into(), carrier: Carrier::Header })?;
    let claims = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| InvalidToken::Unreadable)?;
    let verdict = |purpose| judge(&read, purpose, settings, now);
    Ok(Explanation {
        revision: read.revision(),
        algorithm: format!("{:?}", read.header().alg),
        key_id: read.header().kid.clone(),
        token_type: read.header().typ.clone(),
        claims,
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
