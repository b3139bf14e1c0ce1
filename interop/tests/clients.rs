//! Clients of other people's making, and ours, on our hub, over HTTP/1.1: what they receive, and that a hub that is
//! killed and comes back costs them nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_interop::{
    client::Client,
    curl::Transfer,
    http,
    hub::{HEARTBEAT_INTERVAL, Hub},
    subscriber::{Received, START_EVENT},
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

/// What is published: a query that says more of it, its data, and these as they arrive. Of the types, `error`, `open`,
/// `end`, `retrying` and `closed` are left out: some clients tell of themselves by events of these types.
const UPDATES: &[(&str, &str, (&str, &str))] = &[
    ("", "plain", ("message", "plain")),
    ("type=greeting", "with a type", ("greeting", "with a type")),
    ("type=gr%C3%BC%C3%9Fe", "with a type that is not ASCII", ("grüße", "with a type that is not ASCII")),
    ("id=%E2%80%A6", "with an ID that is not ASCII", ("message", "with an ID that is not ASCII")),
    ("", "one\ntwo\n\nfour", ("message", "one\ntwo\n\nfour")),
    ("", "one\r\ntwo\rthree", ("message", "one\ntwo\nthree")),
    ("", "ends with a line break\n", ("message", "ends with a line break\n")),
    ("", " a space\n  two: and a colon", ("message", " a space\n  two: and a colon")),
    ("", "data: x\nid: y\nevent: z\n: c", ("message", "data: x\nid: y\nevent: z\n: c")),
    ("", "日本語 😀 \u{feff} é", ("message", "日本語 😀 \u{feff} é")),
    (
        "",
        "no breaks: \u{b} \u{c} \u{85} \u{2028} \u{2029}",
        ("message", "no breaks: \u{b} \u{c} \u{85} \u{2028} \u{2029}"),
    ),
    ("type=over", "over", ("over", "over")),
];

/// More than any buffer on the way takes.
const LARGE: usize = 700_000;

#[test]
fn each_client_receives_what_was_published() {
    let hub = Hub::start();
    let large = "größer ".repeat(LARGE / 8);
    let updates: Vec<_> =
        [("type=large", &*large, ("large", &*large))].into_iter().chain(UPDATES.iter().copied()).collect();
    let ids: Vec<String> =
        updates.iter().map(|(query, data, _)| hub.publish(&format!("news?{query}"), data).unwrap()).collect();
    for Client { name, start } in Client::ALL {
        println!("{name}");
        let mut client = start(&hub.topic("news?last_event_id=earliest"), &["large", "greeting", "grüße", "over"]);
        for ((_, _, (event_type, data)), id) in updates.iter().zip(&ids) {
            let received = client.event();
            let wanted = Received { event_type: (*event_type).to_owned(), data: (*data).to_owned(), id: id.clone() };
            assert!(
                received == wanted,
                "{name}: {:.200} in place of {:.200}",
                format!("{received:?}"),
                format!("{wanted:?}")
            );
        }
    }
}

/// How often the hub is killed under each client.
const KILLS: u32 = 3;
/// The number of events that the client gets between two kills.
const EVENTS_BETWEEN_KILLS: usize = 40;

#[test]
fn each_client_has_everything_once_and_in_order_when_the_hub_is_killed_and_comes_back() {
    for Client { name, start } in Client::ALL {
        let mut hub = Hub::start();
        // Otherwise some wait for seconds.
        hub.publish("news?retry=50", "begin").unwrap();
        let url = hub.topic("news");
        let mut client = start(&hub.topic("news?last_event_id=earliest"), &["tick", "over", "fanfare.gap"]);
        let (mut received, stop) = (Vec::new(), AtomicBool::new(false));
        let acknowledged = thread::scope(|scope| {
            let publisher = scope.spawn(|| publish_until(&stop, &url));
            // A client that gets nothing more must not leave the publisher at work.
            let stop = StopsWhenDropped(&stop);
            for _ in 0..KILLS {
                received.extend((0..EVENTS_BETWEEN_KILLS).map(|_| client.event()));
                hub.kill();
                hub.restart();
                // Whoever has this has come back.
                let id = hub.publish("news", "started again").unwrap();
                while received.last().is_none_or(|event: &Received| event.id != id) {
                    received.push(client.event());
                }
            }
            drop(stop);
            publisher.join().unwrap()
        });
        hub.publish("news?type=over", "over").unwrap();
        while received.last().is_none_or(|event| event.event_type != "over") {
            received.push(client.event());
        }
        println!("{name}: {} acknowledged, {} received over {KILLS} kills", acknowledged.len(), received.len());
        check(name, &received, &replay(&hub), &acknowledged);
    }
}

/// A comment between events is passed over, also where it is followed by a blank line and there has been an ID.
#[test]
fn a_heartbeat_is_no_event_for_any_client() {
    let hub = Hub::start();
    hub.publish("news", "one").unwrap();
    let mut clients: Vec<_> = Client::ALL
        .iter()
        .map(|Client { name, start }| (name, start(&hub.topic("news?last_event_id=earliest"), &[])))
        .collect();
    for (name, client) in &mut clients {
        assert_eq!(client.event().data, "one", "{name}");
    }
    // Heartbeats cannot be seen by who passes them over; two come in this time.
    thread::sleep(2 * HEARTBEAT_INTERVAL + HEARTBEAT_INTERVAL / 2);
    hub.publish("news", "two").unwrap();
    for (name, client) in &mut clients {
        assert_eq!(client.event().data, "two", "{name}");
    }
}

struct StopsWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopsWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Publishes numbers, counting up, half of them as `tick`, and returns what was acknowledged: data and ID. What was
/// under way when the hub died is not repeated, since it may or may not be in the log.
fn publish_until(stop: &AtomicBool, topic: &str) -> Vec<(String, String)> {
    let mut acknowledged = Vec::new();
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (data, query) = (format!("{number}\nünd weiter ☃"), if number % 2 == 0 { "" } else { "?type=tick" });
        match http::post(&format!("{topic}{query}"), &data) {
            Ok(id) => acknowledged.push((data, id.trim_end().to_owned())),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
    acknowledged
}

/// Everything in the log, in one go.
fn replay(hub: &Hub) -> Vec<Received> {
    let mut events: Vec<Received> = Vec::new();
    for event in Transfer::start(&hub.topic("news"), "earliest").filter(|event| event.event_type != START_EVENT) {
        events.push(event);
        if events.last().is_some_and(|event| event.event_type == "over") {
            break;
        }
    }
    events
}

fn check(name: &str, received: &[Received], replayed: &[Received], acknowledged: &[(String, String)]) {
    let difference = received.iter().zip(replayed).find(|(received, replayed)| received != replayed);
    assert_eq!(difference, None, "{name}: received and replayed differ");
    assert_eq!(received.len(), replayed.len(), "{name}");
    assert!(received.iter().all(|event| event.event_type != "fanfare.gap"), "{name}: a gap");
    // Each once, and in the order of their acknowledgement: the log has some more between them.
    let mut events = received.iter();
    for (data, id) in acknowledged {
        let is_it = |event: &Received| event.data == *data && event.id == *id;
        assert!(events.any(is_it), "{name}: acknowledged, and lost or out of order: {data:?}");
        assert_eq!(received.iter().filter(|event| event.data == *data).count(), 1, "{name}: {data:?} twice");
    }
}
