//! Saving the last event ID of what has been dealt with, beside the stream.
use crate::{BoxError, session::Progress, store::Store};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A future of the store's that owns the store.
pub(crate) type Kept<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Saves IDs one after the other; of those that come while one is being saved, the last.
pub(crate) struct Keeper {
    store: Arc<dyn Store>,
    saving: Option<Kept<()>>,
}

impl Keeper {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, saving: None }
    }

    /// Loads the ID that was kept before.
    pub(crate) fn load(&self) -> Kept<Option<String>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.load().await })
    }

    /// Goes on saving. Ready when everything acknowledged is kept.
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
