//! All shards of the server. A connection gives its stream to them for delivery.
use super::{
    engine::{Choice, Engine, Started},
    incoming::Incoming,
    shard::{Equipment, Shard, WAKER},
    stream::Stream,
};
use crate::settings::{Delivery, Settings};
use crossbeam_channel::{Sender, unbounded};
use fanfare_hub::{Hub, mailbox::Caller};
use mio::{Poll, Waker};
use std::{
    io,
    net::TcpStream,
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::{sync::Semaphore, task};

/// The threads that deliver streams, one for each shard.
#[derive(Debug)]
pub struct Shards {
    gates: Vec<Gate>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// The sending side of the queue of messages to one shard.
#[derive(Debug)]
struct Gate {
    incoming: Sender<Incoming>,
    caller: Caller,
    load: Arc<AtomicUsize>,
}

impl Gate {
    /// Sends a message to the shard. Returns the message if the shard has ended.
    fn send(&self, what: Incoming) -> Result<(), Incoming> {
        self.incoming.send(what).map_err(|refused| refused.0)?;
        self.caller.call();
        Ok(())
    }
}

impl Shards {
    /// Starts the threads of the shards, and logs which engine they use. `settings` choose the number of threads and
    /// the engine. Returns `None` if hyper delivers all streams.
    ///
    /// # Errors
    /// If the system cannot start another thread, or has no file descriptor for its poll.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime.
    pub fn start(hub: &Hub, settings: &Settings, places: &Arc<Semaphore>) -> io::Result<Option<Self>> {
        let choice = match settings.delivery {
            Delivery::Auto => Choice::Auto,
            Delivery::Epoll => Choice::Epoll,
            Delivery::IoUring => Choice::IoUring,
            Delivery::Hyper => {
                tracing::info!(write_timeout = ?settings.write_timeout, "delivery through hyper, as chosen");
                return Ok(None);
            }
        };
        let count = settings.delivery_threads.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
        // If a thread cannot be started, dropping this value ends the threads that were started before.
        let mut shards = Self { gates: Vec::new(), threads: Mutex::default() };
        for number in 0..count {
            let (engine, started) = Engine::start(choice);
            if number == 0 {
                tell(&started, count, settings);
            }
            let (gate, shard) = open(hub, settings, places, engine)?;
            let thread = thread::Builder::new().name(format!("fanfare-shard-{number}")).spawn(move || {
                if let Err(error) = shard.run() {
                    tracing::error!("a shard and all its streams have ended: {error}");
                }
            })?;
            shards.gates.push(gate);
            shards.threads.get_mut().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(Some(shards))
    }

    /// Gives a stream and its socket to the shard that has the fewest streams. The socket must be in non-blocking mode,
    /// and nothing may have been written to it. The subscriber must have been admitted.
    pub(crate) fn take(&self, socket: TcpStream, stream: Stream) {
        let mut gates: Vec<_> = self.gates.iter().map(|gate| (gate.load.load(Ordering::Relaxed), gate)).collect();
        gates.sort_by_key(|(load, _)| *load);
        let mut what = Incoming::Stream(socket, Box::new(stream));
        for (_, gate) in gates {
            gate.load.fetch_add(1, Ordering::Relaxed);
            match gate.send(what) {
                Ok(()) => return,
                Err(refused) => what = refused,
            }
        }
        tracing::error!("all shards have ended: a stream cannot be delivered");
    }

    fn tell(&self, what: fn() -> Incoming) {
        for gate in &self.gates {
            // Sending fails only if the shard has ended. Such a shard needs no message.
            _ = gate.send(what());
        }
    }

    /// Ends all streams. A stream that is given to a shard later gets only the head of its response, and then ends.
    pub(crate) fn end_all(&self) {
        self.tell(|| Incoming::EndAll);
    }

    /// Tells the threads of the shards to end, and waits until they have ended. No stream may be given to a shard after
    /// this call.
    pub(crate) async fn stop(&self) {
        self.tell(|| Incoming::Stop);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = task::spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok()));
        if !matches!(joined.await, Ok(true)) {
            tracing::error!("a shard has panicked");
        }
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.tell(|| Incoming::Stop);
    }
}

/// Logs which engine delivers the streams.
fn tell(started: &Started, threads: usize, settings: &Settings) {
    let write_timeout = settings.write_timeout;
    match started {
        Started::EpollInstead { chosen: Choice::IoUring, .. } => {
            tracing::warn!(threads, ?write_timeout, "delivery {started}");
        }
        started => tracing::info!(threads, ?write_timeout, "delivery {started}"),
    }
}

fn open(hub: &Hub, settings: &Settings, places: &Arc<Semaphore>, engine: Engine) -> io::Result<(Gate, Shard)> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let mailbox = hub.mailbox(move || {
        if let Err(error) = waker.wake() {
            tracing::error!("cannot wake a shard: {error}");
        }
    });
    let (sender, incoming) = unbounded();
    let (caller, load) = (mailbox.caller(), Arc::new(AtomicUsize::new(0)));
    let shard = Shard::new(Equipment {
        poll,
        mailbox,
        incoming,
        engine,
        heartbeat_interval: settings.heartbeat_interval,
        window: hub.window_limit(),
        places: places.clone(),
        load: load.clone(),
    });
    Ok((Gate { incoming: sender, caller, load }, shard))
}
