//! One subscriber's way through the log: from the cursor it presented, by catch-up, into its audience's window.
use crate::{
    audience::{Audience, Found, MemberKey},
    audience_key::AudienceKey,
    catch_up::Step,
    entry::Timestamp,
    log::LogError,
    position::Offset,
    rewind::Rewind,
    shared::Shared,
};
use bytes::Bytes;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// The most bytes of several events that are handed out at once.
const RUN_BYTES: usize = 64 << 10;

/// The place where a subscription starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The head of the log: only what is published from now on.
    #[default]
    Now,
    /// Behind the update with this ID; `earliest` is before everything that the log holds.
    After(String),
    /// Behind the update with the first of these IDs, or, if the log holds none, behind the update with the second. For
    /// an ID whose bytes can be read in two ways. A gap names the first.
    AfterEither(String, String),
    /// The newest updates of each topic and pattern that was subscribed to, at most so many of each, and
    /// [`MAX_REWIND`](crate::rewind::MAX_REWIND) together.
    Newest(usize),
    /// The updates that were published at this time or later.
    Since(Timestamp),
}

/// A step of catch-up under way.
type Reading = Pin<Box<dyn Future<Output = Result<Step, LogError>> + Send>>;

/// A subscriber. Dropping it ends the subscription.
pub struct Subscription {
    hub: Arc<Shared>,
    audience: Arc<Audience>,
    member: MemberKey,
    /// Everything that the subscriber is to get up to here has been handed out.
    cursor: Offset,
    resumed_from: String,
    /// The gap between what was requested and what can be had, if there is one: handed out first.
    opening: Option<Bytes>,
    /// The second piece of the event that was handed out last. Boxed, because hardly anybody has one.
    rest: Option<Box<Bytes>>,
    reading: Option<Reading>,
    /// The long rewind to hand out before everything else. Boxed, because hardly anybody has one.
    rewinding: Option<Box<Rewinding>>,
}

/// A rewind under way.
struct Rewinding {
    /// Everything of it up to here has been handed out.
    reached: Offset,
    step: RewindStep,
}

/// The next step of a rewind, and what is left of it then.
type RewindStep = Pin<Box<dyn Future<Output = Result<(Bytes, Rewind), LogError>> + Send>>;

impl Subscription {
    pub(crate) fn new(
        hub: Arc<Shared>,
        (audience, member): (Arc<Audience>, MemberKey),
        cursor: Offset,
        resumed_from: String,
        opening: Option<Bytes>,
    ) -> Self {
        Self { hub, audience, member, cursor, resumed_from, opening, rest: None, reading: None, rewinding: None }
    }

    /// The same with what is left of a rewind, which comes before what is behind the cursor.
    pub(crate) fn with_rewind(mut self, rewind: Option<Rewind>) -> Self {
        self.rewinding = rewind.map(|rewind| self.rewind(rewind));
        self
    }

    fn rewind(&self, rewind: Rewind) -> Box<Rewinding> {
        let reached = rewind.begins_after().unwrap_or(self.cursor);
        Box::new(Rewinding { reached, step: Box::pin(self.hub.clone().rewind(self.audience.key.clone(), rewind)) })
    }

    /// The key that the subscriber shares with its audience.
    #[must_use]
    pub fn key(&self) -> &Arc<AudienceKey> {
        &self.audience.key
    }

    /// The ID that precedes the first update handed out, or `earliest` if that is the first one held.
    #[must_use]
    pub fn resumed_from(&self) -> &str {
        &self.resumed_from
    }

    /// The ID of the place that the subscriber has reached: behind what was handed out last, or later.
    #[must_use]
    pub fn reached(&self) -> String {
        self.hub.id_behind(self.rewinding.as_ref().map_or(self.cursor, |rewinding| rewinding.reached))
    }

    /// Takes what is to be handed out first, if it has not been: a gap, or the beginning of a rewind. [`Self::reached`]
    /// lies behind it.
    pub fn take_opening(&mut self) -> Option<Bytes> {
        self.opening.take()
    }

    /// The rest of the event that was handed out last, if that has come in two pieces. Nothing else may be sent before
    /// it.
    pub fn take_rest(&mut self) -> Option<Bytes> {
        self.rest.take().map(|rest| *rest)
    }

    /// The next wire events for this subscriber, in the order of the log, each exactly once. Several come as one run,
    /// and a large one may come in two pieces.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read. The subscription is then of no further use: what follows is unknown.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, LogError>> {
        if let Some(bytes) = self.opening.take().or_else(|| self.take_rest()) {
            return Poll::Ready(Ok(bytes));
        }
        if let Some(rewinding) = &mut self.rewinding {
            let (bytes, rest) = ready!(rewinding.step.as_mut().poll(cx))?;
            self.rewinding = (!rest.is_over()).then(|| self.rewind(rest));
            if !bytes.is_empty() {
                return Poll::Ready(Ok(bytes));
            }
        }
        loop {
            if let Some(reading) = &mut self.reading {
                let step = ready!(reading.as_mut().poll(cx));
                self.reading = None;
                let step = step?;
                self.cursor = step.cursor;
                if let Some(run) = step.run {
                    return Poll::Ready(Ok(run.bytes().clone()));
                }
            }
            match ready!(self.audience.poll_behind(self.member, self.cursor, RUN_BYTES, cx)) {
                Found::Run(run) => {
                    self.cursor = run.last();
                    self.rest = run.rest().cloned().map(Box::new);
                    return Poll::Ready(Ok(run.bytes().clone()));
                }
                Found::OutOfWindow => {
                    self.reading = Some(Box::pin(self.hub.clone().read_on(self.audience.key.clone(), self.cursor)));
                }
            }
        }
    }

    /// The same as a future.
    ///
    /// # Errors
    /// As [`Self::poll_next`].
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped: what it would have returned comes with the next call.
    pub async fn next(&mut self) -> Result<Bytes, LogError> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.audiences.leave(&self.audience, self.member, &self.hub.router);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("key", self.key()).field("cursor", &self.cursor).finish_non_exhaustive()
    }
}
