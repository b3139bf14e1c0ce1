//! The teller: the one task that tells who has come and left. It publishes batches, one after the other, and waits for
//! each; what happens in the meantime makes the next one. So a subscriber waits for no disk, and what a change costs
//! does not depend on how many subscribers there are.
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

/// The most changes of one batch. Publishers wait no longer for one than for a batch of their own.
const BATCH_CHANGES: usize = 128;
/// A batch is handed to the log in pieces: one ends with the update that takes it beyond this many bytes.
const PIECE_BYTES: usize = MAX_BATCH_BYTES / 4;
/// The least time between two batches. Each may be a write to the disk that publishers wait for.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);
/// A batch is followed by a pause of this many times what it took, so that a storm leaves most of the log's time to
/// publishers, however slow the disk is. Who comes and goes within a pause is not told of at all.
const PAUSE_FACTOR: u32 = 9;
/// The longest pause behind a batch.
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// The time for which the teller waits when the log has failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The state of the task.
#[derive(Debug)]
pub(super) struct Teller {
    hub: Hub,
    requests: UnboundedReceiver<Request>,
    room: Arc<Semaphore>,
    index: Arc<Mutex<Index>>,
    pending: Pending,
    /// Before this the next batch does not begin, unless somebody waits for it.
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

    /// Tells until nobody is left to tell of, or the log is closed.
    pub(super) async fn run(mut self) {
        while self.gather().await {
            let (changes, answers) = self.pending.take(BATCH_CHANGES);
            if !changes.is_empty() && self.tell(&changes).await.is_err() {
                tracing::warn!("the log is closed: active subscriptions are told of no more");
                return;
            }
            for answer in answers {
                // Who no longer waits for it does not get it.
                _ = answer.send(());
            }
        }
    }

    /// Takes in requests until there is a batch to tell. Returns false when there will be none.
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

    /// Publishes a batch, and then has the index say the same.
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

    /// Publishes as often as it takes. While the log fails, changes wait, and in the end those who connect.
    async fn publish(&self, updates: Vec<Update>) -> Result<(), Closed> {
        if updates.is_empty() {
            return Ok(());
        }
        loop {
            match self.hub.publish(updates.clone()).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Closed) => return Err(Closed),
                Err(error) => {
                    tracing::error!("cannot tell of active subscriptions yet: {error}");
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Nothing in here panics halfway through a change, so a poisoned index is still a whole one.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log takes nothing any more.
struct Closed;

impl Drop for Teller {
    fn drop(&mut self) {
        // Nobody shall wait for what will not come.
        self.room.close();
    }
}
