//! Readers that find nothing do not hold up those that find something.
use crate::fixture::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    Hub, HubLimits,
    audience_key::AudienceKey,
    entry::{Entry, Timestamp},
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read, Retention,
        erase::{Erase, Erased},
    },
    position::Offset,
    subscription::Start,
    topic::matcher::Matcher,
    update::Update,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::time::timeout;

/// A log of which each read takes time.
struct Slow {
    log: MemoryLog,
    reads: AtomicUsize,
}

impl Log for Slow {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(1));
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

fn pattern(text: &str) -> AudienceKey {
    key([Matcher::legacy_selector(text).unwrap()])
}

/// Strangers ask for patterns that nothing matches, from the beginning of a long log. Whoever comes later and finds
/// something need not wait until all of them have had their next turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_does_not_wait_for_strangers_who_find_nothing() {
    const STRANGERS: usize = 100;
    let log = Arc::new(Slow { log: MemoryLog::new(Retention::default()), reads: AtomicUsize::new(0) });
    let hub = Hub::start(log.clone(), &HubLimits::default()).unwrap();
    for _ in 0..20 {
        hub.publish((0..10_000).map(|_| update(&["/b/1"], "")).collect()).await.unwrap();
    }
    let mut strangers = Vec::new();
    for number in 0..STRANGERS {
        strangers.push(join(&hub, pattern(&format!("/nobody-{number}/{{x}}")), after("earliest")).await);
    }
    // Their first steps, of which each reads 32 times.
    while log.reads.load(Ordering::SeqCst) < STRANGERS * 80 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = log.reads.load(Ordering::SeqCst);
    let mut subscription = join(&hub, pattern("/b/{x}"), after("earliest")).await;
    let first = timeout(PATIENCE, subscription.next()).await.expect("an event").unwrap().unwrap();
    assert!(str::from_utf8(&first).unwrap().contains("data: "));
    let reads = log.reads.load(Ordering::SeqCst) - before;
    assert!(reads < 10 * 32, "the others have read {reads} times until the first event");
    drop(strangers);
}

/// Strangers ask for the newest updates of patterns that nothing matches. Somebody who finds something far from the
/// beginning of the log takes turns with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_does_not_wait_for_whole_searches_that_find_nothing() {
    let log = Arc::new(Slow { log: MemoryLog::new(Retention::default()), reads: AtomicUsize::new(0) });
    let hub = Hub::start(log.clone(), &HubLimits::default()).unwrap();
    for _ in 0..10 {
        hub.publish((0..10_000).map(|_| update(&["/b/1"], "")).collect()).await.unwrap();
    }
    publish(&hub, [update(&["/rare/1"], "found")]).await;
    let mut searches = Vec::new();
    for stranger in 0..2 {
        let hub = hub.clone();
        let texts = (0..10).map(|number| format!("/nobody-{stranger}-{number}/{{x}}"));
        let wanted = key(texts.map(|text| Matcher::legacy_selector(&text).unwrap()));
        searches.push(tokio::spawn(async move { hub.open(wanted, Start::Newest(1)).await.unwrap() }));
    }
    // One of these searches reads 1,960 times.
    while log.reads.load(Ordering::SeqCst) < 100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = log.reads.load(Ordering::SeqCst);
    let mut subscription = join(&hub, pattern("/rare/{x}"), after("earliest")).await;
    let first = timeout(PATIENCE, subscription.next()).await.expect("an event").unwrap().unwrap();
    assert!(str::from_utf8(&first).unwrap().contains("data: found"));
    let reads = log.reads.load(Ordering::SeqCst) - before;
    assert!(reads < 1_500, "{reads} reads until the event that stands after 196 of them");
    assert!(searches.iter().any(|search| !search.is_finished()), "the strangers are still searching");
    searches.iter().for_each(|search| search.abort());
}
