//! Connections that fail or end: C8, C10, and in which order it is told (C15).
use crate::{
    connection::{Connection, Gate},
    fixture::{Expect as _, SECOND, event, play, run, signals, source},
    log::Log,
    server::Server,
};
use fanfare_client::{Cause, Error, ManualClock, ReadyState, Reconnect, Signal};
use futures_util::StreamExt as _;
use http::StatusCode;
use std::time::Duration;

#[test]
fn c08_a_server_that_cannot_be_reached_is_tried_again() {
    run(async {
        let clock = ManualClock::new();
        let mut server = Server::down();
        let mut signals = signals(&server, &clock);
        for _ in 0..3 {
            let (cause, delay) = signals.reconnecting().await;
            assert!(matches!(cause, Cause::Transport(_)), "{cause:?}");
            assert_eq!(signals.source().ready_state(), ReadyState::Connecting);
            signals.is_waiting();
            clock.advance(delay);
        }
        server.come_up(|_, _| Connection::stream());
        signals.opened().await;
    });
}

#[test]
fn c08_a_response_that_breaks_off_or_is_none_is_tried_again() {
    run(async {
        for broken in [
            Connection::silent().reset(),
            Connection::silent().close(),
            Connection::silent().half_close(),
            Connection::raw("HTTP/1.1 200 OK\r\nContent-Ty").close(),
            Connection::raw("HTTP/1.1 200 OK\r\nContent-Ty").reset(),
            Connection::raw("SSH-2.0-OpenSSH\r\n\r\n").close(),
        ] {
            let clock = ManualClock::new();
            let server = Server::start([broken, Connection::stream()]);
            let mut signals = signals(&server, &clock);
            let (cause, delay) = signals.reconnecting().await;
            assert!(matches!(cause, Cause::Transport(_)), "{cause:?}");
            assert!((3 * SECOND..=6 * SECOND).contains(&delay), "{delay:?}");
            clock.advance(delay);
            signals.opened().await;
        }
    });
}

#[test]
fn c10_a_body_that_ends_or_breaks_is_followed_by_another_connection() {
    run(async {
        let gate = Gate::default();
        let length =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\nContent-Length: 8\r\n\r\n";
        let bare = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        let longer = length.replace('8', "9");
        for (connection, clean) in [
            (Connection::stream().piece("data:1\n\n").wait(&gate).end(), true),
            (Connection::stream().piece("data:1\n\n").wait(&gate).close(), false),
            (Connection::stream().piece("data:1\n\n").wait(&gate).half_close(), false),
            (Connection::stream().piece("data:1\n\n").wait(&gate).reset(), false),
            (Connection::stream().piece("data:1\n\n").wait(&gate).write("not a length\r\n"), false),
            (Connection::raw(length).write("data:1\n\n").wait(&gate).close(), true),
            (Connection::raw(longer).write("data:1\n\n").wait(&gate).close(), false),
            (Connection::raw(bare).write("data:1\n\n").wait(&gate).close(), true),
            (Connection::raw(bare).write("data:1\n\n").wait(&gate).reset(), false),
        ] {
            let clock = ManualClock::new();
            let told = format!("{connection:?}");
            let server = Server::start([connection, Connection::stream()]);
            let mut signals = signals(&server, &clock);
            signals.opened().await;
            assert_eq!(signals.event().await.data, "1");
            gate.open();
            let (cause, delay) = signals.reconnecting().await;
            assert_eq!(matches!(cause, Cause::EndOfStream), clean, "{cause:?} after {told}");
            assert_eq!(matches!(cause, Cause::Broken(_)), !clean, "{cause:?} after {told}");
            assert_eq!((signals.source().ready_state(), delay), (ReadyState::Connecting, 3 * SECOND));
            // Nothing is asked before the time has passed.
            clock.advance(delay - Duration::from_nanos(1));
            signals.is_waiting();
            assert_eq!(server.requests().len(), 1);
            clock.advance(Duration::from_nanos(1));
            signals.opened().await;
        }
    });
}

/// The signals that browsers give by `error` and `open`.
#[test]
fn c15_signals_come_in_the_order_of_what_happens() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([
            Connection::silent().reset(),
            Connection::stream().piece(":a\ndata:1\n:b\n\n").end(),
            Connection::stream().end(),
            Connection::answer(404, "", ""),
        ]);
        let mut signals = signals(&server, &clock);
        let mut told = Vec::new();
        while let Some(signal) = signals.next().await {
            told.push(match signal {
                Ok(Signal::Open(_)) => "open".to_owned(),
                Ok(Signal::Event(event)) => format!("event {}", event.data),
                Ok(Signal::Comment(text)) => format!("comment {text}"),
                Ok(Signal::Reconnecting { delay, .. }) => {
                    clock.advance(delay);
                    "error".to_owned()
                }
                Ok(other) => panic!("{other:?}"),
                Err(_) => "end".to_owned(),
            });
        }
        let expected = ["error", "open", "comment a", "comment b", "event 1", "error", "open", "error", "end"];
        assert_eq!(told, expected);
    });
}

#[test]
fn a_server_that_answers_and_closes_is_asked_less_and_less_often() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::answering(|_, _| Connection::stream().piece("retry:3000\n\n").end());
        let mut signals = signals(&server, &clock);
        let mut delays = Vec::new();
        while delays.len() < 40 {
            if let Signal::Reconnecting { delay, .. } = signals.signal().await {
                delays.push(delay);
                clock.advance(delay);
            }
        }
        let most = |delays: &[Duration]| delays.iter().max().copied().unwrap();
        for (number, delay) in (1_u32..).zip(&delays) {
            let longest = (3 * SECOND * 2_u32.pow(number.min(8))).min(30 * SECOND);
            assert!((3 * SECOND..=longest).contains(delay), "{delay:?} is delay {number}");
        }
        assert!(most(&delays) > 20 * SECOND, "{delays:?}");
        let mean = |delays: &[Duration]| delays.iter().sum::<Duration>() / u32::try_from(delays.len()).unwrap();
        assert!(mean(&delays[4..]) > 2 * mean(&delays[..2]), "{delays:?}");
    });
}

#[test]
fn a_server_that_is_away_for_a_while_loses_nothing() {
    run(async {
        let (clock, gate) = (ManualClock::new(), Gate::default());
        let log = |events: u32| Log::new((1..=events).map(|number| number.to_string()));
        let mut server = Server::down();
        let end = gate.clone();
        server.come_up(move |_, request| {
            Connection::stream().piece(log(3).after(request.last_event_id())).wait(&end).reset()
        });
        let mut signals = signals(&server, &clock);
        signals.opened().await;
        for number in 1..=3 {
            assert_eq!(signals.event().await.data, number.to_string());
        }
        server.go_down().await;
        gate.open();
        for _ in 0..4 {
            let (cause, delay) = signals.reconnecting().await;
            assert!(matches!(cause, Cause::Broken(_) | Cause::Transport(_)), "{cause:?}");
            clock.advance(delay);
        }
        server.come_up(move |_, request| Connection::stream().piece(log(6).after(request.last_event_id())));
        assert_eq!(signals.opened().await.last_event_id, "3");
        for number in 4..=6 {
            assert_eq!(signals.event().await.data, number.to_string());
        }
    });
}

#[test]
fn attempts_in_a_row_without_an_event_come_to_an_end() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::answering(|number, _| match number {
            0 | 1 | 3 | 4 => Connection::stream().end(),
            2 => Connection::stream().piece("data:1\n\n").end(),
            _ => Connection::silent().reset(),
        });
        let policy = Reconnect::spec().max_attempts(3);
        let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
        let (events, error) = play(&mut signals, &clock).await;
        assert_eq!(events.len(), 1);
        let Some(Error::GaveUp { attempts: 3, cause: Cause::Transport(_) }) = error else { panic!("{error:?}") };
        assert_eq!(server.requests().len(), 6);
        signals.ended().await;
    });
}

#[test]
fn without_reconnecting_the_end_of_the_response_is_the_end() {
    run(async {
        let clock = ManualClock::new();
        let never = |server: &Server| source(server, &clock).reconnect(Reconnect::never()).build().unwrap();
        let server = Server::start([Connection::stream().piece("data:1\n\n").end()]);
        let mut source = never(&server);
        assert_eq!(event(&mut source).await.data, "1");
        assert!(source.next().await.is_none());
        let server = Server::start([Connection::stream().piece("data:1\n\n").close()]);
        let mut source = never(&server);
        assert_eq!(event(&mut source).await.data, "1");
        let error = source.next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::GaveUp { cause: Cause::Broken(_), .. }), "{error:?}");
        let error = never(&Server::down()).next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::GaveUp { attempts: 1, cause: Cause::Transport(_) }), "{error:?}");
    });
}

#[test]
fn the_resilient_try_again_after_what_passes_and_heed_retry_after() {
    run(async {
        let clock = ManualClock::new();
        let (minute, policy) = (60 * SECOND, Reconnect::resilient().seed(1).max_delay(4 * SECOND));
        let passing = [
            (503, "Retry-After: 60\r\n", minute..=minute),
            (429, "Retry-After: 1\r\n", 3 * SECOND..=4 * SECOND),
            (500, "", 3 * SECOND..=4 * SECOND),
            (408, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 3 * SECOND..=4 * SECOND),
            (504, "Retry-After: soon\r\n", 3 * SECOND..=4 * SECOND),
            (502, "Retry-After: 99999999999999999999\r\n", 24 * 60 * minute..=24 * 60 * minute),
        ];
        let answers = passing.iter().map(|(status, headers, _)| Connection::answer(*status, headers, "later"));
        let server = Server::start(answers.chain([Connection::answer(401, "", "")]));
        let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
        for (status, _, range) in &passing {
            let (cause, delay) = signals.reconnecting().await;
            assert!(
                matches!(&cause, Cause::Status(told) if told.parts.status.as_u16() == *status && told.excerpt == "later"),
                "{cause:?}"
            );
            assert!(range.contains(&delay), "{delay:?} after {status}");
            clock.advance(delay);
        }
        assert_eq!(signals.error().await.status(), Some(StatusCode::UNAUTHORIZED));
    });
}
