//! A subscriber that presents an ID goes on exactly behind it, or is told why not.
use crate::fixture::*;
use fanfare_hub::{
    Hub, audience_key::AudienceKey, ending::EndReason, log::Retention, representation::Representation,
    subscription::Start, topic::matcher::Matcher,
};
use std::{
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};
use tokio::time::timeout;

/// The time without an event after which a test takes it that none comes.
const QUIET: Duration = Duration::from_millis(300);

async fn numbered(hub: &Hub, numbers: std::ops::Range<usize>) -> Vec<String> {
    publish(hub, numbers.map(|number| update(&["a"], &number.to_string()))).await
}

fn texts(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn everything_behind_the_id_follows_and_then_what_is_live() {
    let hub = hub(4);
    let ids = numbered(&hub, 0..50).await;
    for (place, id) in ids.iter().enumerate() {
        let mut subscription = subscribe(&hub, &["a"], after(id)).await;
        assert_eq!(subscription.resumed_from(), id);
        assert_eq!(receive_data(&mut subscription, 49 - place).await, texts(place + 1..50));
        assert!(is_quiet(&mut subscription));
    }
    let mut live = subscribe(&hub, &["a"], after(&ids[48])).await;
    numbered(&hub, 50..60).await;
    assert_eq!(receive_data(&mut live, 11).await, texts(49..60));
}

#[tokio::test]
async fn replay_and_live_meet_without_a_seam_while_publishing_goes_on() {
    let hub = hub(4);
    let first = numbered(&hub, 0..1).await;
    let publisher = tokio::spawn({
        let hub = hub.clone();
        async move { numbered(&hub, 1..2_000).await }
    });
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut subscription = subscribe(&hub, &["a"], after(&first[0])).await;
        readers.push(tokio::spawn(async move { receive_data(&mut subscription, 1_999).await }));
        tokio::task::yield_now().await;
    }
    for reader in readers {
        assert_eq!(reader.await.unwrap(), texts(1..2_000));
    }
    publisher.await.unwrap();
}

#[tokio::test]
async fn earliest_is_everything_that_is_held() {
    let hub = hub(4);
    assert_eq!(subscribe(&hub, &["a"], Start::Now).await.resumed_from(), "earliest", "nothing was ever published");
    let ids = numbered(&hub, 0..10).await;
    let mut subscription = subscribe(&hub, &["a"], after("earliest")).await;
    assert_eq!(subscription.resumed_from(), "earliest");
    assert_eq!(receive_data(&mut subscription, 10).await, texts(0..10));
    assert_eq!(subscribe(&hub, &["a"], Start::Now).await.resumed_from(), ids[9]);
}

/// A subscriber that is told a place in the middle of a long rewind, because the stream ends there, goes on with the
/// rest.
#[tokio::test]
async fn what_a_long_rewind_has_reached_is_what_it_has_handed_out() {
    let hub = hub(4);
    let texts: Vec<_> = (0..150).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    publish(&hub, texts.iter().flat_map(|text| ["a", "b"].map(|topic| update(&[topic], text)))).await;
    let mut rewound = subscribe(&hub, &["a"], Start::Newest(150)).await;
    let (mut received, mut runs) = (0, 0);
    while received < 150 {
        let run = rewound.next().await.unwrap().unwrap();
        received += str::from_utf8(&run).unwrap().matches("\n\n").count();
        runs += 1;
        let mut rest = subscribe(&hub, &["a"], after(&rewound.reached().unwrap())).await;
        assert_eq!(receive_data(&mut rest, 150 - received).await, texts[received..]);
        // The log is read by another task: one poll would not see what is sent twice.
        assert!(timeout(QUIET, rest.next()).await.is_err(), "{received} were received");
    }
    assert!(runs > 2, "it is longer than one step");
}

#[tokio::test]
async fn a_stream_that_ends_after_a_long_rewind_ends_behind_its_last_event() {
    let hub = hub(4);
    let texts: Vec<_> = (0..150).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    let ids = publish(&hub, texts.iter().map(|text| update(&["a"], text))).await;
    let opening = hub.open(key([Matcher::exact("a").unwrap()]), Start::Newest(150)).await.unwrap();
    let ends = std::time::Instant::now() + Duration::from_secs(1);
    let opening = opening.without_start_events().until(Some(ends), Some(EndReason::TokenExpired));
    let mut rewound = opening.subscribe().await;
    let mut received = 0;
    while received < 150 {
        let run = rewound.next().await.unwrap().unwrap();
        received += str::from_utf8(&run).unwrap().matches("\n\n").count();
    }
    tokio::time::sleep_until(ends.into()).await;
    rewound.expire(Duration::from_secs(20));
    let end = rewound.next().await.unwrap().unwrap();
    assert!(str::from_utf8(&end).unwrap().contains(&format!("id: {}\n", ids[149])), "{end:?}");
}

#[tokio::test]
async fn what_was_delivered_but_not_returned_is_not_reached() {
    let hub = hub(4);
    let mut subscription = subscribe(&hub, &["a"], Start::Now).await;
    assert!(is_quiet(&mut subscription));
    for number in 0..3 {
        publish(&hub, [update(&["a"], &number.to_string())]).await;
        let reached = subscription.reached().unwrap();
        let mut rest = subscribe(&hub, &["a"], after(&reached)).await;
        assert_eq!(receive_data(&mut rest, 1).await, [number.to_string()]);
        assert_eq!(receive_data(&mut subscription, 1).await, [number.to_string()]);
    }
}

#[tokio::test]
async fn an_event_of_which_a_part_was_returned_is_not_reached() {
    let hub = hub(4);
    // The data is large, and the subscriber sees only some of the topics: the event comes in two pieces.
    let lines = AudienceKey { representation: Representation::JsonLines, ..key([Matcher::exact("a").unwrap()]) };
    let mut subscription = join(&hub, lines, Start::Now).await;
    let large = "x".repeat(100_000);
    let ids = publish(&hub, [update(&["a"], "1"), update(&["a", "b"], &large), update(&["a", "b"], &large)]).await;
    let (mut text, mut pieces) = (String::new(), 0);
    while text.lines().count() < 3 || !text.ends_with('\n') {
        let bytes = timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().unwrap();
        text.push_str(str::from_utf8(&bytes).unwrap());
        pieces += usize::from(!text.ends_with('\n'));
        let whole = text.matches('\n').count();
        let reached = subscription.reached().unwrap();
        assert_eq!(reached, whole.checked_sub(1).map_or("earliest", |last| &ids[last]), "{whole} are whole");
        let mut rest = subscribe(&hub, &["a"], after(&reached)).await;
        assert_eq!(receive(&mut rest, 3 - whole).await.len(), 3 - whole);
    }
    assert!(pieces > 0, "an event came in two pieces");
}

/// A heartbeat that waits for its turn says nothing about the event before it.
#[tokio::test]
async fn an_event_that_is_taken_out_late_is_reached() {
    let hub = hub(4);
    let mut subscription = subscribe(&hub, &["a"], Start::Now).await;
    let mut other = subscribe(&hub, &["a"], Start::Now).await;
    let ids = publish(&hub, [update(&["a"], "1")]).await;
    assert_eq!(receive_data(&mut other, 1).await, ["1"], "it was sent to both");
    tokio::time::sleep(Duration::from_millis(5)).await;
    subscription.expire(Duration::from_millis(1));
    assert_eq!(receive_data(&mut subscription, 1).await, ["1"]);
    assert_eq!(subscription.reached().unwrap(), ids[0]);
    assert!(is_quiet(&mut subscription), "a stream that has just been sent an event needs no heartbeat");
}

/// The event that tells why a stream ends says nothing about the event before it either.
#[tokio::test]
async fn an_event_that_is_taken_out_after_the_end_time_is_reached() {
    let hub = hub(4);
    let ends = std::time::Instant::now() + Duration::from_millis(20);
    let opening = hub.open(key([Matcher::exact("a").unwrap()]), Start::Now).await.unwrap();
    let opening = opening.without_start_events().until(Some(ends), Some(EndReason::TokenExpired));
    let mut subscription = opening.subscribe().await;
    let mut other = subscribe(&hub, &["a"], Start::Now).await;
    let ids = publish(&hub, [update(&["a"], "1")]).await;
    assert_eq!(receive_data(&mut other, 1).await, ["1"], "it was sent to both");
    tokio::time::sleep_until(ends.into()).await;
    subscription.expire(Duration::from_secs(20));
    assert_eq!(receive_data(&mut subscription, 1).await, ["1"]);
    assert_eq!(subscription.reached().unwrap(), ids[0]);
}

#[tokio::test]
async fn each_reason_for_a_gap_is_told_first_with_the_place_to_go_on_from() {
    let hub = hub_keeping(4, Retention { count: Some(3), ..Retention::default() });
    let ids = numbered(&hub, 0..10).await;
    discarded(&hub).await;
    let epoch = &ids[0][..10];
    let (floor, head) = (format!("{epoch}7"), format!("{epoch}10"));
    let cases = [
        (ids[2].as_str(), "discarded", &floor, "earliest", texts(7..10)),
        ("never-seen", "unknown", &floor, "earliest", texts(7..10)),
        ("#zzzzzzzz-1", "foreign-epoch", &floor, "earliest", texts(7..10)),
        (&format!("{epoch}11"), "future", &head, &head, texts(10..10)),
    ];
    for (requested, reason, resumed_from, answered, rest) in cases {
        let mut subscription = subscribe(&hub, &["a"], after(requested)).await;
        assert_eq!(subscription.resumed_from(), answered, "{reason}");
        let events = receive(&mut subscription, 1 + rest.len()).await;
        let data = format!(r#"{{"requested":"{requested}","resumed_from":"{resumed_from}","reason":"{reason}"}}"#);
        assert_eq!(events[0], format!("event: fanfare.gap\nid: {resumed_from}\ndata: {data}"));
        assert_eq!(events.len(), 1 + rest.len());
        // The ID of the gap resumes without a gap.
        let mut again = subscribe(&hub, &["a"], after(resumed_from)).await;
        assert_eq!(again.resumed_from(), resumed_from);
        assert_eq!(receive_data(&mut again, rest.len()).await, rest, "{reason}");
    }
}

/// Waits until retention has done its work.
async fn discarded(hub: &Hub) {
    tokio::time::timeout(PATIENCE, async {
        while hub.bounds().oldest.0 != 8 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("retention discards within its interval");
}

/// The event with which the stream ends has to wait for its room, behind the second half of a large event.
#[tokio::test]
async fn a_large_event_is_reached_with_its_last_byte_although_the_stream_ends() {
    let hub = hub(4);
    let lines = AudienceKey { representation: Representation::JsonLines, ..key([Matcher::exact("a").unwrap()]) };
    let ends = std::time::Instant::now() + Duration::from_millis(50);
    let opening = hub.open(lines, Start::Now).await.unwrap();
    let opening = opening.without_start_events().until(Some(ends), Some(EndReason::TokenExpired));
    let mut subscription = opening.subscribe().await;
    assert!(is_quiet(&mut subscription));
    // Events with another topic, which the subscriber does not see, are kept in two pieces.
    let ids = publish(&hub, [update(&["a", "b"], &"x".repeat(100_000))]).await;
    let first = timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().unwrap();
    assert!(!first.ends_with(b"\n"), "the first piece");
    assert_eq!(subscription.reached().unwrap(), "earliest");
    tokio::time::sleep_until(ends.into()).await;
    subscription.expire(Duration::from_secs(20));
    let second = timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().unwrap();
    assert!(second.ends_with(b"\n"), "the second piece");
    assert_eq!(subscription.reached().as_deref(), Some(&*ids[0]), "the event was returned whole");
    let end = timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().unwrap();
    assert!(str::from_utf8(&end).unwrap().contains("token-expired"), "{end:?}");
}

#[tokio::test]
async fn a_gap_that_opens_under_a_slow_subscriber_is_told_in_its_place() {
    let hub = hub_keeping(4, Retention { count: Some(3), ..Retention::default() });
    let mut subscription = subscribe(&hub, &["a"], Start::Now).await;
    let mut quick = subscribe(&hub, &["a"], Start::Now).await;
    let ids = numbered(&hub, 0..10).await;
    discarded(&hub).await;
    // Whatever was routed has left the slow one's window by the time that the quick one has the last of it.
    while !receive_data(&mut quick, 1).await.contains(&"9".to_owned()) {}
    let events = receive(&mut subscription, 5).await;
    let epoch = &ids[0][..10];
    assert!(events[0].ends_with("data: 0"), "it was there to be taken when nothing was discarded");
    assert!(events[1].starts_with(&format!("event: fanfare.gap\nid: {epoch}7\n")), "{}", events[1]);
    assert!(events[1].contains(r#""reason":"discarded""#));
    assert!(events[2].ends_with("data: 7") && events[4].ends_with("data: 9"));
}

#[tokio::test]
async fn a_replay_ends_with_what_was_under_way_when_it_began() {
    let hub = hub(4);
    for place in 0..200 {
        numbered(&hub, place..place + 1).await;
        // In the queue to the log from the first poll on, and nobody waits for the answer.
        let mut under_way = pin!(hub.publish(vec![update(&["a"], "under way")]));
        let _ = under_way.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let opening = hub.open(key([Matcher::exact("a").unwrap()]), after("earliest")).await.unwrap();
        let (mut replay, mut text) = (opening.without_start_events().replay(false).await, String::new());
        while let Some(bytes) = replay.next().await.unwrap() {
            text.push_str(str::from_utf8(&bytes).unwrap());
        }
        assert_eq!(text.matches("\n\n").count(), 2 * (place + 1));
        assert!(text.ends_with("data: under way\n\n"), "{text}");
    }
}

/// Whoever embeds the hub may have several runtimes. The log is read on that of the subscriber who needs it first.
#[test]
fn a_runtime_that_ends_holds_up_nobody_else() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (hub, mut cut_off) = first.block_on(async {
        let hub = hub(4);
        numbered(&hub, 0..3).await;
        let subscription = subscribe(&hub, &["a"], after("earliest")).await;
        (hub, subscription)
    });
    drop(first);
    runtime().block_on(async {
        let mut other = subscribe(&hub, &["a"], after("earliest")).await;
        assert_eq!(receive_data(&mut other, 3).await, ["0", "1", "2"]);
        assert!(cut_off.next().await.unwrap().is_err(), "nobody reads on for it");
        assert!(cut_off.next().await.is_none());
    });
}
