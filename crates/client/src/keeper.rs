//! Saves the last event ID of the events that the program has dealt with. The stream returns events during a save.
use crate::{BoxError, session::Progress, store::Store};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A future that does an operation of the store, and owns a reference to the store.
pub(crate) type Kept<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Saves IDs one after the other. If several IDs come while one is being saved, only the last of them is saved next.
pub(crate) struct Keeper {
    store: Arc<dyn Store>,
    saving: Option<Kept<()>>,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, saving: None }
    }

    /// Loads the ID that was saved before.
    pub(crate) fn load(&self) -> Kept<Option<String>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.load().await })
    }

    /// Continues to save. Ready when every acknowledged ID is saved, or with the store's error if saving has failed.
    pub(crate) fn poll_saved(&mut self, progress: &mut Progress, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        loop {
            if let Some(saving) = &mut self.saving {
                let result = ready!(saving.as_mut().poll(cx));
                self.saving = None;
                if result.is_err() {
                    progress.not_saved();
                }
                result?;
            }
            let Some(id) = progress.take_acknowledged() else { return Poll::Ready(Ok(())) };
            let store = Arc::clone(&self.store);
            self.saving = Some(Box::pin(async move { store.save(id.into()).await }));
        }
    }
}
