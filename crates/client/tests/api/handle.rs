//! An event source in the hands of others than who reads it.
use crate::{
    connection::Connection,
    fixture::{Expect as _, event, run, signals, source},
    server::Server,
};
use fanfare_client::{Cause, ManualClock, ReadyState, Reconnect};
use futures_util::StreamExt as _;
use std::time::Duration;

#[test]
fn closing_from_elsewhere_wakes_the_reader() {
    run(async {
        let silent = || Connection::silent();
        let open = || Connection::stream().piece("data:1\n\n");
        let waiting = || Connection::stream().piece("data:1\n\n").end();
        for connection in [silent, open, waiting].map(|connection: fn() -> Connection| connection()) {
            let clock = ManualClock::new();
            let server = Server::start([connection]);
            let mut source = source(&server, &clock).build().unwrap();
            let handle = source.handle();
            let reader = tokio::spawn(async move {
                let mut events = 0;
                while let Some(event) = source.next().await {
                    event.expect("it ends without an error");
                    events += 1;
                }
                events
            });
            server.asked(1).await;
            tokio::task::yield_now().await;
            let closer = handle.clone();
            std::thread::spawn(move || closer.close()).join().unwrap();
            assert_eq!(handle.ready_state(), ReadyState::Closed);
            assert!(reader.await.unwrap() <= 1);
            server.over(0).await;
            assert_eq!((server.requests().len(), handle.ready_state()), (1, ReadyState::Closed));
        }
    });
}

/// A close at any moment of a poll is seen, by that poll or because it wakes the reader again.
#[test]
fn no_close_is_lost() {
    for round in 0..200 {
        run(async {
            let server = Server::down();
            let mut source = source(&server, &ManualClock::new()).build().unwrap();
            let handle = source.handle();
            let closer = std::thread::spawn(move || {
                (0..round * 20).for_each(|_| std::hint::spin_loop());
                handle.close();
            });
            assert!(source.next().await.is_none());
            closer.join().unwrap();
        });
    }
}

#[test]
fn reconnecting_from_elsewhere_ends_the_wait() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([
            Connection::stream().piece("id:1\ndata:1\n\n").end(),
            Connection::stream().piece("data:2\n\n"),
        ]);
        let mut source = source(&server, &clock).build().unwrap();
        let handle = source.handle();
        assert_eq!(event(&mut source).await.data, "1");
        let reader = tokio::spawn(async move { (event(&mut source).await, source) });
        // The time stands: only this leads to another connection.
        while clock.next_due().is_none() {
            tokio::task::yield_now().await;
        }
        handle.reconnect_now();
        let (event, source) = reader.await.unwrap();
        assert_eq!((&*event.data, &*event.last_event_id), ("2", "1"));
        assert_eq!(source.ready_state(), ReadyState::Open);
    });
}

#[test]
fn reconnecting_while_open_makes_a_connection_anew() {
    run(async {
        let clock = ManualClock::new();
        let first = Connection::stream().piece("id:1\ndata:1\n\nid:2\ndata:not read yet\n\n");
        let server = Server::start([first, Connection::stream().piece("data:2\n\n")]);
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        assert_eq!(signals.event().await.data, "1");
        signals.source().reconnect_now();
        let (cause, delay) = signals.reconnecting().await;
        assert!(matches!(cause, Cause::Requested) && delay == Duration::ZERO, "{cause:?} {delay:?}");
        server.over(0).await;
        assert_eq!(signals.opened().await.last_event_id, "1");
        assert_eq!(signals.event().await.data, "2");
    });
}

#[test]
fn reconnecting_while_connecting_does_nothing() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::silent()]);
        let mut signals = signals(&server, &clock);
        signals.source().reconnect_now();
        signals.waits_until(server.asked(1)).await;
        signals.source().reconnect_now();
        signals.is_waiting();
        tokio::task::yield_now().await;
        signals.is_waiting();
        assert_eq!(server.requests().len(), 1);
    });
}

/// A connection that the program leaves says nothing about the server, but an event that it brought counts.
#[test]
fn reconnecting_does_not_count_as_an_attempt_in_vain() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::answering(|number, _| match number {
            0 => Connection::stream(),
            1 => Connection::stream().piece("data:1\n\n"),
            _ => Connection::silent().reset(),
        });
        let policy = Reconnect::spec().max_attempts(1);
        let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
        signals.opened().await;
        signals.source().reconnect_now();
        signals.reconnecting().await;
        signals.opened().await;
        signals.event().await;
        signals.source().reconnect_now();
        signals.reconnecting().await;
        signals.error().await;
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn an_event_source_can_move_to_other_threads() {
    fn can_move<T: Send + Unpin>() {}
    fn can_be_shared<T: Clone + Send + Sync>() {}
    can_move::<fanfare_client::EventSource>();
    can_move::<fanfare_client::Signals>();
    can_be_shared::<fanfare_client::Handle>();
}
