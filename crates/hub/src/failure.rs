//! A failure: the hub cannot do its work any more. Its process has to end and to be started again: nothing is lost by
//! this, since everything that was acknowledged is in the log, and subscribers resume where they were. A hub that went
//! on would be silent instead, and nobody would notice.
use std::{fmt, sync::Arc, thread};
use tokio::sync::watch;

/// The reason why a hub cannot do its work any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The disk could not sync, so it is not known which of the last updates are on it. The text is the error.
    Log(String),
    /// The code that the text names has panicked.
    Panic(&'static str),
    /// All threads that deliver streams have ended.
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
