//! Both revisions of Mercure on one URL: whatever is combined, a token is held to its own revision's rules and gets
//! nothing by way of the other one.
use super::fixture::*;
use fanfare_hub::entry::Timestamp;
use fanfare_server::auth::{AuthSettings, Authenticator, Key, TrustedIssuer, TrustedKeys};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use url::Url;

const HUB: &str = "https://hub.example/.well-known/mercure";
const ISSUER: &str = "https://issuer.example";
const PUBLISHER: &str = "the secret of publishers' older tokens";
const SUBSCRIBER: &str = "the secret of subscribers' older tokens";
const ISSUERS: &str = "the secret of an issuer of newer tokens";

/// One value of each: every combination is asked for.
#[derive(Clone, Copy, Debug)]
struct Case {
    typ: &'static str,
    /// True if it names its issuer, whose key then is its own.
    named: bool,
    signed: Signed,
    carrier: Carrier,
    shape: Shape,
    expiry: Expiry,
}

/// The key that signs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Signed {
    ByItsOwn,
    ByTheOther,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Carrier {
    Header,
    Authorization,
    AccessToken,
    LegacyCookie,
    ModernCookie,
}

/// The claims that allow everything.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Neither,
    Mercure,
    Details,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Expiry {
    None,
    Future,
    Past,
}

/// The outcome that is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Refused,
    Nothing,
    Granted,
}

fn cases() -> Vec<Case> {
    use Carrier::{AccessToken, Authorization, Header, LegacyCookie, ModernCookie};
    let mut cases = Vec::new();
    for typ in ["JWT", "at+jwt"] {
        for (named, signed) in
            [true, false].into_iter().flat_map(|named| [(named, Signed::ByItsOwn), (named, Signed::ByTheOther)])
        {
            for carrier in [Header, Authorization, AccessToken, LegacyCookie, ModernCookie] {
                for shape in [Shape::Neither, Shape::Mercure, Shape::Details, Shape::Both] {
                    for expiry in [Expiry::None, Expiry::Future, Expiry::Past] {
                        cases.push(Case { typ, named, signed, carrier, shape, expiry });
                    }
                }
            }
        }
    }
    cases
}

impl Case {
    /// The rules, each in the words of its revision. Which revision the request is of does not come into it.
    fn outcome(self) -> Outcome {
        let is_newer = self.typ == "at+jwt";
        let carried = match self.carrier {
            Carrier::Header => true,
            Carrier::Authorization | Carrier::LegacyCookie => !is_newer,
            Carrier::ModernCookie => is_newer,
            Carrier::AccessToken => false,
        };
        let in_time = self.expiry == Expiry::Future || (self.expiry == Expiry::None && !is_newer);
        let has_a_key = self.named || !is_newer;
        let own_claim = if is_newer { Shape::Details } else { Shape::Mercure };
        match () {
            () if !carried || !in_time || !has_a_key || self.signed == Signed::ByTheOther => Outcome::Refused,
            () if self.shape == own_claim || self.shape == Shape::Both => Outcome::Granted,
            () => Outcome::Nothing,
        }
    }

    fn token(self, legacy_secret: &str) -> String {
        let mut claims = json!({"aud": HUB});
        if self.named {
            claims["iss"] = json!(ISSUER);
        }
        let now = Timestamp::now().0 / 1_000;
        match self.expiry {
            Expiry::None => {}
            Expiry::Future => claims["exp"] = json!(now + 600),
            Expiry::Past => claims["exp"] = json!(now - 600),
        }
        if matches!(self.shape, Shape::Mercure | Shape::Both) {
            claims["mercure"] = json!({"publish": ["*"], "subscribe": ["*"]});
        }
        if matches!(self.shape, Shape::Details | Shape::Both) {
            claims["authorization_details"] = json!([{
                "type": "https://mercure.rocks/authorization-detail",
                "actions": ["publish", "subscribe"],
                "topics": [{"match": "*"}],
            }]);
        }
        let is_the_issuers = (self.named || self.typ == "at+jwt") == (self.signed == Signed::ByItsOwn);
        let secret = if is_the_issuers { ISSUERS } else { legacy_secret };
        let header = Header { typ: Some(self.typ.into()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    /// The query and the headers that carry the token.
    fn carry(self, token: &str) -> (String, String) {
        match self.carrier {
            Carrier::Header => (String::new(), format!("Authorization: Bearer {token}\r\n")),
            Carrier::Authorization => (format!("&authorization={token}"), String::new()),
            Carrier::AccessToken => (format!("&access_token={token}"), String::new()),
            Carrier::LegacyCookie => (String::new(), format!("Cookie: mercureAuthorization={token}\r\n")),
            Carrier::ModernCookie => (String::new(), format!("Cookie: __Secure-mercure_access_token={token}\r\n")),
        }
    }
}

/// Anonymous subscribers are allowed, so that a token which is overlooked would show.
async fn hub() -> Fixture {
    let key = |secret: &str| Key::hs256(secret.as_bytes()).unwrap();
    let keys = TrustedKeys {
        publisher_keys: key(PUBLISHER).into(),
        subscriber_keys: key(SUBSCRIBER).into(),
        issuers: vec![TrustedIssuer::new(ISSUER, key(ISSUERS).into())],
    };
    let settings =
        AuthSettings { anonymous: true, keys: keys.into(), ..AuthSettings::closed(Url::parse(HUB).unwrap()) };
    serve_as(Authenticator::new(settings), |_| {}).await
}

#[tokio::test]
async fn no_combination_receives_in_one_revision_what_the_other_forbids() {
    let server = hub().await;
    let good = Case {
        typ: "JWT",
        named: false,
        signed: Signed::ByItsOwn,
        carrier: Carrier::Header,
        shape: Shape::Mercure,
        expiry: Expiry::Future,
    };
    let (_, publisher) = good.carry(&good.token(PUBLISHER));
    for form in ["topic=a&data=secret&private", "topic=a&data=public"] {
        assert_eq!(server.form(&publisher, form).await.status, 200);
    }
    let mut outcomes = [0; 3];
    for parameter in ["topic", "match"] {
        for case in cases() {
            let (query, headers) = case.carry(&case.token(SUBSCRIBER));
            let target = format!("/.well-known/mercure?{parameter}=a&last_event_id=earliest{query}");
            let expected = case.outcome();
            outcomes[expected as usize] += 1;
            if expected == Outcome::Refused {
                let answer = server.get(&target, &headers).await;
                assert_eq!(answer.status, 401, "{parameter} {case:?}: {}", answer.body);
                let challenge = answer.header("www-authenticate").unwrap();
                assert!(challenge.contains(r#"error="invalid_token""#), "{parameter} {case:?}: {challenge}");
                continue;
            }
            let mut stream = server.subscribe(&target, &headers).await;
            let first = stream.events(1).await;
            let expected = if expected == Outcome::Granted { "secret" } else { "public" };
            assert_eq!(data(&first)[0], expected, "{parameter} {case:?}");
        }
    }
    assert_eq!(outcomes, [848, 56, 56], "each outcome is asked for");
}

#[tokio::test]
async fn no_combination_publishes_in_one_revision_what_the_other_forbids() {
    let server = hub().await;
    let own = format!("Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://{}\r\n", server.address);
    for case in cases() {
        let (query, headers) = case.carry(&case.token(PUBLISHER));
        let target = format!("/.well-known/mercure?{query}");
        let before = server.hub.bounds().head;
        let answer = server.post(&target, &format!("{own}{headers}"), "topic=a").await;
        let expected = match case.outcome() {
            Outcome::Refused => 401,
            Outcome::Nothing => 403,
            Outcome::Granted => 200,
        };
        assert_eq!(answer.status, expected, "{case:?}: {}", answer.body);
        assert_eq!(server.hub.bounds().head > before, expected == 200, "{case:?}");
    }
}

/// A subscriber's key signs nothing for a publisher, nor the other way round.
#[tokio::test]
async fn the_keys_of_the_older_revision_are_for_one_purpose_each() {
    let server = hub().await;
    let claims = |secret: &str| {
        let claims: Value = json!({"mercure": {"publish": ["*"], "subscribe": ["*"]}});
        let key = EncodingKey::from_secret(secret.as_bytes());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
        format!("Authorization: Bearer {token}\r\n")
    };
    assert_eq!(server.form(&claims(SUBSCRIBER), "topic=a").await.status, 401);
    assert_eq!(server.get("/.well-known/mercure?topic=a", &claims(PUBLISHER)).await.status, 401);
}
