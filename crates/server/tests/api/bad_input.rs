//! Whatever is wrong with a request gets a clear answer and changes nothing.
use super::fixture::*;
use fanfare_hub::{
    topic::MAX_TOPIC_BYTES,
    update::{MAX_EVENT_TYPE_BYTES, MAX_ID_BYTES, MAX_TOPICS_PER_UPDATE},
};
use fanfare_server::{
    connection::{CONNECTION_BUFFER_BYTES, LINGER_BYTES},
    form::MAX_FIELDS,
};
use tokio::io::AsyncWriteExt as _;

#[tokio::test]
async fn bad_publications_are_refused() {
    let server = serve_with(|settings| settings.max_body_bytes = 16_000).await;
    let long = |name: &str, bytes: usize| format!("topic=a&{name}={}", "x".repeat(bytes));
    let cases = [
        (String::new(), 400, "at least one topic"),
        ("topic=".into(), 400, "cannot be empty"),
        ("topic=*".into(), 400, "'*'"),
        ("topic=a%00".into(), 400, "control"),
        ("topic=a%E2%80%8Bb".into(), 400, "control or format"),
        ("topic=%ff".into(), 400, "UTF-8"),
        ("topic=a&data=%c3%28".into(), 400, "UTF-8"),
        ("topic=a&id=%0a".into(), 400, "control"),
        ("topic=a&id=%23x".into(), 400, "'#'"),
        ("topic=a&id=earliest".into(), 400, "earliest"),
        ("topic=a&type=x%0d".into(), 400, "control"),
        ("topic=a&type=mercure".into(), 400, "kept for"),
        ("topic=a&type=fanfare.gap".into(), 400, "kept for"),
        ("topic=a&retry=1x".into(), 400, "retry"),
        ("topic=a&retry=%2B5".into(), 400, "retry"),
        ("topic=/.well-known/mercure/subscriptions".into(), 400, "namespace"),
        (long("x", 16_000), 413, "16000 bytes"),
        (format!("topic={}", "x".repeat(MAX_TOPIC_BYTES + 1)), 413, "4097 bytes"),
        (long("id", MAX_ID_BYTES + 1), 413, "513 bytes"),
        (long("type", MAX_EVENT_TYPE_BYTES + 1), 413, "257 bytes"),
        ("topic=a&".repeat(MAX_TOPICS_PER_UPDATE + 1), 413, "1001 topics"),
        ("topic=a".to_owned() + &"&".repeat(9) + &"b&".repeat(MAX_FIELDS), 413, "2048 fields"),
    ];
    for (form, status, says) in cases {
        let answer = server.form("", &form).await;
        let shown = &form[..form.len().min(60)];
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.body.contains(says), "{shown}: {}", answer.body);
    }
    assert_eq!(server.hub.bounds().head.0, 0, "nothing was published");
    for form in [
        format!("topic={}", "x".repeat(MAX_TOPIC_BYTES)),
        long("id", MAX_ID_BYTES),
        long("type", MAX_EVENT_TYPE_BYTES),
        "topic=a&".repeat(MAX_TOPICS_PER_UPDATE),
    ] {
        assert_eq!(server.form("", &form).await.status, 200, "at the limit");
    }
}

#[tokio::test]
async fn other_content_types_and_paths_are_refused() {
    let server = serve().await;
    let json = "Content-Type: application/json\r\n";
    assert_eq!(server.post("/.well-known/mercure", json, "{}").await.status, 415);
    assert_eq!(server.post("/topics", "", "no topic").await.status, 400);
    assert_eq!(server.post("/topics/%ff", "", "x").await.status, 400);
    assert_eq!(server.post("/topics/a", "", b"\xff").await.status, 400);
    assert_eq!(server.post("/topics/a?type=%0a", "", "x").await.status, 400);
    assert_eq!(server.send(b"DELETE /topics/a HTTP/1.0\r\nHost: localhost\r\n\r\n").await.status, 405);
    let refused = server.send(b"PATCH /.well-known/mercure HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("get, head, post, query")));
    assert_eq!(server.hub.bounds().head.0, 0);
}

#[tokio::test]
async fn bad_subscriptions_are_refused() {
    let server = serve_with(|settings| settings.max_matchers = 3).await;
    let mercure = |query: &str| format!("/.well-known/mercure?{query}");
    let cases = [
        (mercure(""), "at least one topic"),
        (mercure("Topic=a"), "at least one topic"),
        (mercure("match_regexp=a"), "match_regexp"),
        (mercure("match=a&MatchFoo=b"), "MatchFoo"),
        (mercure("match=%00"), "control"),
        (mercure("match=a%E2%80%8Bb"), "control or format"),
        (mercure("match=%ff"), "UTF-8"),
        (mercure("match_urlpattern=https://example.com/(unclosed"), "attern"),
        (mercure("topic=a&topic=b&topic=c&topic=d"), "4 topics"),
        (mercure(&format!("match={}", "x".repeat(5_000))), "5000 bytes"),
        ("/topics".into(), "at least one topic"),
        ("/topics/a%0a".into(), "control"),
    ];
    for (target, says) in cases {
        let answer = server.get(&target, "").await;
        let shown = &target[..target.len().min(80)];
        assert_eq!(answer.status, 400, "{shown}: {}", answer.body);
        assert!(answer.body.contains(says), "{shown}: {}", answer.body);
    }
    let complex = format!("topic=/{0}&topic=/a{0}&topic=/b{0}", "%7B?a,b,c,d,e,f,g,h,i,j,k,l%7D");
    let answer = server.get(&mercure(&complex), "").await;
    assert!(answer.status == 400 && answer.body.contains("bytes allowed, compiled"), "{}", answer.body);
    assert_eq!(
        server.send(b"GET /topics/a HTTP/1.0\r\nHost: localhost\r\nLast-Event-ID: \xff\r\n\r\n").await.status,
        400
    );
    server.subscribe(&mercure("topic=a&topic=b&topic=c"), "").await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = serve().await;
    let padded = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));
    assert_eq!(server.get("/healthz", &padded(CONNECTION_BUFFER_BYTES - 1_024)).await.status, 200);
    assert_eq!(server.get("/healthz", &padded(2 * CONNECTION_BUFFER_BYTES)).await.status, 431);
}

/// The rest of its body is still on its way when a publication is refused.
#[tokio::test]
async fn a_refusal_of_what_was_not_read_ends_the_connection_and_says_so() {
    let server = serve_with(|settings| settings.max_body_bytes = 1_000).await;
    for (target, status) in [("/topics/a", 413), ("/nowhere", 404)] {
        let (host, part) = (server.address, "x".repeat(2_000));
        let request = format!("POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2000000\r\n\r\n{part}");
        let answer = server.send(request.as_bytes()).await;
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{target}");
    }
}

/// Many clients send all of a body before they look for an answer.
#[tokio::test]
async fn a_client_that_only_writes_reads_its_refusal() {
    let server = serve_with(|settings| settings.max_body_bytes = 1_000).await;
    let length = usize::try_from(LINGER_BYTES).unwrap();
    let mut stream = server.connect().await;
    let head = server.request("POST /topics/a", "HTTP/1.1", &format!("Content-Length: {length}\r\n"));
    stream.send(head + &"x".repeat(2_000)).await;
    // The answer is there, and the hub has nothing more to say.
    stream.read_head().await;
    assert!(stream.head.starts_with("HTTP/1.1 413"), "{}", stream.head);
    let rest = "x".repeat(length - 2_000);
    for part in rest.as_bytes().chunks(16_384) {
        stream.send(part).await;
        // Time for a reset to come back, if there is one.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    stream.finish_sending().await;
    assert!(stream.end().await.contains("1000 bytes"), "all of the answer can be read");
}

#[tokio::test]
async fn a_client_that_never_stops_writing_is_left() {
    let server = serve_with(|settings| settings.max_body_bytes = 1_000).await;
    let mut stream = server.connect().await;
    stream.send(server.request("POST /topics/a", "HTTP/1.1", "Transfer-Encoding: chunked\r\n")).await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let began = std::time::Instant::now();
    let writing = async { while stream.socket.write_all(chunk.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, writing).await.expect("the connection is closed");
    assert!(began.elapsed() < PATIENCE);
}
