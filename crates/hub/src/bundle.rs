//! A bundle: the encoded events of one batch for one recipient of the router. A recipient is a shard or a group of
//! polled subscriptions.
use crate::position::Offset;
use bytes::Bytes;
use std::sync::Arc;

/// The key by which a recipient finds one of its parts. A part consists of the members of one audience that belong to
/// this recipient. The generation distinguishes the part from an earlier part that had the same index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// The index of the slot in which the recipient keeps the part.
    pub index: u32,
    /// A number that distinguishes the part from earlier parts in the same slot.
    pub generation: u32,
}

/// The encoded events of one batch for one part of an audience, in order. An event that is sent in two pieces takes two
/// items with the same offset, one directly after the other.
pub type Events = Arc<[(Offset, Bytes)]>;

/// The encoded events of one batch for one recipient. Each item has the key of a part, and the events for this part.
pub type Bundle = Vec<(PartKey, Events)>;
