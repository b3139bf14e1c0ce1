//! The trial of a hub by one entry and the rules of one revision: the requests and the tokens that every entry needs.
use crate::{
    http::{Answer, Ask, Http},
    outcome::{Fault, Outcome, check},
    report::Finding,
    stream::Stream,
    target::{Issuer, Revision, Secret, Target},
    token::{self, detail},
};
use hyper::Method;
use serde_json::{Value, json};
use std::sync::Mutex;
use url::Url;

/// The trial of a hub by one entry.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The hub under test.
    pub target: &'a Target,
    /// The revision whose rules are tried.
    pub revision: Revision,
    http: &'a Http,
    /// The prefix of this trial's topics. No other trial has the same prefix.
    pub(crate) prefix: String,
    /// The hub's metadata, which only the newer Mercure revision has; `None` if the hub publishes none.
    pub(crate) metadata: Option<Value>,
    pub(crate) findings: Mutex<Vec<Finding>>,
}

/// The name of the cookie that draft 08 recommends.
const MODERN_COOKIE: &str = "__Secure-mercure_access_token";

/// The purpose of a token. The older Mercure revision has a separate key for each purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The token allows publishing.
    Publish,
    /// The token allows receiving private updates.
    Subscribe,
}

impl<'a> Trial<'a> {
    /// Starts a trial. In the newer Mercure revision this reads the hub's metadata.
    pub(crate) async fn start(target: &'a Target, revision: Revision, http: &'a Http, prefix: String) -> Self {
        let mut trial = Self { target, revision, http, prefix, metadata: None, findings: Mutex::default() };
        if trial.is_modern() {
            trial.metadata = trial.published_metadata().await.ok().flatten();
        }
        trial
    }

    /// Returns true if the trial is by the rules of the newer Mercure revision.
    #[must_use]
    pub fn is_modern(&self) -> bool {
        self.revision == Revision::Modern
    }

    /// Returns a topic that only this trial uses.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// Returns a new request to the hub.
    #[must_use]
    pub fn ask(&self, method: Method) -> Ask<'a> {
        Ask::new(self.http, method, self.target.hub.clone())
    }

    /// Returns a request to another URL.
    #[must_use]
    pub fn ask_at(&self, method: Method, url: Url) -> Ask<'a> {
        Ask::new(self.http, method, url)
    }

    /// Returns the name of the query parameter that subscribes to a single topic.
    #[must_use]
    pub fn exactly(&self) -> &'static str {
        if self.is_modern() { "match" } else { "topic" }
    }

    /// Returns the query parameter and the value that subscribe to all topics that begin with `start`.
    #[must_use]
    pub fn below(&self, start: &str) -> (&'static str, String) {
        if self.is_modern() {
            ("match_urlpattern", format!("{start}:rest"))
        } else {
            ("topic", format!("{start}{{rest}}"))
        }
    }

    /// Returns the name of the response header that says after which event a stream begins.
    #[must_use]
    pub fn cursor_header(&self) -> &'static str {
        if self.is_modern() { "mercure-last-event-id" } else { "last-event-id" }
    }

    /// Returns the name of the query parameter that carries a cursor.
    #[must_use]
    pub fn cursor_parameter(&self) -> &'static str {
        if self.is_modern() { "last_event_id" } else { "lastEventID" }
    }

    /// Returns the name of the cookie for tokens: the name that the user gave to the suite, or else the name in the
    /// hub's metadata, or else the name that the draft recommends.
    #[must_use]
    pub fn cookie(&self) -> &str {
        if !self.is_modern() {
            return &self.target.legacy_cookie;
        }
        let named = self.metadata.as_ref().and_then(|metadata| metadata["mercure_cookie"].as_str());
        self.target.modern_cookie.as_deref().or(named.filter(|name| !name.is_empty())).unwrap_or(MODERN_COOKIE)
    }

    /// Returns the hub's resource identifier, which tokens name as their audience: the identifier that the user gave to
    /// the suite, or else the one in the hub's metadata, or else the hub's URL, which the draft recommends.
    #[must_use]
    pub fn audience(&self) -> &str {
        let named = self.metadata.as_ref().and_then(|metadata| metadata["resource"].as_str());
        self.target.audience.as_deref().or(named).unwrap_or(self.target.hub.as_str())
    }

    /// Returns the URLs against which the hub may resolve relative topics. A hub resolves them against its own URL.
    /// That may differ from the URL that the suite was given, if the hub is behind a proxy or has several host names.
    /// The draft recommends that the hub's resource identifier be its own URL, so this returns both.
    #[must_use]
    pub fn bases(&self) -> Vec<Url> {
        let own = Url::parse(self.audience()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut bases = vec![self.target.hub.clone()];
        bases.extend(own.filter(|own| *own != self.target.hub));
        bases
    }

    /// Returns the secret that signs tokens of the older Mercure revision for this purpose.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given this secret.
    pub fn key(&self, purpose: Purpose) -> Result<&'a Secret, Fault> {
        let key = match purpose {
            Purpose::Publish => &self.target.publisher_key,
            Purpose::Subscribe => &self.target.subscriber_key,
        };
        key.as_ref().ok_or_else(|| Fault::NotTried("the suite was not given the key of such tokens".into()))
    }

    /// Returns the issuer of tokens of the newer Mercure revision.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given an issuer.
    pub fn issuer(&self) -> Result<&'a Issuer, Fault> {
        self.target.issuer.as_ref().ok_or_else(|| Fault::NotTried("the suite was not given an issuer's key".into()))
    }

    /// Returns the claims that every token of the newer Mercure revision has, with these authorization details.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given an issuer.
    pub fn claims(&self, details: &Value) -> Result<Value, Fault> {
        let issuer = &self.issuer()?.name;
        let (now, audience) = (token::now(), self.audience());
        Ok(json!({
            "iss": issuer, "aud": audience, "sub": "conformance", "client_id": "conformance",
            "iat": now, "exp": now + 600, "jti": fastrand::u64(..).to_string(),
            "authorization_details": details,
        }))
    }

    /// Returns a token of the newer Mercure revision with these claims.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given an issuer.
    pub fn access_token(&self, claims: &Value) -> Result<String, Fault> {
        Ok(token::sign(&json!({"alg": "HS256", "typ": "at+jwt"}), claims, self.issuer()?.key.bytes()))
    }

    /// Returns a token of the older Mercure revision with these claims.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given the secret for this purpose.
    pub fn legacy_token(&self, purpose: Purpose, claims: &Value) -> Result<String, Fault> {
        Ok(token::sign(&json!({"alg": "HS256", "typ": "JWT"}), claims, self.key(purpose)?.bytes()))
    }

    /// Returns a token of this trial's revision that grants this purpose on these topics. The topic `*` means all
    /// topics.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given the secret or the issuer for this token.
    pub fn token(&self, purpose: Purpose, topics: &[&str]) -> Result<String, Fault> {
        self.token_until(purpose, topics, token::now() + 600)
    }

    /// Returns the same token as [`Self::token`], with this expiry time in seconds since the Unix epoch.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub fn token_until(&self, purpose: Purpose, topics: &[&str], exp: u64) -> Result<String, Fault> {
        let action = match purpose {
            Purpose::Publish => "publish",
            Purpose::Subscribe => "subscribe",
        };
        if self.is_modern() {
            let details = if topics.is_empty() { json!([]) } else { json!([detail(&[action], topics)]) };
            let mut claims = self.claims(&details)?;
            claims["exp"] = exp.into();
            self.access_token(&claims)
        } else {
            self.legacy_token(purpose, &json!({"mercure": {action: topics}, "exp": exp}))
        }
    }

    /// Publishes an update with a token for all topics, and returns the answer.
    ///
    /// # Errors
    /// [`Fault`] if there is no answer.
    pub async fn publish(&self, fields: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.ask(Method::POST).bearer(&self.token(Purpose::Publish, &["*"])?).form(fields).send().await
    }

    /// Publishes an update, expects success, and returns the ID of the update.
    ///
    /// # Errors
    /// [`Fault::Broken`] if the hub refuses the update.
    pub async fn published(&self, fields: &[(&str, &str)]) -> Result<String, Fault> {
        let answer = self.publish(fields).await?;
        check!((200..300).contains(&answer.status), "publishing {fields:?} is refused: {}", answer.body);
        Ok(answer.body)
    }

    /// Publishes data to one topic, and returns the ID of the update.
    ///
    /// # Errors
    /// As [`Self::published`].
    pub async fn say(&self, topic: &str, data: &str) -> Result<String, Fault> {
        self.published(&[("topic", topic), ("data", data)]).await
    }

    /// Returns a request that subscribes with a token for all topics.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if the suite was not given the key for such a token.
    pub fn subscription(&self, query: &[(&str, &str)]) -> Result<Ask<'a>, Fault> {
        Ok(self.ask(Method::GET).query(query).bearer(&self.token(Purpose::Subscribe, &["*"])?))
    }

    /// Subscribes with a token for all topics, and expects success.
    ///
    /// # Errors
    /// As [`Self::subscription`].
    pub async fn subscribe(&self, query: &[(&str, &str)]) -> Result<Stream, Fault> {
        self.subscription(query)?.open().await
    }

    /// Subscribes with this query string and a token for all topics, and returns the status of the answer.
    ///
    /// # Errors
    /// [`Fault`] if there is no answer.
    pub async fn status(&self, query: &[(&str, &str)]) -> Result<u16, Fault> {
        Ok(self.subscription(query)?.send().await?.status)
    }

    /// Returns the URL at which the hub has to publish its metadata: the well-known name is before the path of the
    /// hub's URL.
    #[must_use]
    pub fn metadata_url(&self) -> Url {
        let mut url = self.target.hub.clone();
        url.set_path(&format!("/.well-known/oauth-protected-resource{}", self.target.hub.path()));
        url
    }

    /// Reads the metadata that the hub publishes. Returns `None` if the hub publishes none, which is allowed: the draft
    /// says SHOULD.
    ///
    /// # Errors
    /// [`Fault::Broken`] if the answer at that URL is not metadata.
    pub async fn published_metadata(&self) -> Outcome<Option<Value>> {
        let answer = self.ask_at(Method::GET, self.metadata_url()).send().await?;
        if (400..500).contains(&answer.status) {
            return Ok(None);
        }
        check!(answer.status == 200, "the metadata is answered with {}", answer.status);
        let document: Option<Value> = serde_json::from_str(&answer.body).ok().filter(Value::is_object);
        document.map(Some).ok_or_else(|| Fault::Broken(format!("the metadata is no JSON object: {:?}", answer.body)))
    }
}
