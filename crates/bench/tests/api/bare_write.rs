//! The baseline under the load that it is a baseline for.
use fanfare_bench::bare_write;
use fanfare_load::{
    epoch::Epoch,
    publish::{Counts, Plan, Publishing},
    recipe::Recipe,
    subscribe::crowd::{Audience, Crowd},
    target::Naming,
};
use std::{net::TcpListener, thread};

#[test]
fn each_subscriber_gets_each_event_and_those_that_left_are_forgotten() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, epoch) = (listener.local_addr().unwrap(), Epoch::now());
    // It ends with this process.
    thread::spawn(move || bare_write::serve(listener));
    let target = Recipe::Fanfare.target(&format!("http://{address}")).unwrap();
    let audience = Audience { subscribers: 170, topics: 1, naming: Naming::Exact };
    let mut crowd = Crowd::new(&target, audience, epoch).unwrap();
    let mut counts = Counts::new(1, 2);
    crowd.connect("connecting", 170, 0, &counts).unwrap();
    crowd.leave("leaving", 20).unwrap();
    for rate in [Some(1_000), None] {
        let plan = Plan { naming: Naming::Exact, topics: 1, publishers: 2, rate, count: Some(10), bytes: 200 };
        counts = Publishing::start(&target, plan, epoch, &counts).finish().unwrap().counts;
    }
    let report = crowd.receive("delivering", &counts).unwrap();
    assert_eq!((report.deliveries, report.faults.count()), (150 * 20, 0), "{:?}", report.faults);
}
