//! A last event ID that lasts as long as the program.
use super::{Store, StoreFuture};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps the last event ID in memory: for one event source after the other in one program, and for tests. Clones are
/// the same store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    id: Arc<Mutex<Option<String>>>,
}

impl MemoryStore {
    /// A store that keeps nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that keeps `id`.
    #[must_use]
    pub fn with(id: impl Into<String>) -> Self {
        Self { id: Arc::new(Mutex::new(Some(id.into()))) }
    }

    /// The ID that is kept.
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
