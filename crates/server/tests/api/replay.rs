//! `until=now`: what is held, and then the end.
use super::fixture::*;

#[tokio::test]
async fn a_stream_can_end_with_what_is_held() {
    let server = serve().await;
    let first = server.publish("/topics/a", "1").await;
    for (topic, data) in [("a", "2"), ("b", "x"), ("a", "3")] {
        server.publish(&format!("/topics/{topic}"), data).await;
    }
    let cases = [
        ("/topics/a?until=now&last_event_id=earliest", "", vec!["1", "2", "3"]),
        ("/topics/a?until=now", "Last-Event-ID: {first}\r\n", vec!["2", "3"]),
        ("/topics?topic=a&topic=b&envelope&until=now&last_event_id=earliest", "", vec!["1", "2", "x", "3"]),
        ("/topics/a?until=now", "Accept: application/x-ndjson\r\nLast-Event-ID: {first}\r\n", vec!["2", "3"]),
        ("/topics/a?until=now", "Last-Event-ID: \r\n", vec![]),
        ("/topics/a?until=now", "", vec![]),
        ("/topics/nobody?until=now&last_event_id=earliest", "", vec![]),
    ];
    for (target, headers, expected) in cases {
        let answer = server.get(target, &headers.replace("{first}", &first)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let is_data = |text: &&str| {
            answer.body.contains(&format!("\"data\":\"{text}\"")) || answer.body.contains(&format!("data: {text}\n"))
        };
        let found: Vec<_> = ["1", "2", "x", "3"].into_iter().filter(is_data).collect();
        assert_eq!(found, expected, "{target} {headers}: {}", answer.body);
    }
    let gap = server.get("/topics/a?until=now&last_event_id=lost", "").await;
    assert!(gap.body.starts_with("event: fanfare.gap\n") && gap.body.contains("data: 3\n\n"), "{}", gap.body);
    assert_eq!(server.get("/topics/a?until=tomorrow", "").await.status, 400);
}

/// More than one step of the log, over a connection that could go on.
#[tokio::test]
async fn a_long_replay_is_whole_and_says_where_it_began() {
    let server = serve().await;
    let lines: String = (0..9_000).map(|number| format!("{number} {}\n", "x".repeat(20))).collect();
    let answer = server.post("/topics/a", "Content-Type: application/x-ndjson\r\n", lines).await;
    assert_eq!(answer.status, 200);
    let replay = server.get("/topics/a?until=now&last_event_id=earliest", "Accept: application/x-ndjson\r\n").await;
    let ids: Vec<_> = replay.body.lines().map(|line| line.split('"').nth(3).unwrap()).collect();
    assert!(ids.iter().copied().eq(answer.body.lines()), "{} lines", ids.len());
}

#[tokio::test]
async fn a_streamed_publication_says_where_it_ended() {
    let server = serve().await;
    let answer = server
        .post("/topics/a", "Content-Type: text/event-stream\r\n", "id: x\ndata: 1\n\ndata: 2\n\nid: y\ndata: 3\n\n")
        .await;
    let position = answer.body.split("\"position\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(position.starts_with('#') && position.ends_with("-3"), "{}", answer.body);
    server.publish("/topics/a", "4").await;
    let rest = server.get("/topics/a?until=now", &format!("Last-Event-ID: {position}\r\n")).await;
    assert!(rest.body.contains("data: 4\n\n") && rest.body.matches("data: ").count() == 2, "{}", rest.body);
}
