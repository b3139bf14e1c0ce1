//! Tests of whole requests, with tokens in all their carriers.
use super::{
    mint::{LegacyToken, ModernToken, TopicMatch},
    *,
};
use fanfare_hub::{
    entry::Timestamp,
    grant::{Grant, Matchers},
    topic::matcher::Matcher,
};
use http::{Method, Request, request::Parts};
use jsonwebtoken::{Algorithm as LibraryAlgorithm, EncodingKey, Header};
use serde_json::{Value, json};

const PUBLISHER: &[u8] = b"publisher-publisher-publisher-key";
const SUBSCRIBER: &[u8] = b"subscriber-subscriber-subscriber!";
const ISSUER: &[u8] = b"issuer-issuer-issuer-issuer-issuer";
const OTHER_ISSUER: &[u8] = b"other-issuer-other-issuer-other-is";
const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn key(secret: &[u8]) -> SigningKey {
    SigningKey::hs256(secret).unwrap()
}

fn keys(secret: &[u8]) -> KeySet {
    key(secret).verification().into()
}

fn settings() -> AuthSettings {
    let issuer = |issuer, secret| TrustedIssuer::new(issuer, keys(secret));
    let trusted = TrustedKeys {
        publisher_keys: keys(PUBLISHER),
        subscriber_keys: keys(SUBSCRIBER),
        issuers: vec![issuer("https://auth.example", ISSUER), issuer("https://other.example", OTHER_ISSUER)],
    };
    AuthSettings {
        keys: trusted.into(),
        ..AuthSettings::closed("https://hub.example/.well-known/mercure".parse().unwrap())
    }
}

fn parts(method: Method, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(uri);
    headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value))
        .body(())
        .unwrap()
        .into_parts()
        .0
}

fn authenticate(settings: AuthSettings, parts: &Parts, purpose: Purpose) -> Result<Credentials, AuthError> {
    Authenticator::new(settings).authenticate_at(parts, purpose, NOW)
}

fn with_header(token: &str, purpose: Purpose) -> Result<Credentials, AuthError> {
    let method = if purpose == Purpose::Publish { Method::POST } else { Method::GET };
    authenticate(settings(), &parts(method, "/", &[("authorization", &format!("Bearer {token}"))]), purpose)
}

fn legacy(publish: &[&str], subscribe: &[&str]) -> LegacyToken {
    let owned = |topics: &[&str]| topics.iter().map(|topic| (*topic).to_owned()).collect();
    LegacyToken { publish: owned(publish), subscribe: owned(subscribe), ..LegacyToken::default() }
}

fn modern() -> ModernToken {
    ModernToken {
        issuer: "https://auth.example".into(),
        audience: "https://hub.example/.well-known/mercure".into(),
        subject: "me".into(),
        issued_at: NOW,
        expires_at: Timestamp(NOW.0 + 60_000),
        publish: vec![TopicMatch::Exact("a".into())],
        subscribe: vec![TopicMatch::UrlPattern("/books/:id".into())],
        payload: Some(json!({"name": "me"})),
    }
}

fn raw(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let header: Header = serde_json::from_value(header.clone()).unwrap();
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

fn modern_claims() -> Value {
    json!({"iss": "https://auth.example", "aud": "https://hub.example/.well-known/mercure", "exp": NOW.0 / 1_000 + 60})
}

fn raw_modern(claims: &Value) -> String {
    raw(&json!({"typ": "at+jwt", "alg": "HS256"}), claims, ISSUER)
}

fn invalid(reason: InvalidToken) -> Result<Credentials, AuthError> {
    Err(AuthError::Invalid(reason))
}

#[test]
fn legacy_tokens_are_verified_with_the_key_of_their_purpose() {
    let token = LegacyToken { expires_at: Some(Timestamp(NOW.0 + 1_000)), ..legacy(&["a"], &["/{x}"]) };
    let credentials = with_header(&token.sign(&key(PUBLISHER)), Purpose::Publish).unwrap();
    assert_eq!(credentials.grant.publish, Matchers::from_iter([Matcher::exact("a").unwrap()]));
    assert_eq!(credentials.expires_at, Some(Timestamp(NOW.0 + 1_000)));
    assert_eq!(credentials.revision, Revision::Legacy);
    assert_eq!(with_header(&token.sign(&key(PUBLISHER)), Purpose::Subscribe), invalid(InvalidToken::Signature));
    let credentials = with_header(&token.sign(&key(SUBSCRIBER)), Purpose::Subscribe).unwrap();
    assert_eq!(credentials.grant.subscribe, Matchers::from_iter([Matcher::legacy_selector("/{x}").unwrap()]));
    assert_eq!(with_header(&token.sign(&key(SUBSCRIBER)), Purpose::Publish), invalid(InvalidToken::Signature));
    // L: `exp` is optional, and is obeyed if it is there.
    assert_eq!(with_header(&legacy(&[], &[]).sign(&key(PUBLISHER)), Purpose::Publish).unwrap().expires_at, None);
    let expired = LegacyToken { expires_at: Some(Timestamp(NOW.0 - LEEWAY_MS)), ..legacy(&["*"], &[]) };
    assert_eq!(with_header(&expired.sign(&key(PUBLISHER)), Purpose::Publish), invalid(InvalidToken::Expired));
}

/// A token is accepted that has no type and was signed by another implementation of HMAC.
#[test]
fn a_token_made_elsewhere_is_accepted() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJtZXJjdXJlIjp7InB1Ymxpc2giOlsiKiJdLCJzdWJzY3JpYmUiOlsiKiJdfX0.bVXdlWXwfw9ySx7-iV5OpUSHo34RkjUdVzDLBcc6l_g";
    let demo_keys = keys(b"!ChangeThisMercureHubJWTSecretKey!");
    let trusted =
        TrustedKeys { publisher_keys: demo_keys.clone(), subscriber_keys: demo_keys, ..TrustedKeys::default() };
    let demo = AuthSettings { keys: trusted.into(), ..settings() };
    let request = parts(Method::POST, "/", &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(authenticate(demo, &request, Purpose::Publish).unwrap().grant, Grant::open());
}

#[test]
fn modern_tokens_serve_both_purposes() {
    for purpose in [Purpose::Publish, Purpose::Subscribe] {
        let credentials = with_header(&modern().sign(&key(ISSUER)), purpose).unwrap();
        let hub_url = settings().hub_url;
        assert_eq!(credentials.grant.publish, Matchers::from_iter([Matcher::exact("a").unwrap()]));
        let pattern = Matcher::url_pattern("/books/:id", &hub_url).unwrap();
        assert_eq!(credentials.grant.subscribe, Matchers::from_iter([pattern]));
        assert_eq!(credentials.expires_at, Some(Timestamp(NOW.0 + 60_000)));
        assert_eq!(credentials.revision, Revision::Modern);
    }
}

/// B32: keys are bound per issuer; iss, aud and exp are required and checked.
#[test]
fn modern_tokens_are_held_to_every_rule() {
    let sign = |change: fn(&mut ModernToken), secret| {
        let mut token = modern();
        change(&mut token);
        with_header(&token.sign(&key(secret)), Purpose::Subscribe)
    };
    assert!(sign(|token| token.issuer = "https://other.example".into(), OTHER_ISSUER).is_ok());
    assert_eq!(sign(|token| token.issuer = "https://other.example".into(), ISSUER), invalid(InvalidToken::Signature));
    assert_eq!(sign(|_| (), OTHER_ISSUER), invalid(InvalidToken::Signature));
    assert_eq!(sign(|_| (), SUBSCRIBER), invalid(InvalidToken::Signature), "the older revision's keys are never used");
    assert_eq!(sign(|token| token.issuer = "https://auth.example/".into(), ISSUER), invalid(InvalidToken::Issuer));
    assert_eq!(sign(|token| token.audience = "https://hub.example/".into(), ISSUER), invalid(InvalidToken::Audience));
    assert_eq!(sign(|token| token.expires_at = Timestamp(NOW.0 - LEEWAY_MS), ISSUER), invalid(InvalidToken::Expired));

    let with = |name: &str, value: Value| {
        let mut claims = modern_claims();
        claims[name] = value;
        with_header(&raw_modern(&claims), Purpose::Subscribe)
    };
    assert!(with("aud", json!(["https://x.example", "https://hub.example/.well-known/mercure"])).is_ok());
    assert_eq!(with("aud", json!([])), invalid(InvalidToken::Audience));
    assert_eq!(with("aud", json!(["https://x.example", 1])), invalid(InvalidToken::Audience));
    assert_eq!(with("iss", json!(["https://auth.example"])), invalid(InvalidToken::Claim("iss")));
    assert_eq!(with("nbf", json!(NOW.0 / 1_000 + 60)), invalid(InvalidToken::NotYetValid));
    assert_eq!(with("authorization_details", json!("*")), invalid(InvalidToken::Details(InvalidDetails::Shape)));
    for (name, value) in [("exp", json!("never")), ("aud", Value::Null), ("aud", json!(1))] {
        let reason = with(name, value);
        assert_eq!(reason, invalid(InvalidToken::Claim(name)), "{name}");
    }
    for name in ["iss", "aud", "exp"] {
        let mut claims = modern_claims();
        claims.as_object_mut().unwrap().remove(name);
        let name_of_claim = invalid(InvalidToken::Claim(name));
        assert_eq!(with_header(&raw_modern(&claims), Purpose::Subscribe), name_of_claim, "{name} is required");
    }
    // The claim of the older revision has no effect in a token of the newer revision.
    let smuggled = with("mercure", json!({"subscribe": ["*"]})).unwrap();
    assert_eq!(smuggled.grant, Grant::none());
}

/// B31: only listed algorithms are accepted, and never `none`; `jwk`, `jku`, `x5u` are never used.
#[test]
fn only_the_allowed_algorithm_is_accepted() {
    let claims = json!({"mercure": {"publish": ["*"]}});
    let signed = |algorithm| {
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(PUBLISHER)).unwrap()
    };
    assert!(with_header(&signed(LibraryAlgorithm::HS256), Purpose::Publish).is_ok());
    for (signed_with, algorithm) in
        [(LibraryAlgorithm::HS384, Algorithm::Hs384), (LibraryAlgorithm::HS512, Algorithm::Hs512)]
    {
        let expected = vec![Algorithm::Hs256];
        let refused = invalid(InvalidToken::Algorithm { algorithm, expected });
        assert_eq!(with_header(&signed(signed_with), Purpose::Publish), refused);
    }
    let body = "eyJtZXJjdXJlIjp7InB1Ymxpc2giOlsiKiJdfX0";
    let unsigned = [
        ("eyJhbGciOiJub25lIn0", "none"), // {"alg":"none"}
        ("eyJhbGciOiJOb25lIn0", "None"),
        ("e30", "no algorithm"),
        ("bm8", "no JSON"),
        ("a", "no base64"),
    ];
    for (header, what) in unsigned {
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{body}.{signature}");
            assert_eq!(with_header(&token, Purpose::Publish), invalid(InvalidToken::Unreadable), "{what}");
        }
    }
    let genuine = signed(LibraryAlgorithm::HS256);
    let (message, _) = genuine.rsplit_once('.').unwrap();
    assert_eq!(with_header(&format!("{message}.AAAA"), Purpose::Publish), invalid(InvalidToken::Signature));
    for token in [message, "a.b", "a", "a.b.c.d", "..", "a..b"] {
        assert_eq!(with_header(token, Purpose::Publish), invalid(InvalidToken::Unreadable), "{token}");
    }
    let own_key = json!({"alg": "HS256", "jku": "https://evil.example/keys", "kid": "x"});
    let token = raw(&own_key, &claims, b"a secret that only the attacker knows");
    assert_eq!(with_header(&token, Purpose::Publish), invalid(InvalidToken::UnknownKey));
    let critical = raw(&json!({"alg": "HS256", "crit": ["b64"]}), &claims, PUBLISHER);
    assert_eq!(with_header(&critical, Purpose::Publish), invalid(InvalidToken::CriticalHeader));
}

/// B table, token carriers: a newer token is not accepted in the query or the older cookie, so that the older revision
/// (L) never weakens the newer one (M).
#[test]
fn each_revision_has_its_carriers() {
    let (old, new) = (legacy(&[], &["*"]).sign(&key(SUBSCRIBER)), modern().sign(&key(ISSUER)));
    let get = |uri: String, cookie: String| {
        authenticate(settings(), &parts(Method::GET, &uri, &[("cookie", &cookie)]), Purpose::Subscribe)
    };
    let query = |token: &str| get(format!("/?topic=a&authorization={token}"), String::new());
    let cookie = |name: &str, token: &str| get("/".into(), format!("{name}={token}"));
    assert!(query(&old).is_ok() && cookie(LEGACY_COOKIE, &old).is_ok() && cookie(MODERN_COOKIE, &new).is_ok());
    for refused in [query(&new), cookie(LEGACY_COOKIE, &new), cookie(MODERN_COOKIE, &old)] {
        assert_eq!(refused, invalid(InvalidToken::Carrier));
    }
}

/// B33, B35: without a token, subscribers may be anonymous; publishers never.
#[test]
fn a_missing_token() {
    let get = parts(Method::GET, "/", &[]);
    assert_eq!(authenticate(settings(), &get, Purpose::Subscribe), Err(AuthError::Missing));
    let anonymous = AuthSettings { anonymous: true, ..settings() };
    let credentials = authenticate(anonymous.clone(), &get, Purpose::Subscribe).unwrap();
    assert_eq!(credentials, Credentials::without_token(Grant::none()));
    assert_eq!(authenticate(anonymous.clone(), &get, Purpose::Publish), Err(AuthError::Missing));
    // A token that is present but bad never makes its sender anonymous.
    let expired = LegacyToken { expires_at: Some(Timestamp(0)), ..legacy(&[], &["*"]) }.sign(&key(SUBSCRIBER));
    let request = parts(Method::GET, "/", &[("cookie", &format!("{LEGACY_COOKIE}={expired}"))]);
    assert_eq!(authenticate(anonymous, &request, Purpose::Subscribe), invalid(InvalidToken::Expired));
}

#[test]
fn without_keys_every_token_is_refused() {
    let closed = AuthSettings::closed(settings().hub_url);
    for token in [legacy(&["*"], &[]).sign(&key(PUBLISHER)), modern().sign(&key(ISSUER))] {
        let request = parts(Method::POST, "/", &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(authenticate(closed.clone(), &request, Purpose::Publish), invalid(InvalidToken::NoKey));
    }
}

#[test]
fn the_length_of_a_token_is_limited() {
    let (bytes, limit) = (MAX_TOKEN_BYTES + 1, MAX_TOKEN_BYTES);
    assert_eq!(with_header(&"a".repeat(limit), Purpose::Publish), invalid(InvalidToken::Unreadable));
    assert_eq!(with_header(&"a".repeat(bytes), Purpose::Publish), invalid(InvalidToken::TooLong { bytes, limit }));
}

/// B38: a cookie alone does not authorize a request from another site's page, because browsers add cookies by
/// themselves. They do not add headers and queries.
#[test]
fn a_cookie_that_publishes_needs_an_origin() {
    let token = legacy(&["*"], &["*"]).sign(&key(PUBLISHER));
    let cookie = format!("{LEGACY_COOKIE}={token}");
    let trusted =
        TrustedKeys { publisher_keys: keys(PUBLISHER), subscriber_keys: keys(PUBLISHER), ..TrustedKeys::default() };
    let both_keys = AuthSettings { keys: trusted.into(), ..settings() };
    let ask = |method, headers: &[(&str, &str)]| {
        let purpose = if method == Method::POST { Purpose::Publish } else { Purpose::Subscribe };
        authenticate(both_keys.clone(), &parts(method, "/", headers), purpose)
    };
    let host = ("host", "hub.example");
    let cookie = ("cookie", cookie.as_str());
    assert_eq!(ask(Method::POST, &[host, cookie]), Err(ForeignOrigin::Missing.into()));
    assert_eq!(
        ask(Method::POST, &[host, cookie, ("origin", "https://evil.example")]),
        Err(ForeignOrigin::NotAllowed.into())
    );
    assert!(ask(Method::POST, &[host, cookie, ("origin", "https://hub.example")]).is_ok());
    assert!(ask(Method::GET, &[host, cookie]).is_ok());
    let header = format!("Bearer {token}");
    assert!(ask(Method::POST, &[host, ("authorization", &header), ("origin", "https://evil.example")]).is_ok());
}

#[test]
fn an_open_hub_needs_no_token_and_ignores_any() {
    let open = || AuthSettings::open("http://localhost:3000/.well-known/mercure".parse().unwrap());
    let request = parts(Method::POST, "/", &[("host", "localhost:3000"), ("authorization", "Bearer nonsense")]);
    assert_eq!(authenticate(open(), &request, Purpose::Publish).unwrap().grant, Grant::open());
}

#[test]
fn an_open_hub_admits_its_own_machine_and_nobody_whom_a_proxy_lets_in() {
    let open = || AuthSettings::open("http://localhost:3000/.well-known/mercure".parse().unwrap());
    let behind_proxy = || AuthSettings { open_behind_proxy: true, ..open() };
    let admit =
        |settings, headers: &[(&str, &str)]| Authenticator::new(settings).admit(&parts(Method::GET, "/", headers));
    let (local, forwarded) = (("host", "localhost:3000"), ("x-forwarded-for", "192.0.2.1"));
    assert_eq!(admit(open(), &[local]), Ok(()));
    let rebound = [("host", "evil.example:3000")];
    assert_eq!(admit(open(), &rebound), Err(ForeignOrigin::NotLoopback.into()));
    assert_eq!(admit(behind_proxy(), &rebound), Err(ForeignOrigin::NotLoopback.into()));
    // A page that has made its own name resolve to this machine can add any header to its requests, also a proxy's.
    assert_eq!(admit(behind_proxy(), &[rebound[0], forwarded]), Err(ForeignOrigin::NotLoopback.into()));
    let proxied = admit(open(), &[local, forwarded]);
    assert_eq!(proxied, Err(AuthError::Proxied(ProxyMark::Header("x-forwarded*"))));
    let text = proxied.unwrap_err().to_string();
    assert!(text.contains("open-behind-proxy") && text.contains("FANFARE_KEY"), "{text}");
    assert_eq!(admit(behind_proxy(), &[local, forwarded]), Ok(()));
    assert_eq!(admit(settings(), &[("host", "hub.example"), forwarded]), Ok(()), "a hub with keys requires a token");
}

#[test]
fn no_error_tells_the_token() {
    let token = legacy(&["*"], &[]).sign(&key(SUBSCRIBER));
    let error = with_header(&token, Purpose::Publish).unwrap_err();
    let (_, signature) = token.rsplit_once('.').unwrap();
    for text in
        [format!("{error:?}"), error.to_string(), format!("{:?}", error.challenge()), format!("{:?}", settings())]
    {
        assert!(!text.contains(signature) && !text.contains("issuer-issuer"), "{text}");
    }
}

/// B32: a token's `iss` selects the keys, in either revision; keys of one issuer never verify for another.
#[test]
fn the_issuer_selects_the_keys() {
    let claims = |iss: &str, aud: &str| json!({"iss": iss, "aud": aud, "mercure": {"publish": ["*"]}, "exp": NOW.0 / 1_000 + 60});
    let hub = "https://hub.example/.well-known/mercure";
    let sent = |iss: &str, aud: &str, secret| {
        with_header(&raw(&json!({"typ": "JWT", "alg": "HS256"}), &claims(iss, aud), secret), Purpose::Publish)
    };
    assert!(sent("https://auth.example", hub, ISSUER).is_ok());
    assert!(sent("https://other.example", hub, OTHER_ISSUER).is_ok());
    for foreign in [OTHER_ISSUER, PUBLISHER, SUBSCRIBER] {
        assert_eq!(sent("https://auth.example", hub, foreign), invalid(InvalidToken::Signature));
    }
    assert_eq!(sent("https://auth.example", "https://x.example", ISSUER), invalid(InvalidToken::Audience));
    // An issuer that the hub does not know is treated as if the token named none.
    assert!(sent("somebody", "something", PUBLISHER).is_ok());
    assert_eq!(sent("somebody", hub, ISSUER), invalid(InvalidToken::Signature));
    let twice = raw(&json!({"alg": "HS256"}), &json!({"iss": ["https://auth.example"]}), PUBLISHER);
    assert_eq!(with_header(&twice, Purpose::Publish), invalid(InvalidToken::Claim("iss")));
}

/// RFC 7519, section 3: the claims are an object. A token whose claims are a JSON array is refused.
#[test]
fn an_array_has_no_claims() {
    for (typ, secret) in [("JWT", ISSUER), ("at+jwt", ISSUER), ("JWT", PUBLISHER)] {
        let text = raw(&json!({"typ": typ, "alg": "HS256"}), &json!(["https://auth.example"]), secret);
        let presented = carrier::Presented { token: text.as_str().into(), carrier: carrier::Carrier::Header };
        assert_eq!(token::Token::read(presented).unwrap().told_issuer(), None, "{typ}");
        assert_eq!(with_header(&text, Purpose::Publish), invalid(InvalidToken::Claim("iss")), "{typ}");
        let explained = explain::explain(&text, &settings(), NOW);
        assert!(matches!(explained, Err(InvalidToken::Unreadable)), "{explained:?}");
    }
}

#[test]
fn an_issuer_has_its_own_audience_and_keys_for_each_purpose() {
    let issuer = TrustedIssuer {
        issuer: "https://auth.example".into(),
        audience: Some("account".into()),
        publisher_keys: keys(ISSUER),
        subscriber_keys: keys(SUBSCRIBER),
    };
    let trusted = TrustedKeys { issuers: vec![issuer], ..TrustedKeys::default() };
    let settings = AuthSettings { keys: trusted.into(), ..settings() };
    let sent = |audience: &str, secret, purpose| {
        let token = ModernToken { audience: audience.into(), ..modern() }.sign(&key(secret));
        let request = parts(Method::GET, "/", &[("authorization", &format!("Bearer {token}"))]);
        authenticate(settings.clone(), &request, purpose)
    };
    let published = sent("account", ISSUER, Purpose::Publish).unwrap();
    assert!(!published.grant.publish.is_empty() && published.grant.subscribe.is_empty(), "{published:?}");
    let subscribed = sent("account", SUBSCRIBER, Purpose::Subscribe).unwrap();
    assert!(subscribed.grant.publish.is_empty() && !subscribed.grant.subscribe.is_empty(), "{subscribed:?}");
    assert_eq!(sent("account", SUBSCRIBER, Purpose::Publish), invalid(InvalidToken::Signature));
    assert_eq!(sent("account", ISSUER, Purpose::Subscribe), invalid(InvalidToken::Signature));
    let hub = "https://hub.example/.well-known/mercure";
    assert_eq!(sent(hub, ISSUER, Purpose::Publish), invalid(InvalidToken::Audience));
}

/// Old and new keys are valid side by side, and a key that was replaced is not valid any more.
#[test]
fn keys_can_be_replaced_while_the_hub_runs() {
    let settings = settings();
    let store = settings.keys.clone();
    let authenticator = Authenticator::new(settings);
    let ask = |secret| {
        let token = legacy(&["*"], &[]).sign(&key(secret));
        let request = parts(Method::POST, "/", &[("authorization", &format!("Bearer {token}"))]);
        authenticator.authenticate_at(&request, Purpose::Publish, NOW).is_ok()
    };
    let hold = |secrets: &[&[u8]]| {
        let publisher_keys = secrets.iter().map(|secret| key(secret).verification()).collect();
        store.replace(TrustedKeys { publisher_keys, ..TrustedKeys::default() });
        [ask(PUBLISHER), ask(ISSUER)]
    };
    assert_eq!([ask(PUBLISHER), ask(ISSUER)], [true, false]);
    assert_eq!(hold(&[PUBLISHER, ISSUER]), [true, true]);
    assert_eq!(hold(&[ISSUER]), [false, true]);
    assert_eq!(hold(&[]), [false, false]);
}

/// A source that has no keys until it is asked to refresh them, and that counts how often it is asked.
#[derive(Debug, Default)]
struct Source(std::sync::Mutex<Vec<std::sync::Arc<Key>>>, std::sync::atomic::AtomicUsize);

impl KeySource for Source {
    fn keys(&self) -> std::sync::Arc<[std::sync::Arc<Key>]> {
        self.0.lock().unwrap().as_slice().into()
    }

    fn refresh(&self) -> std::pin::Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async {
            let asked = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let key = SigningKey::hs256(PUBLISHER).unwrap().named("new").verification();
            *self.0.lock().unwrap() = vec![key.into()];
            asked == 0
        })
    }
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_before_a_token_is_refused() {
    let source = std::sync::Arc::new(Source::default());
    let publisher_keys = KeySet::new(Vec::new(), vec![source.clone()]);
    let trusted = TrustedKeys { publisher_keys, ..TrustedKeys::default() };
    let authenticator = Authenticator::new(AuthSettings { keys: trusted.into(), ..settings() });
    let ask = async |key: SigningKey| {
        let token = legacy(&["*"], &[]).sign(&key);
        let request = parts(Method::POST, "/", &[("authorization", &format!("Bearer {token}"))]);
        authenticator.authenticate(&request, Purpose::Publish).await.map(|_| ())
    };
    let count = || source.1.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!((ask(key(PUBLISHER).named("new")).await, count()), (Ok(()), 1));
    // The hub has the key now, so a wrong signature with the key's name does not make the hub ask again.
    assert_eq!((ask(key(PUBLISHER).named("new")).await, count()), (Ok(()), 1));
    assert_eq!(ask(key(ISSUER).named("new")).await, Err(AuthError::Invalid(InvalidToken::Signature)));
    assert_eq!(count(), 1);
    assert_eq!(ask(key(ISSUER).named("other")).await, Err(AuthError::Invalid(InvalidToken::UnknownKey)));
    assert_eq!(count(), 2);
}

#[test]
fn a_token_is_tried_with_so_many_keys_and_the_named_one_first() {
    let others = (0..MAX_TRIED_KEYS).map(|number| format!("a secret of another, number {number:09}"));
    let mut all: Vec<_> = others.map(|secret| Key::hs256(secret.as_bytes()).unwrap()).collect();
    all.push(key(PUBLISHER).named("ours").verification());
    let trusted = TrustedKeys { publisher_keys: all.into_iter().collect(), ..TrustedKeys::default() };
    let settings = AuthSettings { keys: trusted.into(), ..settings() };
    let ask = |key: SigningKey| {
        let token = legacy(&["*"], &[]).sign(&key);
        let request = parts(Method::POST, "/", &[("authorization", &format!("Bearer {token}"))]);
        authenticate(settings.clone(), &request, Purpose::Publish).is_ok()
    };
    assert_eq!([ask(key(PUBLISHER).named("ours")), ask(key(PUBLISHER))], [true, false]);
}

#[test]
fn an_explanation_says_what_a_token_opens_and_why_not() {
    let explain = |token: &str| explain::explain(token, &settings(), NOW).unwrap();
    let modern = explain(&modern().sign(&key(ISSUER).named("k1")));
    assert_eq!((modern.revision, modern.key_id.as_deref()), (Revision::Modern, Some("k1")));
    for verdict in [modern.publish, modern.subscribe] {
        assert_eq!(verdict.issuer.as_deref(), Some("https://auth.example"));
        assert!(verdict.outcome.is_ok_and(|granted| granted.topics.as_slice().len() == 1));
    }
    let legacy = explain(&legacy(&["a"], &["b"]).sign(&key(PUBLISHER)));
    assert_eq!(legacy.publish.outcome.unwrap().topics.as_slice().len(), 1);
    assert_eq!(legacy.subscribe.outcome.unwrap_err(), InvalidToken::Signature);
}
