//! Tokens of both revisions of Mercure, and a server that trusts their signers.
use super::fixture::*;
use fanfare_hub::entry::Timestamp;
use fanfare_server::auth::{
    AuthSettings, Authenticator, KeyStore, SigningKey,
    mint::{LegacyToken, ModernToken, TopicMatch},
};
use url::Url;

/// The URL of the hub, which tokens of the newer revision name as their audience.
pub const HUB: &str = "https://hub.example/.well-known/mercure";
/// The issuer of tokens of the newer revision.
pub const ISSUER: &str = "https://issuer.example";

pub fn hub_url() -> Url {
    Url::parse(HUB).unwrap()
}

/// A key. Two keys with the same number are equal.
pub fn key(number: u8) -> SigningKey {
    SigningKey::hs256(format!("secret number {number} of at least thirty-two bytes").as_bytes()).unwrap()
}

/// What asks for tokens that these keys have signed.
pub fn authenticator(anonymous: bool, keys: impl Into<KeyStore>) -> Authenticator {
    Authenticator::new(AuthSettings { anonymous, keys: keys.into(), ..AuthSettings::closed(hub_url()) })
}

/// A server that asks for such tokens.
pub async fn serve_trusting(anonymous: bool, keys: impl Into<KeyStore>) -> Fixture {
    serve_as(authenticator(anonymous, keys), |settings| settings.public_url = hub_url()).await
}

/// A token of the older revision that does not expire.
pub fn legacy(publish: &[&str], subscribe: &[&str]) -> LegacyToken {
    let topics = |topics: &[&str]| topics.iter().map(|&topic| topic.to_owned()).collect();
    LegacyToken { publish: topics(publish), subscribe: topics(subscribe), payload: None, expires_at: None }
}

/// A token of the newer revision that is valid for an hour.
pub fn modern(publish: &[&str], subscribe: &[&str]) -> ModernToken {
    let now = Timestamp::now();
    let topics = |topics: &[&str]| topics.iter().map(|&topic| TopicMatch::Exact(topic.into())).collect();
    ModernToken {
        issuer: ISSUER.into(),
        audience: HUB.into(),
        subject: "somebody".into(),
        issued_at: now,
        expires_at: Timestamp(now.0 + 3_600_000),
        publish: topics(publish),
        subscribe: topics(subscribe),
        payload: None,
    }
}

/// The header that carries a token.
pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}
