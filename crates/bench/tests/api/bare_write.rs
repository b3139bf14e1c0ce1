//! The baseline under the load that it is a baseline for.
use fanfare_bench::{bare_write, paced::Pace, subscribers::Subscribers};
use std::{net::TcpListener, thread, time::Instant};

#[test]
fn each_subscriber_gets_each_event_and_those_that_left_are_forgotten() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, epoch) = (listener.local_addr().unwrap(), Instant::now());
    // It ends with this process.
    thread::spawn(move || bare_write::serve(listener));
    let mut stay = Subscribers::connect(address, "t", 150, 0, epoch, |_| {}).unwrap();
    drop(Subscribers::connect(address, "t", 20, 0, epoch, |_| {}).unwrap());
    for first in [0, 10] {
        let pace = Pace { topic: "t", rate: 1_000, count: 10, bytes: 200, first };
        pace.publish(address, epoch).unwrap();
    }
    stay.receive_all(20, |_| Ok(())).unwrap();
    assert_eq!((stay.deliveries(), stay.latencies().count()), (3_000, 3_000));
}
