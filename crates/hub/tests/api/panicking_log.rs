//! A log that panics harms whoever asked it, and nobody who asks later.
use crate::fixture::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    Hub, HubLimits,
    catch_up::ReadStep,
    entry::{Entry, Timestamp},
    fan_out::Wanted,
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read, Retention,
        erase::{Erase, Erased},
    },
    mailbox::{Mailbox, PartKey},
    position::Offset,
    topic::matcher::Matcher,
    update::Update,
};
use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::Notify, time::timeout};

/// A log that panics when it is read, for as long as it is told to.
struct Panicking {
    log: MemoryLog,
    panics: AtomicBool,
}

impl Log for Panicking {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        if self.panics.load(Ordering::SeqCst) {
            // As a panic, without its message among the test's output.
            resume_unwind(Box::new("told to panic"));
        }
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
    fn epochs(&self) -> Arc<Epochs> {
        self.log.epochs()
    }
    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        self.log.discard(now)
    }
}

fn wanted(key: &Arc<fanfare_hub::audience_key::AudienceKey>, part: PartKey) -> Wanted {
    Wanted { part, key: key.clone(), cursor: Offset::ZERO }
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
    let log = MemoryLog::new(Retention::default());
    let log = Arc::new(Panicking { log, panics: false.into() });
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
