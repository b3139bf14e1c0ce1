//! A log that does not come back from an append holds up publishers alone.
use super::fixture::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    hub::SETTLE_TIMEOUT,
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read,
        erase::{Erase, Erased},
    },
    position::Offset,
    update::Update,
};
use fanfare_server::auth::Authenticator;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A log whose appends hang for as long as it is told to.
struct Hanging {
    log: MemoryLog,
    hangs: AtomicBool,
}

impl Log for Hanging {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        let begun = Instant::now();
        while self.hangs.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
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
    fn epochs(&self) -> Arc<Epochs> {
        self.log.epochs()
    }
    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        self.log.discard(now)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_holds_is_read_nevertheless() {
    let log = Arc::new(Hanging { log: memory_log(), hangs: false.into() });
    let server = serve_over(log.clone(), Authenticator::open(), |_| {}).await;
    server.publish("/topics/a", "held").await;
    log.hangs.store(true, Ordering::SeqCst);
    let mut publisher = server.connect().await;
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 1\r\n") + "x").await;
    let begun = Instant::now();
    let answer = server.get("/topics/a?until=now", "Last-Event-ID: earliest\r\n").await;
    let took = begun.elapsed();
    assert!(answer.status == 200 && answer.body.contains("data: held"), "{}", answer.body);
    assert!(took < 2 * SETTLE_TIMEOUT + Duration::from_secs(5), "{took:?}");
    log.hangs.store(false, Ordering::SeqCst);
    publisher.read_until(|text| text.contains("HTTP/1.1 200")).await;
}
