//! A store that keeps the last event ID until the program ends.
use super::{Store, StoreFuture};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the last event ID in memory. It is for tests, and for a program in which a new event source continues where an
/// earlier one ended. Clones share one store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    id: Arc<Mutex<Option<String>>>,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a store that contains `id`.
    #[must_use]
    pub fn with(id: impl Into<String>) -> Self {
        Self { id: Arc::new(Mutex::new(Some(id.into()))) }
    }

    /// Returns the ID in the store.
    #[must_use]
    pub fn last_event_id(&self) -> Option<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(async { Ok(self.last_event_id()) })
    }

    fn save(&self, id: String) -> StoreFuture<'_, ()> {
        Box::pin(async {
            *self.lock() = Some(id);
            Ok(())
        })
    }
}
