//! The place from the first byte: a subscriber that has seen no update yet loses none when it comes back.
use super::fixture::*;
use std::time::Duration;

async fn serve_places() -> Fixture {
    serve_with(|settings| settings.start_event = true).await
}

/// Returns the place that a start event tells.
fn place_of(event: &str) -> String {
    let place = event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap_or_else(|| panic!("no ID in {event}"));
    assert_eq!(event, format!("event: fanfare.start\nid: {place}\ndata: {{\"place\":\"{place}\"}}"));
    place.to_owned()
}

async fn first_place(stream: &mut Stream) -> String {
    place_of(&stream.events(1).await[0])
}

fn header(name: &str, value: &str) -> String {
    format!("{name}: {value}\r\n")
}

#[tokio::test]
async fn whoever_leaves_before_the_first_update_misses_nothing() {
    let server = serve_places().await;
    for (number, target) in [
        "/topics/a",
        "/topics/a?envelope",
        "/topics?topic=a",
        "/.well-known/mercure?topic=a",
        "/.well-known/mercure?match=a",
    ]
    .into_iter()
    .enumerate()
    {
        let place = first_place(&mut server.subscribe(target, "").await).await;
        let missed = server.publish("/topics/a", "missed").await;
        let mut again = server.subscribe(target, &header("Last-Event-ID", &place)).await;
        let events = again.events(2).await;
        assert_eq!(place_of(&events[0]), place, "{target}");
        assert!(place.ends_with(&format!("-{number}")), "{place}");
        assert!(events[1].contains(&format!("id: {missed}")) && events[1].contains("missed"), "{}", events[1]);
    }
}

#[tokio::test]
async fn the_headers_say_what_they_said_before() {
    let server = serve_places().await;
    let names = ["last-event-id", "mercure-last-event-id"];
    for (target, sent, expected) in [
        ("/topics/a", "", [None, None]),
        ("/topics/a", "Last-Event-ID: \r\n", [Some("earliest"), None]),
        ("/.well-known/mercure?match=a&last_event_id=", "", [None, Some("earliest")]),
        ("/.well-known/mercure?topic=a&lastEventID=earliest", "", [Some("earliest"), None]),
    ] {
        let mut stream = server.subscribe(target, sent).await;
        assert_eq!(names.map(|name| stream.header(name)), expected, "{target} {sent}");
        assert!(first_place(&mut stream).await.ends_with("-0"));
    }
    let epoch = first_place(&mut server.subscribe("/topics/a", "").await).await.replace("-0", "-");
    server.publish("/topics/a?id=own", "1").await;
    let mut stream = server.subscribe("/topics/a", "Last-Event-ID: own\r\n").await;
    assert_eq!(stream.header("last-event-id"), Some("own"));
    assert_eq!(first_place(&mut stream).await, format!("{epoch}1"), "never an ID of a publisher");
}

#[tokio::test]
async fn lines_of_json_have_their_place_in_the_header_of_each_answer() {
    let server = serve_places().await;
    let lines = "Accept: application/x-ndjson\r\n";
    let epoch = first_place(&mut server.subscribe("/topics/a", "").await).await.replace("-0", "-");
    for number in 0..3 {
        let mut stream = server.subscribe("/topics/a", lines).await;
        assert_eq!(stream.header("last-event-id"), Some(&*format!("{epoch}{number}")));
        server.publish("/topics/a", &number.to_string()).await;
        let line = stream.read_until(|text| text.trim_start().ends_with('\n')).await;
        assert!(line.trim().starts_with(&format!("{{\"id\":\"{epoch}{}\"", number + 1)), "{line}");
    }
    let asked = server.subscribe("/topics/a?last_event_id=earliest", lines).await;
    assert_eq!(asked.header("last-event-id"), Some("earliest"), "as for every stream that is asked for a cursor");
}

/// A poller continues at the place with which the answer ends, even if the answer had no update.
#[tokio::test]
async fn an_answer_until_now_ends_with_its_place() {
    let server = serve_places().await;
    let lines = "Accept: application/x-ndjson\r\n";
    let first = server.publish("/topics/a", "1").await;
    let (epoch, _) = first.split_once('-').unwrap();
    for number in 1..4 {
        let begin = format!("Last-Event-ID: {epoch}-{number}\r\n");
        server.publish("/topics/b", "").await;
        let place = format!("{epoch}-{}", number + 1);
        let answer = server.get("/topics/a?until=now", &begin).await;
        let start = format!("event: fanfare.start\nid: {epoch}-{number}\ndata: {{\"place\":\"{epoch}-{number}\"}}\n\n");
        let end = format!("event: fanfare.end\nid: {place}\ndata: {{\"reason\":\"now\"}}\n\n");
        assert_eq!(answer.body, start + &end);
        assert_eq!(server.get("/topics/a?until=now", &format!("{lines}{begin}")).await.body, "");
        let answer = server.get("/topics/a?until=now&place", &format!("{lines}{begin}")).await.body;
        assert!(answer.starts_with(&format!("{{\"id\":\"{place}\",")), "{answer}");
        assert!(answer.contains(r#""type":"fanfare.end","data":"{\"reason\":\"now\"}""#), "{answer}");
    }
}

#[tokio::test]
async fn a_stream_without_updates_is_told_newer_places() {
    let server = serve_with(|settings| {
        (settings.start_event, settings.heartbeat_interval) = (true, Duration::from_millis(100));
    })
    .await;
    let mut quiet = server.subscribe("/topics/quiet", "").await;
    let begun = first_place(&mut quiet).await;
    assert_eq!(quiet.read_until(|text| text.len() >= 6).await, ":\n:\n:\n", "nothing has passed");
    let id = server.publish("/topics/a", "").await;
    assert_ne!(first_place(&mut quiet).await, begun);
    let mut again = server.subscribe("/topics/a", &header("Last-Event-ID", &id)).await;
    assert_eq!(first_place(&mut again).await, id);
}

/// Another hub tells of the connection. Whoever pipes its stream into a publication publishes only the updates.
#[tokio::test]
async fn a_stream_can_be_piped_into_another_hub() {
    let (from, to) = (serve_places().await, serve_places().await);
    for data in ["1", "2"] {
        from.publish("/topics/a", data).await;
    }
    let stream = from.get("/topics/a?until=now&last_event_id=earliest", "").await.body;
    assert!(stream.contains("fanfare.start") && stream.contains("fanfare.end"), "{stream}");
    let answer = to.post("/topics/b", "Content-Type: text/event-stream\r\n", &stream).await;
    assert!(answer.status == 200 && answer.body.starts_with("{\"published\":2,"), "{}", answer.body);
    let other = to.post("/topics/b", "Content-Type: text/event-stream\r\n", "event: fanfare.other\ndata: x\n\n").await;
    assert_eq!(other.status, 400, "{}", other.body);
}
