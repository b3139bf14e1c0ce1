//! A million events in the log: IDs resume exactly, also just after a crash, and a long replay goes live.
use crate::{
    hub::Hub,
    peer::{Publisher, Subscriber},
};
use std::time::Instant;

const EVENTS: usize = 1_000_000;
const BATCH: usize = 10_000;
const REPLAY: usize = 100_000;

#[test]
fn ids_resume_and_a_long_replay_goes_live() {
    let mut hub = Hub::start(&[]);
    let mut publisher = Publisher::connect(hub.address).unwrap();
    let begun = Instant::now();
    let mut ids: Vec<String> = Vec::with_capacity(EVENTS);
    for first in (0..EVENTS).step_by(BATCH) {
        let lines: String = (first..first + BATCH).map(|number| format!("{number}\n")).collect();
        let answer = publisher.publish("long", "application/x-ndjson", &lines).unwrap();
        ids.extend(answer.lines().map(str::to_owned));
    }
    assert_eq!(ids.len(), EVENTS);
    println!("{EVENTS} events published in {:.1?}", begun.elapsed());
    for after_a_crash in [false, true] {
        if after_a_crash {
            hub.kill();
            let begun = Instant::now();
            hub.restart();
            println!("started again after SIGKILL in {:.1?}", begun.elapsed());
        }
        for place in [0, 1, EVENTS / 3, EVENTS - REPLAY - 1, EVENTS - 10_001, EVENTS - 2] {
            let expected = (EVENTS - 1 - place).min(1_000);
            let begun = Instant::now();
            let events = Subscriber::connect(hub.address, "long", Some(&ids[place])).unwrap().receive_count(expected);
            println!("resumed behind event {place} in {:.1?}", begun.elapsed());
            for (index, event) in events.iter().take(expected).enumerate() {
                assert_eq!((event.data.parse(), &event.id), (Ok(place + 1 + index), &ids[place + 1 + index]));
            }
        }
    }
    replay_goes_live(&hub, &ids);
}

fn replay_goes_live(hub: &Hub, ids: &[String]) {
    let begun = Instant::now();
    let mut subscriber = Subscriber::connect(hub.address, "long", Some(&ids[EVENTS - REPLAY - 1])).unwrap();
    let events = subscriber.receive_count(REPLAY);
    println!("{REPLAY} events replayed in {:.1?}", begun.elapsed());
    assert!(events.iter().map(|event| event.data.parse::<usize>().unwrap()).eq(EVENTS - REPLAY..EVENTS));
    let mut publisher = Publisher::connect(hub.address).unwrap();
    for number in 0..3 {
        publisher.publish("long", "text/plain", &format!("live {number}")).unwrap();
    }
    let live = subscriber.receive_count(3);
    assert!(live.iter().map(|event| event.data.as_str()).eq(["live 0", "live 1", "live 2"]));
}
