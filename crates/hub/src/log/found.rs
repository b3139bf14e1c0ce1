//! A query to a log, and its result.
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
    topic::Topic,
};
use std::sync::Arc;

/// The greatest number of records that one read examines, so that a long part of the log without matches does not make
/// other readers wait.
pub const MAX_LOOKED_AT: usize = 16 << 10;
/// The greatest number of updates with the same ID that [`Log::locate`](super::Log::locate) examines.
pub const MAX_CANDIDATES: usize = 1_000;

/// A query to the log.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The offset after which reading begins.
    pub after: Offset,
    /// The last offset to read. If the head of the log is lower, reading ends at the head.
    pub until: Offset,
    /// The topics of which a wanted update has at least one. The log finds these updates with an index. If the index is
    /// missing, the answer may also have updates with other topics. `None` asks for every update.
    pub topics: Option<&'a [Topic]>,
    /// The current time. Entries that have expired by then are not returned.
    pub now: Timestamp,
    /// The greatest number of entries, and of bytes, that the answer has.
    pub limit: ReadLimit,
}

/// The limit of the answer to a query. If there are entries, the answer has at least one, even if this one has more
/// bytes than the limit.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimit {
    /// The greatest number of entries that the answer has.
    pub entries: usize,
    /// The greatest number of bytes that the entries of the answer have together, as they are stored.
    pub bytes: usize,
}

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The entries, and what the log still knows of missing entries, in the order of the log.
    pub found: Vec<Found>,
    /// The offset up to which everything was examined. It is equal to [`Query::after`] if, and only if, nothing is left
    /// to read between [`Query::after`] and [`Query::until`].
    pub up_to: Offset,
}

/// The content of one or more offsets of the log, as a reader finds it: an entry, or what the log still knows of
/// missing entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// An entry.
    Entry(Arc<Entry>),
    /// The updates from the first offset up to and including the second are gone, because retention has discarded them
    /// or damage has destroyed them. Nothing else is known about them.
    Lost(Offset, Offset),
    /// An update that the retention of its topics has discarded. Only subscribers that would have received it need to
    /// know that it is missing.
    Discarded(Arc<Discarded>),
    /// An update that was erased, or whose time to live is over. No subscriber needs to know that it is missing. Only a
    /// search for its ID still finds its position in the log.
    Erased(Erasure),
    /// The presence updates from the first offset up to and including the second are not kept any more. Only
    /// subscribers that follow presence need to know that they are missing.
    PresenceLost(Offset, Offset),
}

/// The facts that the log still knows of an update that the retention of its topics has discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// The offset of the update.
    pub offset: Offset,
    /// The topics of the update.
    pub topics: Box<[Topic]>,
    /// True if only subscribers with a grant could receive the update.
    pub private: bool,
}

/// The facts that the log still knows of an update that was erased or has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The offset of the update.
    pub offset: Offset,
    /// True if only subscribers with a grant could receive the update.
    pub private: bool,
}

/// The updates that were found for one ID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The updates in the log that have the ID, oldest first, including erased and expired ones; at most
    /// [`MAX_CANDIDATES`].
    pub held: Vec<Found>,
    /// True if more than [`MAX_CANDIDATES`] updates in the log have the ID.
    pub more: bool,
    /// True if an update that retention has discarded had the same ID, or may have had it: then it is not certain which
    /// of these updates a subscriber with this ID has seen. Always false if `held` is empty.
    pub discarded: bool,
}

impl<'a> Query<'a> {
    /// Returns the topics for which the index can be used; `None` if every entry has to be examined. The index does not
    /// have presence updates.
    pub(crate) fn indexed_topics(&self) -> Option<&'a [Topic]> {
        self.topics.filter(|topics| !topics.iter().any(Topic::is_of_presence))
    }
}

impl Found {
    /// Returns the offset of this finding; if it is about several offsets, the last one.
    #[must_use]
    pub fn offset(&self) -> Offset {
        match self {
            Self::Entry(entry) => entry.position.offset,
            Self::Lost(_, last) | Self::PresenceLost(_, last) => *last,
            Self::Discarded(discarded) => discarded.offset,
            Self::Erased(erasure) => erasure.offset,
        }
    }
}

impl Read {
    /// Returns the entries among the findings.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.found.iter().filter_map(|found| match found {
            Found::Entry(entry) => Some(entry),
            _ => None,
        })
    }
}
