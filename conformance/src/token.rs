//! Tokens that keep the rules, and tokens that break them. The suite makes them itself and does not use the code of a
//! hub. So a hub does not pass if it makes and reads tokens wrongly in the same way.
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The value of `type` in Mercure's authorization details.
pub const DETAIL_TYPE: &str = "https://mercure.rocks/authorization-detail";

/// Returns the current time, in seconds since the Unix epoch.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Returns a token that is signed with HS256, whatever its header says.
#[must_use]
pub fn sign(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", part(header.to_string()), part(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", part(tag))
}

/// Returns a token without a signature.
#[must_use]
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}.", part(header.to_string()), part(claims.to_string()))
}

fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns one authorization detail that grants these actions on exactly these topics.
#[must_use]
pub fn detail(actions: &[&str], topics: &[&str]) -> Value {
    let topics: Vec<_> = topics.iter().map(|topic| json!({"match": topic})).collect();
    json!({"type": DETAIL_TYPE, "actions": actions, "topics": topics})
}
