//! The state of a session, and the orders that it gives to its driver.
use super::{
    exchange::{Exchange, Refusal},
    progress::Progress,
    reading::Reading,
    rules::Rules,
};
use crate::{Attempt, Cause, Error, Opened, ReadyState, Signal, Text, reconnect::Backoff, target::Target};
use fanfare_event_stream::Parser;
use std::{collections::VecDeque, time::Duration};

/// An event source without its I/O. The argument `now` of its methods is the time that has passed since one fixed
/// moment, and never decreases.
pub(crate) struct Session {
    pub(super) rules: Rules,
    pub(super) phase: Phase,
    pub(super) parser: Parser,
    pub(super) backoff: Backoff,
    /// The progress of the program in dealing with events, if the event source has a store.
    pub(super) progress: Option<Progress>,
    /// The number of attempts that have begun.
    pub(super) attempts: u64,
    /// The reason why the last connection ended.
    pub(super) cause: Option<Cause>,
    /// The signals that the program gets next.
    pub(super) signals: VecDeque<Signal>,
    /// The response of the present connection, and the time when it came.
    pub(super) opened: Option<(Box<Opened>, Duration)>,
    /// True if the event source has ended because the server answered 204.
    pub(super) no_content: bool,
    /// The last event ID for which the program got the warning that no header can carry it.
    pub(super) unsendable: Option<Text>,
    /// The order that has not been carried out yet.
    pub(super) order: Option<Order>,
}

pub(super) enum Phase {
    /// An attempt has to begin at once. It is the first attempt, or an attempt that was put off so that the program
    /// gets a warning before it.
    Due,
    /// The store loads the ID to start from.
    Loading,
    /// The hook for attempts prepares the request.
    Preparing,
    /// The request is sent, and the session waits for the head of the response.
    Sending(Box<Exchange>),
    /// The response is not an event stream, and its body is read, because it may say why the server refused.
    Refusing(Box<Refusal>),
    Open(Box<Reading>),
    /// The next attempt is due at this time.
    Waiting(Duration),
    /// The session makes no more connections. It still saves the IDs of the events that the program has acknowledged,
    /// and then ends. If this state holds an error, the program gets the error at the end.
    Ending(Option<Error>),
    Closed,
}

/// An order of the session to its driver. It replaces whatever the driver is doing. Each variant links to the functions
/// by which the driver reports the result.
#[derive(Debug)]
pub(crate) enum Order {
    /// Load the ID to start from: [`Session::loaded`].
    Load,
    /// Call the hook for attempts: [`Session::prepared`].
    Prepare(Attempt),
    /// Send this request: [`Session::answered`], or [`Session::failed`].
    Send(Target),
    /// Read the body of the response that was just reported: [`Session::receive`], [`Session::finish_body`] and
    /// [`Session::body_ended`].
    Read,
    /// Stop all I/O. The driver then waits only for the [deadline](Session::deadline), if there is one.
    Rest,
}

impl Session {
    pub(crate) fn new(rules: Rules, parser: Parser, progress: Option<Progress>) -> Self {
        Self {
            backoff: Backoff::new(rules.reconnect.clone()),
            rules,
            phase: Phase::Due,
            parser,
            progress,
            attempts: 0,
            cause: None,
            signals: VecDeque::new(),
            opened: None,
            no_content: false,
            unsendable: None,
            order: None,
        }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn progress(&mut self) -> Option<&mut Progress> {
        self.progress.as_mut()
    }

    pub(crate) fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    pub(crate) fn ready_state(&self) -> ReadyState {
        match self.phase {
            Phase::Open(_) => ReadyState::Open,
            Phase::Ending(_) | Phase::Closed => ReadyState::Closed,
            _ => ReadyState::Connecting,
        }
    }

    /// Returns the response that began the present connection.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        let is_open = matches!(self.phase, Phase::Open(_));
        self.opened.as_ref().filter(|_| is_open).map(|(opened, _)| &**opened)
    }

    /// Returns true if the event source has ended because the server answered 204.
    pub(crate) fn had_no_content(&self) -> bool {
        self.no_content
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_))
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Takes the order that has not been carried out yet.
    pub(crate) fn take_order(&mut self) -> Option<Order> {
        self.order.take()
    }

    /// Returns true if a signal is in the queue. The program gets this signal before more of the chunk is read.
    pub(crate) fn has_signal(&self) -> bool {
        !self.signals.is_empty()
    }

    /// Returns the time at which the driver has to call [`timed_out`](Self::timed_out), if nothing else happens before.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Sending(exchange) => Some(exchange.until),
            Phase::Refusing(refusal) => Some(refusal.until),
            Phase::Open(reading) => Some(reading.silent_since?.saturating_add(self.rules.idle_timeout?)),
            Phase::Waiting(until) => Some(*until),
            Phase::Due | Phase::Loading | Phase::Preparing | Phase::Ending(_) | Phase::Closed => None,
        }
    }

    /// Handles the deadline of the present phase, which has passed: gives up waiting for the server, or begins the next
    /// attempt if it is due.
    pub(crate) fn timed_out(&mut self, now: Duration) {
        debug_assert!(self.deadline().is_some_and(|deadline| deadline <= now), "no deadline has passed");
        match &self.phase {
            Phase::Sending(_) => self.failed(Cause::ResponseTimeout(self.rules.response_timeout), now),
            // The part of the body that has come before the deadline is the excerpt.
            Phase::Refusing(_) => self.refused(now),
            Phase::Open(_) => {
                let timeout = self.rules.idle_timeout.unwrap_or_default();
                self.failed(Cause::IdleTimeout(timeout), now);
            }
            Phase::Waiting(_) => self.connect(now),
            Phase::Due | Phase::Loading | Phase::Preparing | Phase::Ending(_) | Phase::Closed => {}
        }
    }

    /// Changes the phase, and gives the driver an order.
    pub(super) fn enter(&mut self, phase: Phase, order: Order) {
        debug_assert!(!self.is_closed(), "a session that has ended enters no other phase");
        self.phase = phase;
        self.order = Some(order);
    }
}
