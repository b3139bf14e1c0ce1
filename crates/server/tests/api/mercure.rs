//! The Mercure endpoint in both revisions.
use super::fixture::*;

#[tokio::test]
async fn a_form_is_published_and_answered_with_its_id() {
    let server = serve().await;
    let mut stream = server.subscribe("/.well-known/mercure?topic=https%3A%2F%2Fexample.com%2Fbooks%2F1", "").await;
    let form = "topic=https://example.com/books/1&topic=other&data=a%0Ab&type=t&retry=7&id=urn:x:1&unknown=1";
    let answer = server.form("", form).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "urn:x:1"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(stream.events(1).await, ["event: t\nretry: 7\nid: urn:x:1\ndata: a\ndata: b"]);
    let minted = server.form("", "topic=other").await;
    assert!(minted.body.starts_with('#'), "{}", minted.body);
}

#[tokio::test]
async fn the_stream_has_the_headers_that_keep_it_flowing() {
    let server = serve().await;
    let stream = server.subscribe("/.well-known/mercure?topic=a", "").await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    let cache_control = stream.header("cache-control").unwrap();
    for directive in ["private", "no-cache", "no-store", "no-transform", "must-revalidate", "max-age=0"] {
        assert!(cache_control.split(", ").any(|part| part == directive), "{directive} in {cache_control}");
    }
}

/// RFC 9728, which the hub's own URL leads to.
#[tokio::test]
async fn the_metadata_describes_the_hub() {
    let server = serve_with(|settings| settings.cors_origins = vec!["*".into()]).await;
    let target = "/.well-known/oauth-protected-resource/.well-known/mercure";
    let answer = server.get(target, "Origin: https://page.example\r\n").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "pages look it up");
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(document["bearer_methods_supported"], serde_json::json!(["header"]));
    assert_eq!(document["mercure_matcher_types_supported"], serde_json::json!(["exact", "urlpattern"]));
    assert!(document["authorization_servers"].is_null(), "there are none");
}

#[tokio::test]
async fn a_query_subscribes_by_its_body() {
    let server = serve_with(|settings| settings.max_topics = 3).await;
    let query = |target: &str, headers: &str, body: &str| {
        let (host, length) = (server.address, body.len());
        format!("QUERY {target} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
    };
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let hub = "/.well-known/mercure";
    for (target, headers, body, status) in [
        (hub, form, "", 400),
        (hub, form, "match=%ff", 400),
        (hub, form, "match=a&match_x=b", 400),
        (hub, "", "match=a", 415),
        (hub, "Content-Type: application/json\r\n", "match=a", 415),
        ("/.well-known/mercure?match=a&match=b", form, "match=c&match=d", 400),
        ("/topics/a", form, "", 405),
    ] {
        let answer = server.send(query(target, headers, body).as_bytes()).await;
        assert_eq!(answer.status, status, "{target} {body}: {}", answer.body);
    }
    let mut stream = server.connect().await;
    stream.send(query("/.well-known/mercure?match=a", form, "match=b&match_urlpattern=/c/*")).await;
    stream.read_head().await;
    assert!(stream.head.starts_with("HTTP/1.0 200"), "{}", stream.head);
    stream.read_until(|text| text.starts_with(":\n")).await;
    for topic in ["/c/1", "d", "b", "a"] {
        server.form("", &format!("topic={topic}&data={topic}")).await;
    }
    assert_eq!(data(&stream.events(3).await), ["/c/1", "b", "a"]);
}

#[tokio::test]
async fn each_kind_of_matcher_finds_its_topics() {
    let server = serve().await;
    let mine = "https://example.com/books/1";
    let cases = [
        ("topic=https://example.com/books/1", true),
        ("topic=https://example.com/books/%7Bid%7D", true),
        ("topic=*", true),
        ("topic=https://example.com/books/:id", false),
        ("match=https://example.com/books/1", true),
        ("match_exact=https://example.com/books/1", true),
        ("match_exact=https://example.com/books/%7Bid%7D", false),
        ("match_urlpattern=https://example.com/books/:id", true),
        ("match_urlpattern=https://example.com/films/:id", false),
        ("match=*", true),
        ("match_urlpattern=*", true),
        ("match=nothing&topic=*", false),
        ("match=nothing&match_urlpattern=https://*.com/*", true),
    ];
    for (query, found) in cases {
        let mut stream = server.subscribe(&format!("/.well-known/mercure?{query}&topic=end&match=end"), "").await;
        let mut alone = server.subscribe(&format!("/.well-known/mercure?{query}"), "").await;
        server.form("", &format!("topic={mine}&data=found")).await;
        if !query.starts_with("topic") {
            server.form("", "topic=end&data=end").await;
            let events = stream.events(if found { 2 } else { 1 }).await;
            assert_eq!(data(&events)[0], if found { "found" } else { "end" }, "{query}");
        } else if found {
            assert_eq!(data(&alone.events(1).await), ["found"], "{query}");
        }
    }
}
