//! A log that does not come back from an append holds up publishers alone. Whoever waits for one that does not come
//! back from a read hears from the hub all the same.
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

/// A log whose appends or reads hang for as long as they are told to.
struct Hanging {
    log: MemoryLog,
    appends_hang: AtomicBool,
    reads_hang: AtomicBool,
}

fn hanging() -> Arc<Hanging> {
    Arc::new(Hanging { log: memory_log(), appends_hang: false.into(), reads_hang: false.into() })
}

fn wait_while(hangs: &AtomicBool) {
    let begun = Instant::now();
    while hangs.load(Ordering::SeqCst) && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(10));
    }
}

impl Log for Hanging {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        wait_while(&self.appends_hang);
        self.log.append(batch, now)
    }
    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        wait_while(&self.reads_hang);
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

#[tokio::test(flavor = "multi_thread")]
async fn what_it_holds_is_read_nevertheless() {
    let log = hanging();
    let server = serve_over(log.clone(), Authenticator::open(), |_| {}).await;
    server.publish("/topics/a", "held").await;
    log.appends_hang.store(true, Ordering::SeqCst);
    let mut publisher = server.connect().await;
    publisher.send(server.request("POST /topics/a", "HTTP/1.1", "Content-Length: 1\r\n") + "x").await;
    let begun = Instant::now();
    let answer = server.get("/topics/a?until=now", "Last-Event-ID: earliest\r\n").await;
    let took = begun.elapsed();
    assert!(answer.status == 200 && answer.body.contains("data: held"), "{}", answer.body);
    assert!(took < 2 * SETTLE_TIMEOUT + Duration::from_secs(5), "{took:?}");
    log.appends_hang.store(false, Ordering::SeqCst);
    publisher.read_until(|text| text.contains("HTTP/1.1 200")).await;
}

/// A replay that finds nothing for long is a silent stream too, and a proxy would close its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_waits_for_it_gets_heartbeats() {
    let log = hanging();
    let often = |settings: &mut fanfare_server::Settings| settings.heartbeat_interval = Duration::from_millis(40);
    let server = serve_over(log.clone(), Authenticator::open(), often).await;
    server.publish("/topics/a", "held").await;
    for (headers, heartbeats) in [("", ":\n:\n:\n"), ("Accept: application/x-ndjson\r\n", "\n\n\n")] {
        log.reads_hang.store(true, Ordering::SeqCst);
        let mut replay = server.connect().await;
        let target = "/topics/a?until=now&last_event_id=earliest";
        replay.send(server.request(&format!("GET {target}"), "HTTP/1.0", headers)).await;
        replay.read_head().await;
        let begun = replay.read_until(|text| text.len() >= heartbeats.len()).await;
        assert!(begun.starts_with(heartbeats), "{begun:?}");
        log.reads_hang.store(false, Ordering::SeqCst);
        let whole = format!("{begun}{}", replay.end().await);
        // Nothing comes between the lines of an event.
        let event = whole.trim_start_matches([':', '\n']);
        assert_eq!(event, server.get(target, headers).await.body);
    }
}
