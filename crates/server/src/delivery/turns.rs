//! The progress of a shard, as other threads see it.
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// A number that grows while a shard makes progress: with each turn of its loop, and in a turn with each batch of
/// sends, because a turn with very many subscribers takes seconds. Clones share the number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<AtomicU64>);

impl Turns {
    /// Notes progress. Only the shard's own thread calls this, so it needs no atomic addition. A thread that reads the
    /// new number also sees what the shard did before.
    #[inline]
    pub(crate) fn advance(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// The number of steps so far.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// True if both are clones of one value.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
