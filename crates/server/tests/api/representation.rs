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

/// What fits a pattern is told with its topic: an event of a plain stream does not name it.
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
