//! The signals beside events.
use crate::{
    connection::Connection,
    fixture::{Expect as _, event, run, signals, source},
    server::Server,
};
use fanfare_client::{ManualClock, Signal};

const STREAM: &str = ":\n: one\n:  two\nid:1\n:within\ndata:1\n\n:\u{2026}\r\ndata:2\n\n";

#[test]
fn comments_come_where_they_stand() {
    run(async {
        for piece_bytes in [1, 7, 1000] {
            let clock = ManualClock::new();
            let stream =
                STREAM.as_bytes().chunks(piece_bytes).fold(Connection::stream(), |stream, piece| stream.piece(piece));
            let server = Server::start([stream]);
            let mut signals = signals(&server, &clock);
            signals.opened().await;
            for expected in [":", ":one", ": two", ":within", "1", ":\u{2026}", "2"] {
                let told = match signals.signal().await {
                    Signal::Comment(text) => format!(":{text}"),
                    Signal::Event(event) => event.data.to_string(),
                    other => panic!("{other:?}"),
                };
                assert_eq!(told, expected);
            }
        }
    });
}

#[test]
fn whoever_reads_events_gets_events_alone() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece(STREAM)]);
        let mut source = source(&server, &clock).build().unwrap();
        assert_eq!([event(&mut source).await.data, event(&mut source).await.data], ["1", "2"]);
    });
}
