//! Publishes batches to the hub, in order and each event once, even if the hub is down for a while.
use super::{
    backoff::Backoff,
    batch::{Batch, Item},
    error::RelayError,
    held::Held,
    sink::{Sink, failure::Failure},
    state::State,
    voice::Voice,
};
use crate::shown::shown_id;
use fanfare_client::Error;
use fanfare_hub::topic::Topic;
use std::time::Duration;

/// The shortest and the longest wait before a request to a hub that is down is repeated.
const HUB_DELAYS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];

/// A connection to a hub, with a record of the updates that the hub has already accepted.
#[derive(Debug)]
pub(super) struct Delivery {
    sink: Sink,
    pub(super) state: State,
    voice: Voice,
    lookups: Lookups,
    /// The updates of this relay that are in the hub's log after the position that is saved in the state.
    held: Held,
    /// The greatest number of bytes of updates in one request. It becomes smaller if a proxy in front of the hub
    /// refuses a request of this size.
    request_bytes: usize,
    pub(super) counts: Counts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lookups {
    /// The relay has not yet read the hub's log.
    Due,
    Done,
    /// The hub does not let this relay read its log.
    Refused,
}

/// Counts three kinds of events: those that were relayed, those that could not be published, and those that the hub
/// already had.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) relayed: u64,
    pub(super) refused: u64,
    pub(super) held: u64,
}

impl Delivery {
    pub(super) fn new(sink: Sink, state: State, voice: Voice, topics: &[Topic]) -> Self {
        let (held, counts) = (Held::new(topics), Counts::default());
        Self { sink, state, voice, lookups: Lookups::Due, held, request_bytes: usize::MAX, counts }
    }

    /// Publishes `batch`. Waits as long as the hub is down.
    ///
    /// # Errors
    /// [`RelayError`] if the hub will never accept updates again, or if the state cannot be saved.
    pub(super) async fn deliver(&mut self, batch: &mut Batch) -> Result<(), RelayError> {
        if self.lookups == Lookups::Due {
            self.begin().await?;
        }
        self.leave_out_held(batch);
        let events = batch.items.iter().filter(|item| !item.is_gap);
        let (count, refused) = (events.count() as u64, self.counts.refused);
        self.publish(batch).await?;
        self.counts.relayed += count - (self.counts.refused - refused);
        Ok(())
    }

    /// Counts and reports an event that can never be published. The caller publishes a gap event in its place.
    pub(super) fn refused(&mut self, id: &str, reason: &str) {
        self.counts.refused += 1;
        self.voice.warn(&format!("an event is left out (last event ID {}): {reason}", shown_id(id)));
    }

    /// Removes from `batch` the events that an earlier run of the relay has published. Only events with an ID are
    /// looked up: an upstream that resumes is not expected to send events without an ID again. The search ends at the
    /// first event that the hub does not have: all later events are new.
    fn leave_out_held(&mut self, batch: &mut Batch) {
        if self.held.is_empty() {
            return;
        }
        let before = batch.items.len();
        let mut searching = true;
        batch.items.retain(|item| {
            if !searching || !item.sets_id {
                return true;
            }
            searching = self.held.take(item);
            !searching
        });
        if !searching {
            self.held.clear();
        }
        self.counts.held += (before - batch.items.len()) as u64;
    }

    async fn publish(&mut self, batch: &mut Batch) -> Result<(), RelayError> {
        let mut backoff = Backoff::new(HUB_DELAYS);
        while !batch.items.is_empty() {
            let (count, bytes) = self.fitting(&batch.items);
            match self.sink.publish(&batch.items[..count]).await {
                Ok(position) => {
                    if let Some(position) = position {
                        self.state.set_position(position);
                    }
                    batch.items.drain(..count);
                    backoff.reset();
                }
                Err(Failure::TooLarge(_)) if count > 1 => self.request_bytes = bytes / 2,
                Err(Failure::TooLarge(reason)) => self.replace_first(batch, &reason, false),
                Err(Failure::Refused { index, reason, may_be_id }) => {
                    batch.items.drain(..index);
                    self.replace_first(batch, &reason, may_be_id);
                    self.find_end().await?;
                }
                Err(Failure::Passing(reason)) => {
                    self.voice.lost(&format!("the hub does not accept events: {reason}"));
                    backoff.wait().await;
                    self.look_up_unanswered(batch).await?;
                }
                Err(Failure::Final(closed)) => return Err(RelayError::Closed(closed)),
            }
        }
        Ok(())
    }

    /// Returns the number of `items` that fit into one request, at least one, and their size in bytes.
    fn fitting(&self, items: &[Item]) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        for item in items {
            let more = item.size();
            if count > 0 && bytes + more > self.request_bytes {
                break;
            }
            (count, bytes) = (count + 1, bytes + more);
        }
        (count, bytes)
    }

    /// Replaces the first update of the batch, which the hub has refused for `reason`, by an update that the hub may
    /// accept. If there is no such update, removes the first update without a replacement.
    fn replace_first(&mut self, batch: &mut Batch, reason: &str, may_be_id: bool) {
        let item = batch.items.remove(0);
        let id = item.upstream_id().to_owned();
        let was_gap = item.is_gap;
        let instead = item.in_place_of(reason, may_be_id);
        match &instead {
            Some(instead) if was_gap || !instead.is_gap => {
                let what = if was_gap { "gap event for" } else { "event" };
                self.voice.warn(&format!(
                    "the hub refused the {what} {}; sending it again without its ID: {reason}",
                    shown_id(&id)
                ));
            }
            None if was_gap => self.voice.warn(&format!(
                "the hub also refused the gap event, so its subscribers do not know that an event is missing: {reason}"
            )),
            _ => self.refused(&id, reason),
        }
        if let Some(instead) = instead {
            batch.items.insert(0, instead);
        }
    }

    /// Removes from `batch` the updates that are already in the hub's log: they were published, but the hub's answer
    /// was lost.
    async fn look_up_unanswered(&mut self, batch: &mut Batch) -> Result<(), RelayError> {
        if self.lookups == Lookups::Refused {
            return Ok(());
        }
        self.look_up().await?;
        let published = batch.items.iter().take_while(|item| self.held.take(item)).count();
        self.held.clear();
        if published > 0 {
            if batch.items[..published].iter().any(|item| !item.is_gap && item.update.id().is_none()) {
                self.voice.warn(
                    "an answer of the hub was lost. Equal events without an ID are in its log and are not published \
                     again; they may be from another publisher",
                );
            }
            batch.items.drain(..published);
            self.find_end().await?;
        }
        Ok(())
    }

    /// Reads from the hub's log the updates that an earlier run of the relay has published but not saved in its state.
    /// If the state has no position, saves the current end of the log, for the next run.
    async fn begin(&mut self) -> Result<(), RelayError> {
        if self.state.position().is_some() {
            return self.look_up().await;
        }
        self.ask(None).await?;
        self.state.begin().await.map_err(|error| RelayError::State(Error::Store(error)))
    }

    /// Reads the updates that the hub's log has after the position in the state. Waits until the hub answers.
    async fn look_up(&mut self) -> Result<(), RelayError> {
        let after = self.state.position();
        self.ask(after).await
    }

    /// Sets the position in the state to the current end of the hub's log, which is after everything that this relay
    /// has published.
    async fn find_end(&mut self) -> Result<(), RelayError> {
        if self.lookups == Lookups::Refused { Ok(()) } else { self.ask(None).await }
    }

    async fn ask(&mut self, after: Option<String>) -> Result<(), RelayError> {
        let mut backoff = Backoff::new(HUB_DELAYS);
        loop {
            match self.sink.look_up(after.as_deref(), &mut self.held).await {
                Ok(position) => {
                    self.lookups = Lookups::Done;
                    if let (None, Some(position)) = (after, position) {
                        self.state.set_position(position);
                    }
                    return Ok(());
                }
                Err(Failure::Passing(reason)) => {
                    self.voice.lost(&format!("the hub's log cannot be read: {reason}"));
                    backoff.wait().await;
                }
                Err(Failure::Refused { .. } | Failure::TooLarge(_) | Failure::Final(_)) => {
                    self.lookups = Lookups::Refused;
                    self.held.clear();
                    self.voice.warn(
                        "the hub does not let this relay read its log, so events may be published twice after a crash; \
                         give the relay a token that may also subscribe to its topics",
                    );
                    return Ok(());
                }
            }
        }
    }
}
