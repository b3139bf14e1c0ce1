//! Tests of what follows the end of a connection: another connection, or the end of the event source.
use super::{
    super::{Comments, Order, Rules},
    play::{Play, SECOND, rules},
};
use crate::{Cause, Error, ReadyState, Reconnect, Signal};
use std::time::Duration;

#[test]
fn the_next_connection_starts_from_the_last_event() {
    let mut play = Play::new(rules());
    play.start();
    play.open();
    play.chunk("retry:7000\nid:1\ndata:a\n\nid:2\ndata:half");
    assert_eq!(play.end_body(Cause::EndOfStream), ["reconnecting: the server ended the stream"]);
    assert_eq!(play.session.ready_state(), ReadyState::Connecting);
    assert!(matches!(play.order(), Order::Rest));
    assert_eq!(play.pass(), 7 * SECOND, "after an event the delay is what the server asks for");
    assert_eq!(play.request().headers["last-event-id"], "1");
    play.open();
    assert_eq!(play.chunk("data:b\n\n"), ["event b"], "nothing of the half event is left");
}

#[test]
fn the_end_of_a_response_ends_an_event_too_if_that_is_wanted() {
    let mut play = Play::new(Rules { finishes: true, ..rules() });
    play.start();
    play.open();
    play.chunk("id:2\ndata:half");
    assert_eq!(play.end_body(Cause::EndOfStream), ["event half", "reconnecting: the server ended the stream"]);
    assert_eq!(play.session.last_event_id(), "");
}

/// Virtual days pass at once: the delays grow up to their limit, and an event resets them.
#[test]
fn delays_grow_while_attempts_are_in_vain() {
    let mut play = Play::new(rules());
    play.start();
    for attempt in 1..1000_u32 {
        play.session.failed(Cause::Transport("away".to_owned().into_error()), play.now);
        assert_eq!(play.told(), ["reconnecting: away"]);
        assert!(matches!(play.order(), Order::Rest));
        let delay = play.pass();
        let longest = (3 * SECOND).saturating_mul(2_u32.saturating_pow(attempt)).min(30 * SECOND);
        assert!((3 * SECOND..=longest).contains(&delay), "{delay:?} after {attempt}");
        play.request();
    }
    play.open();
    play.chunk("data:a\n\n");
    play.end_body(Cause::EndOfStream);
    assert_eq!(play.pass(), 3 * SECOND);
}

#[test]
fn a_policy_may_end_it() {
    let never = Rules { reconnect: Reconnect::never(), ..rules() };
    let once = Rules { repeat: false, ..rules() };
    let twice = Rules { reconnect: Reconnect::spec().max_attempts(1), ..rules() };
    for (rules, is_told) in [(never, "the server ended"), (once, "not sent a second time"), (twice, "ended the stream")]
    {
        let mut play = Play::new(rules);
        play.start();
        play.open();
        let broken = Cause::Broken("x".to_owned().into_error());
        let cause = if is_told.starts_with("not") { broken } else { Cause::EndOfStream };
        assert_eq!(play.end_body(cause), [""; 0]);
        match play.error() {
            Some(error) => assert!(error.to_string().contains(is_told), "{error}"),
            None => assert_eq!(is_told, "the server ended", "without another attempt it is the end of the events"),
        }
        assert_eq!(play.session.ready_state(), ReadyState::Closed);
    }
}

#[test]
fn silence_is_measured_only_while_something_is_waited_for() {
    let mut play = Play::new(Rules { idle_timeout: Some(10 * SECOND), ..rules() });
    play.start();
    play.open();
    play.now += 100 * SECOND;
    assert_eq!(play.session.deadline(), None);
    play.session.silent(play.now);
    play.now += 9 * SECOND;
    play.session.silent(play.now);
    assert_eq!(play.session.deadline(), Some(play.now + SECOND));
    play.chunk(":\n");
    assert_eq!(play.session.deadline(), None, "a comment breaks the silence");
    play.session.silent(play.now);
    assert_eq!(play.pass(), 10 * SECOND);
    assert_eq!(play.told(), ["reconnecting: the server sent nothing for 10s"]);
}

#[test]
fn a_connection_that_stood_for_long_is_not_a_failure() {
    for (stood, attempts) in [(9 * SECOND, 2), (10 * SECOND, 3)] {
        let mut play = Play::new(Rules { reconnect: Reconnect::spec().max_attempts(2), ..rules() });
        play.start();
        play.session.failed(Cause::EndOfStream, play.now);
        play.told();
        play.pass();
        play.request();
        play.open();
        play.now += stood;
        play.end_body(Cause::EndOfStream);
        assert_eq!(play.session.is_ending(), attempts == 2, "{stood:?}");
    }
}

#[test]
fn the_program_may_ask_for_another_connection() {
    let mut play = Play::new(rules());
    play.start();
    play.session.reconnect_now(play.now);
    assert!(play.session.take_order().is_none(), "the session is connecting");
    play.open();
    play.session.reconnect_now(play.now);
    assert_eq!(play.told(), ["reconnecting: the program asked for a new connection"]);
    assert_eq!(play.pass(), Duration::ZERO);
    assert!(matches!(play.order(), Order::Send(_)));
    play.session.failed(Cause::EndOfStream, play.now);
    assert!(matches!(play.order(), Order::Rest));
    play.session.reconnect_now(play.now);
    play.request();
}

#[test]
fn what_is_too_large_ends_it_or_is_told() {
    for skips in [false, true] {
        let limits = crate::Limits { max_data_bytes: 3, ..crate::Limits::default() };
        let parser = fanfare_event_stream::Parser::with_limits(limits);
        let parser = if skips { parser.with_large_events_skipped() } else { parser };
        let session = super::super::Session::new(Rules { skips_large: skips, ..rules() }, parser, None);
        let mut play = Play { session, now: Duration::ZERO };
        play.start();
        play.open();
        let told = play.chunk("id:1\ndata:1234\n\ndata:a\n\n");
        if skips {
            assert_eq!((told.len(), told.last().map(String::as_str)), (2, Some("event a")), "{told:?}");
            assert_eq!(play.session.last_event_id(), "1");
        } else {
            assert_eq!(told, [""; 0]);
            assert!(matches!(play.error(), Some(Error::Parse(_))));
        }
    }
}

#[test]
fn nothing_comes_after_it_is_closed() {
    let mut play = Play::new(rules());
    play.start();
    play.open();
    assert!(play.session.receive("data:a\n\ndata:b\n\ndata:c\n\n".into()));
    assert_eq!(play.session.event_at_hand(), None, "the first event of an attempt comes as a signal");
    assert!(matches!(play.session.next_signal(Comments::Skip), Some(Signal::Event(_))));
    assert!(play.session.event_at_hand().is_some());
    play.session.close();
    assert_eq!((play.told(), play.session.event_at_hand()), (vec![], None));
    assert_eq!(play.session.ready_state(), ReadyState::Closed);
    assert!(play.error().is_none() && play.session.is_closed());
    play.session.close();
    play.session.reconnect_now(play.now);
    assert!(play.session.take_order().is_none());
}

/// Converts a text to an error, as a `Cause` contains it.
trait IntoError {
    fn into_error(self) -> std::sync::Arc<dyn std::error::Error + Send + Sync>;
}

impl IntoError for String {
    fn into_error(self) -> std::sync::Arc<dyn std::error::Error + Send + Sync> {
        crate::BoxError::from(self).into()
    }
}
