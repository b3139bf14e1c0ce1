//! A subscriber without a last event ID may begin with what was published last.
use super::fixture::*;

const PUBLISHED: [(&str, &str); 7] =
    [("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1"), ("a", "a3"), ("b", "b2"), ("c", "c2")];

async fn server() -> Fixture {
    let server = serve().await;
    for (topic, data) in PUBLISHED {
        server.publish(&format!("/topics/{topic}"), data).await;
    }
    server
}

fn id_of(event: &str) -> &str {
    event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap()
}

#[tokio::test]
async fn the_newest_of_each_topic_come_first() {
    let cases = [
        ("/topics/a?last=2", vec!["a2", "a3"]),
        ("/topics/a?last=9", vec!["a1", "a2", "a3"]),
        ("/topics/a?last=0", vec![]),
        ("/topics?topic=a&topic=b&last=2", vec!["b1", "a2", "a3", "b2"]),
        ("/topics?topic=a&topic=b&last=1", vec!["a3", "b2"]),
        ("/topics?topic=a&topic=nobody&last=1", vec!["a3"]),
        ("/topics/a?last=2&last_event_id=", vec!["a2", "a3"]),
        ("/topics/a?since=1h", vec!["a1", "a2", "a3"]),
        ("/topics/a?since=2001-01-01T00:00:00Z", vec!["a1", "a2", "a3"]),
        ("/topics/a?since=2999-01-01T00:00:00%2B01:00", vec![]),
        ("/.well-known/mercure?topic=a&topic=b&last=1", vec!["a3", "b2"]),
        ("/.well-known/mercure?match=a&last=1", vec!["a3"]),
        // For a pattern, the newest of all that it matches.
        ("/.well-known/mercure?topic={x}&last=3", vec!["a3", "b2", "c2"]),
        ("/.well-known/mercure?topic=*&since=1h", vec!["a1", "b1", "a2", "c1", "a3", "b2", "c2"]),
    ];
    for (target, expected) in cases {
        let server = server().await;
        let mut stream = server.subscribe(target, "").await;
        server.publish("/topics/a", "live").await;
        let events = stream.events(expected.len() + 1).await;
        assert_eq!(data(&events), expected.iter().copied().chain(["live"]).collect::<Vec<_>>(), "{target}");
        // They are the same events as ever: whoever comes back with the last of their IDs gets what follows, whatever
        // the URL says.
        let Some(last) = expected.len().checked_sub(1) else { continue };
        let headers = format!("Last-Event-ID: {}\r\n", id_of(&events[last]));
        let again = server.subscribe(target, &headers).await.events(1).await;
        assert_eq!(data(&again)[0], "live", "{target}");
    }
}

#[tokio::test]
async fn a_replay_may_rewind_too() {
    let server = server().await;
    for (target, expected) in [("last=2", vec!["a2", "a3"]), ("since=1h", vec!["a1", "a2", "a3"]), ("last=0", vec![])] {
        let answer = server.get(&format!("/topics/a?until=now&{target}"), "").await;
        assert_eq!(data(&answer.updates()), expected, "{target}");
        let lines = server.get(&format!("/topics/a?until=now&{target}"), "Accept: application/x-ndjson\r\n").await;
        assert_eq!(lines.body.lines().count(), expected.len(), "{target}");
    }
}

/// More than fits what is kept for a subscriber.
#[tokio::test]
async fn a_long_rewind_is_whole() {
    let server = serve().await;
    let lines: String = (0..3_000).map(|number| format!("{number} {}\n", "x".repeat(200))).collect();
    assert_eq!(server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", lines).await.status, 200);
    let mut stream = server.connect().await;
    stream.send(server.request("GET /topics/a?last=2000", "HTTP/1.0", "")).await;
    stream.read_head().await;
    server.publish("/topics/a", "live").await;
    let events = stream.events(2_001).await;
    let numbers: Vec<_> = data(&events).into_iter().map(|data| data.split(' ').next().unwrap().to_owned()).collect();
    let expected = (1_000..3_000).map(|number| number.to_string()).chain(["live".to_owned()]);
    assert_eq!(numbers, expected.collect::<Vec<_>>());
    let replay = server.get("/topics/a?last=2000&until=now", "Accept: application/x-ndjson\r\n").await;
    assert_eq!(replay.body.lines().count(), 2_000);
}

#[tokio::test]
async fn what_is_no_rewind_is_told() {
    let server = serve().await;
    let cases = [
        ("last=x", "'last' must be a number"),
        ("last=-1", "'last' must be a number"),
        ("last=10001", "at most 10000"),
        ("last=5001&topic=b", "at most 10000"),
        ("since=yesterday", "'since' must be a duration before now"),
    ];
    for (query, detail) in cases {
        for target in [format!("/topics/a?{query}"), format!("/.well-known/mercure?topic=a&{query}")] {
            let answer = server.get(&target, "").await;
            assert!(answer.status == 400 && answer.body.contains(detail), "{target}: {}", answer.body);
        }
    }
    let mut stream = server.subscribe("/topics/a?last=10000", "").await;
    server.publish("/topics/a", "live").await;
    assert_eq!(data(&stream.events(1).await), ["live"]);
}
