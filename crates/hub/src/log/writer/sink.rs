//! The sink's side of the writer: it acknowledges a batch and passes it to the sink, on one of two threads.
//!
//! Normally the writer's own thread does both, because to wake another thread costs more than this work. If the work
//! takes long, a second thread does it, so that the writer's thread can make the next batch durable at the same time.
use super::publication::Acknowledgement;
use crate::{
    entry::Entry,
    failure::{Failure, Failures},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

/// The number of batches that may wait for the second thread of the sink. If there are more, the writer waits.
pub const SINK_QUEUE_BATCHES: usize = 8;
/// The longest time that acknowledging a batch and passing it to the sink may take on the writer's thread. If a batch
/// took longer, the second thread does the next batch.
pub const QUICK_SINK: Duration = Duration::from_micros(500);

/// Receives the batches that a [`Writer`](super::Writer) appends, one after the other and in order. A sink is called
/// from several threads, but never from two at the same time.
pub trait Sink: Send + 'static {
    /// Receives a batch. The publications of the batch are acknowledged already. If this call panics, the writer
    /// closes.
    fn take(&mut self, batch: Vec<Arc<Entry>>);

    /// Does the work for which a [`Nudge`] asked. This method is called some time after the nudge. If the queue to the
    /// second thread is full, this method is not called: the calls of [`Self::take`] for the batches in the queue have
    /// to do the work instead.
    fn nudged(&mut self) {}
}

impl<Take: FnMut(Vec<Arc<Entry>>) + Send + 'static> Sink for Take {
    fn take(&mut self, batch: Vec<Arc<Entry>>) {
        self(batch);
    }
}

/// A batch that is in the log, and the publishers that wait for its acknowledgement.
#[derive(Debug)]
pub(in crate::log) struct Appended {
    pub(in crate::log) entries: Vec<Arc<Entry>>,
    /// The number of entries of each publication, and the channel of its acknowledgement, in order.
    pub(in crate::log) publications: Vec<(usize, Acknowledgement)>,
}

impl Appended {
    /// Sends the acknowledgements to the publishers, and returns the entries for the sink.
    fn acknowledge(self) -> Vec<Arc<Entry>> {
        let mut rest = &self.entries[..];
        for (count, acknowledgement) in self.publications {
            let (own, others) = rest.split_at(count);
            rest = others;
            // A publisher that does not wait any more gets no answer.
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

/// The handle with which other threads can have [`Sink::nudged`] called, even if nothing is published.
#[derive(Clone, Debug)]
pub struct Nudge(SyncSender<Message>);

impl Nudge {
    /// Has [`Sink::nudged`] called on the second thread. This function does not wait for that call.
    pub fn nudge(&self) {
        // If the channel is full, the batches in it wake the second thread, and the sink is called for them.
        _ = self.0.try_send(Message::Nudge);
    }
}

/// The state that the writer's thread and the second thread share.
struct Shared {
    sink: Mutex<Box<dyn Sink>>,
    /// The number of batches that were sent to the second thread and that it has not finished.
    ahead: AtomicUsize,
    /// True if the last batch took no longer than [`QUICK_SINK`].
    is_quick: AtomicBool,
    failures: Failures,
}

/// The writer thread's end of the channel to the second thread. When it is dropped, the second thread passes its
/// remaining batches to the sink, and ends.
pub(in crate::log) struct Passing {
    shared: Arc<Shared>,
    messages: SyncSender<Message>,
}

/// The second thread's end of the channel from the writer's thread.
pub(super) struct Second {
    shared: Arc<Shared>,
    /// The channel. Dropping it drops the messages in it, even if there are still senders, so that waiting publishers
    /// get an error. A bounded channel of the crate crossbeam would keep its messages until the last sender is dropped.
    messages: Receiver<Message>,
}

/// Returns the two ends of the channel between the writer's thread and the second thread, and the handle to nudge the
/// sink.
pub(super) fn passing(sink: impl Sink, failures: Failures) -> (Passing, Second, Nudge) {
    let (sender, messages) = sync_channel(SINK_QUEUE_BATCHES);
    let (sink, ahead, is_quick) = (Mutex::new(Box::new(sink) as _), AtomicUsize::new(0), AtomicBool::new(true));
    let shared = Arc::new(Shared { sink, ahead, is_quick, failures });
    let nudge = Nudge(sender.clone());
    (Passing { shared: Arc::clone(&shared), messages: sender }, Second { shared, messages }, nudge)
}

impl Passing {
    /// Acknowledges a batch and passes it to the sink, or has the second thread do so. Returns false if the sink has
    /// panicked.
    pub(in crate::log) fn pass(&self, appended: Appended) -> bool {
        let shared = &self.shared;
        // The batches that were sent to the second thread must reach the sink before this batch.
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
        // The message cannot be sent if the second thread has ended.
        _ = self.messages.send(Message::End);
    }
}

impl Second {
    /// Passes each batch that it receives to the sink, until the writer's thread ends or the sink panics.
    pub(super) fn run(self) {
        while let Ok(message) = self.messages.recv() {
            let goes_on = match message {
                Message::Batch(appended) => {
                    let passed = self.shared.pass(appended);
                    // After this line, the writer's thread may use the sink, and sees all changes that this thread has
                    // made to the sink.
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

    /// Calls `on_sink` with the sink. Returns false if the sink panics now, or has panicked before.
    fn call(&self, on_sink: impl FnOnce(&mut dyn Sink)) -> bool {
        let called = catch_unwind(AssertUnwindSafe(|| match self.sink.lock() {
            Ok(mut sink) => {
                on_sink(&mut **sink);
                true
            }
            Err(PoisonError { .. }) => false,
        }));
        called.unwrap_or_else(|_| {
            self.failures.tell(Failure::Panic("the router"));
            false
        })
    }
}
