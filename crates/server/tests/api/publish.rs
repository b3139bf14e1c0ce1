//! The topic API's three kinds of body.
use super::fixture::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn a_body_is_data_whatever_its_content_type_says() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/a", "").await;
    for content_type in ["application/x-www-form-urlencoded", "application/json", "text/plain"] {
        let headers = format!("Content-Type: {content_type}\r\n");
        let answer = server.post("/topics/a", &headers, "a=1&b=%20").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
        let events = stream.events(1).await;
        assert_eq!(events, [format!("id: {}\ndata: a=1&b=%20", answer.body.trim_end())]);
    }
}

#[tokio::test]
async fn the_query_says_what_the_body_cannot() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/also", "").await;
    server.publish("/topics/a/b?type=news&id=mine&retry=1500&topic=also", "one\ntwo").await;
    assert_eq!(stream.events(1).await, ["event: news\nretry: 1500\nid: mine\ndata: one\ndata: two"]);
}

#[tokio::test]
async fn lines_are_a_batch() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/a", "").await;
    let headers = "Content-Type: application/x-ndjson; charset=utf-8\r\n";
    let answer = server.post("/topics/a?type=n", headers, "{\"n\":1}\r\n\n{\"n\":2}").await;
    assert_eq!(answer.body.lines().count(), 2, "an ID a line");
    let events = stream.events(2).await;
    assert_eq!(data(&events), ["{\"n\":1}", "{\"n\":2}"]);
    assert!(events.iter().all(|event| event.starts_with("event: n\n")));
}

/// A publisher whose answer was lost finds its lines again by IDs that nobody else has.
#[tokio::test]
async fn lines_may_have_ids_with_a_beginning_of_the_publishers() {
    let server = serve().await;
    let headers = "Content-Type: application/x-ndjson\r\n";
    let answer = server.post("/topics/a?id-prefix=urn:x%231.", headers, "a\n\nb").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "urn:x#1.1\nurn:x#1.3\n"));
    let held = server.get("/topics/a?until=now", "Last-Event-ID: urn:x#1.3\r\n").await;
    assert_eq!(held.header("last-event-id"), Some("urn:x#1.3"));
    let unknown = server.get("/topics/a?until=now", "Last-Event-ID: urn:x#2.1\r\n").await;
    assert_eq!(unknown.header("last-event-id"), Some("earliest"));
    for (prefix, status) in [("%231.", 400), ("%20x", 400), (&"x".repeat(512), 413)] {
        assert_eq!(
            server.post(&format!("/topics/a?id-prefix={prefix}"), headers, "a").await.status,
            status,
            "{prefix}"
        );
    }
    // Elsewhere it would be ignored without a word.
    for headers in ["", "Content-Type: text/plain\r\n", "Content-Type: text/event-stream\r\n"] {
        let answer = server.post("/topics/a?id-prefix=x", headers, "data: a\n\n").await;
        assert!(answer.status == 400 && answer.body.contains("application/x-ndjson"), "{headers} {}", answer.body);
    }
}

#[tokio::test]
async fn a_batch_with_a_bad_line_publishes_nothing() {
    let server = serve().await;
    let headers = "Content-Type: application/x-ndjson\r\n";
    let answer = server.post("/topics/a", headers, b"good\n\xff\n").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("number 2"), "{}", answer.body);
    assert_eq!(server.hub.bounds().head.0, 0);
    assert_eq!(server.post("/topics/a?id=x", headers, "a\nb").await.status, 400, "one ID for two");
    assert_eq!(server.post("/topics/a", headers, "x\n".repeat(10_000)).await.status, 200);
    assert_eq!(server.post("/topics/a", headers, "x\n".repeat(10_001)).await.status, 413);
    assert_eq!(server.hub.bounds().head.0, 10_000);
}

#[tokio::test]
async fn events_of_a_streamed_body_are_published_as_they_arrive() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/a", "").await;
    let mut publisher = server.connect().await.socket;
    let head = "POST /topics/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/event-stream\r\n\
                Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    publisher.write_all(head.as_bytes()).await.unwrap();
    let mut chunk = async |text: &str| {
        publisher.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await.unwrap();
    };
    chunk("event: news\nid: 1\nretry: 50\nda").await;
    chunk("ta: one\n\n: comment\n\n").await;
    assert_eq!(stream.events(1).await, ["event: news\nretry: 50\nid: 1\ndata: one"], "while the body goes on");
    chunk("data: two\r\n\r\nid: #00000000-1\ndata: three\n\ndata: never ended").await;
    let rest = stream.events(2).await;
    assert_eq!(data(&rest), ["two", "three"]);
    assert!(rest.iter().all(|event| event.starts_with("id: #") && !event.contains("00000000-1\n")), "{rest:?}");
    publisher.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    publisher.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""published":3"#), "{answer}");
}

#[tokio::test]
async fn a_streamed_body_that_goes_wrong_says_how_much_was_published() {
    let server = serve_with(|settings| settings.max_body_bytes = 64).await;
    let headers = "Content-Type: text/event-stream\r\n";
    let cases = [
        ("data: 1\n\ndata: 2\n\nevent: mercure\ndata: 3\n\n".to_owned(), 400),
        (format!("data: 1\n\ndata: 2\n\ndata: {}\n\n", "x".repeat(65)), 413),
        ("data: 1\n\ndata: 2\n\nid: x \ndata: 3\n\n".to_owned(), 400),
        ("data: 1\n\ndata: 2\n\nid:  x\ndata: 3\n\n".to_owned(), 400),
    ];
    for (body, status) in cases {
        let before = server.hub.bounds().head.0;
        let answer = server.post("/topics/a", headers, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(r#""published":2"#), "{}", answer.body);
        assert_eq!(server.hub.bounds().head.0, before + 2);
    }
    let within = format!("data: {}\n\n", "x".repeat(64));
    assert_eq!(server.post("/topics/a", headers, within).await.status, 200);
}

#[tokio::test]
async fn the_topics_of_a_batch_are_bounded_together() {
    let server = serve().await;
    let topics: String = (0..1_000).map(|number| format!("&topic={number}")).collect();
    let (target, line, event) = (format!("/topics?{}", &topics[1..]), "x\n", "data: x\n\n");
    let lines = "Content-Type: application/x-ndjson\r\n";
    assert_eq!(server.post(&target, lines, line.repeat(200)).await.status, 200);
    assert_eq!(server.post(&target, lines, line.repeat(201)).await.status, 413);
    let answer = server.post(&target, "Content-Type: text/event-stream\r\n", event.repeat(1_000)).await;
    assert!(answer.body.contains(r#""published":1000"#), "a stream has no such bound: {}", answer.body);
    assert_eq!(server.hub.bounds().head.0, 1_200);
}

/// A publisher that tells of a gap has to say why, in every kind of publication.
#[tokio::test]
async fn a_gap_is_published_with_its_reason_or_not_at_all() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/a", "").await;
    let (form, topic) = ("/.well-known/mercure", "/topics/a?type=fanfare.gap");
    let of = |kind: &str| format!("Content-Type: {kind}\r\n");
    let good = r#"{"reason":"left-out"}"#;
    for (number, data) in ["c", "", "[]", "{}", r#"{"reason":7}"#, r#"["left-out"]"#, good].into_iter().enumerate() {
        let publications = [
            (form, of("application/x-www-form-urlencoded"), format!("topic=a&type=fanfare.gap&id=mine&data={data}")),
            (topic, of("text/plain"), data.to_owned()),
            (topic, of("application/x-ndjson"), format!("{good}\n{data}\n")),
            ("/topics/a", of("text/event-stream"), format!("event: fanfare.gap\nid: mine\nretry: 5\ndata: {data}\n\n")),
            (topic, of("text/event-stream"), format!("data: {data}\n\n")),
        ];
        for (target, headers, body) in publications {
            // A blank line of a batch is no update, nor is an event without data.
            if data.is_empty() && (headers.contains("ndjson") || headers.contains("stream")) {
                continue;
            }
            let answer = server.post(target, &headers, &body).await;
            assert_eq!(
                answer.status,
                if data == good { 200 } else { 400 },
                "{number} {headers}{body}: {}",
                answer.body
            );
            assert!(data == good || answer.body.contains("reserved for gaps"), "{}", answer.body);
        }
    }
    for event in stream.events(6).await {
        let told = event.strip_prefix("event: fanfare.gap\nid: #").and_then(|rest| rest.split_once('\n'));
        assert_eq!(told.unwrap().1, format!("data: {good}"), "the hub makes its ID: {event}");
    }
    assert_eq!(server.hub.bounds().head.0, 6);
}
