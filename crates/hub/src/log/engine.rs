//! The trait [`Log`], which the log in memory and the log on disk implement, and its types: bounds, retention and
//! errors.
use super::{
    Epochs,
    erase::{Erase, Erased},
    found::{Candidates, Query, Read},
    presence::PresenceLimit,
};
use crate::{
    budget::OverBudget,
    entry::{Entry, Timestamp},
    position::Offset,
    topic::matcher::Matcher,
    update::Update,
};
use fanfare_event_stream::EventId;
use std::{fmt, io, path::PathBuf, sync::Arc};

/// The range of offsets whose entries the log holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The offset of the oldest entry that the log holds; `head.next()` if the log is empty.
    pub oldest: Offset,
    /// The offset of the last entry that was ever appended, even if retention has discarded the entry; [`Offset::ZERO`]
    /// if nothing was ever appended.
    pub head: Offset,
    /// The number of entries from `oldest` to `head`, without presence updates, and without entries that are lost. The
    /// limit [`Retention::count`] applies to this number.
    pub held: u64,
    /// The number of offsets from `oldest` to `head` that belong to presence updates.
    pub presence: u64,
}

impl Bounds {
    /// The offset directly before the oldest entry that the log holds. A reader that begins after this offset gets all
    /// entries.
    #[must_use]
    pub fn floor(&self) -> Offset {
        Offset(self.oldest.0 - 1)
    }
}

/// One ordered, durable sequence of entries.
///
/// All methods may block, because they may wait for a disk or a network. Every argument `now` is a time of the clock
/// that also gives the entries their time.
pub trait Log: Send + Sync + 'static {
    /// Appends all updates of `batch` after the newest entry, in order, or none of them. The updates get the time
    /// `now`. When the call returns, the log has made the updates as durable as it can: a log on disk has synced them.
    /// The call may also discard entries that retention no longer keeps. An empty batch appends nothing: the result
    /// says whether the log can append now, as far as it knows.
    ///
    /// # Errors
    /// [`LogError`]; then no update of the batch is in the log. After [`LogError::Failed`], updates of the batch may
    /// be in the log when it is opened again, because it is unknown what a failed sync has written.
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError>;

    /// Reads the entries that `query` asks for. The answer also reports where entries are missing, because retention
    /// has discarded them or damage has destroyed them.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError>;

    /// Finds the updates to which publishers gave this ID, oldest first.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError>;

    /// Returns the offset directly before the oldest entry that was appended at `time` or later; the newest offset of
    /// the log if there is no such entry.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn place_at(&self, time: Timestamp) -> Result<Offset, LogError>;

    /// Returns the oldest offset that the log holds, and the newest offset that was ever appended.
    fn bounds(&self) -> Bounds;

    /// Returns the time of the newest entry, even if this entry was erased, or is lost and the log still knows its
    /// time; 0 if there is none. The log must not give later entries an earlier time.
    fn newest(&self) -> Timestamp;

    /// Returns the epochs of this log.
    fn epochs(&self) -> Arc<Epochs>;

    /// Discards entries that retention no longer keeps at `now`, and returns how many entries it discarded. One call
    /// does a bounded amount of work; call it until it returns 0.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read or write.
    fn discard(&self, now: Timestamp) -> Result<usize, LogError>;

    /// Erases the entries that meet the conditions of `erase`. After this call returns, no reader gets the erased
    /// entries any more.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read, or cannot store the erasure durably. In this case, some of the entries
    /// may be erased.
    fn erase(&self, erase: &Erase<'_>, now: Timestamp) -> Result<Erased, LogError>;
}

/// The limits of age, size and number of the entries in a log. When a limit is exceeded, the oldest entries are
/// discarded. Presence updates have limits of their own, and do not count towards the limits of size and number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The greatest age of an entry, in milliseconds; `None` keeps entries however old they are.
    pub age_ms: Option<u64>,
    /// The greatest number of bytes that all entries together may have, as they are stored; `None` sets no limit.
    pub bytes: Option<u64>,
    /// The greatest number of entries that the log keeps; `None` sets no limit.
    pub count: Option<u64>,
    /// The topics whose updates are discarded at a lower age. A subscriber that would have received a discarded update
    /// is told of a gap.
    pub topics: Vec<TopicRetention>,
    /// The limits of the presence updates that the log keeps.
    pub presence: PresenceLimit,
}

/// The greatest age of the updates of some topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRetention {
    /// The matcher of the topics. The age limit applies to every update that has at least one matching topic.
    pub topics: Matcher,
    /// The greatest age of an update with a matching topic, in milliseconds.
    pub age_ms: u64,
}

/// The reason why an operation on the log failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// The file system returned an error.
    Io(io::Error),
    /// A file does not contain what was written to it. The text says what is wrong.
    Corrupt(String),
    /// Another process has the log open.
    InUse,
    /// The directory contains a log that an earlier version wrote in another format.
    OldFormat(PathBuf),
    /// The log accepts no more publications until the hub is restarted, because its files have vanished. The text says
    /// which. What it has read so far can still be delivered, and a restart would begin with an empty log.
    Stopped(String),
    /// The disk could not sync, or the log has panicked, so it is not known what is on the disk. The text is the
    /// reason. Only a restart shows which updates the log has.
    Failed(String),
    /// The events that were read for a subscriber would exceed a budget. The log itself can be read.
    OverBudget(OverBudget),
}

impl LogError {
    /// True if the error says that the disk has no room, or a quota or size limit is reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io(error) if matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        ))
    }
}

impl LogError {
    /// Returns a copy of the error, so that several readers can get the same error.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io(error) => Self::Io(io::Error::new(error.kind(), error.to_string())),
            Self::Corrupt(what) => Self::Corrupt(what.clone()),
            Self::InUse => Self::InUse,
            Self::OldFormat(file) => Self::OldFormat(file.clone()),
            Self::Stopped(why) => Self::Stopped(why.clone()),
            Self::Failed(why) => Self::Failed(why.clone()),
            Self::OverBudget(over) => Self::OverBudget(*over),
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the log cannot be read or written: {error}"),
            Self::Corrupt(what) => write!(f, "the log is corrupt: {what}"),
            Self::InUse => f.write_str("another process has the log open"),
            Self::OldFormat(file) => write!(
                f,
                "the directory has a log of an earlier version of Fanfare, which this version cannot read ({}): choose \
                 another directory, or move that file away",
                file.display()
            ),
            Self::OverBudget(over) => write!(f, "{over}"),
            Self::Stopped(why) | Self::Failed(why) => {
                write!(f, "the log accepts no more updates until the hub is restarted: {why}")
            }
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
            Self::Corrupt(_)
            | Self::InUse
            | Self::OldFormat(_)
            | Self::Stopped(_)
            | Self::Failed(_)
            | Self::OverBudget(_) => None,
        }
    }
}
