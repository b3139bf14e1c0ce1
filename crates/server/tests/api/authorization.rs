//! Tokens: who may publish, who receives what is private, and how a refusal reads.
use super::fixture::*;
use fanfare_hub::entry::Timestamp;
use fanfare_server::auth::{
    AuthSettings, Authenticator, SigningKey, TrustedIssuer, TrustedKeys,
    mint::{LegacyToken, ModernToken, TopicMatch},
};
use url::Url;

const HUB: &str = "https://hub.example/.well-known/mercure";
const ISSUER: &str = "https://issuer.example";

fn key() -> SigningKey {
    SigningKey::hs256(b"a secret of at least thirty-two bytes").unwrap()
}

fn issuer_key() -> SigningKey {
    SigningKey::hs256(b"another secret of at least thirty-two").unwrap()
}

async fn closed(anonymous_subscribers: bool) -> Fixture {
    let trusted = TrustedKeys {
        publisher_keys: key().verification().into(),
        subscriber_keys: key().verification().into(),
        issuers: vec![TrustedIssuer::new(ISSUER, issuer_key().verification().into())],
    };
    let settings =
        AuthSettings { anonymous_subscribers, keys: trusted.into(), ..AuthSettings::closed(Url::parse(HUB).unwrap()) };
    serve_as(Authenticator::new(settings), |_| {}).await
}

fn legacy(publish: &[&str], subscribe: &[&str]) -> String {
    legacy_until(publish, subscribe, None)
}

fn legacy_until(publish: &[&str], subscribe: &[&str], expires_at: Option<Timestamp>) -> String {
    let topics = |topics: &[&str]| topics.iter().map(|&topic| topic.to_owned()).collect();
    LegacyToken { publish: topics(publish), subscribe: topics(subscribe), payload: None, expires_at }.sign(&key())
}

fn modern(publish: &str, subscribe: &str, audience: &str) -> String {
    let now = Timestamp::now();
    let token = ModernToken {
        issuer: ISSUER.into(),
        audience: audience.into(),
        subject: "somebody".into(),
        issued_at: now,
        expires_at: Timestamp(now.0 + 60_000),
        publish: vec![TopicMatch::Exact(publish.into())],
        subscribe: vec![TopicMatch::Exact(subscribe.into())],
        payload: None,
    };
    token.sign(&issuer_key())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn publishing_needs_a_grant_for_every_topic() {
    let server = closed(true).await;
    let cases = [
        (String::new(), "topic=a", 401, Some("Bearer")),
        (bearer("nonsense"), "topic=a", 401, Some(r#"Bearer error="invalid_token""#)),
        ("Authorization: Basic x\r\n".into(), "topic=a", 400, Some(r#"Bearer error="invalid_request""#)),
        (bearer(&legacy(&[], &["*"])), "topic=a", 403, Some(r#"Bearer error="insufficient_scope""#)),
        (bearer(&legacy(&["a"], &[])), "topic=a", 200, None),
        (bearer(&legacy(&["a"], &[])), "topic=a&topic=b", 403, Some(r#"Bearer error="insufficient_scope""#)),
        (bearer(&legacy(&["*"], &[])), "topic=a&topic=b", 200, None),
        (bearer(&legacy(&["*"], &[])), "topic=x/.well-known/mercure", 403, None),
        (bearer(&modern("a", "a", HUB)), "topic=a", 200, None),
        (bearer(&modern("a", "a", HUB)), "topic=b", 403, Some(r#"Bearer error="insufficient_scope""#)),
        (bearer(&modern("a", "a", "https://other.example")), "topic=a", 401, Some(r#"Bearer error="invalid_token""#)),
    ];
    let mut published = 0;
    for (headers, form, status, challenge) in cases {
        let answer = server.form(&headers, form).await;
        assert_eq!(answer.status, status, "{form}: {}", answer.body);
        assert_eq!(answer.header("www-authenticate"), challenge.map(str::to_ascii_lowercase).as_deref(), "{form}");
        published += u64::from(status == 200);
        assert_eq!(server.hub.bounds().head.0, published);
    }
}

#[tokio::test]
async fn private_updates_reach_only_those_who_are_granted_one_of_their_topics() {
    let server = closed(true).await;
    let legacy_target = format!("/topics/a?authorization={}", legacy(&[], &["a"]));
    let mut streams = [
        (true, server.subscribe("/topics/a", &bearer(&legacy(&[], &["a"]))).await),
        (true, server.subscribe("/.well-known/mercure?match=a", &bearer(&modern("a", "a", HUB))).await),
        (true, server.subscribe(&legacy_target, "").await),
        (
            true,
            server.subscribe("/topics/a", &format!("Cookie: mercureAuthorization={}\r\n", legacy(&[], &["*"]))).await,
        ),
        (false, server.subscribe("/topics/a", &bearer(&legacy(&["a"], &["b"]))).await),
        (false, server.subscribe("/topics/a", "").await),
    ];
    let publisher = bearer(&legacy(&["*"], &[]));
    for form in ["topic=a&data=secret&private", "topic=a&data=public"] {
        assert_eq!(server.form(&publisher, form).await.status, 200);
    }
    for (granted, stream) in &mut streams {
        let expected: &[&str] = if *granted { &["secret", "public"] } else { &["public"] };
        assert_eq!(data(&stream.events(expected.len()).await), expected);
    }
    let mut replayed = server.subscribe("/topics/a?last_event_id=earliest", "").await;
    assert_eq!(data(&replayed.events(1).await), ["public"], "also from the log");
}

#[tokio::test]
async fn a_bad_token_is_never_taken_for_none() {
    let server = closed(true).await;
    let expired = legacy_until(&[], &["a"], Some(Timestamp(Timestamp::now().0 - 3_600_000)));
    let in_cookie = format!("Cookie: mercureAuthorization={expired}\r\n");
    assert_eq!(server.get("/topics/a", &in_cookie).await.status, 401);
    assert_eq!(server.get(&format!("/topics/a?authorization={expired}"), "").await.status, 401);
    let newer_in_query = format!("/topics/a?authorization={}", modern("a", "a", HUB));
    assert_eq!(server.get(&newer_in_query, "").await.status, 401, "the newer revision has no token in the query");
    let closed = closed(false).await;
    assert_eq!(closed.get("/topics/a", "").await.status, 401, "nobody is anonymous here");
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let server = closed(true).await;
    // Tokens have whole seconds.
    let soon = Timestamp((Timestamp::now().0 / 1_000 + 2) * 1_000);
    let stream = server.subscribe("/topics/a", &bearer(&legacy_until(&[], &["a"], Some(soon)))).await;
    assert_eq!(stream.end().await, ":\n");
    let late_ms = Timestamp::now().0.checked_sub(soon.0).expect("not before");
    assert!(late_ms < 1_000, "{late_ms} ms late");
}

#[tokio::test]
async fn pages_of_other_origins_cannot_publish() {
    let open = serve().await;
    assert_eq!(open.form("Origin: https://evil.example\r\n", "topic=a").await.status, 403);
    assert_eq!(open.send(b"GET /topics/a HTTP/1.0\r\nHost: evil.example\r\n\r\n").await.status, 403, "DNS rebinding");
    let closed = closed(true).await;
    let cookie = format!("Cookie: mercureAuthorization={}\r\n", legacy(&["*"], &[]));
    assert_eq!(closed.form(&cookie, "topic=a").await.status, 403, "neither Origin nor Referer");
    assert_eq!(closed.form(&format!("{cookie}Origin: https://evil.example\r\n"), "topic=a").await.status, 403);
    let own = format!("{cookie}Origin: http://{}\r\n", closed.address);
    assert_eq!(closed.form(&own, "topic=a").await.status, 200);
}
