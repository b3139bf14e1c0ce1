//! Requests that are not a plain `GET`.
use crate::{
    connection::Connection,
    fixture::{Expect as _, play, run, source},
    server::Server,
};
use fanfare_client::{Attempt, Builder, Cause, Error, ManualClock, Reconnect};
use http::Method;
use std::io;

fn post(server: &Server, clock: &ManualClock) -> Builder {
    source(server, clock).method(Method::POST).body("question").header("content-type", "text/plain")
}

#[test]
fn a_post_is_sent_once() {
    run(async {
        let clock = ManualClock::new();
        let event = || Connection::stream().piece("id:1\ndata:\n\n");
        for (connection, ends_well) in [
            (event().end(), true),
            (event().close(), false),
            (Connection::silent().close(), false),
            (Connection::silent().reset(), false),
            (Connection::answer(503, "", ""), false),
        ] {
            let server = Server::start([connection]);
            let builder = post(&server, &clock).reconnect(Reconnect::resilient());
            let (_, error) = play(&mut builder.build().unwrap().signals(), &clock).await;
            assert_eq!(error.is_none(), ends_well, "{error:?}");
            assert!(matches!(error, None | Some(Error::NotRepeated { .. })), "{error:?}");
            let [request] = server.requests().try_into().unwrap();
            assert_eq!((&*request.line, &*request.body), ("POST /events HTTP/1.1", &b"question"[..]));
        }
    });
}

#[test]
fn a_post_is_not_sent_again_by_reconnecting() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("data:1\n\n").piece("data:2\n\n")]);
        let mut signals = post(&server, &clock).build().unwrap().signals();
        signals.opened().await;
        signals.event().await;
        signals.source().reconnect_now();
        assert_eq!(signals.event().await.data, "2", "the connection stays");
        assert_eq!(server.requests().len(), 1);
    });
}

#[test]
fn a_post_that_was_not_sent_yet_is_no_second_one() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().end()]);
        let hook = |attempt: Attempt| async move {
            if attempt.number == 1 {
                Err(io::Error::other("no token yet"))?;
            }
            Ok(attempt)
        };
        let mut signals = post(&server, &clock).before_attempt(hook).build().unwrap().signals();
        let (cause, delay) = signals.reconnecting().await;
        assert!(matches!(cause, Cause::Hook(_)), "{cause:?}");
        clock.advance(delay);
        signals.opened().await;
        signals.ended().await;
    });
}

#[test]
fn a_post_is_sent_again_if_the_program_says_so() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([
            Connection::stream().piece("id:1\ndata:\n\n").end(),
            Connection::silent().reset(),
            Connection::answer(204, "", ""),
        ]);
        let (_, error) =
            play(&mut post(&server, &clock).repeat_requests(true).build().unwrap().signals(), &clock).await;
        assert!(error.is_none(), "{error:?}");
        let requests = server.requests();
        assert_eq!(requests.len(), 3);
        for (request, id) in requests.iter().zip(["", "1", "1"]) {
            assert_eq!((&*request.body, request.last_event_id()), (&b"question"[..], id));
        }
    });
}

#[test]
fn a_get_is_sent_once_if_the_program_says_so() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("data:\n\n").end()]);
        let (events, error) =
            play(&mut source(&server, &clock).repeat_requests(false).build().unwrap().signals(), &clock).await;
        assert_eq!((events.len(), error.is_none(), server.requests().len()), (1, true, 1));
    });
}

#[test]
fn headers_of_the_program_stand_in_place_of_the_defaults() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream()]);
        let builder =
            source(&server, &clock).header("Accept", "text/event-stream, */*").header("x-a", "1").header("X-A", "2");
        builder.bearer("token").build().unwrap().signals().opened().await;
        let request = &server.requests()[0];
        for (name, value) in [
            ("accept", "text/event-stream, */*"),
            ("x-a", "2"),
            ("authorization", "Bearer token"),
            ("pragma", "no-cache"),
        ] {
            assert_eq!(request.header(name), Some(value.as_bytes()), "{name}");
        }
    });
}
