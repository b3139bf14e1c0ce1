//! A log that panics harms whoever asked it, and nobody who asks later or elsewhere.
use crate::fixture::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    Hub, HubLimits,
    catch_up::ReadStep,
    ending::EndReason,
    entry::{Entry, Timestamp},
    failure::Failure,
    fan_out::Wanted,
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read, Retention,
        erase::{Erase, Erased},
    },
    mailbox::{Mailbox, PartKey},
    position::Offset,
    subscription::Start,
    topic::matcher::Matcher,
    update::Update,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// A log that panics when it is read, or asked for an ID, for as long as it is told to.
struct Panicking {
    log: MemoryLog,
    panics: AtomicBool,
}

impl Panicking {
    /// Panics if it is told to, without a message among the test's output.
    fn check(&self) {
        if self.panics.load(Ordering::SeqCst) {
            resume_unwind(Box::new("told to panic"));
        }
    }
}

impl Log for Panicking {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        self.check();
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
        self.check();
        self.log.epochs()
    }
    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        self.log.discard(now)
    }
}

fn panicking() -> Arc<Panicking> {
    Arc::new(Panicking { log: MemoryLog::new(Retention::default()), panics: false.into() })
}

fn wanted(key: &Arc<fanfare_hub::audience_key::AudienceKey>, part: PartKey) -> Wanted {
    Wanted { part, key: key.clone(), cursor: Offset::ZERO, is_barren: false }
}

async fn next_step(mailbox: &Mailbox, woken: &Notify) -> (PartKey, ReadStep) {
    let waits = async {
        loop {
            mailbox.noticed();
            if let Some(step) = mailbox.take_step() {
                return step;
            }
            woken.notified().await;
        }
    };
    timeout(PATIENCE, waits).await.expect("each reading is answered")
}

#[tokio::test]
async fn a_reading_that_panics_is_answered_and_frees_its_turn() {
    let log = panicking();
    let limits = HubLimits::default();
    let hub = Hub::start(log.clone(), &limits).unwrap();
    publish(&hub, [update(&["a"], "1")]).await;
    let woken = Arc::new(Notify::new());
    let wake = woken.clone();
    let mailbox = hub.mailbox(move || wake.notify_one());
    let key = Arc::new(key([Matcher::exact("a").unwrap()]));

    log.panics.store(true, Ordering::SeqCst);
    // More than may read at a time, all at once: each that panics makes room for the next.
    let count = u32::try_from(limits.concurrent_reads).unwrap() * 2 + 1;
    let parts = (0..count).map(|index| PartKey { index, generation: 1 });
    parts.clone().for_each(|part| mailbox.read(wanted(&key, part)));
    let mut answered = Vec::new();
    for _ in 0..count {
        let (part, step) = next_step(&mailbox, &woken).await;
        assert!(matches!(step, Err(LogError::Io(_))), "{step:?}");
        answered.push(part);
    }
    answered.sort_by_key(|part| part.index);
    assert_eq!(answered, parts.collect::<Vec<_>>(), "each once");

    log.panics.store(false, Ordering::SeqCst);
    mailbox.read(wanted(&key, PartKey::default()));
    let (_, step) = next_step(&mailbox, &woken).await;
    assert_eq!(step.unwrap().cursor, Offset(1));
}

/// A panic leaves behind a group of subscriptions that cannot be used any more. Its subscriptions can still be dropped,
/// also while another panic unwinds, and the subscriptions of other groups go on.
#[tokio::test]
async fn a_panic_ends_the_subscriptions_of_one_group_alone() {
    let log = panicking();
    let hub = Hub::start(log.clone(), &HubLimits::default()).unwrap();
    publish(&hub, [update(&["a"], "1")]).await;
    let topics: Vec<_> = (0..64).map(|number| number.to_string()).collect();
    let mut others = Vec::new();
    for topic in &topics {
        others.push(subscribe(&hub, &[topic], Start::Now).await);
    }
    let neighbour = subscribe(&hub, &["a"], Start::Now).await;
    let opening = hub.open(key([Matcher::exact("a").unwrap()]), Start::Now).await.unwrap();
    let ends = Some(Instant::now());
    let mut ending = opening.until(ends, Some(EndReason::TokenExpired)).subscribe().await;

    log.panics.store(true, Ordering::SeqCst);
    let expire = AssertUnwindSafe(|| ending.expire(Duration::from_secs(20)));
    assert!(catch_unwind(expire).is_err(), "it asks the log for an ID");
    assert_eq!(hub.failure(), Some(Failure::Panic("a group of subscriptions")), "later subscriptions would panic too");
    log.panics.store(false, Ordering::SeqCst);
    publish(&hub, [update(&["a"], "2")]).await;
    let unwinding = catch_unwind(AssertUnwindSafe(|| {
        let _dropped = ending;
        resume_unwind(Box::new("another panic"))
    }));
    assert!(unwinding.is_err());
    drop(neighbour);

    publish(&hub, topics.iter().map(|topic| update(&[topic], "3"))).await;
    let mut received = 0;
    for mut other in others {
        let first = tokio::spawn(async move { other.next().await });
        if let Ok(event) = timeout(PATIENCE, first).await.expect("it gets the event, or panics") {
            assert!(str::from_utf8(&event.unwrap().unwrap()).unwrap().ends_with("data: 3\n\n"));
            received += 1;
        }
    }
    assert!(received > 0, "they are in several groups");
}
