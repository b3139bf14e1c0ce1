//! The keys by which a shard finds its members and parts.

/// A member's place among all members of its shard.
pub(super) type MemberKey = u32;

/// A part's place among all parts of its shard.
pub(super) type PartIndex = u32;
