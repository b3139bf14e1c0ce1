//! The store, which keeps the last event ID for the next start of the program.
mod file;
mod memory;

pub use file::{FileStore, FileStoreError};
pub use memory::MemoryStore;

use crate::BoxError;
use std::{future::Future, pin::Pin};

/// A future that a method of [`Store`] returns.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Keeps a last event ID. It may be a [`FileStore`], a [`MemoryStore`], or a row in the database in which your program
/// also stores what it makes of the events. A store may be used by one event source at a time.
pub trait Store: Send + Sync + 'static {
    /// Loads the ID that was saved last; `None` if none was saved.
    fn load(&self) -> StoreFuture<'_, Option<String>>;

    /// Saves `id`. The event source does not call this again before the returned future has ended. If several IDs are
    /// acknowledged before that, only the last of them is saved next.
    fn save(&self, id: String) -> StoreFuture<'_, ()>;
}

/// The moment when an event counts as dealt with, so that its ID may be saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// An event counts as dealt with when the program asks for the next event. This is right for programs that handle
    /// one event after the other. It is the default.
    #[default]
    OnNext,
    /// An event counts as dealt with when the program calls
    /// [`EventSource::acknowledge`](crate::EventSource::acknowledge). The events must be acknowledged in their order.
    Manual,
}
