//! A stream that begins on a connection that has seen other requests, or odd ones: what was asked before is answered
//! whole and first, what is asked behind it is not answered at all.
use super::fixture::*;
use crate::{DELIVERY, TLS};
use fanfare_hub::{
    audience_key::AudienceKey, grant::Matchers, hub::CONCURRENT_JOINS, representation::Representation,
    subscription::Start,
};
use fanfare_server::settings::Delivery;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const HANDED_OVER: bool = !matches!(DELIVERY, Delivery::Hyper);

/// Reads the head of a stream and checks who delivers it.
async fn read_stream_head(stream: &mut Stream, handed_over: bool) {
    stream.read_head().await;
    assert!(stream.head.contains(" 200 OK\r\n") && stream.head.contains("text/event-stream"), "{}", stream.head);
    assert_eq!(stream.is_handed_over(), handed_over, "{}", stream.head);
}

async fn wait_for_event(stream: &mut Stream, data: &str) -> String {
    stream.read_until(|text| text.contains(&format!("data: {data}\n\n"))).await
}

#[tokio::test]
async fn a_stream_is_sent_in_chunks_or_ends_with_its_connection() {
    let server = serve().await;
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", version, "Connection: keep-alive\r\n")).await;
        read_stream_head(&mut stream, HANDED_OVER).await;
        assert!(stream.head.starts_with(version), "{}", stream.head);
        for name in ["date", "content-type", "cache-control", "x-accel-buffering"] {
            assert_eq!(
                stream.head.to_ascii_lowercase().matches(&format!("\r\n{name}: ")).count(),
                1,
                "{}",
                stream.head
            );
        }
        assert_eq!(stream.header("content-length"), None);
        let chunked = version == "HTTP/1.1";
        assert_eq!(stream.header("transfer-encoding"), chunked.then_some("chunked"));
        let id = server.publish("/topics/a", "framed").await;
        let event = format!("id: {id}\ndata: framed\n\n");
        let expected =
            if chunked { format!("2\r\n:\n\r\n{:x}\r\n{event}\r\n", event.len()) } else { format!(":\n{event}") };
        let text = stream.read_until(|text| text.len() >= expected.len()).await;
        assert_eq!(text.to_ascii_lowercase(), expected.to_ascii_lowercase());
    }
}

/// A client that takes the end of the body for the end of the stream sees a last chunk only if the hub has ended the
/// stream.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_stream_that_the_hub_ends_has_a_last_chunk() {
    let server = serve_with(|settings| settings.max_lifetime = Some(Duration::from_millis(400))).await;
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", "HTTP/1.1", "Connection: close\r\n")).await;
        read_stream_head(&mut stream, HANDED_OVER).await;
        server.publish("/topics/a", "1").await;
        let body = stream.end().await;
        assert!(body.contains("data: 1\n\n\r\n") && body.ends_with("\r\n0\r\n\r\n"), "{body:?}");
        assert_eq!(body.matches("0\r\n\r\n").count(), 1, "{body:?}");
    }
    let server = serve().await;
    let mut stream = server.connect().await;
    stream.send(server.request("GET /topics/a", "HTTP/1.1", "Connection: close\r\n")).await;
    read_stream_head(&mut stream, HANDED_OVER).await;
    server.stop().await;
    assert_eq!(stream.end().await, "2\r\n:\n\r\n0\r\n\r\n", "a server that stops ends its streams");
}

#[tokio::test]
async fn the_stream_may_come_late_on_its_connection() {
    let server = serve().await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        stream.send(server.request("GET /healthz", "HTTP/1.1", "")).await;
        assert!(stream.read_until(|text| text.ends_with("ok\n")).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let post = server.request("POST /topics/b", "HTTP/1.1", "Content-Length: 3\r\n") + "abc";
    stream.send(post).await;
    stream.read_until(|text| text.contains("\r\n\r\n#") && text.ends_with('\n')).await;
    stream.send(server.request("GET /topics/a", "HTTP/1.1", "")).await;
    read_stream_head(&mut stream, HANDED_OVER).await;
    server.publish("/topics/a", "late").await;
    wait_for_event(&mut stream, "late").await;
}

/// Each is answered at once; the last has an answer that hyper may keep unwritten while it reads the next request.
#[tokio::test]
async fn answers_to_requests_in_the_same_packet_come_first() {
    let server = serve_with(|settings| settings.cors_origins = vec!["https://page.example".into()]).await;
    let preflight = "Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\nContent-Length: 3\r\n";
    let cases = [
        (server.request("GET /healthz", "HTTP/1.1", ""), "ok\n"),
        (server.request("GET /missing", "HTTP/1.1", ""), "}"),
        (server.request("HEAD /healthz", "HTTP/1.1", ""), "\r\n\r\n"),
        (server.request("OPTIONS /topics/a", "HTTP/1.1", preflight) + "abc", "\r\n\r\n"),
    ];
    for (first, ends_with) in cases {
        let mut stream = server.connect().await;
        stream.send(first.repeat(3) + &server.request("GET /topics/a", "HTTP/1.1", "")).await;
        let text = stream.read_until(|text| text.contains("text/event-stream") && text.contains(":\n")).await;
        let answers: Vec<&str> = text.split_inclusive("HTTP/1.1 ").skip(1).collect();
        assert_eq!(answers.len(), 4, "{text}");
        for answer in &answers[..3] {
            let answer = answer.strip_suffix("HTTP/1.1 ").unwrap();
            assert!(!answer.contains("event-stream") && answer.ends_with(ends_with), "{answer:?}");
        }
        assert_eq!(answers[3].contains("connection: close"), HANDED_OVER, "{text}");
        server.publish("/topics/a", "after").await;
        wait_for_event(&mut stream, "after").await;
    }
}

/// A peer that reads late gets all answers before the stream. hyper reads the next request behind an answer that it has
/// not sent only if the body of the request before came after that answer, and no handler answers so early. Should one
/// do so, the stream waits for the flush: see the tests in `src/connection/handover.rs`.
#[tokio::test]
async fn answers_that_are_not_sent_yet_are_not_lost() {
    let server = serve_with(|settings| settings.cors_origins = vec!["https://page.example".into()]).await;
    let preflight = "Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\nContent-Length: 3\r\n";
    let first = server.request("OPTIONS /topics/a", "HTTP/1.1", preflight) + "abc";
    let count = 1_500;
    let mut stream = server.connect_with_a_small_buffer().await;
    stream.send(first.repeat(count) + &server.request("GET /topics/a", "HTTP/1.1", "")).await;
    // Long enough for the server to have come to the last request. If it were not, the test would be easier to pass.
    sleep(Duration::from_millis(200)).await;
    let text = stream.read_until(|text| text.contains("text/event-stream") && text.contains(":\n")).await;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), count + 1);
}

/// A peer that reads nothing does not get to the stream that it asked for, and until it does it must not count as one
/// that is about to join: with as many such peers as may be, nobody else could.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_peers_do_not_come_to_hold_nobody_up() {
    let directory = std::env::temp_dir().join(format!("fanfare-unread-{}-{DELIVERY:?}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let server = serve_with(|settings| {
        settings.static_dir = Some(directory.clone());
        settings.cors_origins = vec!["https://page.example".into()];
    })
    .await;
    let preflight = "Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\nContent-Length: 3\r\n";
    // Some 48 KiB, each of them small; the file before them is one large answer.
    let held_back = (server.request("OPTIONS /topics/a", "HTTP/1.1", preflight) + "abc").repeat(130);
    // One permit is left.
    let key = AudienceKey::new(Matchers::any(), Matchers::default(), Representation::EventStream);
    let mut joining = Vec::new();
    for _ in 1..CONCURRENT_JOINS {
        let mut opening = server.hub.open(key.clone(), Start::Now).await.unwrap();
        opening.admit().await;
        joining.push(opening);
    }
    let mut unread = Vec::new();
    // What the system takes differs. Of these peers, those with little before their stream have joined, those with much
    // have not asked for it yet.
    for kibibytes in (32..=256).step_by(16) {
        std::fs::write(directory.join(format!("{kibibytes}.txt")), vec![b'x'; kibibytes << 10]).unwrap();
        let mut stream = server.connect_with_a_small_buffer().await;
        let file = server.request(&format!("GET /{kibibytes}.txt"), "HTTP/1.1", "");
        stream.send(file + &held_back + &server.request("GET /topics/a", "HTTP/1.1", "")).await;
        unread.push(stream);
    }
    // Long enough for the server to have come as far as it can. If it were not, the test would be easier to pass.
    sleep(Duration::from_millis(500)).await;
    let joined = timeout(PATIENCE, server.hub.subscribe(key, Start::Now)).await;
    joined.expect("who joins waits for none of them").unwrap();
    drop((joining, unread));
    std::fs::remove_dir_all(directory).unwrap();
}

/// More than the system's buffers hold: the answer before waits for the peer, and the stream for the answer.
#[tokio::test]
async fn a_large_answer_before_the_stream_is_whole() {
    let directory = std::env::temp_dir().join(format!("fanfare-large-{}-{DELIVERY:?}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = "0123456789abcdef".repeat(1 << 18);
    std::fs::write(directory.join("large.txt"), &file).unwrap();
    let server = serve_with(|settings| settings.static_dir = Some(directory.clone())).await;
    let mut stream = server.connect().await;
    let both = server.request("GET /large.txt", "HTTP/1.1", "") + &server.request("GET /topics/a", "HTTP/1.1", "");
    stream.send(both).await;
    stream.read_head().await;
    assert_eq!(stream.header("content-length"), Some(file.len().to_string().as_str()));
    let text = stream.read_until(|text| text.len() > file.len()).await;
    let (before, behind) = text.split_at(file.len());
    assert!(before == file, "the file comes whole");
    stream.unread(behind);
    read_stream_head(&mut stream, HANDED_OVER).await;
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn what_is_asked_behind_the_stream_is_not_answered() {
    let server = serve().await;
    let mut stream = server.connect().await;
    let behind = server.request("POST /topics/b", "HTTP/1.1", "Content-Length: 3\r\n") + "abc";
    stream.send(server.request("GET /topics/a", "HTTP/1.1", "") + &behind).await;
    read_stream_head(&mut stream, HANDED_OVER).await;
    stream.send(&behind).await;
    if TLS && HANDED_OVER {
        assert!(stream.end().await.ends_with("0\r\n\r\n"), "a shard cannot read what was asked");
        assert_eq!(server.hub.bounds().head.0, 0, "nothing was published");
        return;
    }
    server.publish("/topics/a", "alone").await;
    let text = wait_for_event(&mut stream, "alone").await;
    assert!(!text.contains("HTTP/1.1"), "{text}");
    assert_eq!(server.hub.bounds().head.0, 1, "nothing else was published");
    if HANDED_OVER {
        server.stop().await;
        assert!(stream.end().await.ends_with("0\r\n\r\n"), "the end is no reset, although something was not read");
    }
}

#[tokio::test]
async fn a_request_with_a_body_gets_the_same_stream_through_hyper() {
    let server = serve().await;
    for (headers, body) in [
        ("Content-Length: 3\r\n", "abc"),
        ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
        ("Content-Length: 3\r\nExpect: 100-continue\r\n", "abc"),
    ] {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", "HTTP/1.1", headers) + body).await;
        read_stream_head(&mut stream, false).await;
        server.publish("/topics/a", body).await;
        stream.read_until(|text| text.contains("data: ")).await;
    }
    for headers in ["Content-Length: 0\r\n", "Expect: 100-continue\r\n"] {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", "HTTP/1.1", headers)).await;
        read_stream_head(&mut stream, HANDED_OVER).await;
    }
}

#[tokio::test]
async fn a_head_may_come_in_small_pieces() {
    let server = serve().await;
    let mut stream = server.connect().await;
    stream.socket.tcp().set_nodelay(true).unwrap();
    for byte in server.request("GET /topics/a", "HTTP/1.1", "").bytes() {
        stream.send([byte]).await;
        tokio::task::yield_now().await;
    }
    read_stream_head(&mut stream, HANDED_OVER).await;
    server.publish("/topics/a", "pieces").await;
    wait_for_event(&mut stream, "pieces").await;
}

/// A client that only asks what a stream would look like takes no place, and goes on with its connection.
#[tokio::test]
async fn head_does_not_subscribe() {
    let server = serve_with(|settings| {
        settings.max_subscribers = 1;
        settings.aliases = [("/sse".to_owned(), vec!["a".to_owned()])].into();
    })
    .await;
    let _only = server.subscribe("/topics/a", "").await;
    let mut stream = server.connect().await;
    for target in ["/topics/a", "/.well-known/mercure?topic=a", "/sse"] {
        stream.send(server.request(&format!("HEAD {target}"), "HTTP/1.1", "")).await;
        stream.read_head().await;
        assert!(stream.head.starts_with("HTTP/1.1 200 OK"), "{}", stream.head);
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        assert_eq!(stream.header("content-length"), None, "{target}");
    }
    stream.send(server.request("GET /healthz", "HTTP/1.1", "")).await;
    stream.read_until(|text| text.starts_with("HTTP/1.1 200 OK") && text.ends_with("ok\n")).await;
}

/// Also while nothing is published: the end of what the peer sends is the end of the peer, as HTTP servers take it.
#[tokio::test]
async fn a_peer_that_leaves_frees_its_place() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    let mut first = server.subscribe("/topics/a", "").await;
    first.finish_sending().await;
    let second = server.wait_for_the_place().await;
    first.end().await;
    second.socket.tcp().set_zero_linger().unwrap();
    drop(second);
    let mut third = server.wait_for_the_place().await;
    server.publish("/topics/a", "still here").await;
    third.events(1).await;
    drop(third);
    server.wait_for_the_place().await;
}

/// A peer that reads slowly gets all that was begun, to the end of an event, and then an end that is no reset.
#[tokio::test(flavor = "multi_thread")]
async fn stopping_cuts_no_event() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/a", "").await;
    let lines: String = (0..500).map(|number| format!("{number:0>2000}\n")).collect();
    let answer = server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", &lines).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let begun = stream.read_until(|text| text.contains("data: ")).await;
    let stopped = tokio::spawn(server.stop());
    let text = begun + &stream.end().await;
    stopped.await.unwrap();
    assert!(text.ends_with("\n\n"), "{}", &text[text.len() - 2_100..]);
    let events = text.split_terminator("\n\n").filter(|event| *event != ":");
    for (number, event) in events.enumerate() {
        assert!(event.ends_with(&format!("{number:0>2000}")), "{number}: {event}");
    }
}
