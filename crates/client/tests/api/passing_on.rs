//! Passing a stream on: all that came, and the way back to bytes.
use crate::{
    connection::Connection,
    fixture::{Expect as _, event, run, source},
    notes::Notes,
    server::Server,
};
use fanfare_client::{Acknowledge, ManualClock, Signal};

const STREAM: &str = "retry: 5000\n\nid: 1\n\nevent: ping\n\n: hello\n\nevent: x\0y\nretry: 7000\nid: 2\ndata: a\ndata:  b\n\n\
                      data: \n\nid: \n\n";

#[test]
fn nothing_is_lost_on_the_way_through() {
    run(async {
        for piece_bytes in [1, 11, 1000] {
            let clock = ManualClock::new();
            let pieces = STREAM.as_bytes().chunks(piece_bytes);
            let stream = pieces.fold(Connection::stream(), |stream, piece| stream.piece(piece)).end();
            let server = Server::start([stream]);
            let mut signals = source(&server, &clock).blocks(true).build().unwrap().signals();
            signals.opened().await;
            let mut out = Vec::new();
            while let Some(bytes) = signals.signal().await.to_wire() {
                out.extend_from_slice(&bytes);
            }
            assert_eq!(String::from_utf8(out).unwrap(), STREAM);
        }
    });
}

/// A place that no event has: whoever resumes is there.
#[test]
fn a_block_with_an_id_alone_is_kept() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server =
            Server::start([Connection::stream().piece("id:1\ndata:a\n\nid:2\n\n:\n\ndata:b\n\nid:3\n\n").end()]);
        let mut source = source(&server, &clock).store(notes.clone()).build().unwrap();
        assert_eq!(event(&mut source).await.data, "a");
        source.flush().await.unwrap();
        assert!(notes.saved().is_empty(), "the first is not dealt with yet");
        assert_eq!(event(&mut source).await.data, "b");
        source.flush().await.unwrap();
        assert_eq!(notes.saved().last().unwrap(), "2");
        let waits = futures_util::FutureExt::now_or_never(futures_util::StreamExt::next(&mut source));
        assert!(waits.is_none());
        server.over(0).await;
        while notes.saved().last().unwrap() != "3" {
            assert!(futures_util::FutureExt::now_or_never(futures_util::StreamExt::next(&mut source)).is_none());
            tokio::task::yield_now().await;
        }
        assert_eq!(source.last_event_id(), "3");
    });
}

#[test]
fn a_first_block_with_an_id_alone_is_kept() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([Connection::stream().piece("id:1\n\n").piece("data:a\n\n")]);
        let mut source = source(&server, &clock).store(notes.clone()).build().unwrap();
        event(&mut source).await;
        source.flush().await.unwrap();
        assert_eq!(notes.saved(), ["1"], "before the first event is dealt with");
    });
}

/// Behind an event that the program has not acknowledged a place does not count yet.
#[test]
fn a_block_behind_an_event_waits_for_it() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([Connection::stream().piece("id:1\ndata:a\n\nid:2\n\nid:3\n\n: end\n")]);
        let builder = source(&server, &clock).store(notes.clone()).acknowledge(Acknowledge::Manual);
        let mut signals = builder.build().unwrap().signals();
        signals.opened().await;
        let first = signals.event().await;
        while !matches!(signals.signal().await, Signal::Comment(_)) {}
        signals.source().flush().await.unwrap();
        assert!(notes.saved().is_empty());
        signals.source().acknowledge(&first);
        signals.source().flush().await.unwrap();
        assert_eq!(notes.saved(), ["3"]);
    });
}
