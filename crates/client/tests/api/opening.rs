//! Waiting for the first connection.
use crate::{
    connection::Connection,
    fixture::{event, run, source},
    server::Server,
};
use fanfare_client::{Error, ManualClock, ReadyState, Reconnect};
use futures_util::StreamExt as _;

#[test]
fn it_is_the_response_and_touches_no_event() {
    run(async {
        let clock = ManualClock::new();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Request-Id: 7\r\n\r\n";
        let server = Server::start([Connection::raw(format!("{head}data:1\n\ndata:2\n\n"))]);
        let mut source = source(&server, &clock).last_event_id("6").build().unwrap();
        let opened = source.open().await.unwrap();
        assert_eq!((&opened.parts.headers["x-request-id"], &*opened.last_event_id), (&"7".parse().unwrap(), "6"));
        assert_eq!(source.open().await.unwrap().url, opened.url, "it is not asked again");
        assert_eq!(event(&mut source).await.data, "1");
        source.open().await.unwrap();
        assert_eq!((event(&mut source).await.data.as_str(), server.requests().len()), ("2", 1));
    });
}

#[test]
fn a_refusal_is_an_error_with_all_that_was_said() {
    run(async {
        let json = "Content-Type: application/json\r\nX-Why: no\r\n";
        for (status, policy) in [
            (401, Reconnect::spec()),
            (500, Reconnect::spec()),
            (500, Reconnect::resilient().max_attempts(1)),
            (429, Reconnect::never()),
            (200, Reconnect::spec()),
            (200, Reconnect::resilient()),
            (200, Reconnect::never()),
        ] {
            let clock = ManualClock::new();
            let server = Server::start([Connection::answer(status, json, "{\"error\":\"no\"}")]);
            let mut source = source(&server, &clock).reconnect(policy).build().unwrap();
            let error = source.open().await.unwrap_err();
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{error:?}");
            assert_eq!(error.excerpt(), Some("{\"error\":\"no\"}"), "{error:?}");
            let parts = match &error {
                Error::Status { parts, .. } | Error::ContentType { parts, .. } => parts,
                Error::GaveUp { cause, .. } => &cause.refused().unwrap().parts,
                other => panic!("{other:?}"),
            };
            assert_eq!(parts.headers["x-why"], "no");
            assert_eq!(source.ready_state(), ReadyState::Closed);
            assert!(source.next().await.is_none());
        }
    });
}

#[test]
fn no_events_and_a_close_are_told_apart() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::answer(204, "", "")]);
        let mut none = source(&server, &clock).build().unwrap();
        assert!(matches!(none.open().await, Err(Error::NoContent)));
        assert!(matches!(none.open().await, Err(Error::NoContent)), "again");
        let server = Server::start([Connection::answer(404, "", "")]);
        let mut failed = source(&server, &clock).build().unwrap();
        assert!(matches!(failed.open().await, Err(Error::Status { .. })));
        assert!(matches!(failed.open().await, Err(Error::Ended)), "the error was returned before");
        let mut closed = source(&server, &clock).build().unwrap();
        closed.handle().close();
        assert!(matches!(closed.open().await, Err(Error::Closed)));
    });
}
