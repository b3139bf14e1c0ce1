//! A bundle: the wire events of one batch for one recipient of the router, a shard or a group of polled subscriptions.
use crate::position::Offset;
use bytes::Bytes;
use std::sync::Arc;

/// A recipient's part of an audience, as the recipient names it. The generation tells it from an earlier one with the
/// same index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// The place in whatever the recipient keeps its parts in.
    pub index: u32,
    /// Counts what has been in that place.
    pub generation: u32,
}

/// The wire events of one batch for the part of an audience, in order. An event of two pieces takes two items of the
/// same offset, which follow each other.
pub type Events = Arc<[(Offset, Bytes)]>;

/// The events for each part that they reach.
pub type Bundle = Vec<(PartKey, Events)>;
