//! Too many subscribers, and subscriptions that take too much together: nobody's EventSource is closed for good by an
//! error status.
use super::{
    fixture::*,
    tokens::{authenticator, bearer, key, legacy},
};
use crate::DELIVERY;
use fanfare_hub::{
    HubLimits,
    budget::{Budget, Budgets, Taken},
};
use fanfare_server::{
    auth::{Authenticator, TrustedKeys},
    body::strangers::MAX_STRANGERS_BYTES,
    connection::{LARGE_HEAD_BYTES, MAX_LARGE_HEADS, STAYING_BYTES},
    settings::Delivery,
};
use std::{sync::Arc, time::Instant};
use tokio::time::sleep;

const LATER: &str = "event: fanfare.end\ndata: {\"reason\":\"later\"}\n\n";

#[tokio::test]
async fn whoever_finds_no_room_is_told_to_come_back() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    let first = server.subscribe("/topics/a", "").await;
    let second = server.subscribe("/topics/a", "").await;
    assert_eq!(second.header("content-type"), Some("text/event-stream"));
    let told = second.end().await;
    let (retry, event) = told.split_once('\n').unwrap();
    assert_eq!(event, LATER, "no client takes it for an empty event");
    let retry_ms: u64 = retry.strip_prefix("retry: ").unwrap().parse().unwrap();
    assert!((30_000..=121_000).contains(&retry_ms), "{told}");
    drop(first);
    server.wait_for_the_place().await;
}

/// An answer without a line would look complete, for example to a publisher that asks whether the log has its update. No
/// EventSource reads lines of JSON.
#[tokio::test]
async fn a_reader_of_json_lines_that_finds_no_room_is_refused() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    let lines = "Accept: application/x-ndjson\r\nLast-Event-ID: x\r\n";
    let first = server.subscribe("/topics/a", "").await;
    for target in ["/topics/a", "/topics/a?until=now", "/topics/a?until=now&place"] {
        let refused = server.get(target, lines).await;
        assert_eq!(refused.status, 503, "{target}: {}", refused.body);
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((30..=120).contains(&seconds) && refused.body.contains("ask again"), "{}", refused.body);
    }
    drop(first);
    server.wait_for_the_place().await.end_of_both().await;
    let began = Instant::now();
    while server.get("/topics/a?until=now", lines).await.status != 200 {
        assert!(began.elapsed() < PATIENCE);
    }
}

/// An open hub with these budgets for subscribers without a token, which are all subscribers of an open hub.
async fn within(anonymous: Budget) -> Fixture {
    let mut limits = HubLimits::default();
    limits.budgets = Budgets { anonymous, ..Budgets::default() };
    serve_within(&limits, Arc::new(memory_log()), Authenticator::open(), |_| {}).await
}

/// Waits until all subscribers have given back what they took.
async fn wait_until_nothing_is_taken(server: &Fixture) {
    let began = Instant::now();
    while server.hub.taken() != Taken::default() {
        assert!(began.elapsed() < PATIENCE, "{:?} is never given back", server.hub.taken());
        sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_would_exceed_a_budget_is_told_to_come_back() {
    let server = within(Budget { bytes: 1 << 20, comparisons: 2 }).await;
    let mut streams = Vec::new();
    // Each of these costs no more than the ones before: patterns that begin differently, and the same pattern again.
    let affordable = ["/a/{x}", "/b/{x}", "{x}", "/a/{x}", "{x}&topic=/b/{x}", "exact"];
    for topic in affordable {
        streams.push(server.subscribe(&format!("/.well-known/mercure?topic={topic}"), "").await);
    }
    let taken = server.hub.taken();
    assert_eq!((taken.all.comparisons, taken.anonymous), (2, taken.all));
    for topic in ["{y}", "/a/{y}", "*", "exact&topic={y}"] {
        let refused = server.subscribe(&format!("/.well-known/mercure?topic={topic}"), "").await;
        assert_eq!(refused.header("content-type"), Some("text/event-stream"));
        let told = refused.end().await;
        assert!(told.starts_with("retry: ") && told.ends_with(LATER), "{topic}: {told}");
        assert_eq!(server.hub.taken(), taken, "what is refused takes nothing");
    }
    let id = server.publish("/topics/%2Fa%2F1", "hello").await;
    let received = streams[0].read_until(|text| text.contains("hello")).await;
    assert!(received.contains(&id), "{received}");
    drop(streams);
    wait_until_nothing_is_taken(&server).await;
    let again = server.subscribe("/.well-known/mercure?topic={y}&topic={z}", "").await;
    assert_eq!(server.hub.taken().anonymous.comparisons, 2);
    drop(again);
    wait_until_nothing_is_taken(&server).await;
}

/// A subscriber for which the log is read learns when to come back, and where to continue, if what is read would exceed
/// the budget.
#[tokio::test]
async fn who_exceeds_a_budget_while_catching_up_is_told_to_come_back() {
    // All buffers of a connection that stays with hyper fit, and the events do not.
    let server = within(Budget { bytes: STAYING_BYTES + 50_000, comparisons: 10 }).await;
    let first = server.publish("/topics/a", &"x".repeat(200_000)).await;
    let is_told = |told: &str, id: &str| {
        let event = format!("id: {id}\ndata: {{\"reason\":\"later\"}}\n\n");
        let told = told.split_once("event: fanfare.end\nretry: ").and_then(|(_, rest)| rest.split_once('\n'));
        told.is_some_and(|(retry, rest)| retry.parse::<u64>().is_ok_and(|retry| retry >= 30_000) && rest == event)
    };
    let earliest = format!("{}0", first.strip_suffix('1').unwrap());
    for target in ["/topics/a?last_event_id=earliest", "/.well-known/mercure?topic=a&lastEventID=earliest"] {
        let told = server.subscribe(target, "").await.end().await;
        assert!(is_told(&told, &earliest), "{target}: {told}");
    }
    let mut by_hyper = server.connect().await;
    by_hyper
        .send(server.request("GET /topics/a?last_event_id=earliest", "HTTP/1.0", "Content-Length: 1\r\n") + "x")
        .await;
    by_hyper.read_head().await;
    let told = by_hyper.end().await;
    assert!(is_told(&told, &earliest), "{told}");
    // A replay is not complete, and so its body is not, but the event is sent.
    let mut replay = server.connect().await;
    replay.send(server.request("GET /topics/a?until=now&last_event_id=earliest", "HTTP/1.0", "")).await;
    replay.read_head().await;
    let told = replay.read_until(|text| text.contains("later")).await;
    assert!(is_told(&told, &earliest), "{told}");
    drop(replay);
    wait_until_nothing_is_taken(&server).await;
}

/// Strangers with the dearest patterns and the longest topics take no more than the budget, and what they take is given
/// back, however their streams end.
#[tokio::test]
async fn nothing_is_taken_when_everybody_has_left() {
    let limit = 128 << 10;
    let server = within(Budget { bytes: limit, comparisons: 100 }).await;
    server.publish("/topics/a", "1").await;
    let mut streams = Vec::new();
    for number in 0..60 {
        let long = "x".repeat(500);
        let topics = format!("topic=/{number}/{{x:{}}}&topic={long}{number}&topic=a", 1 + number % 20);
        for query in [format!("{topics}&last=1"), format!("{topics}&lastEventID=earliest"), topics] {
            streams.push(server.subscribe(&format!("/.well-known/mercure?{query}"), "").await);
            let taken = server.hub.taken().anonymous;
            assert!(taken.bytes <= limit && taken.comparisons == 1, "{taken:?}");
        }
    }
    assert!(server.hub.taken().anonymous.bytes > limit / 2);
    for answer in [
        server.get("/topics/a?until=now&last_event_id=earliest", "").await,
        server.get("/topics/a?last=1&until=now", "").await,
    ] {
        assert_eq!((answer.status, answer.updates().len()), (200, 1), "{}", answer.body);
    }
    let body = "topic=a&topic=b";
    let query = format!(
        "QUERY /.well-known/mercure HTTP/1.0\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let mut stays_with_hyper = server.connect().await;
    stays_with_hyper.send(query).await;
    stays_with_hyper.read_head().await;
    stays_with_hyper.read_until(|text| !text.is_empty()).await;
    let buffers = server.hub.taken().anonymous.buffers;
    assert_eq!(buffers >= STAYING_BYTES, DELIVERY != Delivery::Hyper, "{buffers}");
    streams.push(stays_with_hyper);
    let head = server.send(server.request("HEAD /topics/c", "HTTP/1.0", "").as_bytes()).await;
    assert_eq!(head.status, 200);
    drop(streams);
    wait_until_nothing_is_taken(&server).await;
}

/// A connection that is not handed over to a shard counts, for whatever reason it stays.
#[tokio::test]
async fn connections_that_stay_with_hyper_are_counted() {
    const LARGE: usize = 1_000_000;
    let server = within(Budget { bytes: 8 << 20, comparisons: 10 }).await;
    server.publish("/topics/a", &"x".repeat(LARGE)).await;
    // The answer with the large update is still being sent when it is counted.
    for (target, headers, body, sent) in [
        ("/topics/a", "Content-Length: 1\r\n", "x", 0),
        ("/topics/a", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", 0),
        ("/topics/a?until=now&last_event_id=earliest", "", "", LARGE),
    ] {
        let mut stream = server.connect_with_a_small_buffer().await;
        stream.send(server.request(&format!("GET {target}"), "HTTP/1.1", headers) + body).await;
        stream.read_head().await;
        stream.read_until(|text| !text.is_empty()).await;
        let buffers = server.hub.taken().anonymous.buffers;
        assert_eq!(buffers >= sent + STAYING_BYTES, DELIVERY != Delivery::Hyper, "{target} {headers}: {buffers}");
        drop(stream);
        wait_until_nothing_is_taken(&server).await;
    }
}

/// Strangers cannot use up what is left to those with a token.
#[tokio::test]
async fn a_subscriber_with_a_token_has_a_budget_that_strangers_cannot_take() {
    let keys = TrustedKeys { subscriber_keys: key(0).verification().into(), ..TrustedKeys::default() };
    let mut limits = HubLimits::default();
    let budget = |comparisons| Budget { bytes: 1 << 20, comparisons };
    limits.budgets = Budgets { all: budget(2), anonymous: budget(1) };
    let server = serve_within(&limits, Arc::new(memory_log()), authenticator(true, keys), |_| {}).await;
    // The token grants nothing, so only that there is a token distinguishes its bearer from a stranger.
    let token = bearer(&legacy(&[], &[]).sign(&key(0)));
    let (target, nothing) = (|pattern| format!("/.well-known/mercure?topic={pattern}"), ":\n");
    let first_of = async |mut stream: Stream| stream.read_until(|text| !text.is_empty()).await;
    let mut stranger = server.subscribe(&target("{a}"), "").await;
    assert_eq!(stranger.read_until(|text| !text.is_empty()).await, nothing);
    assert!(first_of(server.subscribe(&target("{b}"), "").await).await.starts_with("retry: "));
    let mut bearer = server.subscribe(&target("{b}"), &token).await;
    assert_eq!(bearer.read_until(|text| !text.is_empty()).await, nothing);
    assert!(first_of(server.subscribe(&target("{c}"), &token).await).await.starts_with("retry: "));
    assert!(
        first_of(server.subscribe(&target("{b}"), "").await).await.starts_with("retry: "),
        "it is not for strangers"
    );
    assert_eq!(first_of(server.subscribe(&target("{a}"), &token).await).await, nothing, "this is there already");
    let taken = server.hub.taken();
    assert_eq!((taken.all.comparisons, taken.anonymous.comparisons), (2, 1));
    drop((stranger, bearer));
    wait_until_nothing_is_taken(&server).await;
}

/// The bodies that strangers send are limited in sum, and those that never end keep nobody waiting.
#[tokio::test]
async fn strangers_cannot_fill_the_memory_with_bodies() {
    let server = serve().await;
    let query = |length: usize, body: &str| {
        format!(
            "QUERY /.well-known/mercure HTTP/1.0\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n{body}",
            server.address
        )
    };
    let length = 1 << 20;
    let body = format!("topic=a&pad={}", "x".repeat(length - 20));
    let stop_short = async || {
        let mut peer = server.connect().await;
        peer.send(query(length, &body)).await;
        peer
    };
    let is_refused = async || {
        let mut peer = server.connect().await;
        peer.send(query(body.len(), &body)).await;
        peer.read_head().await;
        peer.read_until(|text| !text.is_empty()).await.starts_with("retry: ")
    };
    let mut endless = Vec::new();
    for _ in 0..MAX_STRANGERS_BYTES / body.len() {
        endless.push(stop_short().await);
    }
    let began = Instant::now();
    while !is_refused().await {
        assert!(began.elapsed() < PATIENCE, "the bodies that are there are not counted");
        // The request that was just answered may have taken the room of one of these.
        endless.push(stop_short().await);
    }
    assert_eq!(server.post("/topics/a", "", "x").await.status, 200, "a publication is not concerned");
    drop(endless);
    let began = Instant::now();
    while is_refused().await {
        assert!(began.elapsed() < PATIENCE, "the bodies that are gone are still counted");
    }
}

/// The permits for large heads are for requests and not for connections: a proxy keeps its connections for long, and
/// strangers could keep theirs.
#[tokio::test]
async fn a_large_head_is_not_counted_when_its_request_was_answered() {
    let server = serve().await;
    let large = server.request("GET /healthz", "HTTP/1.1", &format!("X: {}\r\n", "x".repeat(LARGE_HEAD_BYTES)));
    let small = server.request("GET /healthz", "HTTP/1.1", "");
    let mut kept = Vec::new();
    for number in 0..=MAX_LARGE_HEADS {
        let mut peer = server.connect().await;
        for (request, connection) in [(&small, None), (&large, Some("close"))] {
            peer.send(request).await;
            peer.read_head().await;
            assert!(peer.head.starts_with("HTTP/1.1 200"), "request {number}: {}", peer.head);
            assert_eq!(peer.header("connection"), connection, "request {number}");
            peer.read_until(|text| text == "ok\n").await;
        }
        kept.push(peer);
        // So many connections of peers that do not close them are as many as a test should have.
        kept.drain(..kept.len().saturating_sub(100));
    }
    assert_eq!(kept.pop().unwrap().end().await, "");
}
