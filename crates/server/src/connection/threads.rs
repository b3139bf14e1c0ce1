//! Threads that serve connections, each with a runtime of its own, so that a connection is served by one thread to its
//! end.
//!
//! A runtime of many threads shares all tasks among them: whoever finds one wakes another thread, in case there are
//! more. A publication is two short tasks, one when it comes and one when it is acknowledged, and at both times the
//! thread that was woken in vain cost more than what there was to do.
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

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Threads(Vec<Thread>);

#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// The number of connections that it serves.
    load: Arc<AtomicUsize>,
    _end: oneshot::Sender<()>,
}

impl Threads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// If the system has no thread or no poll to give.
    pub(crate) fn start(count: NonZero<usize>) -> io::Result<Self> {
        (0..count.get()).map(Thread::start).collect::<io::Result<_>>().map(Self)
    }

    /// Has the thread that serves the fewest connections serve one more.
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
            // It ends with its sender.
            _ = runtime.block_on(ended);
            // What waits for a disk that does not answer must hold nobody up.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, load: Arc::default(), _end: end })
    }
}

/// A connection, as its thread counts it.
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
