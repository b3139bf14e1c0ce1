//! The progress of the program: the last event ID of the events that it has dealt with.
use crate::{Acknowledge, Text};

/// The last event IDs between the moment when an event is given to the program and the moment when its ID is saved. If
/// several IDs wait to be saved, only the last one counts.
pub(crate) struct Progress {
    when: Acknowledge,
    /// The ID of the last event that the program was given, if it is not acknowledged yet.
    given: Option<Text>,
    /// The last event that the program was given, with [`Acknowledge::Manual`], if it is not acknowledged yet.
    last: Option<Last>,
    /// The ID that has to be saved next.
    acknowledged: Option<Text>,
    /// The newest ID, whether it is saved already or will be saved. With it, an event that sets no ID does not cause a
    /// second save. `None` until an ID is known.
    newest: Option<Text>,
}

/// The last event that the program was given, which it acknowledges itself.
struct Last {
    id: Text,
    /// True if the ID is not the one from before the event, so that an acknowledged ID can only mean this event.
    is_own: bool,
    /// The ID that a block without an event has set after this event.
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

    /// Notes that the program was given an event, or the warning that an event was too large and was skipped. `id` is
    /// the last event ID after it.
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

    /// Notes that a block without an event has set the last event ID. The ID counts once the program has dealt with the
    /// event before it.
    pub(super) fn passed(&mut self, id: &Text) {
        match &mut self.last {
            Some(last) => last.behind = Some(id.clone()),
            // With `Acknowledge::OnNext` the event before is dealt with, because the program has asked for more.
            None => self.keep(id),
        }
    }

    /// Notes that the program asks for the next event.
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
