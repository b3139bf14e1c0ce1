//! One entry's trial of a hub in one revision: what every entry needs to ask.
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

/// A trial.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The hub.
    pub target: &'a Target,
    /// By whose rules.
    pub revision: Revision,
    http: &'a Http,
    /// What no other trial's topics begin with.
    pub(crate) prefix: String,
    /// What the hub says of itself, in the newer revision; `None` if it says nothing.
    pub(crate) metadata: Option<Value>,
    pub(crate) findings: Mutex<Vec<Finding>>,
}

/// The cookie's name that draft 08 recommends.
const MODERN_COOKIE: &str = "__Secure-mercure_access_token";

/// What a token is for. The older revision has a key for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To publish.
    Publish,
    /// To receive what is private.
    Subscribe,
}

impl<'a> Trial<'a> {
    /// A trial, before anything is tried.
    pub(crate) async fn start(target: &'a Target, revision: Revision, http: &'a Http, prefix: String) -> Self {
        let mut trial = Self { target, revision, http, prefix, metadata: None, findings: Mutex::default() };
        if trial.is_modern() {
            trial.metadata = trial.published_metadata().await.ok().flatten();
        }
        trial
    }

    /// Returns true if the trial is by the newer revision's rules.
    #[must_use]
    pub fn is_modern(&self) -> bool {
        self.revision == Revision::Modern
    }

    /// A topic of this trial's own.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// A request to the hub.
    #[must_use]
    pub fn ask(&self, method: Method) -> Ask<'a> {
        Ask::new(self.http, method, self.target.hub.clone())
    }

    /// A request to another address.
    #[must_use]
    pub fn ask_at(&self, method: Method, url: Url) -> Ask<'a> {
        Ask::new(self.http, method, url)
    }

    /// The parameter that names a topic to subscribe to.
    #[must_use]
    pub fn exactly(&self) -> &'static str {
        if self.is_modern() { "match" } else { "topic" }
    }

    /// The parameter and the value that ask for all topics that begin with `start`.
    #[must_use]
    pub fn below(&self, start: &str) -> (&'static str, String) {
        if self.is_modern() {
            ("match_urlpattern", format!("{start}:rest"))
        } else {
            ("topic", format!("{start}{{rest}}"))
        }
    }

    /// The response header that says where a stream begins.
    #[must_use]
    pub fn cursor_header(&self) -> &'static str {
        if self.is_modern() { "mercure-last-event-id" } else { "last-event-id" }
    }

    /// The query parameter for a cursor.
    #[must_use]
    pub fn cursor_parameter(&self) -> &'static str {
        if self.is_modern() { "last_event_id" } else { "lastEventID" }
    }

    /// The cookie for tokens: the one that the suite was told, or that the hub names, or that the draft recommends.
    #[must_use]
    pub fn cookie(&self) -> &str {
        if !self.is_modern() {
            return &self.target.legacy_cookie;
        }
        let named = self.metadata.as_ref().and_then(|metadata| metadata["mercure_cookie"].as_str());
        self.target.modern_cookie.as_deref().or(named.filter(|name| !name.is_empty())).unwrap_or(MODERN_COOKIE)
    }

    /// The hub's resource identifier, which tokens name as their audience: the one that the suite was told, or that the
    /// hub names, or the hub's URL, which the draft recommends.
    #[must_use]
    pub fn audience(&self) -> &str {
        let named = self.metadata.as_ref().and_then(|metadata| metadata["resource"].as_str());
        self.target.audience.as_deref().or(named).unwrap_or(self.target.hub.as_str())
    }

    /// What relative topics may be resolved against: the hub's own URL. A hub behind a proxy, or dialled by another
    /// name, has another one than the suite was given; the draft recommends that its resource identifier be that URL.
    #[must_use]
    pub fn bases(&self) -> Vec<Url> {
        let own = Url::parse(self.audience()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut bases = vec![self.target.hub.clone()];
        bases.extend(own.filter(|own| *own != self.target.hub));
        bases
    }

    /// The secret of older-revision tokens for this purpose.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if it is unknown.
    pub fn key(&self, purpose: Purpose) -> Result<&'a Secret, Fault> {
        let key = match purpose {
            Purpose::Publish => &self.target.publisher_key,
            Purpose::Subscribe => &self.target.subscriber_key,
        };
        key.as_ref().ok_or_else(|| Fault::NotTried("the suite was not given the key of such tokens".into()))
    }

    /// The issuer of newer-revision tokens.
    ///
    /// # Errors
    /// [`Fault::NotTried`] if it is unknown.
    pub fn issuer(&self) -> Result<&'a Issuer, Fault> {
        self.target.issuer.as_ref().ok_or_else(|| Fault::NotTried("the suite was not given an issuer's key".into()))
    }

    /// The claims that every newer-revision token has, with these authorization details.
    ///
    /// # Errors
    /// [`Fault::NotTried`] without an issuer.
    pub fn claims(&self, details: &Value) -> Result<Value, Fault> {
        let issuer = &self.issuer()?.name;
        let (now, audience) = (token::now(), self.audience());
        Ok(json!({
            "iss": issuer, "aud": audience, "sub": "conformance", "client_id": "conformance",
            "iat": now, "exp": now + 600, "jti": fastrand::u64(..).to_string(),
            "authorization_details": details,
        }))
    }

    /// A newer-revision token with these claims.
    ///
    /// # Errors
    /// [`Fault::NotTried`] without an issuer.
    pub fn access_token(&self, claims: &Value) -> Result<String, Fault> {
        Ok(token::sign(&json!({"alg": "HS256", "typ": "at+jwt"}), claims, self.issuer()?.key.bytes()))
    }

    /// An older-revision token with these claims.
    ///
    /// # Errors
    /// [`Fault::NotTried`] without a key.
    pub fn legacy_token(&self, purpose: Purpose, claims: &Value) -> Result<String, Fault> {
        Ok(token::sign(&json!({"alg": "HS256", "typ": "JWT"}), claims, self.key(purpose)?.bytes()))
    }

    /// A token of this trial's revision that allows to do that with these topics; `*` is all.
    ///
    /// # Errors
    /// [`Fault::NotTried`] without a key or an issuer.
    pub fn token(&self, purpose: Purpose, topics: &[&str]) -> Result<String, Fault> {
        self.token_until(purpose, topics, token::now() + 600)
    }

    /// The same that expires then, in seconds since the Unix epoch.
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

    /// Sends an update with a token for everything.
    ///
    /// # Errors
    /// [`Fault`] if there is no answer.
    pub async fn publish(&self, fields: &[(&str, &str)]) -> Result<Answer, Fault> {
        self.ask(Method::POST).bearer(&self.token(Purpose::Publish, &["*"])?).form(fields).send().await
    }

    /// Publishes, which has to succeed, and gives the ID.
    ///
    /// # Errors
    /// [`Fault::Broken`] if it does not.
    pub async fn published(&self, fields: &[(&str, &str)]) -> Result<String, Fault> {
        let answer = self.publish(fields).await?;
        check!((200..300).contains(&answer.status), "publishing {fields:?} is refused: {}", answer.body);
        Ok(answer.body)
    }

    /// Publishes data to one topic.
    ///
    /// # Errors
    /// As [`Self::published`].
    pub async fn say(&self, topic: &str, data: &str) -> Result<String, Fault> {
        self.published(&[("topic", topic), ("data", data)]).await
    }

    /// A subscription with a token for everything.
    ///
    /// # Errors
    /// [`Fault`] if there is none.
    pub fn subscription(&self, query: &[(&str, &str)]) -> Result<Ask<'a>, Fault> {
        Ok(self.ask(Method::GET).query(query).bearer(&self.token(Purpose::Subscribe, &["*"])?))
    }

    /// Subscribes with a token for everything, which has to succeed.
    ///
    /// # Errors
    /// As [`Self::subscription`].
    pub async fn subscribe(&self, query: &[(&str, &str)]) -> Result<Stream, Fault> {
        self.subscription(query)?.open().await
    }

    /// The status of a subscription with this query string and a token for everything.
    ///
    /// # Errors
    /// [`Fault`] if there is no answer.
    pub async fn status(&self, query: &[(&str, &str)]) -> Result<u16, Fault> {
        Ok(self.subscription(query)?.send().await?.status)
    }

    /// Where the hub's metadata has to be: the well-known name goes before the path of its URL.
    #[must_use]
    pub fn metadata_url(&self) -> Url {
        let mut url = self.target.hub.clone();
        url.set_path(&format!("/.well-known/oauth-protected-resource{}", self.target.hub.path()));
        url
    }

    /// The metadata that the hub publishes; `None` if it publishes none, which it should but need not.
    ///
    /// # Errors
    /// [`Fault::Broken`] if what is there is no metadata.
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
