//! Keeping the last event ID of what has been dealt with, beside the stream.
use crate::{Acknowledge, BoxError, MessageEvent, Text, store::Store};
use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A future of the store's that owns the store.
pub(crate) type Kept<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Saves IDs one after the other; of those that come while one is being saved, the last.
pub(crate) struct Keeper {
    store: Arc<dyn Store>,
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
    saving: Option<Kept<()>>,
}

/// The last event that a program has, which it acknowledges itself.
struct Last {
    id: Text,
    /// The event has set the ID itself, so that nothing else is meant by it.
    is_own: bool,
    /// The ID that a block without an event has set behind it.
    behind: Option<Text>,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn Store>, when: Acknowledge) -> Self {
        Self { store, when, given: None, last: None, acknowledged: None, newest: None, saving: None }
    }

    /// The ID that was kept before.
    pub(crate) fn load(&self) -> Kept<Option<String>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.load().await })
    }

    /// This was kept before; empty if nothing was.
    pub(crate) fn loaded(&mut self, id: Text) {
        self.newest = Some(id);
    }

    /// An event was given out.
    pub(crate) fn given(&mut self, event: &MessageEvent) {
        let id = event.last_event_id.clone();
        match self.when {
            Acknowledge::OnNext => self.given = Some(id),
            Acknowledge::Manual => self.last = Some(Last { id, is_own: event.sets_id(), behind: None }),
        }
    }

    /// Takes note of an event that was too large and was skipped, behind which this is the last event ID: like an
    /// event, it is passed when the program has dealt with it.
    pub(crate) fn skipped(&mut self, id: &Text) {
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
    pub(crate) fn passed(&mut self, id: &Text) {
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

    fn keep(&mut self, id: &Text) {
        if self.newest.as_ref() != Some(id) {
            self.newest = Some(id.clone());
            self.acknowledged = Some(id.clone());
        }
    }

    /// Goes on saving. Ready when everything acknowledged is kept.
    pub(crate) fn poll_saved(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            if let Some(saving) = &mut self.saving {
                let result = std::task::ready!(saving.as_mut().poll(cx));
                self.saving = None;
                if result.is_err() {
                    self.newest = None;
                }
                result?;
            }
            let Some(id) = mem::take(&mut self.acknowledged) else { return Poll::Ready(Ok(())) };
            let store = Arc::clone(&self.store);
            self.saving = Some(Box::pin(async move { store.save(id.into()).await }));
        }
    }
}
