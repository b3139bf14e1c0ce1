//! Tokens: who may publish, who receives what is private, and how a refusal reads.
use super::{
    fixture::*,
    tokens::{self, HUB, ISSUER, authenticator, bearer, hub_url, key, serve_trusting},
};
use fanfare_hub::entry::Timestamp;
use fanfare_server::auth::{
    AuthSettings, Authenticator, TrustedIssuer, TrustedKeys,
    mint::{LegacyToken, ModernToken},
};

const METADATA: &str = "https://hub.example/.well-known/oauth-protected-resource/.well-known/mercure";

async fn closed(anonymous: bool) -> Fixture {
    let trusted = TrustedKeys {
        publisher_keys: key(0).verification().into(),
        subscriber_keys: key(0).verification().into(),
        issuers: vec![TrustedIssuer::new(ISSUER, key(1).verification().into())],
    };
    serve_trusting(anonymous, trusted).await
}

fn legacy(publish: &[&str], subscribe: &[&str]) -> String {
    legacy_until(publish, subscribe, None)
}

fn legacy_until(publish: &[&str], subscribe: &[&str], expires_at: Option<Timestamp>) -> String {
    LegacyToken { expires_at, ..tokens::legacy(publish, subscribe) }.sign(&key(0))
}

fn modern(publish: &str, subscribe: &str, audience: &str) -> String {
    ModernToken { audience: audience.into(), ..tokens::modern(&[publish], &[subscribe]) }.sign(&key(1))
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
        let challenge = challenge.map(|challenge| {
            let separator = if challenge.contains(' ') { "," } else { "" };
            format!("{challenge}{separator} resource_metadata=\"{METADATA}\"").to_ascii_lowercase()
        });
        assert_eq!(answer.header("www-authenticate"), challenge.as_deref(), "{form}");
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

/// B5: `mercure_cookie` is the name of the cookie, by which a client knows what to set.
#[tokio::test]
async fn the_metadata_names_the_cookie() {
    let path = "/.well-known/oauth-protected-resource/.well-known/mercure";
    let cookie =
        |answer: &Answer| serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()["mercure_cookie"].clone();
    assert_eq!(cookie(&serve().await.get(path, "").await), "__Secure-mercure_access_token");
    let settings = AuthSettings { modern_cookie: "own".into(), ..AuthSettings::closed(hub_url()) };
    assert_eq!(cookie(&serve_as(Authenticator::new(settings), |_| {}).await.get(path, "").await), "own");
}

/// Strangers may not make each publication dear: with many patterns, or with patterns that are compiled for nobody.
#[tokio::test]
async fn strangers_have_few_patterns_and_those_without_a_needed_token_none() {
    let patterns = |name: &str, pattern: &str, count: usize| -> String {
        (0..count).map(|number| format!("{name}={pattern}{number}&")).collect::<String>() + "topic=a&topic=b"
    };
    let exact: String = (0..20).map(|number| format!("&match={number}")).collect();
    let server = closed(true).await;
    let token = bearer(&legacy(&[], &["*"]));
    for (name, pattern) in [("match_urlpattern", "/x/:id/"), ("topic", "/{x}/")] {
        for (headers, count, status) in [("", 10, 200), ("", 11, 400), (token.as_str(), 11, 200), (&token, 70, 200)] {
            let query = patterns(name, pattern, count) + if name == "topic" { "" } else { &exact };
            let path = format!("/.well-known/mercure?{query}");
            let answer = server.send(server.request(&format!("HEAD {path}"), "HTTP/1.0", headers).as_bytes()).await;
            assert_eq!(answer.status, status, "{count} {name}: {}", answer.body);
            if status == 400 {
                let says = server.get(&path, headers).await.body;
                assert!(
                    says.contains("at most 10 are allowed without a token") && says.contains("max-anonymous-patterns"),
                    "{says}"
                );
            }
        }
    }
    let closed = closed(false).await;
    for query in ["match_urlpattern=(", "topic=%00", "", &patterns("topic", "/{x}/", 200)] {
        assert_eq!(closed.get(&format!("/.well-known/mercure?{query}"), "").await.status, 401, "{query}");
        assert_eq!(closed.get(&format!("/topics?{query}"), "").await.status, 401, "{query}");
    }
}

/// A sender that may not subscribe learns nothing about the rest of its request.
#[tokio::test]
async fn the_token_is_looked_at_before_paths_and_queries() {
    let server = serve_as(authenticator(false, TrustedKeys::default()), |settings| {
        settings.aliases = [("/events".to_owned(), vec!["news".to_owned()])].into();
    })
    .await;
    for path in ["/topics/%ff", "/topics/a?topic=%ff", "/events?topic=%ff", "/.well-known/mercure?match=%ff"] {
        assert_eq!(server.get(path, "").await.status, 401, "{path}");
    }
}

/// D: a browser sends what pages have put into cookies as it is. Whatever that is, it makes nobody anonymous.
#[tokio::test]
async fn odd_cookies_make_nobody_anonymous() {
    let server = closed(true).await;
    let publisher = bearer(&legacy(&["*"], &[]));
    assert_eq!(server.form(&publisher, "topic=a&data=secret&private").await.status, 200);
    let token = format!("mercureAuthorization={}", legacy(&[], &["a"])).into_bytes();
    let get = |cookies: Vec<Vec<u8>>| {
        let lines =
            cookies.into_iter().map(|cookie| [b"Cookie: ", &cookie[..], b"\r\n"].concat()).collect::<Vec<_>>().concat();
        let target = "GET /topics/a?until=now&last_event_id=earliest HTTP/1.0\r\n";
        [target.as_bytes(), b"Host: hub.example\r\n", &lines, b"\r\n"].concat()
    };
    let odd = [
        b"lang=\xe9".to_vec(),
        "lang=é".into(),
        b"\xff\xfe".to_vec(),
        b"=; ;; \"".to_vec(),
        "c=1; ".repeat(5_000).into(),
    ];
    for odd in odd {
        let in_one = [&odd[..], b"; ", &token].concat();
        for cookies in [vec![in_one], vec![odd.clone(), token.clone()], vec![token.clone(), odd.clone()]] {
            let answer = server.send(&get(cookies)).await;
            assert_eq!(data(&answer.updates()), ["secret"], "{}", answer.head);
        }
        assert!(server.send(&get(vec![odd])).await.updates().is_empty(), "nobody in particular gets nothing private");
    }
    for bad in [
        &b"mercureAuthorization=\xe9"[..],
        b"x=1; __Secure-mercure_access_token=a.b.\xff",
        b"mercureAuthorization=\xc3\x28",
    ] {
        let answer = server.send(&get(vec![bad.to_vec()])).await;
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert!(answer.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#), "{}", answer.head);
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let server = closed(true).await;
    // Tokens have whole seconds.
    let soon = Timestamp((Timestamp::now().0 / 1_000 + 2) * 1_000);
    let left_ms = soon.0 - Timestamp::now().0;
    let token = bearer(&legacy_until(&[], &["a"], Some(soon)));
    let mut busy = server.subscribe("/topics/a", &token).await;
    let idle = server.subscribe("/topics/a?envelope", &token).await;
    let lines = server.subscribe("/topics/a", &format!("{token}Accept: application/x-ndjson\r\n")).await;
    assert_eq!(server.form(&bearer(&legacy(&["*"], &[])), "topic=a&id=last").await.status, 200);
    assert_eq!(busy.events(1).await, ["id: last\ndata: "]);
    let end = busy.end().await;
    let now = Timestamp::now().0;
    assert!(now + left_ms / 10 >= soon.0, "{} of {left_ms} ms early", soon.0 - now);
    // It ends before; how busy this machine is, is not the server's.
    assert!(now < soon.0 + 1_000, "{} ms late", now - soon.0);
    let (told, id) = end.strip_prefix("event: fanfare.end\nid: ").and_then(|rest| rest.split_once('\n')).unwrap();
    assert_eq!(id, "data: {\"reason\":\"token-expired\"}\n\n");
    assert!(idle.end().await.ends_with(&end), "in no envelope");
    assert!(lines.end().await.ends_with("\n"));
    let after = format!("/topics/a?last_event_id={}", told.replace('#', "%23"));
    let mut resumed = server.subscribe(&after, "").await;
    server.form(&bearer(&legacy(&["*"], &[])), "topic=a&data=next").await;
    assert_eq!(data(&resumed.events(1).await), ["next"], "the event's ID is a place to go on from");
}

/// A subscriber that takes nothing is told behind what was begun.
#[tokio::test]
async fn the_reason_does_not_cut_into_an_event() {
    let server = closed(true).await;
    let soon = Timestamp((Timestamp::now().0 / 1_000 + 2) * 1_000);
    let mut stream = server.connect_with_a_small_buffer().await;
    let headers = bearer(&legacy_until(&[], &["a"], Some(soon)));
    stream.send(server.request("GET /topics/a", "HTTP/1.0", &headers)).await;
    stream.read_head().await;
    let large = format!("topic=a&data={}", "x".repeat(900_000));
    for _ in 0..4 {
        assert_eq!(server.form(&bearer(&legacy(&["*"], &[])), &large).await.status, 200);
    }
    let left_ms = soon.0.saturating_sub(Timestamp::now().0);
    tokio::time::sleep(std::time::Duration::from_millis(left_ms)).await;
    let text = stream.end().await;
    let (before, ending) = text.rsplit_once("event: fanfare.end\n").expect("it is told");
    assert!(before.ends_with("\n\n") && ending.ends_with("\n\n"));
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
