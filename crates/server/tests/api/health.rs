//! The three questions of a health probe, and what a hub does that cannot work any more.
use super::fixture::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    failure::Failure,
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read,
        erase::{Erase, Erased},
    },
    position::Offset,
    update::Update,
};
use fanfare_server::{auth::Authenticator, server::FAILED_TIMEOUT};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// The behaviour of an append.
#[derive(Clone, Copy, Debug)]
enum Appends {
    Work,
    Fill,
    Vanish,
    Hang,
    Fail,
}

/// A log whose appends do as they are told.
struct Told {
    log: MemoryLog,
    appends: Mutex<Appends>,
    /// The number of appends, also of those that hang.
    count: AtomicUsize,
}

impl Told {
    fn new() -> Arc<Self> {
        Arc::new(Self { log: memory_log(), appends: Mutex::new(Appends::Work), count: AtomicUsize::new(0) })
    }

    fn appends(&self, appends: Appends) {
        *self.appends.lock().unwrap() = appends;
    }
}

impl Log for Told {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let appends = || *self.appends.lock().unwrap();
        let begun = Instant::now();
        while matches!(appends(), Appends::Hang) && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
        match appends() {
            Appends::Work | Appends::Hang => self.log.append(batch, now),
            Appends::Fill => Err(LogError::Io(io::ErrorKind::StorageFull.into())),
            Appends::Vanish => Err(LogError::Stopped("the directory of the log was removed".into())),
            Appends::Fail => Err(LogError::Failed("the disk could not sync: told to fail".into())),
        }
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

/// Asks until the answers are these. On a busy machine, a log may not answer in time.
async fn answers(server: &Fixture, expected: [(u16, String); 3], when: &str) {
    let begun = Instant::now();
    loop {
        let answers = asked(server).await;
        if answers == expected {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{when}: {answers:?} in place of {expected:?}");
    }
}

/// The answers to the three questions: each status, and each body.
async fn asked(server: &Fixture) -> [(u16, String); 3] {
    // The log's last answer counts for a while.
    sleep(Duration::from_millis(600)).await;
    let mut answers = [(0, String::new()), (0, String::new()), (0, String::new())];
    for (answer, question) in answers.iter_mut().zip(["live", "ready", "publish"]) {
        let answered = server.get(&format!("/health/{question}"), "").await;
        assert_eq!(answered.header("content-type"), Some("application/json"));
        assert_eq!(answered.header("cache-control"), Some("no-store"));
        *answer = (answered.status, answered.body);
    }
    answers
}

fn ok() -> (u16, String) {
    (200, r#"{"status":"ok","reasons":[]}"#.into())
}

fn because(code: u16, reason: &str) -> (u16, String) {
    let status = if code == 200 { "degraded" } else { "failed" };
    (code, format!(r#"{{"status":"{status}","reasons":["{reason}"]}}"#))
}

/// A hub that cannot take updates still serves its subscribers: it stays where they are, and says so to publishers.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_append_is_told_and_the_hub_goes_on() {
    let log = Told::new();
    let server = serve_over(log.clone(), Authenticator::open(), |_| {}).await;
    answers(&server, [ok(), ok(), ok()], "at the beginning").await;
    for (appends, reason) in [
        (Appends::Fill, "the disk is full"),
        (Appends::Vanish, "the log does not accept updates"),
        (Appends::Hang, "the log does not answer in time"),
    ] {
        log.appends(appends);
        answers(&server, [ok(), because(200, reason), because(503, reason)], reason).await;
        if !matches!(appends, Appends::Hang) {
            assert_eq!(server.post("/topics/a", "", "x").await.status, 503);
        }
        let mut stream = server.subscribe("/topics/a", "").await;
        log.appends(Appends::Work);
        answers(&server, [ok(), ok(), ok()], "when it works again").await;
        server.publish("/topics/a", "again").await;
        assert_eq!(data(&stream.events(1).await), ["again"]);
    }
    assert_eq!(server.hub.failure(), None);
    server.stop().await;
}

/// A probe that gives up leaves no question behind, in whatever number they come while the log hangs.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_one_question_at_a_time() {
    let log = Told::new();
    let server = serve_over(log.clone(), Authenticator::open(), |_| {}).await;
    log.appends(Appends::Hang);
    for _ in 0..3 {
        let mut probes = Vec::new();
        for _ in 0..20 {
            let mut probe = server.connect().await;
            probe.send(server.request("GET /health/publish", "HTTP/1.0", "")).await;
            probes.push(probe);
        }
        for probe in probes {
            let answered = probe.end().await;
            assert!(answered.contains("the log does not answer in time"), "{answered}");
        }
    }
    assert_eq!(log.count.load(Ordering::SeqCst), 1);
    log.appends(Appends::Work);
    sleep(Duration::from_millis(200)).await;
    assert_eq!(log.count.load(Ordering::SeqCst), 1, "no question waits in the queue of the writer");
    answers(&server, [ok(), ok(), ok()], "when it works again").await;
    server.stop().await;
}

/// The publisher is told, the streams end, and then the server returns the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_cannot_sync_ends() {
    let log = Told::new();
    let mut server = serve_over(log.clone(), Authenticator::open(), |_| {}).await;
    server.publish("/topics/a", "1").await;
    let mut stream = server.connect().await;
    stream.send(server.request("GET /topics/a", "HTTP/1.1", "Last-Event-ID: earliest\r\n")).await;
    stream.read_until(|text| text.contains("data: 1\n\n\r\n")).await;
    log.appends(Appends::Fail);
    let begun = Instant::now();
    let refused = server.post("/topics/a", "", "2").await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    let rest = stream.end().await;
    assert_eq!(rest, "", "the stream breaks off, without a last chunk");
    let failure = timeout(PATIENCE, &mut server.stopped).await.unwrap().unwrap().unwrap_err();
    assert_eq!(failure, Failure::Log("the disk could not sync: told to fail".into()));
    assert_eq!(server.hub.failure(), Some(failure));
    assert!(begun.elapsed() < FAILED_TIMEOUT + Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn probes_are_asked_as_other_requests() {
    let server = serve_with(|settings| settings.max_subscribers = 1).await;
    for question in ["live", "ready", "publish"] {
        let target = format!("/health/{question}");
        assert_eq!(server.get(&target, "Accept: text/html;q=0, application/json;q=0\r\n").await.status, 406);
        assert_eq!(server.post(&target, "", "").await.status, 405);
        let head = server.send(server.request(&format!("HEAD {target}"), "HTTP/1.0", "").as_bytes()).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    }
    assert_eq!(server.get("/health", "").await.status, 404);
    assert_eq!(server.get("/healthz", "").await.body, "ok\n");
    let _only = server.subscribe("/topics/a", "").await;
    let crowded = because(200, "the limit of subscribers is reached");
    answers(&server, [ok(), crowded, ok()], "with as many subscribers as there may be").await;
}
