//! A log that panics ends the streams that need it then, and no others.
use super::{
    fixture::*,
    obstructed_log::{ObstructedLog, Use},
};
use fanfare_hub::log::{Log, LogError};
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

/// Returns a log, and the flag for as long as which the log panics when it is read, and finds no ID.
fn panicking() -> (Arc<AtomicBool>, Arc<dyn Log>) {
    let panics = Arc::new(AtomicBool::new(false));
    let told = panics.clone();
    let log = ObstructedLog::new(move |what| match what {
        // As a panic, without its message among the test's output.
        Use::Read(_) if told.load(Ordering::SeqCst) => resume_unwind(Box::new("told to panic")),
        Use::Locate if told.load(Ordering::SeqCst) => Err(LogError::Corrupt("told to fail".to_owned())),
        _ => Ok(()),
    });
    (panics, log)
}

#[tokio::test]
async fn streams_that_cannot_catch_up_end_and_later_ones_do() {
    let (panics, log) = panicking();
    let one_shard = |settings: &mut fanfare_server::Settings| settings.delivery_threads = NonZero::new(1);
    let server = serve_over(log, Authenticator::open(), one_shard).await;
    server.publish("/topics/a", "held").await;
    let from_the_start = "Last-Event-ID: earliest\r\n";
    panics.store(true, Ordering::SeqCst);
    for _ in 0..READINGS {
        let mut stream = server.connect().await;
        stream.send(server.request("GET /topics/a", "HTTP/1.0", from_the_start)).await;
        let text = stream.end().await;
        assert!(!text.contains("data: "), "{text}");
    }
    panics.store(false, Ordering::SeqCst);
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
    let (panics, log) = panicking();
    let server = serve_over(log, Authenticator::open(), |_| {}).await;
    panics.store(true, Ordering::SeqCst);
    for _ in 0..READINGS {
        let answer = server.get("/topics/a", "Last-Event-ID: x\r\n").await;
        assert!(answer.status == 200 && answer.body.starts_with("retry: "), "{}", answer.body);
    }
    let lines = lines.0.lock().unwrap().clone();
    assert_eq!(lines.iter().filter(|line| line.contains("cannot subscribe")).count(), 1, "{lines:?}");
}
