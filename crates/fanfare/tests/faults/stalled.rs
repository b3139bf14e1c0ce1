//! Subscribers that stop reading for a while: they miss nothing, and what they do not read is not kept in memory.
use crate::{
    hub::Hub,
    peer::{Publisher, Subscriber},
};

use std::thread;

const SUBSCRIBERS: usize = 20;
/// Publications in each half of the test, of about 10 KB each: 40 MB.
const EVENTS: usize = 4_000;
/// The number of KiB by which the hub may grow, over what it takes with as many subscribers that read along: half of
/// what is published. A busy machine changes how much is on its way, up to half a MiB for each subscriber. If events
/// were kept, the hub would grow by 40 MB where all share them, and by 800 MB where each has its own.
const GROWTH_KIB: u64 = EVENTS as u64 * 10 / 2;
/// The largest growth of a warm hub in a round of warming up.
const WARM_KIB: u64 = 1_024;
/// The greatest number of rounds of warming up.
const WARM_UPS: usize = 6;

#[test]
fn they_receive_everything_while_memory_stays_bounded() {
    let hub = Hub::start(&[]);
    let mut publisher = Publisher::connect(hub.address).unwrap();
    let before = warm_up(&hub, &mut publisher);
    let mut subscribers: Vec<Subscriber> =
        (0..SUBSCRIBERS).map(|_| Subscriber::connect(hub.address, "stalled", None).unwrap()).collect();
    publish(&mut publisher, "stalled", EVENTS);
    let stalled = hub.pss_kib();
    println!("{SUBSCRIBERS} stalled subscribers, 40 MB published: {before} KiB before, {stalled} KiB then");
    for subscriber in &mut subscribers {
        let events = subscriber.receive_count(EVENTS);
        let numbers = events.iter().map(|event| event.data.split_once(' ').unwrap().0.parse::<usize>().unwrap());
        assert!(numbers.eq(EVENTS..2 * EVENTS));
    }
    let read = hub.pss_kib();
    println!("after they have read everything: {read} KiB");
    for now in [stalled, read] {
        assert!(now.saturating_sub(before) < GROWTH_KIB, "grew from {before} to {now} KiB, by {GROWTH_KIB} or more");
    }
}

/// Fills the log's own caches, by writing and by reading, and the allocator's, until both are full: gives the memory of
/// the hub in KiB with as many subscribers as later stop reading, which have read along.
fn warm_up(hub: &Hub, publisher: &mut Publisher) -> u64 {
    let mut before = hub.pss_kib();
    for round in 0..WARM_UPS {
        let topic = format!("warm-up-{round}");
        let now = with_readers(hub, &topic, |hub| {
            publish(publisher, &topic, 0);
            Subscriber::connect(hub.address, &topic, Some("earliest")).unwrap().receive_count(EVENTS);
        });
        println!("warming up: {before} KiB, then {now} KiB");
        if now < before + WARM_KIB {
            return now;
        }
        before = now;
    }
    before
}

/// Does something while subscribers read along: gives the memory of the hub in KiB when they have everything.
fn with_readers(hub: &Hub, topic: &str, act: impl FnOnce(&Hub)) -> u64 {
    let readers: Vec<_> = (0..SUBSCRIBERS)
        .map(|_| Subscriber::connect(hub.address, topic, None).unwrap())
        .map(|reader| thread::spawn(|| read_all(reader)))
        .collect();
    act(hub);
    let connected: Vec<Subscriber> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    let memory = hub.pss_kib();
    drop(connected);
    memory
}

/// Reads all events of a round and keeps none.
fn read_all(mut subscriber: Subscriber) -> Subscriber {
    let (mut events, mut seen) = (Vec::new(), 0);
    while seen < EVENTS {
        subscriber.receive(&mut events).unwrap();
        seen += events.len();
        events.clear();
    }
    subscriber
}

fn publish(publisher: &mut Publisher, topic: &str, first: usize) {
    let filler = "x".repeat(10_000);
    for batch in (first..first + EVENTS).step_by(50) {
        let lines: String = (batch..batch + 50).map(|number| format!("{number} {filler}\n")).collect();
        publisher.publish(topic, "application/x-ndjson", &lines).unwrap();
    }
}
