//! Keeping the last event ID of what has been dealt with, beside the stream.
use crate::{Acknowledge, BoxError, Text, store::Store};
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
    /// What is to be saved next.
    acknowledged: Option<Text>,
    /// What is saved once all is: the same is not saved again for events that set no ID. `None` if it is not known.
    newest: Option<Text>,
    saving: Option<Kept<()>>,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn Store>, when: Acknowledge) -> Self {
        Self { store, when, given: None, acknowledged: None, newest: None, saving: None }
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

    /// An event was given out, after which this is the last event ID.
    pub(crate) fn given(&mut self, id: &Text) {
        if self.when == Acknowledge::OnNext {
            self.given = Some(id.clone());
        }
    }

    /// The next event is asked for.
    pub(crate) fn next(&mut self) {
        if let Some(id) = self.given.take() {
            self.acknowledge(&id);
        }
    }

    /// The program has dealt with the event after which this is the last event ID.
    pub(crate) fn acknowledge(&mut self, id: &Text) {
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
