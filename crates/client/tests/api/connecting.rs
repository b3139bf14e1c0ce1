//! The request, and what its response means: C1 to C6.
use crate::{
    connection::Connection,
    fixture::{Expect as _, SECOND, run, signals, source, source_of},
    server::Server,
};
use fanfare_client::{BuildError, EXCERPT_BYTES, Error, EventSource, ManualClock, ReadyState, Reconnect, Verdict};
use futures_util::StreamExt as _;
use std::sync::Arc;
use tokio::sync::Notify;

#[test]
fn c01_a_url_that_cannot_be_asked_is_refused() {
    let clock = ManualClock::new();
    for url in [
        "",
        "/events",
        "events",
        "http://",
        "http://[",
        "ftp://h/",
        "javascript:alert(1)",
        "data:,x",
        "http://h:99999/",
    ] {
        let refused = source_of(url, &clock).build().err();
        assert_eq!(refused, Some(BuildError::Url(url.to_owned())), "{url:?}");
    }
    for (given, url) in [("HTTP://H", "http://h/"), ("http://h/é?ü#f", "http://h/%C3%A9?%C3%BC#f")] {
        assert_eq!(source_of(given, &clock).build().unwrap().url().as_str(), url);
    }
}

#[test]
fn c02_it_asks_as_browsers_do() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream()]);
        let url = server.url("/a/b?c=d#e");
        source_of(&url, &clock).build().unwrap().signals().opened().await;
        let [request] = server.requests().try_into().unwrap();
        assert_eq!(request.line, "GET /a/b?c=d HTTP/1.1");
        assert_eq!(request.header("accept"), Some(&b"text/event-stream"[..]));
        assert_eq!(request.header("cache-control"), Some(&b"no-cache"[..]));
        assert_eq!(request.header("pragma"), Some(&b"no-cache"[..]));
        for absent in ["last-event-id", "authorization", "cookie", "content-length", "transfer-encoding"] {
            assert_eq!(request.header(absent), None, "{absent}");
        }
    });
}

#[test]
fn c03_it_begins_as_connecting_and_asks_nothing_before_it_is_polled() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream()]);
        let mut signals = signals(&server, &clock);
        assert_eq!(signals.source().ready_state(), ReadyState::Connecting);
        tokio::task::yield_now().await;
        assert!(server.requests().is_empty());
        signals.is_waiting();
        assert_eq!(signals.source().ready_state(), ReadyState::Connecting);
        signals.opened().await;
        assert_eq!(signals.source().ready_state(), ReadyState::Open);
    });
}

#[test]
fn c04_200_with_the_type_of_event_streams_opens() {
    run(async {
        for content_type in [
            "text/event-stream",
            "Text/Event-Stream",
            "text/event-stream;",
            "text/event-stream; charset=utf-8",
            "text/event-stream ;x=y",
        ] {
            let clock = ManualClock::new();
            let head = format!("HTTP/1.1 200 Fine\r\nContent-Type: {content_type}\r\nX-Told: yes\r\n\r\n");
            let server = Server::start([Connection::raw(head)]);
            let mut signals = signals(&server, &clock);
            let opened = signals.opened().await;
            assert_eq!(opened.url.as_str(), server.url("/events"));
            assert_eq!((opened.parts.status.as_u16(), &opened.parts.headers["x-told"] == "yes"), (200, true));
            assert_eq!(signals.source().ready_state(), ReadyState::Open, "{content_type}");
        }
    });
}

#[test]
fn c05_other_statuses_end_it() {
    run(async {
        for status in
            [201, 202, 205, 206, 210, 299, 300, 304, 305, 400, 401, 403, 404, 408, 410, 429, 500, 502, 503, 504]
        {
            let error = refusal(Connection::answer(status, "Content-Type: text/event-stream\r\n", "")).await;
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        }
    });
}

#[test]
fn c05_other_content_types_end_it() {
    run(async {
        let body = "data:1\n\n";
        for content_type in ["text/plain", "text/event-stream-x", "text/event-streamx;", "x", "application/json"] {
            let error = refusal(Connection::answer(200, &format!("Content-Type: {content_type}\r\n"), body)).await;
            let Error::ContentType { content_type: Some(told), .. } = error else { panic!("{error:?}") };
            assert_eq!(told, content_type);
        }
        let error = refusal(Connection::answer(200, "", body)).await;
        assert!(matches!(error, Error::ContentType { content_type: None, .. }), "{error:?}");
    });
}

/// The error with which `connection` ends an event source: the first and last item, and no other request.
async fn refusal(connection: Connection) -> Error {
    let clock = ManualClock::new();
    let server = Server::start([connection]);
    let mut source = source(&server, &clock).build().expect("it can be built");
    let error = source.next().await.expect("an item").expect_err("the item is an error");
    assert_eq!(source.ready_state(), ReadyState::Closed);
    assert!(source.next().await.is_none() && source.next().await.is_none());
    assert_eq!((server.requests().len(), clock.next_due()), (1, None));
    error
}

#[test]
fn c05_a_refusal_keeps_the_beginning_of_its_body() {
    run(async {
        let long = |bytes: usize| "x".repeat(bytes);
        for (body, kept) in [
            (String::new(), 0),
            (long(EXCERPT_BYTES - 1), EXCERPT_BYTES - 1),
            (long(EXCERPT_BYTES), EXCERPT_BYTES),
            (long(EXCERPT_BYTES + 1), EXCERPT_BYTES),
            (long(1 << 20), EXCERPT_BYTES),
        ] {
            let Error::Status { parts, excerpt } = refusal(Connection::answer(403, "X-Why: no\r\n", &body)).await
            else {
                panic!("a status")
            };
            assert_eq!((excerpt.len(), &parts.headers["x-why"] == "no"), (kept, true));
        }
        let torn = Connection::raw(b"HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nno \xff".to_vec()).close();
        let Error::Status { excerpt, .. } = refusal(torn).await else { panic!("a status") };
        assert_eq!(excerpt, "no \u{fffd}", "what came counts, also if it is less than was promised");
    });
}

/// A server that refuses and then never ends its body does not keep the program from knowing.
#[test]
fn c05_a_refusal_waits_for_its_body_for_seconds() {
    run(async {
        let (clock, judged) = (ManualClock::new(), Arc::new(Notify::new()));
        let server = Server::start([Connection::raw("HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nwhy")]);
        let told = Arc::clone(&judged);
        let hook = move |_: &http::response::Parts| {
            told.notify_one();
            Verdict::ByPolicy
        };
        let mut signals = source(&server, &clock).on_response(hook).build().unwrap().signals();
        signals.waits_until(judged.notified()).await;
        assert_eq!(clock.next_due(), Some(5 * SECOND));
        clock.advance(5 * SECOND);
        let Error::Status { excerpt, .. } = signals.error().await else { panic!("a status") };
        assert!("why".starts_with(&excerpt), "{excerpt:?}");
    });
}

#[test]
fn c06_204_ends_it_without_an_error() {
    run(async {
        for policy in [Reconnect::spec(), Reconnect::resilient(), Reconnect::never()] {
            let clock = ManualClock::new();
            let server = Server::start([Connection::answer(204, "", "")]);
            let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
            signals.ended().await;
            assert_eq!(signals.source().ready_state(), ReadyState::Closed);
            assert_eq!(server.requests().len(), 1);
        }
    });
}

#[test]
fn what_no_header_can_carry_is_refused() {
    let refused = |builder: fanfare_client::Builder| builder.build().err();
    let builder = || source_of("http://h/", &ManualClock::new());
    for name in ["", "a b", "é"] {
        assert_eq!(refused(builder().header(name, "v")), Some(BuildError::Header { name: name.to_owned() }));
    }
    assert!(matches!(refused(builder().header("x", "a\nb")), Some(BuildError::Header { .. })));
    assert!(matches!(refused(builder().bearer("a\r\nb")), Some(BuildError::Header { .. })));
    for id in ["a\nb", "a\rb", "\0"] {
        assert_eq!(refused(builder().last_event_id(id)), Some(BuildError::LastEventId(id.to_owned())));
    }
    assert!(EventSource::builder("nowhere").header("a b", "v").build().is_err());
}
