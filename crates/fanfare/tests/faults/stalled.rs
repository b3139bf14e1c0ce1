//! Subscribers that stop reading for a while: they miss nothing, and what they do not read is not kept in memory.
use crate::{
    hub::Hub,
    peer::{Publisher, Subscriber},
};

const SUBSCRIBERS: usize = 20;
/// Publications in each half of the test, of about 10 KB each: 40 MB.
const EVENTS: usize = 4_000;
/// The amount that the hub may grow by: a window of 1 MiB for the audience, and half a MiB of buffers for each
/// subscriber. If events were queued per subscriber, it would be 800 MB.
const GROWTH_KIB: u64 = 1_024 + 512 * SUBSCRIBERS as u64;
/// The most that the hub grows by in a round of warming up once it is warm.
const WARM_KIB: u64 = 1_024;
/// The most rounds of warming up.
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
    assert!(stalled.saturating_sub(before) < GROWTH_KIB, "grew by {} KiB", stalled - before);
    assert!(read.saturating_sub(before) < 2 * GROWTH_KIB, "grew by {} KiB", read - before);
}

/// Fills the log's own caches, by writing and by reading, and the allocator's, until both are full: gives the memory of
/// the hub in KiB then.
fn warm_up(hub: &Hub, publisher: &mut Publisher) -> u64 {
    let mut before = hub.pss_kib();
    for round in 0..WARM_UPS {
        let topic = format!("warm-up-{round}");
        publish(publisher, &topic, 0);
        Subscriber::connect(hub.address, &topic, Some("earliest")).unwrap().receive_count(EVENTS);
        let now = hub.pss_kib();
        println!("warming up: {before} KiB, then {now} KiB");
        if now < before + WARM_KIB {
            return now;
        }
        before = now;
    }
    before
}

fn publish(publisher: &mut Publisher, topic: &str, first: usize) {
    let filler = "x".repeat(10_000);
    for batch in (first..first + EVENTS).step_by(50) {
        let lines: String = (batch..batch + 50).map(|number| format!("{number} {filler}\n")).collect();
        publisher.publish(topic, "application/x-ndjson", &lines).unwrap();
    }
}
