//! A rewind (the newest updates of each topic) that is too long for the first bytes of a stream: it is sent in steps,
//! before its subscriber gets the events of its audience.
use crate::{
    audience_key::AudienceKey,
    budget,
    ending::EndReason,
    fan_out::{Joining, timing},
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
    time::{Duration, Instant},
};

/// The rest of a rewind that one subscriber still has to get.
pub(crate) struct Rewinding {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    /// The bytes that [`poll_next`](Self::poll_next) returns next; empty if there are none.
    next: Bytes,
    /// The offset up to which the updates of the rewind were returned. Updates in `next` count as returned.
    reached: Offset,
    /// The offset that the subscriber has reached when the rewind is complete.
    head: Offset,
    /// The time when bytes were last returned.
    spoke: Instant,
    step: Option<Step>,
    /// The time when the hub ends the stream, and tells the subscriber the `end_reason` if there is one; `None` if the
    /// hub does not end the stream.
    ends: Option<Instant>,
    end_reason: Option<EndReason>,
    /// True if the stream ends after the bytes in `next`.
    is_ended: bool,
    /// The error with which the stream ends after the bytes in `next`; `None` if there is none.
    error: Option<LogError>,
}

/// The future that reads the next step of a rewind. It returns the bytes of the step, and the rest of the rewind after
/// this step.
type Step = Pin<Box<dyn Future<Output = Result<(Bytes, Rewind), LogError>> + Send>>;

impl Rewinding {
    /// Returns a `Rewinding`, which first sends the opening bytes of `joining`, and then `rewind`. The opening bytes
    /// are removed from `joining`.
    ///
    /// # Panics
    /// If `joining` has no cursor: a rewind ends at a fixed position.
    pub(crate) fn new(hub: Arc<Shared>, joining: &mut Joining, rewind: Rewind, now: Instant) -> Self {
        let Joining { key, cursor, opening, room, ends, end_reason, .. } = joining;
        let head = cursor.expect("a subscriber with a rewind has a cursor");
        let (key, next) = (key.clone(), budget::held(std::mem::take(opening), room.take().as_ref()));
        let (ends, end_reason) = (*ends, *end_reason);
        let mut rewinding = Self {
            hub,
            key,
            next,
            reached: Offset::ZERO,
            head,
            spoke: now,
            step: None,
            ends,
            end_reason,
            is_ended: false,
            error: None,
        };
        rewinding.go_on(rewind);
        rewinding
    }

    fn go_on(&mut self, rewind: Rewind) {
        let reached = rewind.begins_after().unwrap_or(self.head);
        debug_assert!(reached >= self.reached, "the position of a rewind never moves backwards");
        self.reached = reached;
        self.step = (!rewind.is_over()).then(|| Box::pin(self.hub.clone().rewind(self.key.clone(), rewind)) as Step);
    }

    /// The offset up to which the updates of the rewind were returned. Updates in the next bytes count as returned.
    pub(crate) fn reached(&self) -> Offset {
        self.reached
    }

    /// The time when bytes were last returned.
    pub(crate) fn spoke(&self) -> Instant {
        self.spoke
    }

    /// True if the stream ends after the bytes in `next`.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Returns the next bytes; `None` if the rewind is complete, or if the stream [has ended](Self::is_ended). If the
    /// next step would exceed a budget, the subscriber is told to come back later before the error is returned.
    pub(crate) fn poll_next(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, LogError>>> {
        loop {
            if !self.next.is_empty() {
                self.spoke = now;
                return Poll::Ready(Some(Ok(std::mem::take(&mut self.next))));
            }
            if let Some(error) = self.error.take() {
                return Poll::Ready(Some(Err(error)));
            }
            let Some(step) = self.step.as_mut().filter(|_| !self.is_ended) else { return Poll::Ready(None) };
            match ready!(step.as_mut().poll(cx)) {
                Ok((bytes, rest)) => {
                    self.next = bytes;
                    self.go_on(rest);
                }
                Err(error) => {
                    if matches!(error, LogError::OverBudget(_)) {
                        let hub = self.hub.clone();
                        self.end_because(EndReason::Later, |offset| hub.place(offset));
                    }
                    self.is_ended = true;
                    self.error = Some(error);
                }
            }
        }
    }

    /// Returns the time when [`expire`](Self::expire) has to be called; `None` if the stream has ended.
    pub(crate) fn deadline(&self, now: Instant, heartbeat_interval: Duration) -> Option<Instant> {
        let pause = heartbeat_interval.mul_f64(timing::spread(&mut fastrand::Rng::new()));
        (!self.is_ended).then(|| timing::deadline(self.spoke, self.ends, now, pause))
    }

    /// Ends the stream if its end time has come. Otherwise adds a heartbeat if the stream was silent for
    /// `heartbeat_interval`, because reading the log takes long. `place` returns the ID of a position.
    pub(crate) fn expire(&mut self, now: Instant, heartbeat_interval: Duration, place: impl Fn(Offset) -> String) {
        if self.is_ended {
            return;
        }
        if self.ends.is_none_or(|ends| ends > now) {
            if self.next.is_empty() && self.spoke + heartbeat_interval.mul_f64(timing::LEAST_SPREAD) <= now {
                self.next = Bytes::from_static(self.key.heartbeat());
            }
            return;
        }
        match self.end_reason {
            Some(reason) => self.end_because(reason, place),
            None => self.end(),
        }
    }

    /// Ends the stream after the next bytes and an event with the reason. `place` returns the ID of a position.
    pub(crate) fn end_because(&mut self, reason: EndReason, place: impl Fn(Offset) -> String) {
        if !self.is_ended {
            let mut bytes = Vec::from(std::mem::take(&mut self.next));
            self.key.encode_ending(reason, &mut fastrand::Rng::new(), &place(self.reached), &mut bytes);
            self.next = bytes.into();
            self.end();
        }
    }

    /// Ends the stream after the next bytes.
    pub(crate) fn end(&mut self) {
        self.is_ended = true;
    }
}
