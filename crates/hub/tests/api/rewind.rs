//! A rewind that is too long for the first bytes: while it is sent, its stream is not silent for longer than any other.
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
    representation::Representation,
    subscription::{Start, Subscription},
    topic::matcher::Matcher,
    update::Update,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};
use tokio::time::{Instant, advance};

const INTERVAL: Duration = Duration::from_secs(20);
/// The number of updates, which are more than two steps of a rewind.
const UPDATES: usize = 250;

/// A log whose readers wait for as long as they are told to.
struct Held {
    log: MemoryLog,
    holds: AtomicBool,
}

impl Log for Held {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        let begun = std::time::Instant::now();
        while self.holds.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
            self.holds.fetch_and(begun.elapsed() < PATIENCE, Ordering::SeqCst);
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

fn held() -> (Arc<Held>, Hub) {
    let log = Arc::new(Held { log: MemoryLog::new(Retention::default()), holds: false.into() });
    let hub = Hub::start(log.clone(), &HubLimits::default()).unwrap();
    (log, hub)
}

/// Publishes the updates, and begins to rewind them.
async fn rewound(hub: &Hub, representation: Representation) -> Subscription {
    publish(hub, (0..UPDATES).map(|_| update(&["a"], &"x".repeat(1_000)))).await;
    let key = AudienceKey { representation, ..key([Matcher::exact("a").unwrap()]) };
    join(hub, key, Start::Newest(UPDATES)).await
}

async fn next(subscription: &mut Subscription) -> String {
    String::from_utf8(subscription.next().await.unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_is_due_an_interval_after_what_a_rewind_sent_last() {
    let hub = hub(4);
    let mut rewound = rewound(&hub, Representation::EventStream).await;
    let mut received = next(&mut rewound).await.matches("\n\n").count();
    advance(Duration::from_secs(5)).await;
    received += next(&mut rewound).await.matches("\n\n").count();
    assert!(received < UPDATES, "the rewind is not complete");
    // The first heartbeat after the rewind comes early.
    for (pause, due) in [(Duration::from_secs(15), INTERVAL), (Duration::from_secs(1), INTERVAL / 8)] {
        let spoke = Instant::now();
        advance(pause).await;
        rewound.expire(INTERVAL);
        assert!(rewound.deadline(INTERVAL).unwrap() <= spoke + due, "{received} were received");
        while received < UPDATES {
            received += next(&mut rewound).await.matches("\n\n").count();
        }
        // With this, the rewind is complete.
        assert!(is_quiet(&mut rewound));
    }
}

#[tokio::test(start_paused = true)]
async fn a_rewind_that_waits_for_the_log_gets_heartbeats() {
    for (representation, heartbeat) in [(Representation::EventStream, ":\n"), (Representation::JsonLines, "\n")] {
        let (log, hub) = held();
        let mut rewound = rewound(&hub, representation).await;
        log.holds.store(true, Ordering::SeqCst);
        let mut received = next(&mut rewound).await;
        assert!(is_quiet(&mut rewound), "the log is being read");
        for _ in 0..3 {
            advance(INTERVAL / 2).await;
            rewound.expire(INTERVAL);
            assert!(is_quiet(&mut rewound), "it is too early");
            advance(INTERVAL / 2).await;
            rewound.expire(INTERVAL);
            let next = rewound.poll_next(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(next, Poll::Ready(Some(Ok(bytes))) if bytes == heartbeat));
            assert!(is_quiet(&mut rewound), "one is enough");
        }
        log.holds.store(false, Ordering::SeqCst);
        let is_data = |line: &&str| line.contains("xxx");
        while received.lines().filter(is_data).count() < UPDATES {
            received += &next(&mut rewound).await;
        }
    }
}
