//! SIGKILL at a random moment, again and again, while eight publishers publish and a subscriber resumes: what was
//! acknowledged arrives exactly once and in order.
//!
//! `TEST_FANFARE_CRASH_ROUNDS=500 cargo test -p fanfare --test faults crash` plays more rounds than the usual twenty.
use crate::{
    hub::Hub,
    peer::{Publisher, Received, Subscriber},
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const PUBLISHERS: usize = 8;
const USUAL_ROUNDS: u32 = 20;
/// The last thing published: whoever has it has everything.
const END: &str = "end";

#[test]
fn what_was_acknowledged_survives_every_kill_exactly_once_and_in_order() {
    let rounds = rounds();
    let mut hub = Hub::start(&[]);
    let address = hub.address;
    let stop = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let stop = stop.clone();
            thread::spawn(move || publish_until(&stop, address, publisher))
        })
        .collect();
    let resumed = Arc::new(Mutex::new(0));
    let subscriber = thread::spawn({
        let resumed = resumed.clone();
        move || follow(address, &resumed)
    });
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(fastrand::u64(20..300)));
        hub.kill();
        hub.restart();
    }
    thread::sleep(Duration::from_millis(200));
    stop.store(true, Ordering::Relaxed);
    let acknowledged: HashMap<String, String> =
        publishers.into_iter().flat_map(|publisher| publisher.join().unwrap()).collect();
    Publisher::connect(address).unwrap().publish("crash", "text/plain", END).unwrap();
    let followed = subscriber.join().unwrap();
    let replayed = replay(address);
    println!(
        "{rounds} kills, {PUBLISHERS} publishers: {} acknowledged, {} in the log, {} received over {} resumed connections",
        acknowledged.len(),
        replayed.len(),
        followed.len(),
        resumed.lock().unwrap(),
    );
    assert!(acknowledged.len() > rounds as usize, "too little was published to prove anything");
    let difference = followed.iter().zip(&replayed).position(|(live, replayed)| live != replayed);
    assert_eq!(difference.map(|place| (&followed[place], &replayed[place])), None, "resumed and replayed differ");
    assert_eq!(followed.len(), replayed.len());
    check(&replayed, &acknowledged);
}

/// The number of times that a hub is killed.
pub fn rounds() -> u32 {
    std::env::var("TEST_FANFARE_CRASH_ROUNDS").map_or(USUAL_ROUNDS, |rounds| rounds.parse().unwrap())
}

/// Publishes `publisher.number`, counting up, and returns what was acknowledged: data and ID. What was under way when
/// the hub died is not repeated, since it may or may not be in the log.
fn publish_until(stop: &AtomicBool, hub: SocketAddr, publisher: usize) -> Vec<(String, String)> {
    let (mut acknowledged, mut connection) = (Vec::new(), None);
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        connection = connection.or_else(|| Publisher::connect(hub).ok());
        let Some(open) = &mut connection else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        let data = format!("{publisher}.{number}");
        match open.publish("crash", "text/plain", &data) {
            Ok(id) => acknowledged.push((data, id.trim_end().to_owned())),
            Err(_) => connection = None,
        }
    }
    acknowledged
}

/// Follows the topic through every crash, each time from the last event ID, as a browser does.
fn follow(hub: SocketAddr, resumed: &Mutex<u32>) -> Vec<Received> {
    let mut events: Vec<Received> = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(3_000);
    while events.last().is_none_or(|event| event.data != END) {
        assert!(Instant::now() < deadline, "the end never arrives");
        let cursor = events.last().map_or("earliest".to_owned(), |event| event.id.clone());
        match Subscriber::connect(hub, "crash", Some(&cursor)) {
            Ok(mut subscriber) => {
                *resumed.lock().unwrap() += 1;
                while events.last().is_none_or(|event| event.data != END) && subscriber.receive(&mut events).is_ok() {}
            }
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
    events
}

/// Everything, in one go.
fn replay(hub: SocketAddr) -> Vec<Received> {
    let mut subscriber = Subscriber::connect(hub, "crash", Some("earliest")).unwrap();
    let mut events: Vec<Received> = Vec::new();
    while events.last().is_none_or(|event| event.data != END) {
        subscriber.receive(&mut events).unwrap();
    }
    events
}

fn check(events: &[Received], acknowledged: &HashMap<String, String>) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut last_of: HashMap<&str, u64> = HashMap::new();
    let mut last_offset = 0;
    for event in events {
        assert_eq!(event.event_type, "message", "no gap: {event:?}");
        let offset: u64 = event.id.rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(offset, last_offset + 1, "offsets are dense: {event:?}");
        last_offset = offset;
        assert_eq!(seen.insert(&event.data, &event.id), None, "twice: {event:?}");
        if let Some((publisher, number)) = event.data.split_once('.') {
            let number = number.parse().unwrap();
            let before = last_of.insert(publisher, number);
            assert!(before.is_none_or(|before| before < number), "out of order: {event:?}");
        }
    }
    for (data, id) in acknowledged {
        assert_eq!(seen.get(data.as_str()), Some(&id.as_str()), "acknowledged and lost: {data}");
    }
}
