//! The place where the last event ID outlives the program.
mod file;
mod memory;

pub use file::{FileStore, FileStoreError};
pub use memory::MemoryStore;

use crate::BoxError;
use std::{future::Future, pin::Pin};

/// A future of a [`Store`].
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Keeps a last event ID: [`FileStore`], [`MemoryStore`], or a row of your database beside what the events led to. One
/// store belongs to one event source at a time.
pub trait Store: Send + Sync + 'static {
    /// The ID that was kept; `None` before the first.
    fn load(&self) -> StoreFuture<'_, Option<String>>;

    /// Keeps `id`. It is not called again before its future has ended, and not for each event: of several that were
    /// acknowledged meanwhile, the last counts.
    fn save(&self, id: String) -> StoreFuture<'_, ()>;
}

/// The moment when an event has been dealt with, so that its ID may be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acknowledge {
    /// The moment when the next is asked for: right for programs that handle one event after the other. The default.
    #[default]
    OnNext,
    /// The moment when the program says so with [`EventSource::acknowledge`](crate::EventSource::acknowledge). The
    /// events must be acknowledged in their order.
    Manual,
}
