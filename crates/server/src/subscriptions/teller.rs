//! The teller: the one task that publishes which subscribers have come and left. It publishes one batch of changes
//! after the other, and waits until each is acknowledged. Changes that happen meanwhile go into the next batch. So a
//! subscriber never waits for the disk, and the cost of a change does not depend on the number of subscribers.
use super::{
    document,
    index::Index,
    pending::{Change, Pending},
    request::Request,
};
use fanfare_hub::{
    Hub,
    log::writer::{AppendError, MAX_BATCH_BYTES},
    update::Update,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
    sync::{Semaphore, mpsc::UnboundedReceiver},
    time::{Duration, Instant, sleep, timeout_at},
};

/// The greatest number of changes of one batch. The limit keeps the teller's batches small: a publisher's batch that
/// has to wait for one of them waits no longer than for a batch of another publisher.
const BATCH_CHANGES: usize = 128;
/// The number of bytes after which the teller publishes a part of its batch: a quarter of a batch of the log, so that
/// other publications fit in between.
const PIECE_BYTES: usize = MAX_BATCH_BYTES / 4;
/// The shortest time between two batches. Each batch may need a write to the disk, and publishers wait for this write.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);
/// The length of the pause after a batch, divided by the time that publishing the batch took. However slow the disk is,
/// this leaves most of the log's time to publishers, even if very many subscribers come and leave. A subscriber that
/// comes and leaves within a pause is not published at all.
const PAUSE_FACTOR: u32 = 9;
/// The longest pause after a batch.
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// The time for which the teller waits after a failure of the log, before it tries to publish again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The state of the teller's task.
#[derive(Debug)]
pub(super) struct Teller {
    hub: Hub,
    requests: UnboundedReceiver<Request>,
    room: Arc<Semaphore>,
    index: Arc<Mutex<Index>>,
    pending: Pending,
    /// The time until which the next batch waits for more changes. It does not wait if a client waits for its changes
    /// to be published.
    not_before: Instant,
}

impl Teller {
    pub(super) fn new(
        hub: Hub,
        requests: UnboundedReceiver<Request>,
        room: Arc<Semaphore>,
        index: Arc<Mutex<Index>>,
    ) -> Self {
        let (pending, not_before) = (Pending::default(), Instant::now());
        Self { hub, requests, room, index, pending, not_before }
    }

    /// Publishes changes until no more changes can come, or until the log is closed.
    pub(super) async fn run(mut self) {
        while self.gather().await {
            let (changes, answers) = self.pending.take(BATCH_CHANGES);
            if !changes.is_empty() && self.tell(&changes).await.is_err() {
                tracing::warn!("the log is closed: active subscriptions are not published any more");
                return;
            }
            for answer in answers {
                // Sending fails only if the client no longer waits.
                _ = answer.send(());
            }
        }
    }

    /// Collects messages until there is a batch to publish. Returns false when no more messages can come.
    async fn gather(&mut self) -> bool {
        if self.pending.is_empty() {
            let Some(first) = self.requests.recv().await else { return false };
            self.take(first);
        }
        while !self.pending.is_asked() {
            match timeout_at(self.not_before, self.requests.recv()).await {
                Ok(Some(request)) => self.take(request),
                Ok(None) | Err(_) => break,
            }
        }
        while let Ok(request) = self.requests.try_recv() {
            self.take(request);
        }
        true
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Came(subscriber) => self.pending.came(subscriber),
            Request::Left(subscriber) => {
                if self.pending.left(subscriber) {
                    self.room.add_permits(1);
                }
            }
            Request::Ask(answer) => self.pending.question(answer),
        }
    }

    /// Publishes a batch, and then updates the index.
    async fn tell(&mut self, changes: &[Change]) -> Result<(), Closed> {
        let begun = Instant::now();
        self.index().begin(self.hub.bounds().head);
        let (mut piece, mut bytes) = (Vec::new(), 0);
        for update in changes.iter().flat_map(|change| document::updates(&change.subscriber, change.active)) {
            bytes += update.data().len() + update.topics()[0].as_str().len();
            piece.push(update);
            if bytes > PIECE_BYTES {
                self.publish(std::mem::take(&mut piece)).await?;
                bytes = 0;
            }
        }
        self.publish(piece).await?;
        self.index().settle(changes);
        self.room.add_permits(changes.iter().filter(|change| !change.active).count());
        self.not_before = Instant::now() + (begun.elapsed() * PAUSE_FACTOR).clamp(BATCH_INTERVAL, MAX_PAUSE);
        Ok(())
    }

    /// Publishes updates, and tries again until it succeeds or the log is closed. While the log fails, further changes
    /// stay in the queue. If the ends of [`MAX_UNTOLD`](super::MAX_UNTOLD) subscribers are in the queue, new
    /// subscribers have to wait.
    async fn publish(&self, updates: Vec<Update>) -> Result<(), Closed> {
        if updates.is_empty() {
            return Ok(());
        }
        loop {
            match self.hub.publish(updates.clone()).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Closed) => return Err(Closed),
                Err(error) => {
                    tracing::error!("cannot publish active subscriptions, trying again: {error}");
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // No code that holds the lock panics in the middle of a change, so the index is complete even if the lock is
        // poisoned.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error for a log that is closed.
struct Closed;

impl Drop for Teller {
    fn drop(&mut self) {
        // No permit will be returned any more. Closing the semaphore wakes the subscribers that wait for one.
        self.room.close();
    }
}
