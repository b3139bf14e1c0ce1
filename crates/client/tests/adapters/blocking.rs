//! `Events::blocking`: programs without `async`.
use crate::script::{Answer, Script};
use fanfare_client::{Acknowledge, Events as _, MemoryStore, ReadyState};
use std::{panic::catch_unwind, thread};

#[test]
fn events_are_iterated_over() {
    let script = Script::new([Answer::Open(&["id: 1\ndata: a\n\n", "data: b\n\ndata: end\n\n"])]);
    let data: Vec<String> = script.source().until("end").blocking().unwrap().map(|e| e.unwrap().data.into()).collect();
    assert_eq!(data, ["a", "b"]);
    assert_eq!(script.dropped(), 1);
}

#[test]
fn the_event_source_stays_within_reach() {
    let script = Script::new([Answer::Open(&["id: 1\ndata: a\n\nid: 2\ndata: b\n\n"])]);
    let store = MemoryStore::new();
    let source = script.builder().store(store.clone()).acknowledge(Acknowledge::Manual).build().unwrap();
    let mut events = source.blocking().unwrap();
    let first = events.next().unwrap().unwrap();
    events.next().unwrap().unwrap();
    assert_eq!((events.get_ref().last_event_id(), store.last_event_id()), ("2", None));
    events.get_mut().acknowledge(&first);
    events.flush().unwrap();
    assert_eq!(store.last_event_id().as_deref(), Some("1"));
    events.get_mut().close();
    assert!(events.next().is_none() && events.next().is_none());
    assert_eq!(events.get_ref().ready_state(), ReadyState::Closed);
}

#[test]
fn a_handle_ends_the_wait_from_another_thread() {
    let script = Script::new([Answer::Open(&[])]);
    let source = script.source();
    let handle = source.handle();
    let mut events = source.blocking().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| events.next().is_none());
        while handle.ready_state() != ReadyState::Open {
            thread::yield_now();
        }
        handle.close();
        assert!(waiting.join().unwrap());
    });
}

#[tokio::test]
async fn it_has_no_place_in_async_code() {
    let script = Script::new([Answer::Open(&["data: a\n\n"])]);
    let panicked = catch_unwind(move || script.source().blocking().unwrap().next().is_some()).unwrap_err();
    let message = panicked.downcast_ref::<&str>().copied().unwrap_or_default();
    assert!(message.contains("Cannot start a runtime from within a runtime"), "{message}");

    // There it has, and where it is dropped does not matter.
    let script = Script::new([Answer::Open(&["data: a\n\n"])]);
    let mut events = script.source().blocking().unwrap();
    let (event, events) = tokio::task::spawn_blocking(move || (events.next(), events)).await.unwrap();
    drop(events);
    assert_eq!(event.unwrap().unwrap().data, "a");
}
