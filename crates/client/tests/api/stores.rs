//! Stores, in which the last event ID outlives the program.
use crate::{
    connection::{Connection, Gate},
    fixture::{Expect as _, event, play, run, source},
    notes::Notes,
    server::Server,
};
use fanfare_client::{Acknowledge, Error, Limits, ManualClock, ReadyState};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::time::timeout;

fn numbered(numbers: std::ops::RangeInclusive<u32>) -> Connection {
    numbers.fold(Connection::stream(), |stream, number| stream.piece(format!("id:{number}\ndata:{number}\n\n")))
}

#[test]
fn it_starts_from_what_is_kept() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream(), Connection::stream(), Connection::stream()]);
        for (notes, given, sent) in
            [(Notes::holding("7"), None, "7"), (Notes::default(), None, ""), (Notes::holding("7"), Some("8"), "8")]
        {
            let builder = source(&server, &clock).store(notes);
            let builder = if let Some(id) = given { builder.last_event_id(id) } else { builder };
            let mut signals = builder.build().unwrap().signals();
            assert_eq!(signals.opened().await.last_event_id, sent);
            assert_eq!(server.requests().last().unwrap().last_event_id(), sent);
            assert_eq!(signals.source().last_event_id(), sent);
        }
    });
}

#[test]
fn an_event_counts_when_the_next_is_asked_for() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([numbered(1..=3)]);
        let mut source = source(&server, &clock).store(notes.clone()).build().unwrap();
        event(&mut source).await;
        source.flush().await.unwrap();
        assert!(notes.saved().is_empty(), "the first is not dealt with yet");
        event(&mut source).await;
        source.flush().await.unwrap();
        assert_eq!(notes.saved(), ["1"]);
        event(&mut source).await;
        source.close();
        assert!(source.next().await.is_none());
        assert_eq!(notes.saved().last().unwrap(), "3", "after the third the end was asked for");
    });
}

#[test]
fn a_program_that_stops_gets_what_it_had_not_dealt_with_again() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([numbered(1..=3), numbered(2..=3)]);
        let mut first = source(&server, &clock).store(notes.clone()).build().unwrap();
        event(&mut first).await;
        assert_eq!(event(&mut first).await.data, "2");
        first.flush().await.unwrap();
        drop(first);
        let mut second = source(&server, &clock).store(notes).build().unwrap();
        assert_eq!(event(&mut second).await.data, "2");
        assert_eq!(server.requests()[1].last_event_id(), "1");
    });
}

#[test]
fn an_event_counts_when_the_program_says_so() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([numbered(1..=4)]);
        let builder = source(&server, &clock).store(notes.clone()).acknowledge(Acknowledge::Manual);
        let mut source = builder.build().unwrap();
        let mut events = Vec::new();
        for _ in 0..4 {
            events.push(event(&mut source).await);
        }
        source.flush().await.unwrap();
        assert!(notes.saved().is_empty());
        source.acknowledge(&events[0]);
        source.flush().await.unwrap();
        source.acknowledge(&events[1]);
        source.acknowledge(&events[2]);
        source.flush().await.unwrap();
        assert_eq!(notes.saved(), ["1", "3"], "of two at once the last counts");
        source.acknowledge(&events[3]);
        source.close();
        assert!(source.next().await.is_none());
        assert_eq!(notes.saved(), ["1", "3", "4"], "what was acknowledged before the end is kept");
    });
}

/// An ID without an event is saved as soon as it has arrived: before the error that follows it, and while nothing
/// follows it. An event does not wait for it.
#[test]
fn an_id_without_an_event_is_saved_before_what_follows() {
    run(async {
        for (rest, follows) in [("data:a long text\n\n", "error"), ("data:b\n\n", "event"), ("", "nothing")] {
            let (clock, notes) = (ManualClock::new(), Notes::default());
            let stream = Connection::stream().piece("id:1\ndata:a\n\n").piece(format!("id:2\n\n{rest}"));
            let server = Server::start([stream]);
            let limits = Limits { max_data_bytes: 10, ..Limits::default() };
            let mut source = source(&server, &clock).store(notes.clone()).limits(limits).build().unwrap();
            event(&mut source).await;
            match follows {
                "error" => drop(source.next().await.unwrap().unwrap_err()),
                "event" => {
                    event(&mut source).await;
                    source.flush().await.unwrap();
                }
                _ => assert!(timeout(Duration::from_millis(100), source.next()).await.is_err()),
            }
            assert_eq!(notes.saved().last().unwrap(), "2", "{follows}");
        }
    });
}

/// A server may set many IDs without an event, and a save may cost two syncs of a disk.
#[test]
fn ids_without_events_that_arrive_together_are_saved_once() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        notes.save_at_once();
        let blocks: String = (1..=1_000).map(|number| format!("id:{number}\n\n")).collect();
        let server = Server::start([Connection::stream().piece(blocks + "data:a\n\n")]);
        let mut source = source(&server, &clock).store(notes.clone()).build().unwrap();
        event(&mut source).await;
        source.flush().await.unwrap();
        let saved = notes.saved();
        assert!(saved.len() <= 10, "{} saves", saved.len());
        assert_eq!(saved.last().unwrap(), "1000");
    });
}

#[test]
fn a_slow_store_holds_up_no_event_and_keeps_the_last() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let slow = notes.slow();
        let server = Server::start([numbered(1..=5).end(), Connection::answer(204, "", "")]);
        let mut signals = source(&server, &clock).store(notes.clone()).build().unwrap().signals();
        signals.opened().await;
        for number in 1..=5 {
            assert_eq!(signals.event().await.data, number.to_string());
        }
        clock.advance(signals.reconnecting().await.1);
        assert!(notes.saved().is_empty());
        signals.waits_until(server.asked(2)).await;
        slow.notify_one();
        let next = slow.clone();
        // The end waits until all is kept.
        let ((), end) = futures_util::future::join(async move { next.notify_one() }, play(&mut signals, &clock)).await;
        assert!(end.0.is_empty() && end.1.is_none());
        assert_eq!(notes.saved(), ["1", "5"], "what came while the first was being saved is one");
    });
}

#[test]
fn a_store_that_cannot_load_or_save_ends_it() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([numbered(1..=2)]);
        let notes = Notes::default();
        notes.fail(true);
        let mut signals = source(&server, &clock).store(notes.clone()).build().unwrap().signals();
        let error = signals.error().await;
        assert!(matches!(&error, Error::Store(error) if error.to_string() == "the disk is gone"), "{error:?}");
        signals.ended().await;
        assert!(server.requests().is_empty());

        notes.fail(false);
        let mut signals = source(&server, &clock).store(notes.clone()).build().unwrap().signals();
        signals.opened().await;
        signals.event().await;
        notes.fail(true);
        let (events, error) = play(&mut signals, &clock).await;
        let Some(Error::Store(error)) = error else { panic!("{error:?}") };
        assert!(error.to_string() == "the disk is full" && events.len() <= 1);
        assert_eq!(signals.source().ready_state(), ReadyState::Closed);
        server.over(0).await;
        signals.ended().await;
    });
}

#[test]
fn what_cannot_be_kept_at_the_end_is_told() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([numbered(1..=1).end(), Connection::answer(204, "", "")]);
        let slow = notes.slow();
        let mut signals = source(&server, &clock).store(notes.clone()).build().unwrap().signals();
        signals.opened().await;
        signals.event().await;
        clock.advance(signals.reconnecting().await.1);
        signals.waits_until(server.over(1)).await;
        signals.source().close();
        signals.is_waiting();
        notes.fail(true);
        slow.notify_one();
        assert!(matches!(signals.error().await, Error::Store(_)));
        signals.ended().await;
    });
}

#[test]
fn a_flush_that_fails_tells_and_the_next_tries_again() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([numbered(1..=1)]);
        let builder = source(&server, &clock).store(notes.clone()).acknowledge(Acknowledge::Manual);
        let mut source = builder.build().unwrap();
        let first = event(&mut source).await;
        notes.fail(true);
        source.acknowledge(&first);
        assert!(matches!(source.flush().await, Err(Error::Store(_))));
        notes.fail(false);
        source.acknowledge(&first);
        source.flush().await.unwrap();
        assert_eq!(notes.saved(), ["1"]);
    });
}

#[test]
fn an_id_is_not_kept_again_for_each_event_without_one() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let gate = Gate::default();
        let stream = Connection::stream().piece("data:a\n\ndata:b\n\nid:1\ndata:c\n\n");
        let server = Server::start([stream.piece("data:d\n\ndata:e\n\nid\ndata:f\n\n").wait(&gate)]);
        let mut source = source(&server, &clock).store(notes.clone()).build().unwrap();
        for _ in 0..6 {
            event(&mut source).await;
            source.flush().await.unwrap();
        }
        source.close();
        assert!(source.next().await.is_none());
        assert_eq!(notes.saved(), ["1", ""], "only what is another than before; that there is none is one");
    });
}
