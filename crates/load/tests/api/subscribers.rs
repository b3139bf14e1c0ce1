//! The bytes that a peer sends, one by one, and what a subscriber makes of it.
use crate::peer::{HEAD, Peer, acknowledge, event, event_due};
use fanfare_load::{
    epoch::Epoch,
    fault::Faults,
    publish::{Counts, Plan, Publishing},
    subscribe::crowd::{Audience, Crowd},
    target::Naming,
};
use std::{io::Write, thread, time::Duration};

/// Returns what is said to have been published: `count` events.
fn published(count: u64) -> Counts {
    let peer = Peer::new();
    let target = peer.target();
    let answers = thread::spawn(move || acknowledge(&peer, count, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let plan =
        Plan { naming: Naming::Exact, topics: 1, publishers: 1, rate: Some(100_000), count: Some(count), bytes: 64 };
    let counts = Publishing::start(&target, plan, Epoch::now(), &Counts::new(1, 1)).finish().unwrap().counts;
    drop(answers.join().unwrap());
    counts
}

/// Lets a subscriber that expects events from the first on receive this answer, when `count` have been published.
fn receive(answer: &str, count: u64) -> (u64, Faults) {
    let peer = Peer::new();
    let audience = Audience { subscribers: 1, topics: 1, naming: Naming::Exact };
    let mut crowd = Crowd::new(&peer.target(), audience, Epoch::now()).unwrap();
    let answer = answer.to_owned();
    let peer = thread::spawn(move || peer.serve(&answer));
    crowd.connect("connecting", 1, 0, &Counts::new(1, 1)).unwrap();
    let (_socket, request) = peer.join().unwrap();
    assert!(request.starts_with("GET /topics/load-") && request.contains("Accept: text/event-stream"), "{request}");
    let report = crowd.receive("delivering", &published(count)).unwrap();
    (report.deliveries, report.faults)
}

#[test]
fn events_in_order_are_counted() {
    let (deliveries, faults) = receive(&format!("{HEAD}:\n\n{}{}{}", event(0), event(1), event(2)), 3);
    assert_eq!((deliveries, faults), (3, Faults::default()));
}

#[test]
fn what_should_not_happen_is_counted_and_told() {
    let gap = "event: fanfare.gap\ndata: {}\n\n";
    let answer = format!("{HEAD}{}{}{}{gap}{}", event(0), event(0), event(3), event(2));
    let (deliveries, faults) = receive(&answer, 4);
    assert_eq!(deliveries, 2);
    assert_eq!(faults.to_string(), "1 missed, 1 repeated, 1 out of order, 1 foreign");
    let told = [
        "event 0 arrived again, but event 1 was expected",
        "event 3 arrived, but event 1 was expected: events are missing",
        "an unknown event of type fanfare.gap arrived: {}",
    ];
    for (example, text) in faults.examples.iter().zip(told) {
        assert!(example.starts_with("subscriber 0: ") && example.contains(text), "{example}");
    }
}

#[test]
fn what_does_not_come_is_undelivered() {
    let (deliveries, faults) = receive(&format!("{HEAD}{}", event(0)), 3);
    assert_eq!((deliveries, faults.undelivered, faults.count()), (1, 2, 2));
}

#[test]
fn who_is_refused_cannot_begin() {
    for (answer, said) in [
        ("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "503"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", "its Content-Type is text/html"),
        ("", "closed by the server"),
    ] {
        let peer = Peer::new();
        let audience = Audience { subscribers: 1, topics: 1, naming: Naming::Exact };
        let mut crowd = Crowd::new(&peer.target(), audience, Epoch::now()).unwrap();
        let peer = thread::spawn(move || drop(peer.serve(answer)));
        let error = crowd.connect("connecting", 1, 0, &Counts::new(1, 1)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        peer.join().unwrap();
    }
}

#[test]
fn who_comes_back_says_what_it_has_seen_and_checks_what_follows() {
    let peer = Peer::new();
    let epoch = Epoch::now();
    let audience = Audience { subscribers: 1, topics: 1, naming: Naming::Exact };
    let mut crowd = Crowd::new(&peer.target(), audience, epoch).unwrap();
    let peer = thread::spawn(move || {
        // Its stream ends by itself, then it is made to leave.
        drop(peer.serve(&format!("{HEAD}{}", event(0))));
        let (second, request) = peer.serve(&format!("{HEAD}{}", event(1)));
        assert!(request.contains("Last-Event-ID: 0"), "{request}");
        let (mut third, request) = peer.accept();
        assert!(request.contains("Last-Event-ID: 1"), "{request}");
        third.write_all(HEAD.as_bytes()).unwrap();
        let events = event(2) + &event_due(3, epoch.elapsed() + Duration::from_secs(1));
        third.write_all(events.as_bytes()).unwrap();
        (second, third)
    });
    crowd.connect("connecting", 1, 0, &Counts::new(1, 1)).unwrap();
    let report = crowd.receive("delivering", &published(2)).unwrap();
    assert_eq!((report.deliveries, report.faults.ended, report.faults.count()), (2, 1, 1));
    crowd.leave("leaving", 1).unwrap();
    let (_, behind) = crowd.come_back("coming back").unwrap();
    let report = crowd.receive("delivering", &published(4)).unwrap();
    assert_eq!((behind, report.deliveries, report.faults.count()), (0, 4, 1));
    peer.join().unwrap();
}

#[test]
fn who_pauses_reads_nothing_until_it_resumes() {
    let peer = Peer::new();
    let epoch = Epoch::now();
    let audience = Audience { subscribers: 1, topics: 1, naming: Naming::Exact };
    let mut crowd = Crowd::new(&peer.target(), audience, epoch).unwrap();
    let peer = thread::spawn(move || peer.serve(HEAD).0);
    crowd.connect("connecting", 1, 1, &Counts::new(1, 1)).unwrap();
    let mut socket = peer.join().unwrap();
    crowd.pause(1).unwrap();
    socket.write_all(event(0).as_bytes()).unwrap();
    assert_eq!(crowd.report().unwrap().deliveries, 0);
    let late = event_due(1, epoch.elapsed() + Duration::from_secs(1));
    socket.write_all(late.as_bytes()).unwrap();
    let (report, behind) = crowd.resume("reading").unwrap();
    assert_eq!((behind, report.deliveries, report.troubled.count(), report.steady.count()), (0, 2, 2, 0));
}
