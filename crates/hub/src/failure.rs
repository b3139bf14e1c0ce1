//! A failure: the hub cannot do its work any more. Its process has to end and to be started again: nothing is lost by
//! this, since everything that was acknowledged is in the log, and subscribers resume where they were. A hub that went
//! on would be silent instead, and nobody would notice.
use std::{fmt, sync::Arc, thread};
use tokio::sync::watch;

/// The reason why a hub cannot do its work any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The log cannot go on: the disk could not sync, so it is not known which of the last updates are on it, or the
    /// thread that removes old updates from the disk has panicked. The text says which.
    Log(String),
    /// The code that the text names has panicked.
    Panic(&'static str),
    /// The end of the last thread that delivered streams.
    Delivery,
}

/// The place where the first failure of a hub is noted. A clone notes in the same place.
#[derive(Clone, Debug)]
pub(crate) struct Failures(Arc<watch::Sender<Option<Failure>>>);

impl Default for Failures {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Failures {
    /// Notes a failure, unless there was one before.
    pub(crate) fn tell(&self, failure: Failure) {
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            if is_first {
                tracing::error!("{failure}");
                *first = Some(failure);
            }
            is_first
        });
    }

    /// The first failure; `None` if there was none.
    pub(crate) fn first(&self) -> Option<Failure> {
        self.0.borrow().clone()
    }

    /// Waits for the first failure.
    pub(crate) async fn wait(&self) -> Failure {
        let mut failures = self.0.subscribe();
        let first = failures.wait_for(Option::is_some).await.expect("`self` holds the sender");
        first.clone().expect("it was waited for")
    }

    /// Returns a guard that notes a failure if it is dropped by a panic. `what` names the code that has panicked then.
    pub(crate) fn on_panic(&self, what: &'static str) -> OnPanic<'_> {
        OnPanic { failures: self, what, was_panicking: thread::panicking() }
    }
}

/// Notes a failure if it is dropped by a panic.
#[derive(Debug)]
pub(crate) struct OnPanic<'a> {
    failures: &'a Failures,
    what: &'static str,
    /// True if the guard was made while an earlier panic unwound, for example in a destructor.
    was_panicking: bool,
}

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.was_panicking {
            self.failures.tell(Failure::Panic(self.what));
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => f.write_str(error),
            Self::Panic(what) => write!(f, "{what} has panicked"),
            Self::Delivery => f.write_str("all threads that deliver streams have ended"),
        }?;
        f.write_str(". The hub has to be started again; subscribers then resume where they were")
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Hub, HubLimits,
        entry::{Entry, Timestamp},
        log::{
            Bounds, Candidates, Epochs, Log, LogError, MemoryLog, Query, Read, Retention,
            erase::{Erase, Erased},
            writer::Writer,
        },
        position::Offset,
        topic::Topic,
        update::{Update, UpdateFields},
    };
    use fanfare_event_stream::EventId;
    use std::{
        io,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        time::Duration,
    };
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(20);

    type Append = fn(&MemoryLog, Vec<Update>) -> Result<Vec<Arc<Entry>>, LogError>;

    /// A log that does something else in place of each append, and after each discard.
    struct Acting {
        log: MemoryLog,
        append: Append,
        discard: fn() -> Result<usize, LogError>,
    }

    impl Log for Acting {
        fn append(&self, batch: Vec<Update>, _: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
            (self.append)(&self.log, batch)
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
        fn discard(&self, _: Timestamp) -> Result<usize, LogError> {
            (self.discard)()
        }
    }

    fn acting(append: Append, discard: fn() -> Result<usize, LogError>) -> Arc<dyn Log> {
        Arc::new(Acting { log: MemoryLog::new(Retention::default()), append, discard })
    }

    fn works(log: &MemoryLog, batch: Vec<Update>) -> Result<Vec<Arc<Entry>>, LogError> {
        log.append(batch, Timestamp(0))
    }

    fn update() -> Update {
        Update::new(UpdateFields { topics: vec![Topic::new("a").unwrap()], ..UpdateFields::default() }).unwrap()
    }

    /// Publishes, and returns the failure that follows; `None` if there is none within `patience`.
    async fn after_a_publication(
        log: Arc<dyn Log>,
        sink: impl FnMut(Vec<Arc<Entry>>) + Send + 'static,
        patience: Duration,
    ) -> Option<Failure> {
        let writer = Writer::start(log, || Timestamp(0), sink).unwrap();
        _ = timeout(PATIENCE, writer.append(vec![update()])).await.expect("an answer");
        timeout(patience, writer.failures().wait()).await.ok()
    }

    #[tokio::test]
    async fn what_the_hub_cannot_survive_is_a_failure() {
        assert_eq!(
            after_a_publication(acting(|_, _| Err(LogError::Failed("no sync".into())), || Ok(0)), drop, PATIENCE).await,
            Some(Failure::Log("no sync".into()))
        );
        assert_eq!(
            after_a_publication(acting(works, || Err(LogError::Failed("the keeper".into()))), drop, PATIENCE).await,
            Some(Failure::Log("the keeper".into())),
            "although nothing is appended any more"
        );
        assert_eq!(
            after_a_publication(acting(|_, _| Ok(Vec::new()), || Ok(0)), drop, PATIENCE).await,
            Some(Failure::Panic("the writer of the log")),
            "there is no entry for the update"
        );
        assert_eq!(
            after_a_publication(acting(works, || Ok(0)), |_| resume_unwind(Box::new("told to panic")), PATIENCE).await,
            Some(Failure::Panic("the router"))
        );
    }

    #[tokio::test]
    async fn what_may_pass_is_no_failure() {
        let full = |_: &MemoryLog, _| Err(LogError::Io(io::ErrorKind::StorageFull.into()));
        let vanished = |_: &MemoryLog, _| Err(LogError::Stopped("the directory".into()));
        let unreadable = || Err(LogError::Io(io::ErrorKind::Other.into()));
        for log in [acting(full, || Ok(0)), acting(vanished, || Ok(0)), acting(works, unreadable)] {
            // The time of two rounds of retention.
            assert_eq!(after_a_publication(log, drop, Duration::from_millis(2_500)).await, None);
        }
    }

    #[tokio::test]
    async fn essential_work_that_panics_is_a_failure() {
        let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &HubLimits::default()).unwrap();
        assert_eq!(hub.essential("harmless work", async { 7 }).await, 7);
        assert_eq!(hub.failure(), None);
        let working = hub.clone();
        let panics = async move {
            tokio::task::yield_now().await;
            resume_unwind(Box::new("told to panic"))
        };
        let task = tokio::spawn(async move { working.essential::<()>("the work", panics).await });
        assert_eq!(timeout(PATIENCE, hub.failed()).await.unwrap(), Failure::Panic("the work"));
        assert!(task.await.unwrap_err().is_panic());
    }

    #[test]
    fn only_the_first_failure_counts_and_only_a_panic_of_its_own() {
        let failures = Failures::default();
        let told = failures.clone();
        let unwinding = catch_unwind(AssertUnwindSafe(|| {
            struct OnDrop(Failures);
            impl Drop for OnDrop {
                fn drop(&mut self) {
                    // Another panic unwinds here.
                    drop(self.0.on_panic("innocent"));
                }
            }
            let _guard = OnDrop(told);
            resume_unwind(Box::new("told to panic"));
        }));
        assert!(unwinding.is_err());
        assert_eq!(failures.first(), None);
        let panics = catch_unwind(AssertUnwindSafe(|| {
            let _guard = failures.on_panic("guilty");
            resume_unwind(Box::new("told to panic"));
        }));
        assert!(panics.is_err());
        failures.tell(Failure::Delivery);
        assert_eq!(failures.first(), Some(Failure::Panic("guilty")));
    }
}
