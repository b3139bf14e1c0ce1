//! Tests of the teller and of the clients that wait for it, without a server.
use super::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    HubLimits,
    entry::{Entry, Timestamp},
    grant::Matchers,
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read, Retention,
        erase::{Erase, Erased},
    },
    position::Offset,
    representation::Representation,
    topic::matcher::Matcher,
    update::Update,
};
use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
};
use tokio::task::yield_now;

/// A log that refuses updates while `fails` is true.
struct Failing {
    log: MemoryLog,
    fails: AtomicBool,
}

impl Log for Failing {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(LogError::Io(io::Error::other("told to fail")));
        }
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        self.log.read(query)
    }
    fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError> {
        self.log.locate(id, now)
    }
    fn place_at(&self, time: Timestamp) -> Result<Offset, LogError> {
        self.log.place_at(time)
    }
    fn erase(&self, erase: &Erase<'_>, now: Timestamp) -> Result<Erased, LogError> {
        self.log.erase(erase, now)
    }
    fn bounds(&self) -> Bounds {
        self.log.bounds()
    }
    fn newest(&self) -> Timestamp {
        self.log.newest()
    }
    fn epochs(&self) -> Arc<Epochs> {
        self.log.epochs()
    }
    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        self.log.discard(now)
    }
}

struct Stage {
    active: ActiveSubscriptions,
    key: Arc<AudienceKey>,
    log: Arc<Failing>,
}

impl Stage {
    /// Creates a stage on which all subscriptions are to the topic `a`.
    fn new(max_subscribers: usize) -> Self {
        let memory = MemoryLog::new(Retention::default());
        let log = Arc::new(Failing { log: memory, fails: false.into() });
        let hub = Hub::start(log.clone(), &HubLimits::default()).unwrap();
        let key = AudienceKey::new(
            [Matcher::exact("a").unwrap()].into_iter().collect(),
            Matchers::default(),
            Representation::EventStream,
        );
        Self { active: ActiveSubscriptions::start(hub, max_subscribers), key: key.into(), log }
    }

    async fn come(&self) -> Present {
        self.active.arrive(&self.key, &Payloads::default()).await.unwrap().begin(&self.key)
    }

    fn there(&self) -> usize {
        self.active.read(|index| index.behind(None).count()).found
    }

    fn told(&self) -> u64 {
        self.log.bounds().head.0
    }
}

/// Returns the result of the future, if it has one.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn who_comes_and_goes_at_once_is_not_told_of() {
    let stage = Stage::new(10);
    // The teller's task does not run between these arrivals and departures.
    for _ in 0..100 {
        drop(stage.come().await);
    }
    let stays = stage.come().await;
    stage.active.all_told().await.unwrap();
    assert_eq!((stage.told(), stage.there()), (2, 1));
    assert_eq!(stage.active.room.available_permits(), MAX_UNTOLD + 9);
    drop(stays);
    stage.active.all_told().await.unwrap();
    assert_eq!((stage.told(), stage.there()), (4, 0));
    assert_eq!(stage.active.room.available_permits(), MAX_UNTOLD + 10);
}

#[tokio::test]
async fn an_arrival_that_never_begins_leaves_nothing_behind() {
    let stage = Stage::new(10);
    drop(stage.active.arrive(&stage.key, &Payloads::default()).await.unwrap());
    stage.active.all_told().await.unwrap();
    assert_eq!((stage.told(), stage.active.room.available_permits()), (0, MAX_UNTOLD + 10));
}

/// If the log is too slow for a storm of changes, new subscribers wait, and nothing is lost.
#[tokio::test]
async fn who_connects_waits_when_too_many_ends_are_untold() {
    let stage = Stage::new(1);
    let mut there = Vec::new();
    for _ in 0..MAX_UNTOLD {
        there.push(stage.come().await);
    }
    stage.active.all_told().await.unwrap();
    assert_eq!(stage.there(), MAX_UNTOLD);
    stage.log.fails.store(true, Ordering::SeqCst);
    there.clear();
    let _one_fits = stage.come().await;
    let payloads = Payloads::default();
    let mut waits = Box::pin(stage.active.arrive(&stage.key, &payloads));
    for _ in 0..50 {
        yield_now().await;
        assert!(poll_once(&mut waits).is_none(), "there is no room");
    }
    let before = stage.told();
    stage.log.fails.store(false, Ordering::SeqCst);
    drop(waits.await.unwrap());
    stage.active.all_told().await.unwrap();
    assert_eq!((stage.told() - before, stage.there()), (2 * (MAX_UNTOLD as u64 + 1), 1), "every end was told");
}

/// While a batch of changes is in the log and not yet in the index, the cursor is before the batch.
#[test]
fn the_cursor_does_not_run_ahead_of_the_index() {
    let mut index = Index::default();
    assert_eq!(index.told_up_to(), None);
    index.begin(Offset(7));
    assert_eq!((index.told_up_to(), index.version()), (Some(Offset(7)), 0));
    index.settle(&[]);
    assert_eq!((index.told_up_to(), index.version()), (None, 1));
}
