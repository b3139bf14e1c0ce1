//! Threads that serve connections, each with its own runtime, so that one thread serves a connection from its start to
//! its end.
//!
//! In a runtime with many threads, all threads take tasks from a common queue: a thread that finds a task wakes another
//! thread, in case there are more tasks. A publication causes two short pieces of work, one when it arrives and one
//! when it is acknowledged. For each of them, the runtime woke another thread, which found no work, and waking that
//! thread cost more than the work itself.
use super::{Serving, Stop};
use crate::{seldom::Seldom, tls::Tls};
use std::{
    io,
    net::TcpStream,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{runtime::Builder, sync::mpsc, sync::watch};

/// The time that a task may take to finish when its thread ends. A task that waits for a disk that does not answer must
/// not delay the end.
const END_TIMEOUT: Duration = Duration::from_millis(200);

/// The threads that serve connections. They end when this value is dropped.
#[derive(Debug)]
pub(crate) struct Threads(Vec<Thread>);

#[derive(Debug)]
struct Thread {
    /// The queue of accepted connections that the thread will serve. If several connections arrive while the thread
    /// works, it is woken once for all of them; `Handle::spawn` would wake it for each. The length of the queue is
    /// bounded by the number of files that the process may open.
    arrivals: mpsc::UnboundedSender<Arrival>,
    /// The number of connections that the thread serves.
    load: Arc<AtomicUsize>,
    handle: JoinHandle<()>,
}

/// A connection that was accepted and is on its way to a thread.
struct Arrival {
    /// The routes and settings for this connection. The thread keeps no copy of its own, so that they are freed when
    /// the server and its last connection have ended.
    serving: Serving,
    socket: TcpStream,
    tls: Option<Tls>,
    stop: watch::Receiver<Stop>,
    counted: Counted,
}

impl Threads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// If the system cannot start another thread, or has no file descriptor for its poll.
    pub(crate) fn start(count: NonZero<usize>) -> io::Result<Self> {
        (0..count.get()).map(Thread::start).collect::<io::Result<_>>().map(Self)
    }

    /// Ends the threads, and blocks until they have ended. After that, no task of a connection uses the log, except a
    /// task that waits for a disk that does not answer.
    pub(crate) fn end(self) {
        let handles: Vec<_> = self.0.into_iter().map(|thread| thread.handle).collect();
        for handle in handles {
            if handle.join().is_err() {
                tracing::error!("a thread that served connections has panicked");
            }
        }
    }

    /// Serves a connection on the thread that serves the fewest connections. The socket must be in non-blocking mode.
    pub(crate) fn serve(&self, serving: Serving, socket: TcpStream, tls: Option<Tls>, stop: watch::Receiver<Stop>) {
        let fewest = self.0.iter().min_by_key(|thread| thread.load.load(Ordering::Relaxed));
        let Some(Thread { arrivals, load, .. }) = fewest else { return };
        let arrival = Arrival { serving, socket, tls, stop, counted: Counted::new(Arc::clone(load)) };
        if arrivals.send(arrival).is_err() {
            tracing::error!("a thread that serves connections has ended: its next connection was closed");
        }
    }
}

impl Thread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (arrivals, arriving) = mpsc::unbounded_channel();
        let handle = thread::Builder::new().name(format!("fanfare-http-{number}")).spawn(move || {
            runtime.block_on(serve_all(arriving));
            runtime.shutdown_timeout(END_TIMEOUT);
        })?;
        Ok(Self { arrivals, load: Arc::default(), handle })
    }
}

/// Serves connections until the threads are dropped.
async fn serve_all(mut arriving: mpsc::UnboundedReceiver<Arrival>) {
    // `stop` is the first variable of the pattern, so it is dropped last: the server waits until no receiver of its
    // stop signal is left.
    let warnings = Seldom::default();
    while let Some(Arrival { stop, serving, socket, tls, counted }) = arriving.recv().await {
        // The socket must be watched by the runtime that serves the connection.
        match tokio::net::TcpStream::from_std(socket) {
            Ok(socket) => {
                let served = serving.connection(socket, tls, stop);
                tokio::spawn(async move {
                    let _counted = counted;
                    served.await;
                });
            }
            Err(error) if warnings.is_due() => tracing::warn!("cannot serve a connection: {error}"),
            Err(_) => {}
        }
    }
}

/// A guard that counts one connection of a thread. Creating it increases the thread's number of connections by one, and
/// dropping it decreases the number by one.
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
