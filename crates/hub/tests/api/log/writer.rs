//! The writer: one order, acknowledged when it is durable, handed on as it was appended.
use super::*;
use fanfare_hub::log::{
    Bounds, Candidates, Epochs, MemoryLog, Read,
    erase::{Erase, Erased},
    writer::{
        AppendError, MAX_BATCH_ENTRIES, MAX_PUBLICATION_BYTES, QUEUE_PLACE_BYTES, QUEUE_PLACES, Writer,
        sink::{QUICK_SINK, Sink},
    },
};
use std::{
    collections::HashSet,
    io,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// The entries that reached the sink, batch by batch.
type Sunk = Arc<Mutex<Vec<Vec<Arc<Entry>>>>>;

fn start(log: Arc<dyn Log>) -> (Writer, Sunk) {
    let sunk = Sunk::default();
    let sink = Arc::clone(&sunk);
    let writer = Writer::start(log, || NOW, move |batch| sink.lock().unwrap().push(batch));
    (writer.unwrap(), sunk)
}

/// A log that waits, fails and counts as it is told.
struct Rehearsed {
    log: MemoryLog,
    held: Mutex<bool>,
    released: Condvar,
    fails: AtomicBool,
    discarded_at: AtomicU64,
    batches: Mutex<Vec<usize>>,
}

impl Rehearsed {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            log: MemoryLog::new(KEEP_ALL),
            held: Mutex::new(false),
            released: Condvar::new(),
            fails: AtomicBool::new(false),
            discarded_at: AtomicU64::new(0),
            batches: Mutex::default(),
        })
    }

    fn hold(&self, hold: bool) {
        *self.held.lock().unwrap() = hold;
        self.released.notify_all();
    }
}

impl Log for Rehearsed {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.batches.lock().unwrap().push(batch.len());
        drop(self.released.wait_while(self.held.lock().unwrap(), |held| *held).unwrap());
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
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
        self.discarded_at.store(now.0, Ordering::SeqCst);
        Ok(0)
    }
}

/// Starts `count` publications of one update that carries its number, after the other, while the log is held.
async fn queue(
    writer: &Arc<Writer>,
    log: &Rehearsed,
    count: usize,
) -> Vec<tokio::task::JoinHandle<Result<u64, AppendError>>> {
    log.hold(true);
    let mut publications = Vec::new();
    for number in 0..count {
        let writer = Arc::clone(writer);
        publications.push(tokio::spawn(async move {
            let entries = writer.append(vec![update(&number.to_string())]).await?;
            assert_eq!(entries[0].update.data(), number.to_string(), "each gets its own entry");
            Ok(entries[0].position.offset.0)
        }));
        tokio::task::yield_now().await;
        if number == 0 {
            // The first one is taken alone; the others wait for it.
            while log.batches.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    publications
}

#[tokio::test]
async fn what_waits_is_one_batch_in_the_order_of_arrival() {
    let log = Rehearsed::new();
    let (writer, sunk) = start(log.clone());
    let writer = Arc::new(writer);
    let publications = queue(&writer, &log, 100).await;
    log.hold(false);
    for (number, publication) in publications.into_iter().enumerate() {
        assert_eq!(publication.await.unwrap().unwrap(), number as u64 + 1);
    }
    writer.close();
    assert_eq!(*log.batches.lock().unwrap(), [1, 99]);
    let sunk: Vec<_> = sunk.lock().unwrap().concat();
    assert_eq!(sunk, read(&log.log, Offset::ZERO, UNLIMITED));
}

#[tokio::test]
async fn a_batch_has_a_limit_and_a_publication_is_never_divided() {
    let log = Rehearsed::new();
    let (writer, _) = start(log.clone());
    let writer = Arc::new(writer);
    let mut publications = queue(&writer, &log, 1).await;
    for count in [MAX_BATCH_ENTRIES - 1, 1, 1, MAX_BATCH_ENTRIES + 1] {
        let writer = Arc::clone(&writer);
        publications.push(tokio::spawn(async move {
            let entries = writer.append(vec![update("x"); count]).await?;
            assert_eq!(entries.len(), count);
            Ok(0)
        }));
        tokio::task::yield_now().await;
    }
    log.hold(false);
    for publication in publications {
        publication.await.unwrap().unwrap();
    }
    assert_eq!(*log.batches.lock().unwrap(), [1, MAX_BATCH_ENTRIES, 1, MAX_BATCH_ENTRIES + 1]);
}

#[tokio::test]
async fn a_failure_is_told_to_its_batch_and_the_writer_goes_on() {
    let log = Rehearsed::new();
    let (writer, sunk) = start(log.clone());
    let writer = Arc::new(writer);
    let publications = queue(&writer, &log, 3).await;
    log.fails.store(true, Ordering::SeqCst);
    log.hold(false);
    for publication in publications {
        let error = publication.await.unwrap().unwrap_err();
        assert!(matches!(&error, AppendError::Log(error) if matches!(**error, LogError::Io(_))), "{error:?}");
    }
    log.fails.store(false, Ordering::SeqCst);
    assert_eq!(writer.append(vec![update("again")]).await.unwrap()[0].position.offset, Offset(1));
    writer.close();
    assert_eq!(sunk.lock().unwrap().concat().len(), 1);
}

#[tokio::test]
async fn the_queue_is_bounded_and_waits() {
    let log = Rehearsed::new();
    let (writer, _) = start(log.clone());
    let writer = Arc::new(writer);
    let publications = queue(&writer, &log, QUEUE_PLACES).await;
    let mut one_more = std::pin::pin!(writer.append(vec![update("x")]));
    let waits = tokio::time::timeout(Duration::from_millis(50), &mut one_more).await;
    assert!(waits.is_err(), "there is no place left");
    log.hold(false);
    for publication in publications {
        publication.await.unwrap().unwrap();
    }
    one_more.await.unwrap();
}

#[tokio::test]
async fn the_largest_publication_is_as_large_as_the_queue() {
    let (writer, _) = start(Arc::new(MemoryLog::new(KEEP_ALL)));
    let of = |bytes: usize| vec![update(&"x".repeat(bytes - RECORD_BYTES - "orders/1".len()))];
    assert_eq!(MAX_PUBLICATION_BYTES, QUEUE_PLACES * QUEUE_PLACE_BYTES);
    writer.append(of(MAX_PUBLICATION_BYTES)).await.unwrap();
    let error = writer.append(of(MAX_PUBLICATION_BYTES + 1)).await.unwrap_err();
    let too_large = MAX_PUBLICATION_BYTES + 1;
    assert!(matches!(error, AppendError::TooLarge { bytes, limit: MAX_PUBLICATION_BYTES } if bytes == too_large));
    assert_eq!(writer.append(vec![]).await.unwrap(), []);
}

#[tokio::test]
async fn closing_appends_what_waits_and_refuses_the_rest() {
    let log = Rehearsed::new();
    let (writer, sunk) = start(log.clone());
    let writer = Arc::new(writer);
    let publications = queue(&writer, &log, 50).await;
    let closing = tokio::task::spawn_blocking({
        let writer = Arc::clone(&writer);
        move || writer.close()
    });
    let mut queued = 50;
    while tokio::time::timeout(Duration::from_millis(5), writer.append(vec![update("late")])).await.is_err() {
        queued += 1;
    }
    assert!(matches!(writer.append(vec![update("too late")]).await, Err(AppendError::Closed)));
    log.hold(false);
    closing.await.unwrap();
    for publication in publications {
        publication.await.unwrap().unwrap();
    }
    assert_eq!(sunk.lock().unwrap().concat().len(), queued, "all are handed on before it returns");
    writer.close();
}

#[tokio::test]
async fn a_publication_that_is_queued_is_appended_though_nobody_waits_for_it() {
    let log = Rehearsed::new();
    let (writer, _) = start(log.clone());
    let writer = Arc::new(writer);
    for publication in queue(&writer, &log, 3).await {
        publication.abort();
        assert!(publication.await.unwrap_err().is_cancelled());
    }
    log.hold(false);
    writer.close();
    assert_eq!(data(&log.log), ["0", "1", "2"]);
}

#[tokio::test]
async fn without_anybody_who_takes_the_entries_nothing_is_acknowledged_for_long() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(KEEP_ALL));
    let writer = Writer::start(log, || NOW, |_: Vec<Arc<Entry>>| panic!("this sink breaks")).unwrap();
    let closed = async { while !matches!(writer.append(vec![update("x")]).await, Err(AppendError::Closed)) {} };
    tokio::time::timeout(crate::fixture::PATIENCE, closed).await.unwrap();
}

/// A sink that breaks at its second batch, on the thread that its first one says.
async fn a_sink_that_breaks_later(first: impl Fn() + Send + 'static) {
    let mut batches = 0;
    let sink = move |_: Vec<Arc<Entry>>| {
        batches += 1;
        first();
        assert!(batches < 2, "this sink breaks");
    };
    let log = Rehearsed::new();
    let writer = Arc::new(Writer::start(log.clone(), || NOW, sink).unwrap());
    writer.append(vec![update("taken")]).await.unwrap();
    // As many as there are places wait behind the batch that breaks it, and one more for a place.
    let publications = queue(&writer, &log, QUEUE_PLACES).await;
    let waits = tokio::spawn({
        let writer = Arc::clone(&writer);
        async move { writer.append(vec![update("x")]).await }
    });
    log.hold(false);
    tokio::time::timeout(crate::fixture::PATIENCE, async {
        for publication in publications {
            // It may be in the log, or not.
            _ = publication.await.unwrap();
        }
        _ = waits.await.unwrap();
        while !matches!(writer.append(vec![update("x")]).await, Err(AppendError::Closed)) {}
    })
    .await
    .expect("nobody waits for a writer that has ended");
    writer.close();
}

#[tokio::test]
async fn a_sink_that_breaks_leaves_nobody_waiting() {
    a_sink_that_breaks_later(|| {}).await;
}

#[tokio::test]
async fn nor_does_one_that_breaks_on_the_second_thread() {
    a_sink_that_breaks_later(|| thread::sleep(2 * QUICK_SINK)).await;
}

/// A sink that takes as long as it is told, and says on which thread it is called for which batches.
#[tokio::test]
async fn a_batch_is_passed_on_by_a_second_thread_while_that_takes_long() {
    let (said, calls) = mpsc::channel();
    let takes = Arc::new(AtomicU64::new(0));
    let time = Arc::clone(&takes);
    let sink = move |batch: Vec<Arc<Entry>>| {
        thread::sleep(Duration::from_millis(time.load(Ordering::SeqCst)));
        said.send((thread::current().name().unwrap_or_default().to_owned(), batch[0].position.offset)).unwrap();
    };
    let writer = Writer::start(Arc::new(MemoryLog::new(KEEP_ALL)), || NOW, sink).unwrap();
    let mut slow_before = false;
    for (offset, slow) in (1..).zip([true, true, false, true, false, false]) {
        takes.store(if slow { 5 } else { 0 }, Ordering::SeqCst);
        writer.append(vec![update("x")]).await.unwrap();
        // The acknowledgement comes before that.
        let (thread, called_with) = calls.recv_timeout(crate::fixture::PATIENCE).unwrap();
        assert_eq!(called_with, Offset(offset));
        if slow_before {
            assert_eq!(thread, "fanfare-sink", "for {offset}");
        }
        slow_before = slow;
        // What says how long it took comes after it.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_appended_while_the_sink_is_busy_comes_to_it_in_order() {
    let (begun, begins) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let sunk = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sunk);
    let sink = move |batch: Vec<Arc<Entry>>| {
        thread::sleep(2 * QUICK_SINK);
        begun.send(()).unwrap();
        // Its sender ends with the test.
        _ = released.recv();
        seen.lock().unwrap().extend(batch.iter().map(|entry| entry.position.offset.0));
    };
    let log = Rehearsed::new();
    let writer = Arc::new(Writer::start(log.clone(), || NOW, sink).unwrap());
    writer.append(vec![update("x")]).await.unwrap();
    begins.recv_timeout(crate::fixture::PATIENCE).unwrap();
    release.send(()).unwrap();
    writer.append(vec![update("x")]).await.unwrap();
    begins.recv_timeout(crate::fixture::PATIENCE).unwrap();
    // From here on the second thread has it, and does not come back.
    let publications: Vec<_> = (0..3)
        .map(|_| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move { writer.append(vec![update("x")]).await })
        })
        .collect();
    tokio::time::timeout(crate::fixture::PATIENCE, async {
        while log.log.bounds().head < Offset(5) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the log goes on");
    assert!(publications.iter().all(|publication| !publication.is_finished()), "who is acknowledged comes after that");
    drop(release);
    for publication in publications {
        publication.await.unwrap().unwrap();
    }
    writer.close();
    assert_eq!(*sunk.lock().unwrap(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_sink_is_nudged_although_an_append_hangs() {
    struct Nudged(Arc<AtomicUsize>);
    impl Sink for Nudged {
        fn take(&mut self, _batch: Vec<Arc<Entry>>) {}
        fn nudged(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let log = Rehearsed::new();
    let count = Arc::new(AtomicUsize::new(0));
    let writer = Arc::new(Writer::start(log.clone(), || NOW, Nudged(Arc::clone(&count))).unwrap());
    let publications = queue(&writer, &log, 1).await;
    let nudge = writer.nudge();
    for number in 1..=100 {
        nudge.nudge();
        tokio::time::timeout(crate::fixture::PATIENCE, async {
            while count.load(Ordering::SeqCst) < number {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("each is heard");
    }
    log.hold(false);
    for publication in publications {
        publication.await.unwrap().unwrap();
    }
    writer.close();
    nudge.nudge();
    assert_eq!(count.load(Ordering::SeqCst), 100, "not after it was closed");
}

#[tokio::test]
async fn time_does_not_go_backwards() {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(KEEP_ALL));
    log.append(vec![update("before")], Timestamp(100)).unwrap();
    let clock = Arc::new(AtomicU64::new(50));
    let reading = Arc::clone(&clock);
    let writer = Writer::start(log, move || Timestamp(reading.load(Ordering::SeqCst)), drop).unwrap();
    for (now, stamp) in [(50, 100), (101, 101), (7, 101), (200, 200)] {
        clock.store(now, Ordering::SeqCst);
        assert_eq!(writer.append(vec![update("x")]).await.unwrap()[0].time, Timestamp(stamp), "at {now}");
    }
}

#[tokio::test]
async fn retention_is_looked_after_without_publications() {
    let log = Rehearsed::new();
    let (_writer, _) = start(log.clone());
    tokio::time::timeout(crate::fixture::PATIENCE, async {
        while log.discarded_at.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_publishers_are_one_sequence_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let log: Arc<dyn Log> = Arc::new(open(dir.path(), KEEP_ALL));
    let (writer, sunk) = start(log.clone());
    let writer = Arc::new(writer);
    let publishers = (0..64).map(|publisher| {
        let writer = Arc::clone(&writer);
        tokio::spawn(async move {
            let mut last = Offset::ZERO;
            for number in 0..50 {
                let entries = writer.append(vec![update(&format!("{publisher} {number}"))]).await.unwrap();
                assert!(entries[0].position.offset > last);
                last = entries[0].position.offset;
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    writer.close();
    let (stored, _) = walk(&*log, Offset::ZERO).unwrap();
    assert_eq!(stored, sunk.lock().unwrap().concat());
    assert_eq!(stored.iter().map(|entry| entry.update.data()).collect::<HashSet<_>>().len(), 64 * 50);
}
