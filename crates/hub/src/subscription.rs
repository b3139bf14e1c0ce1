//! A subscription that is polled: it reads the log from the subscriber's cursor and then follows its audience. It is a
//! member of a group of polled subscriptions.
use crate::{
    audience_key::AudienceKey,
    budget::Room,
    bundle::PartKey,
    ending::EndReason,
    entry::Timestamp,
    fan_out::{Joining, Wanted},
    join_permit::JoinPermit,
    log::LogError,
    polled::{Group, Seat},
    position::Offset,
    rewind::Rewind,
    rewinding::Rewinding,
    shared::Shared,
};
use bytes::Bytes;
use std::{
    fmt, io,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::Instant;

/// The position where a subscription starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The end of the log: the subscriber only gets updates that are published from now on.
    #[default]
    Now,
    /// The position after the update with this ID; the ID `earliest` is before all entries of the log.
    After(String),
    /// The position after the update with the first of these IDs, or, if the log has no such update, after the update
    /// with the second ID. This is for an ID whose bytes may be meant as UTF-8 or as Latin-1. If a gap event is sent,
    /// it names the first ID.
    AfterEither(String, String),
    /// The newest updates of each topic and pattern that was subscribed to, followed by new updates. The number limits
    /// the updates of each topic or pattern. All of them together are at most [`MAX_REWIND`](crate::rewind::MAX_REWIND)
    /// updates.
    Newest(usize),
    /// The position before the first update that was published at this time or later.
    Since(Timestamp),
}

/// A subscription that is polled. Dropping it ends the subscription.
pub struct Subscription {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    group: Arc<Group>,
    seat: Seat,
    resumed_from: String,
    /// The position after the last event that was returned whole; `None` if no bytes were returned yet.
    reached: Option<Offset>,
    /// The rest of a long rewind, which is sent first; `None` if there is none. The member gets no events until the
    /// rewind is complete. Boxed, because few subscriptions have it.
    rewinding: Option<Box<Rewinding>>,
    /// The room that the buffers of the subscriber's connection take; `None` if they are not charged to the budgets.
    _connection: Option<Room>,
}

impl Subscription {
    /// Makes a subscriber a member of its audience. The rest of a rewind is sent before the events after its cursor.
    pub(crate) fn join(
        hub: Arc<Shared>,
        mut joining: Joining,
        permit: JoinPermit,
        resumed_from: String,
        rewind: Option<Rewind>,
        connection: Option<Room>,
    ) -> Self {
        let (key, group) = (joining.key.clone(), hub.polled.group(&joining.key).clone());
        let rewinding = rewind.map(|rewind| Box::new(Rewinding::new(hub.clone(), &mut joining, rewind, now())));
        let (head, place) = (|| hub.bounds().head, |offset| hub.place(offset));
        let seat = group.join(joining, rewinding.is_some(), permit, now(), head, place);
        let subscription =
            Self { hub, key, group, seat, resumed_from, reached: None, rewinding, _connection: connection };
        subscription.start_reads();
        subscription
    }

    /// The key of the subscriber's audience.
    #[must_use]
    pub fn key(&self) -> &Arc<AudienceKey> {
        &self.key
    }

    /// The ID of the position where the subscriber started: it gets the updates after this position. The ID is
    /// `earliest` if this position is before all updates.
    #[must_use]
    pub fn resumed_from(&self) -> &str {
        &self.resumed_from
    }

    /// The ID of the position after the last event that was returned whole; `None` if the stream has ended. A new
    /// subscription that starts after this ID gets all later updates. If only the first piece of an event was returned,
    /// the position is before this event.
    #[must_use]
    pub fn reached(&self) -> Option<String> {
        let reached = || self.reached.map_or_else(|| self.resumed_from.clone(), |reached| self.hub.id_behind(reached));
        self.group.has(self.seat).then(reached)
    }

    /// Returns the next encoded events for this subscriber, in the order of the log, each exactly once; `None` when the
    /// stream has ended. Several events may come as one run, and a large event may come in two pieces.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or if what is read would exceed a budget. The stream has then ended. In
    /// the second case the subscriber was told to come back later.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime. The runtime is needed to read the log.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, LogError>>> {
        if let Some(rewinding) = &mut self.rewinding {
            if let Some(next) = ready!(rewinding.poll_next(now(), cx)) {
                self.reached = Some(rewinding.reached());
                return Poll::Ready(Some(next));
            }
            if rewinding.is_ended() {
                return Poll::Ready(None);
            }
            self.group.open(self.seat, rewinding.spoke());
            self.rewinding = None;
        }
        let polled = self.group.poll(self.seat, &mut self.reached, now(), cx);
        self.start_reads();
        polled
    }

    /// Does the same as [`poll_next`](Self::poll_next), as a future.
    ///
    /// # Errors
    /// The same errors as those of [`Self::poll_next`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost: the next call returns what this one would have returned.
    pub async fn next(&mut self) -> Option<Result<Bytes, LogError>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the time when [`expire`](Self::expire) has to be called; `None` if the stream has ended.
    #[must_use]
    pub fn deadline(&self, heartbeat_interval: Duration) -> Option<Instant> {
        let deadline = match &self.rewinding {
            Some(rewinding) => rewinding.deadline(now(), heartbeat_interval),
            None => self.group.deadline(self.seat, now(), heartbeat_interval),
        };
        deadline.map(Instant::from_std)
    }

    /// Sends a heartbeat if the stream was silent for `heartbeat_interval`, or ends the stream if its end time has
    /// come. [`poll_next`](Self::poll_next) returns the bytes.
    pub fn expire(&mut self, heartbeat_interval: Duration) {
        let place = |offset| self.hub.place(offset);
        match &mut self.rewinding {
            Some(rewinding) => rewinding.expire(now(), heartbeat_interval, place),
            None => self.group.expire(self.seat, now(), heartbeat_interval, self.hub.bounds().held, place),
        }
    }

    /// Ends the stream after the event that the subscriber has begun to get.
    pub fn end(&mut self) {
        match &mut self.rewinding {
            Some(rewinding) => rewinding.end(),
            None => self.group.end(self.seat, now()),
        }
    }

    /// Ends the stream after the event that the subscriber has begun to get, and sends it an event with the reason.
    pub fn end_because(&mut self, reason: EndReason) {
        let place = |offset| self.hub.place(offset);
        match &mut self.rewinding {
            Some(rewinding) => rewinding.end_because(reason, place),
            None => self.group.end_because(self.seat, reason, now(), place),
        }
    }

    /// Starts to read the log for the members of the group that need it.
    fn start_reads(&self) {
        for wanted in self.group.take_reads() {
            let (hub, group, unanswered) = (self.hub.clone(), self.group.clone(), Some(wanted.part));
            tokio::spawn(Reader { hub, group, unanswered }.read(wanted));
        }
    }
}

/// Reads the log for members of a group, one step after the other, as long as a member needs a further step.
struct Reader {
    hub: Arc<Shared>,
    group: Arc<Group>,
    /// The part for which the log is being read; `None` once the read has ended. The group needs an answer for the
    /// part, even if the runtime ends before the log was read.
    unanswered: Option<PartKey>,
}

impl Reader {
    async fn read(mut self, wanted: Wanted) {
        let mut next = Some(wanted);
        while let Some(Wanted { part, key, cursor, is_barren }) = next {
            self.unanswered = Some(part);
            let reading = tokio::spawn(self.hub.clone().read_on(key, cursor, is_barren));
            let step = reading.await.unwrap_or_else(|error| Err(LogError::Io(io::Error::other(error))));
            self.unanswered = None;
            next = self.group.step(part, step, now(), |offset| self.hub.place(offset));
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(part) = self.unanswered {
            let ended = io::Error::other("the runtime that should read the log has ended");
            self.group.give_up(part, &LogError::Io(ended), std::time::Instant::now());
        }
    }
}

/// The current time, by the clock of the runtime.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.group.leave(self.seat);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("key", &self.key).finish_non_exhaustive()
    }
}
