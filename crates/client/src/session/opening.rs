//! The steps from an attempt to an open stream, or to another result of the attempt.
use super::{
    Answer,
    exchange::{Exchange, LAST_EVENT_ID, Refusal},
    judge::{Judgement, When, judge},
    machine::{Order, Phase, Session},
    reading::Reading,
};
use crate::{
    Attempt, BoxError, Cause, Error, HookError, Opened, Signal, Text, Verdict, Warning,
    decode::unknown_codings,
    message_event::{Arrivals, Origin},
    target::{NotAskable, Target},
};
use fanfare_event_stream::EventId;
use http::{HeaderValue, response::Parts};
use std::{mem, time::Duration};

/// Returns the value of the `Last-Event-ID` header, if a header can contain the ID.
fn last_event_id_value(id: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(id.as_bytes()).ok()
}

impl Session {
    /// Begins the attempt that is due. Before the first attempt, the store is asked for the ID to start from, unless
    /// the program has set an ID with the builder.
    pub(crate) fn start(&mut self, now: Duration) {
        debug_assert!(matches!(self.phase, Phase::Due), "an attempt is made while none is due");
        if self.progress.is_some() && self.parser.last_event_id().is_empty() {
            self.enter(Phase::Loading, Order::Load);
        } else {
            self.connect(now);
        }
    }

    /// Handles the answer of the store: the ID to start from.
    pub(crate) fn loaded(&mut self, loaded: Result<Option<String>, BoxError>, now: Duration) {
        match loaded.and_then(|id| Ok(id.map(EventId::new).transpose()?)) {
            Ok(id) => {
                if let Some(id) = id {
                    self.parser = mem::take(&mut self.parser).resuming_from(&id);
                }
                if let Some(progress) = &mut self.progress {
                    progress.loaded(self.parser.last_event_id().into());
                }
                self.connect(now);
            }
            Err(error) => self.end(Some(Error::Store(error))),
        }
    }

    /// Begins an attempt. If no header can carry the last event ID, and the program was not yet warned of this ID, only
    /// gives the program a warning: [`start`](Self::start) then begins the attempt.
    pub(super) fn connect(&mut self, now: Duration) {
        let last_event_id = Text::from(self.parser.last_event_id());
        let value = last_event_id_value(&last_event_id);
        if value.is_none() && self.unsendable.as_ref() != Some(&last_event_id) {
            self.unsendable = Some(last_event_id.clone());
            self.signals.push_back(Signal::Warning(Warning::UnsendableLastEventId { id: last_event_id }));
            self.enter(Phase::Due, Order::Rest);
            return;
        }
        self.attempts += 1;
        let cause = self.cause.take();
        let mut target = self.rules.target.clone();
        match value {
            Some(_) if last_event_id.is_empty() => {}
            Some(value) => drop(target.headers.insert(LAST_EVENT_ID, value)),
            // No header can carry the last event ID. If the program has set a `Last-Event-ID` header with the builder,
            // this header is removed, because it has an older ID.
            None => drop(target.headers.remove(LAST_EVENT_ID)),
        }
        if !self.rules.asks_hook {
            self.send(target, now);
            return;
        }
        let request = target.request().expect("the builder has checked its URL");
        let attempt = Attempt { number: self.attempts, request, last_event_id, cause };
        self.enter(Phase::Preparing, Order::Prepare(attempt));
    }

    /// Handles the result of the hook for attempts: the prepared request, or its error.
    pub(crate) fn prepared(&mut self, prepared: Result<Attempt, HookError>, now: Duration) {
        match prepared {
            Ok(attempt) => match Target::of(attempt.request) {
                Ok(target) => self.send(target, now),
                Err(NotAskable) => {
                    self.end(Some(Error::Hook("the hook for attempts returned a request that cannot be sent".into())));
                }
            },
            Err(HookError::Retry(error)) => self.failed(Cause::Hook(error.into()), now),
            Err(HookError::Fail(error)) => self.end(Some(Error::Hook(error))),
        }
    }

    fn send(&mut self, target: Target, now: Duration) {
        let exchange = Exchange::new(target, self.response_due(now));
        let order = Order::Send(exchange.target.clone());
        self.enter(Phase::Sending(Box::new(exchange)), order);
    }

    fn response_due(&self, now: Duration) -> Duration {
        now.saturating_add(self.rules.response_timeout)
    }

    /// Handles the head of a response. If it is not a redirect, `verdict` calls the hook for responses.
    pub(crate) fn answered(&mut self, answer: Answer, verdict: impl FnOnce(&Parts) -> Verdict, now: Duration) {
        let until = self.response_due(now);
        let Phase::Sending(exchange) = &mut self.phase else {
            debug_assert!(false, "a response came without a request");
            return;
        };
        let Answer { parts, undecodable, date } = answer;
        match exchange.follow(parts.status, &parts.headers, self.rules.max_redirects) {
            Some(Ok(())) => {
                // The response timeout begins anew for each redirect.
                exchange.until = until;
                self.order = Some(Order::Send(exchange.target.clone()));
                return;
            }
            Some(Err(error)) => return self.end(Some(Error::Redirect(error))),
            None => {}
        }
        let verdict = verdict(&parts);
        match judge(&self.rules.reconnect, &parts, verdict, date) {
            Judgement::Stream => match undecodable {
                None => self.open(parts, now),
                Some(error) => self.end(Some(Error::Encoding(error))),
            },
            Judgement::Stop => {
                self.no_content = true;
                self.end(None);
            }
            Judgement::Fail(error) => self.end(Some(Error::Hook(error))),
            Judgement::Refuse(because) => {
                let refusal = Box::new(Refusal::new(because, parts, now));
                self.enter(Phase::Refusing(refusal), Order::Read);
                // A body that cannot be decoded has no readable excerpt, so it is not read.
                if undecodable.is_some() {
                    self.refused(now);
                }
            }
        }
    }

    fn open(&mut self, parts: Parts, now: Duration) {
        let Phase::Sending(exchange) = &mut self.phase else { return };
        let last_event_id = mem::take(&mut exchange.last_event_id);
        let opened = Box::new(Opened { url: exchange.target.url.clone(), parts, last_event_id });
        // The parser keeps the last event ID and the reconnection time of earlier streams. Everything else in the
        // parser is reset.
        self.parser.reset();
        self.parser.take_commented();
        let unknown = unknown_codings(&opened.parts.headers);
        if !unknown.is_empty() {
            self.signals.push_back(Signal::Warning(Warning::UnknownEncoding { coding: unknown.join(", ") }));
        }
        self.signals.push_back(Signal::Open(opened.clone()));
        let arrivals = Arrivals::new(Origin::from(&opened.url), self.parser.last_event_id().into());
        self.opened = Some((opened, now));
        self.enter(Phase::Open(Box::new(Reading::new(arrivals))), Order::Read);
    }

    /// Decides what follows a response that is not an event stream: another attempt, or the end of the event source. It
    /// is called when enough of the body was read.
    pub(super) fn refused(&mut self, now: Duration) {
        // `Due` is only a placeholder: `left` or `end`, which are called below, set the next phase.
        let Phase::Refusing(refusal) = mem::replace(&mut self.phase, Phase::Due) else { return };
        let (because, refused) = refusal.into_refused();
        match because.outcome(refused) {
            Ok((cause, when)) => self.left(cause, when, now),
            Err(error) => self.end(Some(error)),
        }
    }

    /// Handles an attempt that failed, or a connection that ended, for this reason.
    pub(crate) fn failed(&mut self, cause: Cause, now: Duration) {
        self.left(cause, When::NotBefore(Duration::ZERO), now);
    }
}
