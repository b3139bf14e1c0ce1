//! Resuming over HTTP: every way to say which event came last, and the answer's own.
use super::fixture::*;

#[tokio::test]
async fn every_carrier_of_the_cursor_resumes() {
    let server = serve().await;
    let first = server.publish("/topics/a", "1").await;
    server.publish("/topics/a", "2").await;
    let encoded = first.replace('#', "%23");
    let header = format!("Last-Event-ID: {first}\r\n");
    let targets = ["/topics/a?", "/topics?topic=a&", "/.well-known/mercure?topic=a&", "/.well-known/mercure?match=a&"];
    for target in targets {
        for (parameter, header) in
            [("last_event_id", ""), ("lastEventID", ""), ("Last-Event-ID", ""), ("", header.as_str())]
        {
            let query =
                if parameter.is_empty() { "last_event_id=earliest".into() } else { format!("{parameter}={encoded}") };
            let mut stream = server.subscribe(&format!("{target}{query}"), header).await;
            assert_eq!(data(&stream.events(1).await), ["2"], "{target} {parameter}");
            let name = if target.contains("match") { "Mercure-Last-Event-ID" } else { "Last-Event-ID" };
            assert_eq!(stream.header(name), Some(first.as_str()), "{target}");
        }
    }
}

#[tokio::test]
async fn the_answer_says_where_the_stream_begins_if_it_was_asked() {
    let server = serve().await;
    let target = "/.well-known/mercure?match=a";
    let begins = async |query: &str| {
        server.subscribe(&format!("{target}{query}"), "").await.header("Mercure-Last-Event-ID").map(str::to_owned)
    };
    assert_eq!(begins("").await, None);
    assert_eq!(begins("&last_event_id=").await.as_deref(), Some("earliest"), "an empty history");
    let id = server.publish("/topics/b", "").await;
    assert_eq!(begins("&last_event_id=").await, Some(id.clone()));
    assert_eq!(begins("&last_event_id=earliest").await.as_deref(), Some("earliest"));
    assert_eq!(begins("&last_event_id=unknown").await.as_deref(), Some("earliest"));
    assert_eq!(begins(&format!("&last_event_id={}", id.replace('#', "%23"))).await, Some(id));
}

#[tokio::test]
async fn an_id_of_a_publishers_own_resumes_even_if_it_is_not_ascii() {
    let server = serve().await;
    server.publish("/topics/a?id=caf%C3%A9", "1").await;
    server.publish("/topics/a", "2").await;
    let mut stream = server.subscribe("/topics/a", "Last-Event-ID: café\r\n").await;
    assert_eq!(data(&stream.events(1).await), ["2"]);
    assert!(stream.head.contains("last-event-id: café\r\n"), "{}", stream.head);
}

#[tokio::test]
async fn a_gap_is_told_in_every_representation() {
    let server = serve().await;
    let id = server.publish("/topics/a", "1").await;
    let floor = format!("{}0", &id[..10]);
    let gap = format!(r#"{{"requested":"lost","resumed_from":"{floor}","reason":"unknown"}}"#);
    for target in ["/topics/a?last_event_id=lost", "/topics/a?envelope&last_event_id=lost"] {
        let events = server.subscribe(target, "").await.events(2).await;
        assert_eq!(events[0], format!("event: fanfare.gap\nid: {floor}\ndata: {gap}"));
        assert!(events[1].starts_with(&format!("id: {id}\n")));
    }
    let mut lines = server.subscribe("/topics/a?last_event_id=lost", "Accept: application/x-ndjson\r\n").await;
    let text = lines.read_until(|text| text.trim().lines().count() == 2).await;
    let told = text.trim().lines().next().unwrap();
    assert!(told.contains(r#""type":"fanfare.gap""#) && told.contains(&gap.replace('"', "\\\"")), "{told}");
}
