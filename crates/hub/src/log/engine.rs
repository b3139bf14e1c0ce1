//! The engines of the log: the trait that memory and segments on disk implement, and the types of its answers.
use super::{
    Epochs,
    erase::{Erase, Erased},
    found::{Candidates, Query, Read},
};
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
    topic::matcher::Matcher,
    update::Update,
};
use fanfare_event_stream::EventId;
use std::{fmt, io, path::PathBuf, sync::Arc};

/// The part of the sequence that the log holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first offset still held; `head.next()` if the log is empty.
    pub oldest: Offset,
    /// The last offset ever appended, also when retention has discarded it; [`Offset::ZERO`] if nothing ever was.
    pub head: Offset,
}

impl Bounds {
    /// The place before everything that the log holds.
    #[must_use]
    pub fn floor(&self) -> Offset {
        Offset(self.oldest.0 - 1)
    }
}

/// One ordered, durable sequence of entries.
///
/// All methods may block on a disk or a network. Every `now` is by the clock that stamps the entries.
pub trait Log: Send + Sync + 'static {
    /// Appends `batch` behind the head, in order, all or nothing, durably by the engine's own measure, stamped `now`.
    /// May discard what retention no longer keeps.
    ///
    /// # Errors
    /// [`LogError`]; nothing of the batch is then in the log, nor will it be.
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError>;

    /// Reads on. What is found says by itself where something is missing: retention may have discarded what follows
    /// the place that was asked for, or damage may have destroyed it.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError>;

    /// Finds the updates to which publishers gave this ID, oldest first.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError>;

    /// The place before the first entry held that was appended at `time` or later.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read.
    fn place_at(&self, time: Timestamp) -> Result<Offset, LogError>;

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

    /// Erases entries: from the moment in which this returns, nobody is shown them any more.
    ///
    /// # Errors
    /// [`LogError`] if the engine cannot read, or cannot make it durable. Some of the entries may be erased then.
    fn erase(&self, erase: &Erase<'_>, now: Timestamp) -> Result<Erased, LogError>;
}

/// The most that a log keeps. An entry goes as soon as any of the limits is exceeded, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The greatest age in milliseconds; `None` keeps entries however old they are.
    pub age_ms: Option<u64>,
    /// The most bytes of stored entries; `None` sets no limit.
    pub bytes: Option<u64>,
    /// The most entries; `None` sets no limit.
    pub count: Option<u64>,
    /// Shorter ages for the updates of some topics. Whoever would have received one of them is told that it is gone.
    pub topics: Vec<TopicRetention>,
}

/// The age up to which the updates of some topics are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRetention {
    /// The topics. An update goes if one of its topics matches.
    pub topics: Matcher,
    /// The greatest age in milliseconds.
    pub age_ms: u64,
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
    /// The directory has the log of an earlier version, in another format.
    OldFormat(PathBuf),
    /// The log takes no more publications before a restart: a sync failed, or its files have vanished.
    Stopped(String),
}

impl LogError {
    /// True if there is no room for what was to be written.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io(error) if matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        ))
    }
}

impl LogError {
    /// The same error once more, for another reader who needs to know it.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io(error) => Self::Io(io::Error::new(error.kind(), error.to_string())),
            Self::Corrupt(what) => Self::Corrupt(what.clone()),
            Self::InUse => Self::InUse,
            Self::OldFormat(file) => Self::OldFormat(file.clone()),
            Self::Stopped(why) => Self::Stopped(why.clone()),
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
            Self::Stopped(why) => write!(f, "the log takes nothing more before a restart: {why}"),
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
            Self::Corrupt(_) | Self::InUse | Self::OldFormat(_) | Self::Stopped(_) => None,
        }
    }
}
