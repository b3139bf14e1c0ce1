//! The making of tokens, for an operator who has the key that signs them: `fanfare token` prints such tokens.
use super::{
    SigningKey,
    claims_modern::{CLAIM, DETAIL_TYPE},
};
use fanfare_hub::entry::Timestamp;
use serde_json::{Map, Value, json};

/// A token of Mercure's older revision, with its `mercure` claim.
#[derive(Clone, Debug, Default)]
pub struct LegacyToken {
    /// The topic selectors for which the bearer may publish.
    pub publish: Vec<String>,
    /// The topic selectors whose private updates the bearer may receive.
    pub subscribe: Vec<String>,
    /// The data that active subscriptions of the bearer show to clients that may see them.
    pub payload: Option<Value>,
    /// The time when the token expires; `None` if it never does.
    pub expires_at: Option<Timestamp>,
}

/// An access token of Mercure's newer revision, with its `authorization_details`.
#[derive(Clone, Debug)]
pub struct ModernToken {
    /// The issuer: a name of an authorization server that the hub trusts.
    pub issuer: String,
    /// The audience: the hub for which the token is valid.
    pub audience: String,
    /// The subject: the person or program that the token is issued to.
    pub subject: String,
    /// The time when the token is issued.
    pub issued_at: Timestamp,
    /// The time when the token expires.
    pub expires_at: Timestamp,
    /// The topics for which the bearer may publish.
    pub publish: Vec<TopicMatch>,
    /// The topics whose private updates the bearer may receive.
    pub subscribe: Vec<TopicMatch>,
    /// The data that active subscriptions of the bearer show to clients that may see them.
    pub payload: Option<Value>,
}

/// One or more topics, as `authorization_details` name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicMatch {
    /// One topic by its full name, or `*` for all topics.
    Exact(String),
    /// All topics that match a URL Pattern.
    UrlPattern(String),
}

impl LegacyToken {
    /// Returns the token, signed with `key`.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let mut mercure = Map::new();
        if !self.publish.is_empty() {
            mercure.insert("publish".into(), json!(self.publish));
        }
        if !self.subscribe.is_empty() {
            mercure.insert("subscribe".into(), json!(self.subscribe));
        }
        mercure.extend(self.payload.clone().map(|payload| ("payload".to_owned(), payload)));
        let mut claims = Map::from_iter([("mercure".to_owned(), Value::Object(mercure))]);
        claims.extend(self.expires_at.map(|expires_at| ("exp".to_owned(), seconds(expires_at))));
        key.sign("JWT", &claims)
    }
}

impl ModernToken {
    /// Returns the token, signed with `key`.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let actions = [("publish", &self.publish), ("subscribe", &self.subscribe)];
        let details = actions.into_iter().filter(|(_, topics)| !topics.is_empty()).map(|(action, topics)| {
            let topics: Vec<_> = topics.iter().map(TopicMatch::to_json).collect();
            let mut detail = json!({"type": DETAIL_TYPE, "actions": [action], "topics": topics});
            if let Some(payload) = self.payload.as_ref().filter(|_| action == "subscribe") {
                detail["payload"] = payload.clone();
            }
            detail
        });
        let claims = [
            ("iss", json!(self.issuer)),
            ("aud", json!(self.audience)),
            ("sub", json!(self.subject)),
            ("client_id", json!(self.subject)),
            ("iat", seconds(self.issued_at)),
            ("exp", seconds(self.expires_at)),
            (CLAIM, details.collect()),
        ];
        key.sign("at+jwt", &claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl TopicMatch {
    fn to_json(&self) -> Value {
        match self {
            Self::Exact(topic) => json!({"match": topic}),
            Self::UrlPattern(pattern) => json!({"match": pattern, "match_type": "urlpattern"}),
        }
    }
}

fn seconds(time: Timestamp) -> Value {
    (time.0 / 1_000).into()
}
