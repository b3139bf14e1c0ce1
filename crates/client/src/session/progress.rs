//! The place that the program has come to: the last event ID of what it has dealt with.
use crate::{Acknowledge, MessageEvent, Text};

/// The IDs on their way from an event that was given out to the store. Of those that are not saved yet the last counts.
pub(crate) struct Progress {
    when: Acknowledge,
    /// The ID of the event that was given out last, if it is not acknowledged yet.
    given: Option<Text>,
    /// The event that was given out last, with [`Acknowledge::Manual`], if it is not acknowledged yet.
    last: Option<Last>,
    /// The ID that is to be saved next.
    acknowledged: Option<Text>,
    /// The ID that is saved once all is: the same is not saved again for events that set no ID. `None` if it is not
    /// known.
    newest: Option<Text>,
}

/// The last event that a program has, which it acknowledges itself.
struct Last {
    id: Text,
    /// The event has set the ID itself, so that nothing else is meant by it.
    is_own: bool,
    /// The ID that a block without an event has set behind it.
    behind: Option<Text>,
}

impl Progress {
    pub(crate) fn new(when: Acknowledge) -> Self {
        Self { when, given: None, last: None, acknowledged: None, newest: None }
    }

    /// Takes note of the ID that was kept before; it is empty if none was.
    pub(super) fn loaded(&mut self, id: Text) {
        self.newest = Some(id);
    }

    /// An event was given out.
    pub(super) fn given(&mut self, event: &MessageEvent) {
        let id = event.last_event_id.clone();
        match self.when {
            Acknowledge::OnNext => self.given = Some(id),
            Acknowledge::Manual => self.last = Some(Last { id, is_own: event.sets_id(), behind: None }),
        }
    }

    /// Takes note of an event that was too large and was skipped, behind which this is the last event ID: like an
    /// event, it is passed when the program has dealt with it.
    pub(super) fn skipped(&mut self, id: &Text) {
        match self.when {
            Acknowledge::OnNext => self.given = Some(id.clone()),
            Acknowledge::Manual => {
                let before = self.last.as_ref().map(|last| last.behind.as_ref().unwrap_or(&last.id));
                let is_own = before.or(self.newest.as_ref()).is_none_or(|before| before != id);
                self.last = Some(Last { id: id.clone(), is_own, behind: None });
            }
        }
    }

    /// A block without an event has set the last event ID. It counts once what was given out before it is dealt with.
    pub(super) fn passed(&mut self, id: &Text) {
        match &mut self.last {
            Some(last) => last.behind = Some(id.clone()),
            // With `Acknowledge::OnNext` it was, since this was asked for.
            None => self.keep(id),
        }
    }

    /// The next event is asked for.
    pub(crate) fn next(&mut self) {
        if let Some(id) = self.given.take() {
            self.keep(&id);
        }
    }

    /// The program has dealt with the event after which this is the last event ID.
    pub(crate) fn acknowledge(&mut self, id: &Text) {
        match self.last.take_if(|last| last.is_own && last.id == *id) {
            Some(Last { behind: Some(behind), .. }) => self.keep(&behind),
            _ => self.keep(id),
        }
    }

    /// Takes the ID that is to be saved next.
    pub(crate) fn take_acknowledged(&mut self) -> Option<Text> {
        self.acknowledged.take()
    }

    /// The store has failed: nobody knows what it holds.
    pub(crate) fn not_saved(&mut self) {
        self.newest = None;
    }

    fn keep(&mut self, id: &Text) {
        if self.newest.as_ref() != Some(id) {
            self.newest = Some(id.clone());
            self.acknowledged = Some(id.clone());
        }
    }
}
