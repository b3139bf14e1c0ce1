//! Peers that say nothing: how long a response may take, and how long a stream may be silent.
use crate::{
    connection::{Connection, Gate},
    fixture::{Expect as _, SECOND, run, source},
    server::Server,
};
use fanfare_client::{Cause, ManualClock, Signal};
use std::time::Duration;

const NANOSECOND: Duration = Duration::from_nanos(1);

#[test]
fn a_response_that_does_not_come_is_given_up() {
    run(async {
        for (silent, timeout) in [
            (Connection::silent(), None),
            (Connection::raw("HTTP/1.1 200 OK\r\nContent-Type: text/event-"), None),
            (Connection::silent(), Some(5 * SECOND)),
        ] {
            let clock = ManualClock::new();
            let server = Server::start([silent, Connection::stream()]);
            let builder = source(&server, &clock);
            let builder = if let Some(timeout) = timeout { builder.response_timeout(timeout) } else { builder };
            let timeout = timeout.unwrap_or(300 * SECOND);
            let mut signals = builder.build().unwrap().signals();
            signals.waits_until(server.asked(1)).await;
            assert_eq!(clock.next_due(), Some(timeout));
            clock.advance(timeout - NANOSECOND);
            signals.is_waiting();
            clock.advance(NANOSECOND);
            let (cause, delay) = signals.reconnecting().await;
            assert!(matches!(cause, Cause::ResponseTimeout(told) if told == timeout), "{cause:?}");
            server.over(0).await;
            clock.advance(delay);
            signals.opened().await;
            assert_eq!(clock.next_due(), None, "an open stream may be silent for ever");
        }
    });
}

#[test]
fn each_redirect_has_the_time_anew() {
    run(async {
        let (clock, gate) = (ManualClock::new(), Gate::default());
        let redirect = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let server = Server::start([Connection::silent().wait(&gate).write(redirect), Connection::silent()]);
        let mut signals = source(&server, &clock).response_timeout(10 * SECOND).build().unwrap().signals();
        signals.waits_until(server.asked(1)).await;
        clock.advance(9 * SECOND);
        gate.open();
        signals.waits_until(server.asked(2)).await;
        assert_eq!(clock.next_due(), Some(10 * SECOND));
        clock.advance(10 * SECOND);
        assert!(matches!(signals.reconnecting().await.0, Cause::ResponseTimeout(_)));
    });
}

#[test]
fn a_stream_that_falls_silent_is_left_for_another() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("id:1\ndata:1\n\n"), Connection::stream()]);
        let mut signals = source(&server, &clock).idle_timeout(10 * SECOND).build().unwrap().signals();
        signals.opened().await;
        signals.event().await;
        signals.is_waiting();
        clock.advance(10 * SECOND - NANOSECOND);
        signals.is_waiting();
        clock.advance(NANOSECOND);
        let (cause, delay) = signals.reconnecting().await;
        assert!(matches!(cause, Cause::IdleTimeout(told) if told == 10 * SECOND), "{cause:?}");
        server.over(0).await;
        clock.advance(delay);
        assert_eq!(signals.opened().await.last_event_id, "1");
    });
}

#[test]
fn a_comment_is_not_silence() {
    run(async {
        let (clock, gate) = (ManualClock::new(), Gate::default());
        let stream = Connection::stream().piece("data:1\n\n").wait(&gate).piece(":\n");
        let server = Server::start([stream]);
        let mut signals = source(&server, &clock).idle_timeout(10 * SECOND).build().unwrap().signals();
        signals.opened().await;
        signals.event().await;
        signals.is_waiting();
        clock.advance(9 * SECOND);
        signals.is_waiting();
        gate.open();
        assert!(matches!(signals.signal().await, Signal::Comment(_)));
        signals.is_waiting();
        clock.advance(10 * SECOND - NANOSECOND);
        signals.is_waiting();
        clock.advance(NANOSECOND);
        assert!(matches!(signals.reconnecting().await.0, Cause::IdleTimeout(_)));
    });
}

/// Silence is measured while somebody listens: what came meanwhile could not be noticed.
#[test]
fn time_in_which_nobody_reads_is_not_silence() {
    run(async {
        let (clock, gate) = (ManualClock::new(), Gate::default());
        let server = Server::start([Connection::stream().piece("data:1\n\n").wait(&gate).piece("data:2\n\n")]);
        let mut signals = source(&server, &clock).idle_timeout(10 * SECOND).build().unwrap().signals();
        signals.opened().await;
        assert_eq!(signals.event().await.data, "1");
        clock.advance(100 * SECOND);
        signals.is_waiting();
        gate.open();
        assert_eq!(signals.event().await.data, "2");
    });
}
