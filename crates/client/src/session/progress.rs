//! The progress of the program: the last event ID of the events that it has dealt with.
use crate::{Acknowledge, Text};

/// The events that the program was given or has dealt with, as far as their last event IDs are not saved yet. If
/// several IDs wait to be saved, only the last of them will be saved.
pub(crate) struct Progress {
    when: Acknowledge,
    /// With [`Acknowledge::OnNext`]: the ID of the last event that the program was given, if the event is not
    /// acknowledged yet.
    given: Option<Text>,
    /// With [`Acknowledge::Manual`]: the last event that the program was given, if the program has not acknowledged it
    /// yet.
    last: Option<Last>,
    /// The ID that has to be saved next.
    acknowledged: Option<Text>,
    /// The newest ID that is saved already or will be saved. An acknowledged event whose last event ID is the same
    /// causes no second save. `None` until an ID is known.
    newest: Option<Text>,
}

/// The last event that was given to a program that acknowledges its events itself.
struct Last {
    id: Text,
    /// True if `id` differs from the last event ID before this event. If `id` does not differ, an acknowledged ID that
    /// is equal to `id` may be the ID of an earlier event.
    is_own: bool,
    /// The last event ID that blocks which are not events have set after this event, if there were such blocks.
    behind: Option<Text>,
}

impl Progress {
    pub(crate) fn new(when: Acknowledge) -> Self {
        Self { when, given: None, last: None, acknowledged: None, newest: None }
    }

    /// Notes the ID that the store has loaded; it is empty if there was none.
    pub(super) fn loaded(&mut self, id: Text) {
        self.newest = Some(id);
    }

    /// Notes that the program has received an event, or has received the warning that an event was skipped because it
    /// was too large. `id` is the last event ID after this event.
    pub(super) fn given(&mut self, id: &Text) {
        match self.when {
            Acknowledge::OnNext => self.given = Some(id.clone()),
            Acknowledge::Manual => {
                let before = self.last.as_ref().map(|last| last.behind.as_ref().unwrap_or(&last.id));
                let is_own = before.or(self.newest.as_ref()).is_none_or(|before| before != id);
                self.last = Some(Last { id: id.clone(), is_own, behind: None });
            }
        }
    }

    /// Notes that a block without an event has set the last event ID. The ID is saved once the program has dealt with
    /// the event before this block.
    pub(super) fn passed(&mut self, id: &Text) {
        match &mut self.last {
            Some(last) => last.behind = Some(id.clone()),
            // No event waits to be acknowledged. With `Acknowledge::OnNext`, the program has dealt with the event
            // before the block, because it has asked for the next one.
            None => self.keep(id),
        }
    }

    /// Notes that the program asks for the next event. With [`Acknowledge::OnNext`], this acknowledges the previous
    /// event.
    pub(crate) fn next(&mut self) {
        if let Some(id) = self.given.take() {
            self.keep(&id);
        }
    }

    /// Notes that the program has dealt with the event that has this last event ID.
    pub(crate) fn acknowledge(&mut self, id: &Text) {
        match self.last.take_if(|last| last.is_own && last.id == *id) {
            Some(Last { behind: Some(behind), .. }) => self.keep(&behind),
            _ => self.keep(id),
        }
    }

    /// Takes the ID that has to be saved next.
    pub(crate) fn take_acknowledged(&mut self) -> Option<Text> {
        self.acknowledged.take()
    }

    /// Notes that the store has failed, so it is not known which ID it contains.
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
