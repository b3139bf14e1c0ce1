//! The sink's side of the writer: who acknowledges a batch and passes it on, and on which thread.
//!
//! As a rule that is the writer's own thread: to wake another one costs more than what there is to do. The second
//! thread is for when that takes long, so that the next batch is made durable meanwhile.
use super::publication::Acknowledgement;
use crate::entry::Entry;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

/// The number of batches that wait for the second thread before the writer waits for it.
pub const SINK_QUEUE_BATCHES: usize = 8;
/// The longest time to acknowledge a batch and to pass it on before the next one is left to the second thread.
pub const QUICK_SINK: Duration = Duration::from_micros(500);

/// Takes the batches that a [`Writer`](super::Writer) appends, one after the other and in order. It is called from
/// several threads, never from two at once.
pub trait Sink: Send + 'static {
    /// Takes a batch, whose publications are acknowledged by now. A sink that panics closes the writer.
    fn take(&mut self, batch: Vec<Arc<Entry>>);

    /// Is called some time after a [`Nudge`], unless a batch comes.
    fn nudged(&mut self) {}
}

impl<Take: FnMut(Vec<Arc<Entry>>) + Send + 'static> Sink for Take {
    fn take(&mut self, batch: Vec<Arc<Entry>>) {
        self(batch);
    }
}

/// A batch that is in the log, and whom to tell.
#[derive(Debug)]
pub(in crate::log) struct Appended {
    pub(in crate::log) entries: Vec<Arc<Entry>>,
    /// Each publication's number of entries, in order.
    pub(in crate::log) publications: Vec<(usize, Acknowledgement)>,
}

impl Appended {
    /// Tells the publishers, and returns the entries for whoever comes next.
    fn acknowledge(self) -> Vec<Arc<Entry>> {
        let mut rest = &self.entries[..];
        for (count, acknowledgement) in self.publications {
            let (own, others) = rest.split_at(count);
            rest = others;
            // Who no longer waits for the answer does not get it.
            _ = acknowledgement.send(Ok(own.to_vec()));
        }
        self.entries
    }
}

/// A message to the second thread.
#[derive(Debug)]
enum Message {
    Batch(Appended),
    Nudge,
    End,
}

/// Has the sink called although nothing was published.
#[derive(Clone, Debug)]
pub struct Nudge(SyncSender<Message>);

impl Nudge {
    /// Has [`Sink::nudged`] called on the second thread. Waits for nothing.
    pub fn nudge(&self) {
        // If there is no room, what is there wakes the sink.
        _ = self.0.try_send(Message::Nudge);
    }
}

/// The sink, as both threads share it.
struct Shared {
    sink: Mutex<Box<dyn Sink>>,
    /// The number of batches that the second thread has been given and is not done with.
    ahead: AtomicUsize,
    /// True if the last batch took no longer than [`QUICK_SINK`].
    is_quick: AtomicBool,
}

/// The first thread's end. When it is dropped the second thread ends, once it has passed on what it was given.
pub(in crate::log) struct Passing {
    shared: Arc<Shared>,
    messages: SyncSender<Message>,
}

/// The second thread's end.
pub(super) struct Second {
    shared: Arc<Shared>,
    /// The channel. Dropping it drops what is in it, and so tells publishers, whoever may still send. (A bounded channel
    /// of crossbeam keeps what is in it until the last sender is gone.)
    messages: Receiver<Message>,
}

/// Both ends, and what nudges the sink.
pub(super) fn passing(sink: impl Sink) -> (Passing, Second, Nudge) {
    let (sender, messages) = sync_channel(SINK_QUEUE_BATCHES);
    let (sink, ahead, is_quick) = (Mutex::new(Box::new(sink) as _), AtomicUsize::new(0), AtomicBool::new(true));
    let shared = Arc::new(Shared { sink, ahead, is_quick });
    let nudge = Nudge(sender.clone());
    (Passing { shared: Arc::clone(&shared), messages: sender }, Second { shared, messages }, nudge)
}

impl Passing {
    /// Acknowledges a batch and passes it on, or has the second thread do so. Returns false if nobody takes batches any
    /// more.
    pub(in crate::log) fn pass(&self, appended: Appended) -> bool {
        let shared = &self.shared;
        // What the second thread has comes first.
        let is_done = shared.ahead.load(Ordering::Acquire) == 0;
        if is_done && shared.is_quick.load(Ordering::Relaxed) {
            return shared.pass(appended);
        }
        shared.ahead.fetch_add(1, Ordering::Relaxed);
        self.messages.send(Message::Batch(appended)).is_ok()
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // Fails if the second thread has ended.
        _ = self.messages.send(Message::End);
    }
}

impl Second {
    /// Passes on what it is given, until there is no more or the sink panics.
    pub(super) fn run(self) {
        while let Ok(message) = self.messages.recv() {
            let goes_on = match message {
                Message::Batch(appended) => {
                    let passed = self.shared.pass(appended);
                    // The first thread may now use the sink, and find it as this one left it.
                    self.shared.ahead.fetch_sub(1, Ordering::Release);
                    passed
                }
                Message::Nudge => self.shared.call(|sink| sink.nudged()),
                Message::End => false,
            };
            if !goes_on {
                return;
            }
        }
    }
}

impl Shared {
    fn pass(&self, appended: Appended) -> bool {
        let begun = Instant::now();
        let entries = appended.acknowledge();
        let passed = self.call(|sink| sink.take(entries));
        self.is_quick.store(begun.elapsed() <= QUICK_SINK, Ordering::Relaxed);
        passed
    }

    /// Returns false if the sink panics, or has done so before.
    fn call(&self, on_sink: impl FnOnce(&mut dyn Sink)) -> bool {
        let called = catch_unwind(AssertUnwindSafe(|| match self.sink.lock() {
            Ok(mut sink) => {
                on_sink(&mut **sink);
                true
            }
            Err(PoisonError { .. }) => false,
        }));
        called.unwrap_or_else(|_| {
            tracing::error!("what takes the entries has panicked: the log is closed");
            false
        })
    }
}
