//! Quiet is healthy: which connections without an event are failures, and which are not.
use crate::{
    connection::{Connection, Gate},
    fixture::{Expect as _, SECOND, play, run, source},
    server::Server,
};
use fanfare_client::{Cause, Error, ManualClock, Reconnect, Signal};
use futures_util::StreamExt as _;

fn empty() -> Connection {
    Connection::stream().end()
}

/// A server that begins a stream and ends it at once is no better than one that is away.
#[test]
fn a_head_alone_is_no_sign_of_health() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([empty(), empty(), empty()]);
        let policy = Reconnect::spec().seed(1).max_attempts(3);
        let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
        let (_, error) = play(&mut signals, &clock).await;
        assert!(matches!(error, Some(Error::GaveUp { attempts: 3, cause: Cause::EndOfStream })), "{error:?}");
    });
}

/// Each stream of a Fanfare hub begins with a start event, also if the hub then ends at once.
#[test]
fn what_a_hub_tells_of_the_connection_is_no_sign_of_health() {
    run(async {
        for told in ["event: fanfare.start\nid: #e-0\ndata: {}\n\n", "event: fanfare.end\ndata: {}\n\n"] {
            let clock = ManualClock::new();
            let connection = || Connection::stream().piece(told).end();
            let server = Server::start([connection(), connection(), connection()]);
            let policy = Reconnect::spec().seed(1).max_attempts(3);
            let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
            let (_, error) = play(&mut signals, &clock).await;
            assert!(matches!(error, Some(Error::GaveUp { attempts: 3, cause: Cause::EndOfStream })), "{told}{error:?}");
        }
    });
}

/// The delay after three connections, the last of which is `quiet`; it would be three or more of 3 s if it were in
/// vain.
async fn delay_after(quiet: Connection, gate: Option<&Gate>) -> std::time::Duration {
    let clock = ManualClock::new();
    let server = Server::start([empty(), empty(), quiet, empty()]);
    let policy = Reconnect::spec().seed(1).max_attempts(3);
    let mut signals = source(&server, &clock).reconnect(policy).build().expect("it can be built").signals();
    for _ in 0..2 {
        signals.opened().await;
        clock.advance(signals.reconnecting().await.1);
    }
    signals.opened().await;
    if let Some(gate) = gate {
        signals.is_waiting();
        clock.advance(10 * SECOND);
        gate.open();
    }
    loop {
        match signals.signal().await {
            Signal::Reconnecting { delay, .. } => return delay,
            Signal::Comment(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_comment_resets_what_failures_have_led_to() {
    run(async {
        assert_eq!(delay_after(Connection::stream().piece(": hello\n\n").end(), None).await, 3 * SECOND);
        assert_eq!(delay_after(Connection::stream().piece(":\n").close(), None).await, 3 * SECOND);
    });
}

#[test]
fn a_connection_that_stood_for_a_while_does_so_too() {
    run(async {
        let gate = Gate::default();
        assert_eq!(delay_after(Connection::stream().wait(&gate).end(), Some(&gate)).await, 3 * SECOND);
    });
}

/// Silence that the client itself put an end to is no sign of health, however long it lasted.
#[test]
fn a_connection_that_was_silent_for_too_long_is_a_failure() {
    run(async {
        let clock = ManualClock::new();
        let silent = || Connection::stream().wait(&Gate::default());
        let server = Server::start([silent(), silent(), silent()]);
        let policy = Reconnect::spec().seed(1).max_attempts(3);
        let mut signals =
            source(&server, &clock).reconnect(policy).idle_timeout(60 * SECOND).build().unwrap().signals();
        for attempt in 1..=3 {
            signals.opened().await;
            signals.is_waiting();
            clock.advance(60 * SECOND);
            match signals.next().await {
                Some(Ok(Signal::Reconnecting { delay, cause: Cause::IdleTimeout(_) })) if attempt < 3 => {
                    clock.advance(delay);
                }
                Some(Err(Error::GaveUp { attempts: 3, cause: Cause::IdleTimeout(_) })) if attempt == 3 => {}
                other => panic!("{other:?} after attempt {attempt}"),
            }
        }
    });
}

/// Unless it had something to say before.
#[test]
fn one_that_said_something_before_it_fell_silent_is_none() {
    run(async {
        for said in ["data: 1\n\n", ":\n"] {
            let clock = ManualClock::new();
            let talks = || Connection::stream().piece(said).wait(&Gate::default());
            let server = Server::start([talks(), talks(), talks(), talks()]);
            let policy = Reconnect::spec().seed(1).max_attempts(2);
            let mut signals =
                source(&server, &clock).reconnect(policy).idle_timeout(60 * SECOND).build().unwrap().signals();
            for _ in 0..4 {
                signals.opened().await;
                signals.signal().await;
                signals.is_waiting();
                clock.advance(60 * SECOND);
                let (_, delay) = signals.reconnecting().await;
                assert_eq!(delay, 3 * SECOND, "after {said:?}");
                clock.advance(delay);
            }
        }
    });
}

/// Comments count also for a program that reads events alone and does not see them.
#[test]
fn who_does_not_read_comments_has_them_counted() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::answering(|number, _| match number {
            0..9 => Connection::stream().piece(":\n\n").end(),
            _ => Connection::answer(204, "", ""),
        });
        let policy = Reconnect::spec().seed(1).max_attempts(2);
        let mut source = source(&server, &clock).reconnect(policy).build().unwrap();
        let ended = async {
            assert!(source.next().await.is_none(), "204 is the end, not the second attempt");
        };
        let passes = async {
            for number in 1..10 {
                server.over(number - 1).await;
                while clock.next_due().is_none_or(|due| due > 4 * SECOND) {
                    tokio::task::yield_now().await;
                }
                clock.advance(3 * SECOND);
            }
        };
        futures_util::future::join(ended, passes).await;
        assert_eq!(server.requests().len(), 10);
    });
}

#[test]
fn the_time_can_be_set() {
    run(async {
        let clock = ManualClock::new();
        let (short, long) = (Gate::default(), Gate::default());
        let server = Server::start([Connection::stream().wait(&short).end(), Connection::stream().wait(&long).end()]);
        let policy = Reconnect::spec().seed(1).healthy_after(60 * SECOND).max_attempts(2);
        let mut signals = source(&server, &clock).reconnect(policy).build().unwrap().signals();
        signals.opened().await;
        signals.is_waiting();
        clock.advance(59 * SECOND);
        short.open();
        let (_, delay) = signals.reconnecting().await;
        clock.advance(delay);
        signals.opened().await;
        signals.is_waiting();
        clock.advance(60 * SECOND);
        long.open();
        assert_eq!(signals.reconnecting().await.1, 3 * SECOND);
    });
}
