//! Threads that serve connections, each with its own runtime, so that one thread serves a connection from its start to
//! its end.
//!
//! A runtime with many threads shares all tasks among them: a thread that finds a task wakes another thread, in case
//! there are more tasks. A publication is two short tasks, one when it arrives and one when it is acknowledged. Both
//! times, waking a thread for which there was no task cost more than the task itself.
use std::{
    io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// The threads that serve connections. They end when this value is dropped.
#[derive(Debug)]
pub(crate) struct Threads(Vec<Thread>);

#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// The number of connections that the thread serves.
    load: Arc<AtomicUsize>,
    _end: oneshot::Sender<()>,
}

impl Threads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// If the system cannot start another thread, or has no file descriptor for its poll.
    pub(crate) fn start(count: NonZero<usize>) -> io::Result<Self> {
        (0..count.get()).map(Thread::start).collect::<io::Result<_>>().map(Self)
    }

    /// Serves a connection on the thread that serves the fewest connections.
    pub(crate) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let fewest = self.0.iter().min_by_key(|thread| thread.load.load(Ordering::Relaxed));
        let Some(Thread { runtime, load, .. }) = fewest else { return };
        let counted = Counted::new(Arc::clone(load));
        runtime.spawn(async move {
            let _counted = counted;
            connection.await;
        });
    }
}

impl Thread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("fanfare-http-{number}")).spawn(move || {
            // The thread ends when the sender is dropped.
            _ = runtime.block_on(ended);
            // A task that waits for a disk that does not answer must not delay the end.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, load: Arc::default(), _end: end })
    }
}

/// A guard that counts one connection of a thread until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(load: Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(load)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
