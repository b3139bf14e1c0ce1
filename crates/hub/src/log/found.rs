//! A question to a log, and what the log finds.
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
    topic::Topic,
};
use std::sync::Arc;

/// The most records that one read looks at, so that a stretch of the log in which nothing is found holds nobody up.
pub const MAX_LOOKED_AT: usize = 16 << 10;
/// The most updates with one ID that [`Log::locate`](super::Log::locate) looks at.
pub const MAX_CANDIDATES: usize = 1_000;

/// A question to the log.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The place behind which to read.
    pub after: Offset,
    /// The last offset to look at. The head, if that comes first.
    pub until: Offset,
    /// Only updates that have one of these topics, found by an index; `None` is every update.
    pub topics: Option<&'a [Topic]>,
    /// The time. What has expired by then is not found.
    pub now: Timestamp,
    /// The most to return.
    pub limit: ReadLimit,
}

/// The most that is returned. At least one entry is returned if there is one, however large.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimit {
    /// The most entries.
    pub entries: usize,
    /// The most bytes of stored entries.
    pub bytes: usize,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The findings, in the order of the log.
    pub found: Vec<Found>,
    /// The offset up to which everything was looked at. It is the one that was asked from if, and only if, nothing
    /// follows.
    pub up_to: Offset,
}

/// A finding at one place of the log: an entry, or what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An entry.
    Entry(Arc<Entry>),
    /// Updates from one offset to another that are gone, by retention or by damage: nothing is known of them.
    Lost(Offset, Offset),
    /// An update that the retention of its topics has discarded. Only those who would have received it miss it.
    Discarded(Arc<Discarded>),
    /// An update that was erased, or has expired, as its publisher wished. Nobody misses it. It is found only by its
    /// ID, whose place it keeps.
    Erased(Erasure),
}

/// The rest of an update that the retention of its topics has discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// Its place.
    pub offset: Offset,
    /// The topics that it had.
    pub topics: Box<[Topic]>,
    /// True if only those with a grant could receive it.
    pub private: bool,
}

/// The rest of an update that was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its place.
    pub offset: Offset,
    /// True if only those with a grant could receive it.
    pub private: bool,
}

/// The updates that have one ID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The entries held, oldest first; no more than [`MAX_CANDIDATES`].
    pub held: Vec<Found>,
    /// True if there are more of them.
    pub more: bool,
    /// True if an update that retention has discarded had the ID too, or perhaps had.
    pub discarded: bool,
}

impl Found {
    /// The last offset that this speaks of.
    #[must_use]
    pub fn offset(&self) -> Offset {
        match self {
            Self::Entry(entry) => entry.position.offset,
            Self::Lost(_, last) => *last,
            Self::Discarded(discarded) => discarded.offset,
            Self::Erased(erasure) => erasure.offset,
        }
    }
}

impl Read {
    /// The entries among what was found.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.found.iter().filter_map(|found| match found {
            Found::Entry(entry) => Some(entry),
            _ => None,
        })
    }
}
