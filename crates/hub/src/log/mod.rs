//! The log: the one ordered sequence of updates, and the hub's only state.
//!
//! A [`Log`] stores and finds; it is called from threads that may block. Who calls [`Log::append`] decides the order,
//! and there is one such caller: the [`writer`]. How a subscriber's last event ID becomes a place in the log, or a gap
//! that is told, is the [`cursor`]'s.
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
    update::Update,
};
use fanfare_event_stream::EventId;
use std::{fmt, io, sync::Arc};

pub mod cursor;
mod disk;
mod epochs;
mod memory;
pub(crate) mod order;
mod stored;
pub mod writer;

pub use disk::{CACHE_BYTES, DiskLog, Recovery};
pub use epochs::{Epochs, IDLE_EPOCHS};
pub use memory::MemoryLog;

pub(crate) use stored::len as stored_bytes;

/// How much [`Log::read`] returns at most. At least one entry is returned if there is one, however large.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimit {
    /// The most entries.
    pub entries: usize,
    /// The most bytes of stored entries.
    pub bytes: usize,
}

/// The entries that the log holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first offset still held; `head.next()` if the log is empty.
    pub oldest: Offset,
    /// The last offset ever appended, also when retention has discarded it; [`Offset::ZERO`] if nothing ever was.
    pub head: Offset,
}

/// One ordered, durable sequence of entries.
///
/// All methods may block on a disk or a network.
pub trait Log: Send + Sync + 'static {
    /// Appends `batch` behind the head, in order, all or nothing, durably by the engine's own measure, stamped `now`.
    /// May discard what retention no longer keeps.
    ///
    /// # Errors
    /// [`LogError`]; nothing of the batch is then in the log, nor will it be.
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError>;

    /// The entries behind `after`, in order, without holes from the first one on. Retention may have discarded what
    /// directly follows `after`, or damage destroyed it: the first entry's offset then says so. [`cursor::follow`]
    /// tells it from the end of the log.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn read(&self, after: Offset, limit: ReadLimit) -> Result<Vec<Arc<Entry>>, LogError>;

    /// The oldest entry held whose publisher gave it this ID.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn locate(&self, id: &EventId) -> Result<Option<Offset>, LogError>;

    /// The oldest offset held and the head.
    fn bounds(&self) -> Bounds;

    /// The epochs of this log.
    fn epochs(&self) -> Arc<Epochs>;

    /// Discards what retention no longer keeps at `now`, and returns how many entries that was. One call does a bounded
    /// amount of work; call it until it returns 0.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot write.
    fn discard(&self, now: Timestamp) -> Result<usize, LogError>;
}

/// The most that a log keeps. An entry goes as soon as any of the limits is exceeded, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The greatest age in milliseconds; `None` keeps entries however old they are.
    pub age_ms: Option<u64>,
    /// The most bytes of stored entries; `None` sets no limit.
    pub bytes: Option<u64>,
    /// The most entries; `None` sets no limit.
    pub count: Option<u64>,
}

/// The reason why the log could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refused.
    Io(io::Error),
    /// The file does not hold what was written to it.
    Corrupt(String),
    /// Another process has the log open.
    InUse,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the log cannot be read or written: {error}"),
            Self::Corrupt(what) => write!(f, "the log is corrupt: {what}"),
            Self::InUse => f.write_str("another process has the log open"),
        }
    }
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Corrupt(_) | Self::InUse => None,
        }
    }
}
