//! Publishers against a peer that answers as it likes.
use crate::peer::{Peer, acknowledge};
use fanfare_load::{
    epoch::Epoch,
    publish::{Counts, Plan, Publishing},
    target::Naming,
};
use std::thread;

const PLAN: Plan = Plan { naming: Naming::Exact, topics: 3, publishers: 1, rate: None, count: Some(4), bytes: 64 };

#[test]
fn topics_take_turns_and_both_ways_to_publish_count_alike() {
    for rate in [None, Some(1_000)] {
        let peer = Peer::new();
        let target = peer.target();
        let peer = thread::spawn(move || acknowledge(&peer, 4, "HTTP/1.1 204 No Content\r\n\r\n"));
        let publishing = Publishing::start(&target, Plan { rate, ..PLAN }, Epoch::now(), &Counts::new(3, 1));
        let published = publishing.finish().unwrap();
        let request = peer.join().unwrap();
        assert!(request.starts_with("POST /topics/load-") && request.contains("Content-Length: 64"), "{request}");
        assert_eq!((published.count, published.latencies.count()), (4, 4));
        assert_eq!([0, 1, 2].map(|topic| published.counts.of(topic)[0]), [2, 1, 1]);
    }
}

#[test]
fn a_refused_publication_ends_the_run() {
    for rate in [None, Some(1_000)] {
        let peer = Peer::new();
        let target = peer.target();
        let peer = thread::spawn(move || peer.serve("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").0);
        let publishing = Publishing::start(&target, Plan { rate, ..PLAN }, Epoch::now(), &Counts::new(3, 1));
        let error = publishing.finish().unwrap_err();
        assert!(error.to_string().contains("403 Forbidden no"), "{error}");
        drop(peer.join().unwrap());
    }
}
