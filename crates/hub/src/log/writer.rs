//! The writer: the only caller of [`Log::append`], and so the only place where the order of updates is decided.
//!
//! One thread takes publications from a bounded queue and appends all that wait as one batch, with one sync for all of
//! them; how it has more of them wait is [`gather`]'s. Then each is acknowledged, and the entries are handed on in the
//! same order to the [`sink`]: by the same thread if nothing else is to be appended, and otherwise by a second one, so
//! that both run while the next batch is being made durable.
pub mod gather;
pub(super) mod publication;
pub(super) mod queue;
pub mod sink;

pub use super::order::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, RETENTION_INTERVAL};
use super::{Log, LogError, order::Order};
use crate::{
    entry::{Entry, Timestamp},
    update::Update,
};
use publication::Publication;
use queue::Queue;
use sink::{Nudge, Sink};
use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::sync::{Semaphore, oneshot};

/// The number of places in the queue to the writer. A publication takes one for each [`QUEUE_PLACE_BYTES`] that it
/// begins.
pub const QUEUE_PLACES: usize = 2_048;
/// The bytes of stored entries per place in the queue: the queue holds no more than 32 MiB.
pub const QUEUE_PLACE_BYTES: usize = 16 * 1024;
/// The largest publication, in bytes of stored entries: what fills the whole queue.
pub const MAX_PUBLICATION_BYTES: usize = QUEUE_PLACES * QUEUE_PLACE_BYTES;

/// Takes publications, gives them their order, and answers when they are in the log.
///
/// Dropping it closes it.
#[derive(Debug)]
pub struct Writer {
    places: Arc<Semaphore>,
    queue: Arc<Queue>,
    nudge: Nudge,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The reason why a publication was not appended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppendError {
    /// The publication has more bytes, as stored, than [`MAX_PUBLICATION_BYTES`].
    TooLarge {
        /// The number that it has.
        bytes: usize,
        /// The number that it may have.
        limit: usize,
    },
    /// The log failed; nothing of the publication is in it.
    Log(Arc<LogError>),
    /// The writer was closed before it took the publication.
    Closed,
}

impl Writer {
    /// Starts to write to `log`; `clock` stamps the entries. `sink` gets every batch that is appended, in order.
    ///
    /// A slow `sink` slows publishers down; it loses nothing.
    ///
    /// # Errors
    /// When the last entry cannot be read, or a thread cannot be started.
    pub fn start(
        log: Arc<dyn Log>,
        clock: impl Fn() -> Timestamp + Send + 'static,
        sink: impl Sink,
    ) -> Result<Self, LogError> {
        let places = Arc::new(Semaphore::new(QUEUE_PLACES));
        let queue = Arc::new(Queue::default());
        let (passing, second, nudge) = sink::passing(sink);
        let order = Order::new(log, clock, Arc::clone(&places), Arc::clone(&queue), passing)?;
        let second = spawn("fanfare-sink", move || second.run())?;
        let thread = spawn("fanfare-log", move || {
            order.run(|| second.is_finished());
            // What it was given is passed on by then, or never will be.
            _ = second.join();
        })?;
        Ok(Self { places, queue, nudge, thread: Mutex::new(Some(thread)) })
    }

    /// Appends `updates` as one publication, all or nothing and side by side in the log, and returns its entries once
    /// the log has them for good. Waits while the queue is full.
    ///
    /// # Errors
    /// [`AppendError`]; nothing of `updates` is then in the log.
    ///
    /// # Cancel safety
    /// Dropping the future before the publication has its place in the queue loses it; afterwards it is appended all
    /// the same, without an acknowledgement.
    pub async fn append(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.take(updates, false).await
    }

    /// Appends for a publisher who is in no hurry: the log may wait for others, for [`gather::GATHER_TIMEOUT`] at most,
    /// so that one sync serves all of them. Otherwise it does what [`Self::append`] does.
    ///
    /// # Errors
    /// [`AppendError`]; nothing of `updates` is then in the log.
    ///
    /// # Cancel safety
    /// Dropping the future before the publication has its place in the queue loses it; afterwards it is appended all
    /// the same, without an acknowledgement.
    pub async fn append_with_others(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.take(updates, true).await
    }

    async fn take(&self, updates: Vec<Update>, can_wait: bool) -> Result<Vec<Arc<Entry>>, AppendError> {
        let bytes = updates.iter().map(Update::stored_bytes).sum();
        if bytes > MAX_PUBLICATION_BYTES {
            return Err(AppendError::TooLarge { bytes, limit: MAX_PUBLICATION_BYTES });
        }
        let places = bytes.div_ceil(QUEUE_PLACE_BYTES).max(1);
        let count = u32::try_from(places).expect("no more than the queue has");
        let taken = self.places.acquire_many(count).await.map_err(|_| AppendError::Closed)?;
        let (acknowledgement, acknowledged) = oneshot::channel();
        let publication = Publication { updates, bytes, places, can_wait, acknowledgement };
        self.queue.push(publication).map_err(|_| AppendError::Closed)?;
        // The writer gives the places back.
        taken.forget();
        acknowledged.await.map_err(|_| AppendError::Closed)?.map_err(AppendError::Log)
    }

    /// Returns the means to have the sink called although nothing is published.
    #[must_use]
    pub fn nudge(&self) -> Nudge {
        self.nudge.clone()
    }

    /// Takes no more publications, and returns when all that wait are appended and handed on. Blocks until then.
    pub fn close(&self) {
        self.places.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.queue.close();
            if thread.join().is_err() {
                tracing::error!("the log's writer has panicked");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(body)
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "the publication has {bytes} bytes, {limit} are allowed"),
            Self::Log(error) => error.fmt(f),
            Self::Closed => f.write_str("the log is closed"),
        }
    }
}

impl std::error::Error for AppendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Log(error) => Some(error),
            Self::TooLarge { .. } | Self::Closed => None,
        }
    }
}
