//! Ending it from this side: C9, C12, C13, C16.
use crate::{
    connection::Connection,
    fixture::{Expect as _, SECOND, event, run, signals, source},
    server::Server,
};
use fanfare_client::{ManualClock, ReadyState};
use futures_core::FusedStream as _;
use futures_util::StreamExt as _;

#[test]
fn c09_closing_while_connecting_aborts_the_request() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::silent()]);
        let mut signals = signals(&server, &clock);
        signals.waits_until(server.asked(1)).await;
        signals.source().close();
        server.over(0).await;
        signals.ended().await;
        assert_eq!((server.requests().len(), clock.next_due()), (1, None), "there is no other attempt");
    });
}

#[test]
fn c12_closing_aborts_and_no_event_comes_after_it() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("data:1\n\ndata:2\n\n")]);
        let mut source = source(&server, &clock).build().unwrap();
        assert_eq!(event(&mut source).await.data, "1");
        for _ in 0..2 {
            source.close();
            assert_eq!(source.ready_state(), ReadyState::Closed);
        }
        server.over(0).await;
        assert!(source.next().await.is_none());
        source.close();
        assert!(source.next().await.is_none() && source.is_terminated());
        assert_eq!(source.ready_state(), ReadyState::Closed);
    });
}

#[test]
fn c12_closing_before_the_first_poll_asks_nothing() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream()]);
        let mut source = source(&server, &clock).build().unwrap();
        source.close();
        assert!(source.next().await.is_none());
        assert!(server.requests().is_empty());
    });
}

#[test]
fn c12_closing_while_waiting_ends_the_wait() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().end()]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        signals.reconnecting().await;
        signals.is_waiting();
        signals.source().close();
        clock.advance(60 * SECOND);
        signals.ended().await;
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn c13_nothing_is_told_after_closing() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece(":a\n\ndata:1\n\n").end()]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        signals.source().close();
        signals.ended().await;
        assert!(signals.is_terminated());
    });
}

#[test]
fn c16_dropping_closes_the_connection() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("data:1\n\n"), Connection::silent()]);
        let mut open = source(&server, &clock).build().unwrap();
        let handle = open.handle();
        event(&mut open).await;
        assert_eq!(handle.ready_state(), ReadyState::Open);
        drop(open);
        server.over(0).await;
        assert_eq!(handle.ready_state(), ReadyState::Closed, "nobody will read it any more");

        let mut connecting = signals(&server, &clock);
        connecting.waits_until(server.asked(2)).await;
        drop(connecting);
        server.over(1).await;
        assert_eq!(clock.next_due(), None, "no timer is left behind");
    });
}
