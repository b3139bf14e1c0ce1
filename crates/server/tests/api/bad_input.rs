//! Bad requests: each gets a clear answer and changes nothing.
use super::fixture::*;
use fanfare_hub::{
    topic::MAX_TOPIC_BYTES,
    update::{MAX_EVENT_TYPE_BYTES, MAX_ID_BYTES, MAX_RETRY_MS, MAX_TOPICS_PER_UPDATE},
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
        ("topic=a&id=+x".into(), 400, "space"),
        ("topic=a&id=x%20".into(), 400, "space"),
        ("topic=a&id=%20".into(), 400, "space"),
        ("topic=a&id=x%09".into(), 400, "control"),
        ("topic=a&id=%7f".into(), 400, "control"),
        ("topic=a&id=%C2%A0x".into(), 400, "space"),
        ("topic=a&type=x%0d".into(), 400, "control"),
        ("topic=a&type=mercure".into(), 400, "reserved for"),
        ("topic=a&type=fanfare.gap".into(), 400, "reserved for"),
        ("topic=a&retry=1x".into(), 400, "retry"),
        ("topic=a&retry=%2B5".into(), 400, "retry"),
        (format!("topic=a&retry={}", MAX_RETRY_MS + 1), 400, "one day"),
        (format!("topic=a&retry={}", u64::MAX), 400, "one day"),
        ("topic=a&retry=18446744073709551616".into(), 400, "retry"),
        ("topic=/.well-known/mercure/subscriptions".into(), 400, "only the hub may publish"),
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
        format!("topic=a&retry={MAX_RETRY_MS}"),
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
    for (query, kind, body) in [
        ("?retry=86400001", "text/plain", "x"),
        ("?retry=86400001", "application/x-ndjson", "x\ny\n"),
        ("?retry=86400001", "text/event-stream", "data: x\n\n"),
        ("", "text/event-stream", "retry: 86400001\ndata: x\n\n"),
    ] {
        let answer = server.post(&format!("/topics/a{query}"), &format!("Content-Type: {kind}\r\n"), body).await;
        assert!(answer.status == 400 && answer.body.contains("one day"), "{kind} {query}: {}", answer.body);
    }
    assert_eq!(server.send(b"DELETE /topics/a HTTP/1.0\r\nHost: localhost\r\n\r\n").await.status, 405);
    let refused = server.send(b"PATCH /.well-known/mercure HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("get, head, post, query")));
    assert_eq!(server.hub.bounds().head.0, 0);
}

#[tokio::test]
async fn bad_subscriptions_are_refused() {
    let server = serve_with(|settings| settings.max_topics = 3).await;
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
    assert!(answer.status == 400 && answer.body.contains("bytes of memory"), "{}", answer.body);
    server.subscribe(&mercure("topic=a&topic=b&topic=c"), "").await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = serve().await;
    let padded = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));
    assert_eq!(server.get("/healthz", &padded(CONNECTION_BUFFER_BYTES - 1_024)).await.status, 200);
    assert_eq!(server.get("/healthz", &padded(2 * CONNECTION_BUFFER_BYTES)).await.status, 431);
    let fields = |count: usize, bytes: usize| format!("X: {}\r\n", "x".repeat(bytes)).repeat(count);
    let url = |bytes: usize| format!("/healthz?{}", "x".repeat(bytes));
    for (target, headers, status) in [
        ("/healthz".to_owned(), padded(CONNECTION_BUFFER_BYTES), 431),
        ("/healthz".to_owned(), padded(114 << 10), 431),
        ("/healthz".to_owned(), fields(60, 2_000), 431),
        ("/healthz".to_owned(), fields(90, 600), 200),
        ("/healthz".to_owned(), fields(200, 1), 431),
        (url(60_000), String::new(), 200),
        (url(70_000), String::new(), 431),
    ] {
        // At once, and in pieces: the limit is the same.
        let request = server.request(&format!("GET {target}"), "HTTP/1.0", &headers);
        for piece_bytes in [request.len(), 10_000] {
            let mut stream = server.connect().await;
            for piece in request.as_bytes().chunks(piece_bytes) {
                // What is too large is refused before its end.
                _ = stream.socket.write_all(piece).await;
                tokio::task::yield_now().await;
            }
            stream.read_head().await;
            let shown = &headers[..headers.len().min(20)];
            assert!(
                stream.head.starts_with(&format!("HTTP/1.0 {status}"))
                    || stream.head.starts_with(&format!("HTTP/1.1 {status}")),
                "{} {shown}: {}",
                target.len(),
                stream.head
            );
        }
    }
}

/// Refused by hyper itself, before or after it has taken the head out of its buffer.
#[tokio::test]
async fn heads_that_are_none_are_refused() {
    let server = serve().await;
    let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    for head in [
        "GET /\"<>^`{|}\\ HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /\u{c} HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        format!("{get}X: a\u{c}b\r\n\r\n"),
        format!("{get}X: a\0b\r\n\r\n"),
        format!("{get}X: a\rb\r\n\r\n"),
        format!("{get}X: a\rLast-Event-ID: b\r\n\r\n"),
        format!("{get}X: a\0\r\nLast-Event-ID: a\0b\r\n\r\n"),
        format!("{get}Last-Event-ID\r: b\r\n\r\n"),
        format!("POST{}Last-Event-ID: a\rb\r\n\r\n", &get[3..]),
        format!("{get}X: \u{1}\r\nLast-Event-ID: a\u{1}b\r\n\r\n"),
        format!("{get}Content-Length: x\r\n\r\n"),
        format!("{get}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        format!("{get}Transfer-Encoding: gzip\r\n\r\n"),
        format!("{get}no colon\r\n\r\n"),
    ] {
        for before in ["", &format!("{get}\r\n")] {
            let mut stream = server.connect().await;
            stream.send(before).await;
            if !before.is_empty() {
                stream.read_until(|text| text.ends_with("ok\n")).await;
            }
            stream.send(&head).await;
            let answer = stream.end().await;
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head:?}: {answer:?}");
        }
    }
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

#[tokio::test]
async fn codings_that_are_not_understood_are_refused() {
    let server = serve().await;
    for (headers, status) in [
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501),
        ("Transfer-Encoding: identity, chunked\r\n", 501),
        ("Transfer-Encoding: chunked, chunked\r\n", 501),
        ("Transfer-Encoding: gzip\r\n", 400),
        ("Transfer-Encoding: Chunked\r\n", 200),
        ("Transfer-Encoding: , chunked\r\n", 200),
    ] {
        for target in ["POST /topics/a", "POST /topics/a?type=x", "GET /healthz"] {
            let mut stream = server.connect().await;
            stream.send(server.request(target, "HTTP/1.1", headers) + "1\r\nx\r\n0\r\n\r\n").await;
            stream.read_head().await;
            assert!(stream.head.starts_with(&format!("HTTP/1.1 {status}")), "{target} {headers}: {}", stream.head);
        }
    }
    let published = server.hub.bounds().head.0;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for content_type in ["", form, "Content-Type: application/x-ndjson\r\n", "Content-Type: text/event-stream\r\n"] {
        for coding in ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "none", "\"\"", "\u{e9}"] {
            let headers = format!("{content_type}Content-Encoding: {coding}\r\n");
            for target in ["/topics/a", "/.well-known/mercure"] {
                let answer = server.post(target, &headers, "topic=a").await;
                assert_eq!(answer.status, 415, "{target} {headers}: {}", answer.body);
                if target == "/topics/a" {
                    assert_eq!(answer.header("accept-encoding"), Some("identity"), "{headers}");
                }
            }
        }
    }
    assert_eq!(server.hub.bounds().head.0, published, "nothing was published");
    for coding in ["identity", "Identity", "", "identity, identity"] {
        let headers = format!("Content-Encoding: {coding}\r\n");
        assert_eq!(server.post("/topics/a", &headers, "x").await.status, 200, "{coding}");
        assert_eq!(server.form(&headers, "topic=a").await.status, 200, "{coding}");
    }
}

/// `curl -F` is what people reach for who want to send a file.
#[tokio::test]
async fn a_multipart_form_is_refused_with_what_to_do_instead() {
    let server = serve().await;
    let headers = "Content-Type: multipart/form-data; boundary=x\r\n";
    let body = "--x\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\nhello\r\n--x--\r\n";
    let answer = server.post("/topics/it's?type=news", headers, body).await;
    assert_eq!(answer.status, 415);
    assert!(answer.body.contains("curl --data-binary @FILE 'http://localhost/topics/it%27s'"), "{}", answer.body);
    let answer = server.post("/.well-known/mercure", headers, body).await;
    assert!(answer.status == 415 && answer.body.contains("--data-urlencode"), "{}", answer.body);
    assert_eq!(server.hub.bounds().head.0, 0);
}

#[tokio::test]
async fn a_publication_that_is_too_large_is_413_in_every_form() {
    let server = serve_with(|settings| settings.max_body_bytes = 40 << 20).await;
    let large = "x".repeat(33 << 20);
    let (lines, events) = ("Content-Type: application/x-ndjson\r\n", "Content-Type: text/event-stream\r\n");
    // Within the limit of a body, and more than what waits for the log may be.
    assert_eq!(server.post("/topics/a", "", &large).await.status, 413);
    assert_eq!(server.form("", &format!("topic=a&data={large}")).await.status, 413);
    assert_eq!(server.post("/topics/a", lines, &large).await.status, 413);
    let half = &large[..17 << 20];
    assert_eq!(server.post("/topics/a", lines, format!("{half}\n{half}\n")).await.status, 413);
    let answer = server.post("/topics/a", events, format!("data: 1\n\ndata: {large}\n\n")).await;
    assert!(answer.status == 413 && answer.body.contains(r#""published":1"#), "{}", answer.body);
    // What its `Content-Length` says is enough: nothing is waited for, and nobody is asked to go on.
    for more in ["", "Expect: 100-continue\r\n"] {
        let head = format!("POST /topics/a HTTP/1.1\r\nHost: localhost\r\n{more}Content-Length: 99999999999\r\n\r\n");
        assert_eq!(server.send(head.as_bytes()).await.status, 413, "{more}");
    }
    // Long topics for each of many lines.
    let topics: String = (0..14).map(|number| format!("&topic={number}{}", "t".repeat(4_000))).collect();
    let target = format!("/topics?{}", &topics[1..]);
    assert_eq!(server.post(&target, lines, "x\n".repeat(1_000)).await.status, 413);
    // A stream has no such bound, however many events come in one piece.
    let answer = server.post(&target, events, "data: x\n\n".repeat(1_000)).await;
    assert!(answer.status == 200 && answer.body.contains(r#""published":1000"#), "{}", answer.body);
}
