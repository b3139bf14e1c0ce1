//! A log in memory that can be obstructed: before each use of the log it calls a function of the test, which may wait,
//! fail or panic. Several test crates include this file as a module.
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read, Retention,
        erase::{Erase, Erased},
    },
    position::Offset,
    update::Update,
};
use std::sync::Arc;

/// A use of the log.
pub(crate) enum Use<'a> {
    Append,
    Read(&'a Query<'a>),
    Locate,
    /// Its error is ignored, since the log has to return its epochs.
    Epochs,
    Other,
}

/// A log in memory that keeps everything.
pub(crate) struct ObstructedLog<F> {
    log: MemoryLog,
    before: F,
}

impl<F: Fn(Use<'_>) -> Result<(), LogError> + Send + Sync + 'static> ObstructedLog<F> {
    /// Creates a log that calls `before` before each use of it. If `before` returns an error, so does the use.
    pub(crate) fn new(before: F) -> Arc<Self> {
        Arc::new(Self { log: MemoryLog::new(Retention::default()), before })
    }
}

impl<F: Fn(Use<'_>) -> Result<(), LogError> + Send + Sync + 'static> Log for ObstructedLog<F> {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        (self.before)(Use::Append)?;
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        (self.before)(Use::Read(query))?;
        self.log.read(query)
    }
    fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError> {
        (self.before)(Use::Locate)?;
        self.log.locate(id, now)
    }
    fn place_at(&self, time: Timestamp) -> Result<Offset, LogError> {
        (self.before)(Use::Other)?;
        self.log.place_at(time)
    }
    fn erase(&self, erase: &Erase<'_>, now: Timestamp) -> Result<Erased, LogError> {
        (self.before)(Use::Other)?;
        self.log.erase(erase, now)
    }
    fn bounds(&self) -> Bounds {
        self.log.bounds()
    }
    fn newest(&self) -> Timestamp {
        self.log.newest()
    }
    fn epochs(&self) -> Arc<Epochs> {
        _ = (self.before)(Use::Epochs);
        self.log.epochs()
    }
    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        (self.before)(Use::Other)?;
        self.log.discard(now)
    }
}
