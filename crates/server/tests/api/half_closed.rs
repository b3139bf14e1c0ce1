//! Peers that end their sending when they have asked all they will, and then wait: `nc -N`, simple scripts, some HTTP
//! libraries.
use super::fixture::*;
use std::time::Duration;
use tokio::time::timeout;

/// Sends all of `text`, says that nothing more comes, and reads to the end.
async fn ask(server: &Fixture, text: &str) -> String {
    let mut stream = server.connect().await;
    stream.send(text).await;
    stream.finish_sending().await;
    stream.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_gets_its_answer_each_time() {
    let server = serve().await;
    for number in 1..=50 {
        let request = server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 5\r\n") + "hello";
        let answer = ask(&server, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{number}: {answer:?}");
        assert_eq!(server.hub.bounds().head.0, number);
    }
}

#[tokio::test]
async fn every_answer_that_has_an_end_is_given_to_its_end() {
    let server = serve_with(|settings| {
        settings.max_body_bytes = 4_000_000;
        settings.subscriptions = true;
    })
    .await;
    let line = format!("{}\n", "x".repeat(1_000));
    let lines = server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", line.repeat(2_000)).await;
    assert_eq!(lines.status, 200);
    let chunked = "Transfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n";
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n";
    let request = |line: &str, headers: &str| server.request(line, "HTTP/1.1", headers);
    let cases = [
        (request("GET /healthz", ""), "200 OK", "ok\n"),
        (request("HEAD /topics/a", ""), "200 OK", ""),
        (request("GET /nowhere", ""), "404 Not Found", "nothing at this path"),
        (request("GET /topics", ""), "400 Bad Request", "at least one topic"),
        (request("DELETE /topics/a", ""), "405", ""),
        (request("GET /.well-known/mercure/subscriptions", ""), "200 OK", "subscriptions"),
        (request("POST /topics", "Content-Length: 1\r\n") + "x", "400 Bad Request", "at least one topic"),
        (request("POST /topics/b", "Content-Length: 9\r\n") + "x", "400 Bad Request", "completely"),
        (request("POST /.well-known/mercure", form) + "topic=b", "200 OK", "#"),
        (request("POST /topics/b", chunked) + "9\r\ndata: 1\n\n\r\n0\r\n\r\n", "200 OK", "\"published\":1"),
        (request("POST /topics/b", chunked) + "9\r\ndata: 1\n\n\r\n", "400 Bad Request", "\"published\":1"),
    ];
    for (request, status, says) in cases {
        let answer = ask(&server, &request).await;
        assert!(answer.contains(&format!("HTTP/1.1 {status}")), "{request}: {answer:?}");
        assert!(answer.contains(says), "{request}: {answer:?}");
    }
    // More than the buffers between the two take.
    let replay = ask(&server, &request("GET /topics/a?last_event_id=earliest&until=now", "")).await;
    assert_eq!(replay.matches("data: x").count(), 2_000);
    assert!(replay.ends_with("\r\n0\r\n\r\n"), "{}", &replay[replay.len() - 100..]);
}

#[tokio::test]
async fn requests_that_came_together_are_all_answered() {
    let server = serve().await;
    let post = server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 1\r\n") + "x";
    let get = server.request("GET /healthz", "HTTP/1.1", "");
    let answers = ask(&server, &format!("{post}{get}{post}{get}{post}")).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 5, "{answers}");
    assert_eq!(server.hub.bounds().head.0, 3);
    let replay = server.request("GET /topics/a?last_event_id=earliest&until=now", "HTTP/1.1", "");
    let answers = ask(&server, &format!("{replay}{get}")).await;
    assert!(answers.matches("data: x").count() == 3 && answers.ends_with("ok\n"), "{answers}");
}

/// Nothing else tells that a subscriber has left while there is nothing to send to it.
#[tokio::test]
async fn an_endless_stream_ends_with_what_its_peer_sends() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    let get = server.request("GET /topics/a", "HTTP/1.1", "");
    let through_hyper = server.request("GET /topics/a", "HTTP/1.1", "Content-Length: 3\r\n") + "abc";
    let healthz = server.request("GET /healthz", "HTTP/1.1", "");
    for request in [&get, &through_hyper, &(through_hyper.clone() + &healthz), &(healthz.clone() + &get)] {
        // At once.
        let answer = timeout(Duration::from_secs(10), ask(&server, request)).await.expect("it ends");
        assert_eq!(
            answer.contains("ok\n"),
            request.starts_with("GET /healthz"),
            "what came before is answered: {answer}"
        );
        server.wait_for_the_place().await.end_of_both().await;
        // In the middle.
        let mut stream = server.connect().await;
        stream.send(request).await;
        stream.read_until(|text| text.contains("text/event-stream") && text.contains(":\n")).await;
        stream.finish_sending().await;
        stream.end().await;
        server.wait_for_the_place().await.end_of_both().await;
    }
}
