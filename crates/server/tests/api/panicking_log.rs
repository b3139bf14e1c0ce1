//! A log that panics ends the streams that need it then, and no others.
use super::fixture::*;
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    log::{
        Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read,
        erase::{Erase, Erased},
    },
    position::Offset,
    update::Update,
};
use fanfare_server::auth::Authenticator;
use std::{
    fmt::Debug,
    num::NonZero,
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::{
    Event, Level, Metadata,
    field::Field,
    span::{Attributes, Id, Record},
};

/// More readings than a shard has under way at a time.
const READINGS: usize = 20;

/// A log that panics when it is read, and finds no ID, for as long as it is told to.
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
        if self.panics.load(Ordering::SeqCst) {
            return Err(LogError::Corrupt("told to fail".to_owned()));
        }
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

#[tokio::test]
async fn streams_that_cannot_catch_up_end_and_later_ones_do() {
    let log = Arc::new(Panicking { log: memory_log(), panics: false.into() });
    let one_shard = |settings: &mut fanfare_server::Settings| settings.delivery_threads = NonZero::new(1);
    let server = serve_over(log.clone(), Authenticator::open(), one_shard).await;
    server.publish("/topics/a", "held").await;
    let from_the_start = "Last-Event-ID: earliest\r\n";
    log.panics.store(true, Ordering::SeqCst);
    for _ in 0..READINGS {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", "HTTP/1.0", from_the_start)).await;
        let text = stream.end().await;
        assert!(!text.contains("data: "), "{text}");
    }
    log.panics.store(false, Ordering::SeqCst);
    let mut stream = server.subscribe("/topics/a", from_the_start).await;
    assert_eq!(data(&stream.events(1).await), ["held"]);
}

/// The lines that are logged as warnings or errors.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = String::new();
        event.record(&mut |_: &Field, value: &dyn Debug| line += &format!("{value:?}"));
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Strangers cannot fill the log with lines about what they cannot get.
#[tokio::test]
async fn subscribers_that_cannot_be_served_are_logged_once_a_minute() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let log = Arc::new(Panicking { log: memory_log(), panics: false.into() });
    let server = serve_over(log.clone(), Authenticator::open(), |_| {}).await;
    log.panics.store(true, Ordering::SeqCst);
    for _ in 0..READINGS {
        let answer = server.get("/topics/a", "Last-Event-ID: x\r\n").await;
        assert!(answer.status == 200 && answer.body.starts_with("retry: "), "{}", answer.body);
    }
    let lines = lines.0.lock().unwrap().clone();
    assert_eq!(lines.iter().filter(|line| line.contains("cannot subscribe")).count(), 1, "{lines:?}");
}
