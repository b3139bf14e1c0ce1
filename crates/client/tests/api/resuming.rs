//! `Last-Event-ID`: C11.
use crate::{
    connection::Connection,
    fixture::{Expect as _, play, run, signals, source},
    log::Log,
    server::Server,
};
use fanfare_client::{ManualClock, Signal, Warning};

/// The bytes of the header of the second request, after an event with this ID.
async fn sent_after(id: &str) -> Option<Vec<u8>> {
    let clock = ManualClock::new();
    let first = Connection::stream().piece(format!("id: {id}\ndata:\n\n")).end();
    let server = Server::start([first, Connection::answer(204, "", "")]);
    let (events, error) = play(&mut signals(&server, &clock), &clock).await;
    assert!(error.is_none() && &*events[0].last_event_id == id, "{error:?} {events:?}");
    server.requests()[1].header("last-event-id").map(<[u8]>::to_vec)
}

#[test]
fn c11_the_id_goes_out_byte_for_byte() {
    run(async {
        assert_eq!(sent_after("…").await.as_deref(), Some(&b"\xe2\x80\xa6"[..]));
        for id in ["1", "urn:uuid:1", "a b", "a\tb", "😀é", "\u{feff}", "\"'<>,;=%00", &"x".repeat(16 << 10)] {
            assert_eq!(sent_after(id).await.as_deref(), Some(id.as_bytes()), "{id:?}");
        }
        assert_eq!(sent_after("").await, None, "an empty ID is none");
    });
}

#[test]
fn c11_an_id_that_no_header_can_carry_is_left_out_and_told_once() {
    run(async {
        for id in ["\u{c}", "a\u{1}b", "\u{7f}"] {
            let clock = ManualClock::new();
            let stream = |text: String| Connection::stream().piece(text).end();
            let server = Server::start([
                stream(format!("id:1\ndata:\n\nid:{id}\ndata:\n\n")),
                stream("data:\n\n".to_owned()),
                stream("id:2\ndata:\n\n".to_owned()),
                stream(format!("id:{id}\ndata:\n\n")),
                Connection::answer(204, "", ""),
            ]);
            let mut signals =
                source(&server, &clock).header("last-event-id", "of the program").build().unwrap().signals();
            let mut warnings = 0;
            while let Some(signal) = futures_util::StreamExt::next(&mut signals).await {
                match signal.expect("it goes on") {
                    Signal::Reconnecting { delay, .. } => clock.advance(delay),
                    Signal::Warning(warning) => {
                        assert_eq!(warning, Warning::UnsendableLastEventId { id: id.into() });
                        warnings += 1;
                    }
                    _ => {}
                }
            }
            let sent: Vec<_> = server.requests().iter().map(|request| request.last_event_id().to_owned()).collect();
            assert_eq!(sent, ["of the program", "", "", "2", ""], "{id:?}");
            assert_eq!(warnings, 1, "{id:?}");
        }
    });
}

#[test]
fn c11_the_program_may_start_behind_an_id() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("data:a\n\n")]);
        let mut signals = source(&server, &clock).last_event_id("7").build().unwrap().signals();
        assert_eq!(signals.source().last_event_id(), "7");
        assert_eq!(signals.opened().await.last_event_id, "7");
        let event = signals.event().await;
        assert_eq!((&*event.last_event_id, event.id()), ("7", None));
        assert_eq!(server.requests()[0].last_event_id(), "7");
    });
}

#[test]
fn c11_an_empty_id_is_sent_no_more() {
    run(async {
        let clock = ManualClock::new();
        let server =
            Server::start([Connection::stream().piece("id\ndata:\n\n").end(), Connection::answer(204, "", "")]);
        let mut signals = source(&server, &clock).last_event_id("7").build().unwrap().signals();
        play(&mut signals, &clock).await;
        assert_eq!(server.requests()[0].last_event_id(), "7");
        assert_eq!(server.requests()[1].header("last-event-id"), None);
    });
}

#[test]
fn a_log_comes_whole_over_connections_that_break_at_every_byte() {
    let log = Log::new(["first", "…", "", "a\nb"]);
    let bytes = log.after("").len();
    for cut in 0..=bytes {
        log.check(&[cut, 1, bytes - cut]);
    }
}
