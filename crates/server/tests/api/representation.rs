//! The three ways to write an update.
use super::fixture::*;

#[tokio::test]
async fn lines_and_envelopes_carry_topics_and_time() {
    let server = serve().await;
    let mut lines = server.subscribe("/topics?topic=*", "Accept: text/html, application/x-ndjson;q=1\r\n").await;
    let mut envelopes = server.subscribe("/topics?topic=a&topic=c&envelope", "").await;
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(envelopes.header("content-type"), Some("text/event-stream"));
    let id = server.publish("/topics/a?topic=b&type=news", "say \"hi\"").await;
    let line = lines.read_until(|text| text.trim_start().ends_with('\n')).await;
    let line = line.trim();
    let expected =
        format!(r#"{{"id":"{id}","topics":["a","b"],"type":"news","data":"say \"hi\"","private":false,"time_ms":"#);
    assert!(line.starts_with(&expected) && line.ends_with('}'), "{line}");
    assert_eq!(envelopes.events(1).await, [format!("id: {id}\ndata: {line}")]);
}

/// RFC 9110, 12.4.2: "A weight of 0 means not acceptable."
#[tokio::test]
async fn what_a_client_refuses_it_does_not_get() {
    let server = serve().await;
    let lines = "application/x-ndjson";
    let events = "text/event-stream";
    for (accept, expected) in [
        ("application/x-ndjson;q=0", Some(events)),
        ("application/x-ndjson;q=0, text/event-stream", Some(events)),
        ("application/x-ndjson; Q=0.000, */*", Some(events)),
        ("text/event-stream;q=0, application/x-ndjson", Some(lines)),
        ("text/event-stream;q=0, */*", Some(lines)),
        ("text/event-stream;q=0.5, application/x-ndjson;q=0.4", Some(events)),
        ("APPLICATION/X-NDJSON, text/event-stream", Some(lines)),
        ("application/x-ndjson, */*", Some(lines)),
        ("*/*", Some(events)),
        ("text/html", Some(events)),
        ("", Some(events)),
        ("text/event-stream;q=0", None),
        ("*/*;q=0", None),
        ("text/*;q=0, application/*;q=0", None),
    ] {
        let answer = server.get("/topics/a?until=now", &format!("Accept: {accept}\r\n")).await;
        assert_eq!(answer.status, if expected.is_some() { 200 } else { 406 }, "{accept}: {}", answer.body);
        if expected.is_some() {
            assert_eq!(answer.header("content-type"), expected, "{accept}");
        }
    }
    let refused = server.get("/.well-known/mercure?topic=a", "Accept: text/event-stream;q=0\r\n").await;
    assert!(refused.status == 406 && refused.body.contains(events), "{}", refused.body);
    server.subscribe("/.well-known/mercure?topic=a", "Accept: application/json\r\n").await;
}

/// An update that fits a pattern is told with its topic: an event of a plain stream does not name it.
#[tokio::test]
async fn patterns_are_heard_in_envelopes_too() {
    let server = serve().await;
    for matcher in ["topic=books/%7Bid%7D", "match_urlpattern=books/:id"] {
        let mut envelopes = server.subscribe(&format!("/.well-known/mercure?{matcher}&envelope"), "").await;
        let id = server.publish("/topics/books/1?type=news", "x").await;
        let [event] = &envelopes.events(1).await[..] else { panic!("one event") };
        let expected = format!(
            "id: {id}\ndata: {{\"id\":\"{id}\",\"topics\":[\"books/1\"],\"type\":\"news\",\"data\":\"x\",\"private\":false,"
        );
        assert!(event.starts_with(&expected), "{event}");
    }
}

/// An answer that is not a stream may be refused like one.
#[tokio::test]
async fn an_answer_that_is_refused_is_not_sent() {
    let server = serve_with(|settings| settings.subscriptions = true).await;
    let (json, json_ld) = ("application/json", "application/ld+json");
    let all = "/.well-known/mercure/subscriptions";
    let metadata = "/.well-known/oauth-protected-resource/.well-known/mercure";
    for (target, accept, expected) in [
        (metadata, "application/json", Some(json)),
        (metadata, "text/html", Some(json)),
        (metadata, "application/json;q=0, */*", None),
        (metadata, "*/*;q=0.0", None),
        (all, "application/json;q=0", None),
        (all, "application/json;q=0, application/ld+json;q=0.1", Some(json_ld)),
        (all, "application/ld+json;q=0", Some(json)),
        (all, "application/*;q=0", None),
        (all, "*/*;q=0, application/ld+json", Some(json_ld)),
        ("/.well-known/mercure/subscriptions/exact/a", "application/json;q=0", None),
        ("/healthz", "text/plain;q=0", None),
        ("/healthz", "*/*", Some("text/plain; charset=utf-8")),
    ] {
        let answer = server.get(target, &format!("Accept: {accept}\r\n")).await;
        let problem = (406, Some("application/problem+json"));
        let wanted = expected.map_or(problem, |media_type| (200, Some(media_type)));
        assert_eq!((answer.status, answer.header("content-type")), wanted, "{target} {accept}: {}", answer.body);
    }
}
