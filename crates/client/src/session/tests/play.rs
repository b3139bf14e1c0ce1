//! A session whose driver is a test.
use super::super::{Answer, Comments, Order, Progress, Rules, Session};
use crate::{Acknowledge, Cause, Error, Reconnect, Signal, Verdict, target::Target};
use bytes::Bytes;
use fanfare_event_stream::Parser;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, response::Parts};
use std::time::{Duration, SystemTime};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const STREAM: &[(&str, &str)] = &[("content-type", "text/event-stream")];

/// The rules of an event source with default settings, except that the random delays are the same in each run.
pub(super) fn rules() -> Rules {
    let url = "http://one.example/events".parse().expect("a URL");
    Rules {
        target: Target { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() },
        reconnect: Reconnect::spec().seed(1),
        repeat: true,
        asks_hook: false,
        response_timeout: 300 * SECOND,
        idle_timeout: None,
        max_redirects: 20,
        skips_large: false,
        finishes: false,
        gives_blocks: false,
    }
}

pub(super) struct Play {
    pub(super) session: Session,
    pub(super) now: Duration,
}

impl Play {
    pub(super) fn new(rules: Rules) -> Self {
        // The time may begin at any value.
        Self { session: Session::new(rules, Parser::new().with_blocks(), None), now: 1000 * SECOND }
    }

    pub(super) fn keeping(rules: Rules, when: Acknowledge) -> Self {
        let session = Session::new(rules, Parser::new().with_blocks(), Some(Progress::new(when)));
        Self { session, now: Duration::ZERO }
    }

    /// Starts the session, and returns the request that it orders to send.
    pub(super) fn start(&mut self) -> Target {
        self.session.start(self.now);
        self.request()
    }

    pub(super) fn order(&mut self) -> Order {
        self.session.take_order().expect("something is to be done")
    }

    /// Returns the request that the session orders to send.
    pub(super) fn request(&mut self) -> Target {
        match self.order() {
            Order::Send(target) => target,
            other => panic!("{other:?} in place of a request"),
        }
    }

    /// Gives the session a response.
    pub(super) fn answer(&mut self, status: u16, headers: &[(&str, &str)]) {
        let answer = Answer { parts: parts(status, headers), undecodable: None, date: SystemTime::UNIX_EPOCH };
        self.session.answered(answer, |_| Verdict::ByPolicy, self.now);
    }

    /// Gives the session a response that is an event stream.
    pub(super) fn open(&mut self) {
        self.answer(200, STREAM);
        assert!(matches!(self.order(), Order::Read));
        assert_eq!(self.told(), ["open"]);
    }

    /// Gives the session a chunk. Returns the signals that follow.
    pub(super) fn chunk(&mut self, chunk: &str) -> Vec<String> {
        assert!(self.session.receive(Bytes::copy_from_slice(chunk.as_bytes())));
        self.told()
    }

    /// Ends the body. Returns the signals that follow.
    pub(super) fn end_body(&mut self, cause: Cause) -> Vec<String> {
        self.session.finish_body(&cause);
        let mut told = self.told();
        self.session.body_ended(cause, self.now);
        told.extend(self.told());
        told
    }

    /// Lets time pass until the deadline. Returns how much time that was.
    pub(super) fn pass(&mut self) -> Duration {
        let passed = self.session.deadline().expect("a deadline").saturating_sub(self.now);
        self.now += passed;
        self.session.timed_out(self.now);
        passed
    }

    /// Returns all signals that wait, as short texts.
    pub(super) fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(signal) = self.session.next_signal(Comments::Give) {
            told.push(short(&signal));
        }
        told
    }

    /// Ends the session once all IDs are saved, and returns its error.
    pub(super) fn error(&mut self) -> Option<Error> {
        assert!(self.session.is_ending(), "the session continues");
        assert!(matches!(self.order(), Order::Rest));
        self.session.finish()
    }
}

pub(super) fn short(signal: &Signal) -> String {
    match signal {
        Signal::Open(_) => "open".into(),
        Signal::Event(event) => format!("event {}", event.data),
        Signal::Comment(text) => format!("comment {text}"),
        Signal::Block(block) => format!("block {:?}", block.id),
        Signal::Reconnecting { cause, .. } => format!("reconnecting: {cause}"),
        Signal::Warning(warning) => format!("warning: {warning}"),
    }
}

pub(super) fn parts(status: u16, headers: &[(&str, &str)]) -> Parts {
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        parts.headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    parts
}
