//! The time that a connection is kept between two requests, which proxies count on, and how long a head may take.
use super::fixture::*;
use fanfare_server::settings::DEFAULT_KEEP_ALIVE_TIMEOUT;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const TIMEOUT: Duration = Duration::from_millis(600);

#[tokio::test]
async fn a_silent_connection_is_closed_and_one_with_a_request_is_not() {
    let server = serve_with(|settings| settings.keep_alive_timeout = TIMEOUT).await;
    let get = server.request("GET /healthz", "HTTP/1.1", "");

    let mut slow_head = server.connect().await;
    slow_head.send(&get).await;
    slow_head.read_until(|text| text.ends_with("ok\n")).await;
    let (first, last) = get.split_at(10);
    slow_head.send(first).await;

    let mut slow_body = server.connect().await;
    let head = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
    slow_body.send(server.request("POST /topics/a", "HTTP/1.1", head) + "9\r\ndata: 1\n\n\r\n").await;

    let mut reads = server.connect().await;
    reads.send(server.request("GET /topics/a", "HTTP/1.1", "Content-Length: 1\r\n") + "x").await;
    reads.read_head().await;

    let mut idle = server.connect().await;
    for _ in 0..2 {
        // Each answer gives it the whole time again.
        sleep(TIMEOUT / 2).await;
        idle.send(&get).await;
        idle.read_until(|text| text.ends_with("ok\n")).await;
    }
    let began = Instant::now();
    assert_eq!(idle.end().await, "", "an end, and no answer that nobody asked for");
    assert!(began.elapsed() > TIMEOUT / 2, "{:?}", began.elapsed());

    slow_head.send(last).await;
    slow_head.read_until(|text| text.ends_with("ok\n")).await;
    slow_body.send("9\r\ndata: 2\n\n\r\n0\r\n\r\n").await;
    slow_body.read_until(|text| text.contains(r#""published":2"#)).await;
    reads.read_until(|text| text.contains("data: 2")).await;
}

/// However its bytes are spread, a head has only so much time from its first one on; neither the first head of a
/// connection nor a later one has more.
#[tokio::test]
async fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let server = serve_with(|settings| settings.head_timeout = TIMEOUT).await;
    let get = server.request("GET /healthz", "HTTP/1.1", "");
    for is_first in [true, false] {
        let mut stream = server.connect().await;
        if !is_first {
            stream.send(&get).await;
            stream.read_until(|text| text.ends_with("ok\n")).await;
            sleep(TIMEOUT).await;
        }
        let began = Instant::now();
        let (mut reads, mut writes) = tokio::io::split(stream.socket);
        // A byte now and then buys no time.
        let head = format!("GET /healthz HTTP/1.1\r\nX: {}", "x".repeat(10_000));
        let drip = tokio::spawn(async move {
            for byte in head.into_bytes() {
                if tokio::io::AsyncWriteExt::write_all(&mut writes, &[byte]).await.is_err() {
                    break;
                }
                sleep(TIMEOUT / 20).await;
            }
        });
        let mut answer = Vec::new();
        // What is dripped behind the end may reset the connection.
        _ = tokio::time::timeout(PATIENCE, tokio::io::AsyncReadExt::read_to_end(&mut reads, &mut answer))
            .await
            .unwrap();
        let took = began.elapsed();
        assert!(took >= TIMEOUT && took < PATIENCE, "{took:?}");
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
        drip.abort();
    }
    assert_eq!(server.get("/healthz", "").await.status, 200);
}

/// Proxies of AWS and nginx reuse a connection that was silent for a minute.
#[test]
fn proxies_close_first() {
    assert!(DEFAULT_KEEP_ALIVE_TIMEOUT > Duration::from_secs(60 + 10));
}

/// A `GET` may have a body. If that has come, the connection goes on; otherwise it is closed, and the answer says so.
#[tokio::test]
async fn a_body_that_nobody_reads_ends_the_connection_only_if_it_has_not_come() {
    let server = serve().await;
    let length = |length: usize| format!("Content-Length: {length}\r\n");
    let chunked = "Transfer-Encoding: chunked\r\n".to_owned();
    let body = |count: usize| "x".repeat(count);
    let chunks = |count: usize| format!("{count:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(count));
    let expecting = "Content-Length: 3\r\nExpect: 100-continue\r\n".to_owned();
    for target in ["GET /healthz", "HEAD /healthz", "GET /fanfare", "GET /topics/a?until=now"] {
        for (headers, sent, goes_on) in [
            (length(0), body(0), true),
            (length(3), body(3), true),
            (length(40_000), body(40_000), true),
            (chunked.clone(), chunks(3), true),
            (chunked.clone(), chunks(30_000), true),
            (length(3), body(2), false),
            (length(3_000_000), body(2), false),
            (length(70_000), body(70_000), false),
            (chunked.clone(), "3\r\nx".to_owned(), false),
            (chunked.clone(), "nonsense\r\n".to_owned(), false),
            (expecting.clone(), body(0), false),
        ] {
            let mut stream = server.connect().await;
            stream.send(server.request(target, "HTTP/1.1", &headers) + &sent).await;
            stream.read_head().await;
            let shown = &headers[..headers.len() - 2];
            assert!(stream.head.starts_with("HTTP/1.1 200"), "{target} {shown}: {}", stream.head);
            let closes = stream.header("connection") == Some("close");
            assert_eq!(closes, !goes_on, "{target} {shown} {}: {}", sent.len(), stream.head);
            if closes {
                stream.end().await;
            } else {
                let next = server.request("GET /healthz", "HTTP/1.1", "X-Next: 1\r\nConnection: close\r\n");
                stream.send(next).await;
                let answer = stream.end().await;
                assert!(answer.contains("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{target} {shown}: {answer}");
            }
        }
    }
}
