//! The limits of an event, at the boundary.
use crate::{
    connection::{Connection, Gate},
    fixture::{data, play, run, signals, source},
    server::Server,
};
use fanfare_client::{Error, Limits, ManualClock, ParseError};
use futures_util::StreamExt as _;

#[test]
fn each_limit_admits_what_it_says_and_no_more() {
    run(async {
        let limits = Limits { max_data_bytes: 10, max_id_bytes: 11, max_type_bytes: 12, max_line_bytes: 13 };
        for (line, room, expected) in [
            ("data: ", 10, ParseError::DataTooLong { limit: 10 }),
            ("data:12345\ndata:", 4, ParseError::DataTooLong { limit: 10 }),
            ("id: ", 11, ParseError::IdTooLong { limit: 11 }),
            ("event: ", 12, ParseError::TypeTooLong { limit: 12 }),
            (":", 12, ParseError::LineTooLong { limit: 13 }),
            ("other:", 7, ParseError::LineTooLong { limit: 13 }),
        ] {
            for (bytes, fits) in [(room, true), (room + 1, false)] {
                let clock = ManualClock::new();
                let stream = format!("data:a\n\n{line}{}\n\ndata:b\n\n", "x".repeat(bytes));
                let server = Server::start([Connection::stream().piece(stream).end(), Connection::answer(204, "", "")]);
                let mut signals = source(&server, &clock).limits(limits).build().unwrap().signals();
                let (events, error) = play(&mut signals, &clock).await;
                assert_eq!(events[0].data, "a", "what stands before is given");
                if fits {
                    assert!(error.is_none() && events.last().unwrap().data == "b", "{line}: {error:?}");
                    continue;
                }
                let Some(Error::Parse(told)) = error else { panic!("{line}: {error:?}") };
                assert_eq!((told, events.len(), server.requests().len()), (expected, 1, 1));
            }
        }
    });
}

/// Also where it is known with the last byte that has come, and no more comes.
#[test]
fn what_is_too_large_is_told_at_once() {
    run(async {
        for line in ["data:12345678901", "data:12345678901\n", "data:1\n\ndata:12345678901", "data:…12345678"] {
            let clock = ManualClock::new();
            let limits = Limits { max_data_bytes: 10, ..Limits::default() };
            let server = Server::start([Connection::stream().piece(line).wait(&Gate::default())]);
            let mut source = source(&server, &clock).limits(limits).build().unwrap();
            let mut told = source.next().await;
            if let Some(Ok(_)) = told {
                told = source.next().await;
            }
            assert!(matches!(told, Some(Err(Error::Parse(_)))), "{line}: {told:?}");
        }
    });
}

#[test]
fn sixteen_mebibytes_of_data_are_admitted_by_default() {
    run(async {
        for (bytes, fits) in [(16 << 20, true), ((16 << 20) + 1, false)] {
            let clock = ManualClock::new();
            let lines = [b"data:".as_slice(), &b"x".repeat(bytes), b"\n\ndata:b\n\n"].concat();
            let stream = lines.chunks(60_000).fold(Connection::stream(), |stream, piece| stream.piece(piece)).end();
            let server = Server::start([stream, Connection::answer(204, "", "")]);
            let (events, error) = play(&mut signals(&server, &clock), &clock).await;
            if fits {
                assert_eq!((events[0].data.len(), data(&events[1..]), error.is_none()), (bytes, vec!["b"], true));
            } else {
                let limit = Limits::DEFAULT_DATA_BYTES;
                assert!(events.is_empty());
                assert!(
                    matches!(error, Some(Error::Parse(told)) if told == ParseError::DataTooLong { limit }),
                    "{error:?}"
                );
            }
        }
    });
}
