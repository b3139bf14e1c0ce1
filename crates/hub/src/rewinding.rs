//! A rewind that is too long for the first bytes of a stream: it is handed out step by step, before its subscriber takes
//! part in its audience.
use crate::{
    audience_key::AudienceKey,
    ending::{EndReason, Ending},
    entry::Timestamp,
    fan_out::Joining,
    log::LogError,
    position::Offset,
    rewind::Rewind,
    shared::Shared,
};
use bytes::Bytes;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

/// The rest of a rewind, on its way to one subscriber.
pub(crate) struct Rewinding {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    /// The bytes to hand out next, if there are any.
    next: Bytes,
    /// Everything of it up to here was handed out, or is next.
    reached: Offset,
    step: Option<Step>,
    /// The time when the stream is to end, and the reason that the subscriber is told then.
    ends: Option<Instant>,
    end_reason: Option<EndReason>,
    /// True if the stream ends behind the next bytes.
    is_ended: bool,
}

/// The next step, and what is left of the rewind then.
type Step = Pin<Box<dyn Future<Output = Result<(Bytes, Rewind), LogError>> + Send>>;

impl Rewinding {
    /// The rest of a rewind, which follows the bytes with which the subscriber would begin otherwise.
    pub(crate) fn new(hub: Arc<Shared>, joining: &mut Joining, rewind: Rewind) -> Self {
        let Joining { key, opening, ends, end_reason, .. } = joining;
        let (key, next) = (key.clone(), std::mem::take(opening));
        let (ends, end_reason) = (*ends, *end_reason);
        let mut rewinding =
            Self { hub, key, next, reached: Offset::ZERO, step: None, ends, end_reason, is_ended: false };
        rewinding.go_on(rewind);
        rewinding
    }

    fn go_on(&mut self, rewind: Rewind) {
        if let Some(reached) = rewind.begins_after() {
            debug_assert!(reached >= self.reached, "a rewind goes forward");
            self.reached = reached;
        }
        self.step = (!rewind.is_over()).then(|| Box::pin(self.hub.clone().rewind(self.key.clone(), rewind)) as Step);
    }

    /// The place behind what was handed out last, or later.
    pub(crate) fn reached(&self) -> Offset {
        self.reached
    }

    /// True if nothing follows what is handed out next.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// The next bytes; `None` when the rewind is over, or has [ended](Self::is_ended).
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, LogError>>> {
        loop {
            if !self.next.is_empty() {
                return Poll::Ready(Some(Ok(std::mem::take(&mut self.next))));
            }
            let Some(step) = self.step.as_mut().filter(|_| !self.is_ended) else { return Poll::Ready(None) };
            match ready!(step.as_mut().poll(cx)) {
                Ok((bytes, rest)) => {
                    self.next = bytes;
                    self.go_on(rest);
                }
                Err(error) => {
                    self.is_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    /// Ends the stream if its time has come. `place` gives the ID of a place.
    pub(crate) fn expire(&mut self, now: Instant, place: impl Fn(Offset) -> String) {
        if self.ends.is_none_or(|ends| ends > now) {
            return;
        }
        if let Some(reason) = self.end_reason.take() {
            let mut bytes = Vec::from(std::mem::take(&mut self.next));
            let ending = Ending { reason };
            self.key.representation.encode_ending(&ending, &place(self.reached), Timestamp::now(), &mut bytes);
            self.next = bytes.into();
        }
        self.end();
    }

    /// Ends the stream behind the next bytes.
    pub(crate) fn end(&mut self) {
        self.is_ended = true;
    }
}
