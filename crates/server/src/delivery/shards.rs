//! All shards of the server. A connection gives its stream to them for delivery. A shard that has died is replaced: its
//! subscribers have lost their connections, and resume on the new one.
use super::{
    engine::{Choice, Started},
    gates::{Gate, Gates, Slot},
    incoming::Incoming,
    makings::Makings,
    stream::Stream,
    turns::Turns,
};
use crate::{
    progress::WriteTimeout,
    seldom::Seldom,
    settings::{Delivery, Settings},
};
use fanfare_hub::Hub;
use std::{
    io,
    net::TcpStream,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    task,
    time::{sleep, timeout},
};

/// The time between two looks at the turns of the shards, while they are waited for.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// The threads that deliver streams, one for each shard.
#[derive(Debug)]
pub struct Shards {
    gates: Arc<Gates>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The limiter for the warnings that a stream cannot be delivered.
    refused: Seldom,
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
        let makings = Makings {
            hub: hub.clone(),
            heartbeat_interval: settings.heartbeat_interval,
            write_timeout: WriteTimeout::new(settings.write_timeout, settings.heartbeat_interval),
            places: places.clone(),
            runtime: Handle::current(),
            choice,
        };
        let count = settings.delivery_threads.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
        // If a thread cannot be started, dropping this value ends the threads that were started before.
        let mut shards = Self { gates: Arc::default(), threads: Mutex::default(), refused: Seldom::default() };
        for number in 0..count {
            let (gate, shard, started) = makings.make()?;
            if number == 0 {
                tell(&started, count, settings);
            }
            shards.gates.lock().slots.push(Slot::Open(gate));
            let (makings, gates) = (makings.clone(), shards.gates.clone());
            let keep = move || makings.keep(number, shard, &gates);
            let thread = thread::Builder::new().name(format!("fanfare-shard-{number}")).spawn(keep)?;
            shards.threads.get_mut().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(Some(shards))
    }

    /// Gives a stream and its socket to the shard that has the fewest streams. The socket must be in non-blocking mode,
    /// and nothing may have been written to it. The subscriber must have been admitted.
    pub(crate) fn take(&self, socket: TcpStream, stream: Stream) {
        let open = self.gates.lock();
        let mut gates: Vec<_> = open.gates().map(|gate| (gate.load.load(Ordering::Relaxed), gate)).collect();
        gates.sort_by_key(|(load, _)| *load);
        let mut what = Incoming::Stream(socket, Box::new(stream));
        for (_, gate) in gates {
            gate.load.fetch_add(1, Ordering::Relaxed);
            match gate.send(what) {
                Ok(()) => return,
                Err(refused) => what = refused,
            }
        }
        if self.refused.is_due() {
            tracing::warn!("streams cannot be delivered now, because no delivery thread takes them");
        }
    }

    /// Ends the streams whose tokens were signed by somebody whom the hub does not trust any more. A shard that replaces
    /// another one later need not be told: it looks at the signer of each stream that it is given.
    pub(crate) fn end_revoked(&self) {
        for gate in self.gates.lock().gates() {
            _ = gate.send(Incoming::EndRevoked);
        }
    }

    /// Ends all streams. A stream that is given to a shard later gets only the head of its response, and then ends.
    pub(crate) fn end_all(&self) {
        self.gates.tell(|| Incoming::EndAll);
    }

    /// Breaks off all streams, and ends the threads of the shards.
    pub(crate) fn abort(&self) {
        self.gates.tell(|| Incoming::Abort);
    }

    /// Tells the threads of the shards to end, and waits until they have ended. No stream may be given to a shard after
    /// this call.
    pub(crate) async fn stop(&self) {
        self.gates.tell(|| Incoming::Stop);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = task::spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok()));
        if !matches!(joined.await, Ok(true)) {
            tracing::error!("the thread of a shard has panicked");
        }
    }

    /// The number of shards.
    pub(crate) fn count(&self) -> usize {
        self.gates.lock().slots.len()
    }

    /// The number of shards that have died and were not replaced.
    pub(crate) fn dead(&self) -> usize {
        self.gates.lock().slots.iter().filter(|slot| matches!(slot, Slot::Dead)).count()
    }

    /// Returns the number of shards that make no progress within `patience`, although they are woken. A shard
    /// that has died is not counted.
    pub(crate) async fn stuck(&self, patience: Duration) -> usize {
        let mut waiting: Vec<_> = {
            let open = self.gates.lock();
            let woken = |gate: &Gate| {
                let before = gate.turns.count();
                gate.caller.call();
                (gate.turns.clone(), before)
            };
            open.gates().map(woken).collect()
        };
        let look = async {
            while !waiting.is_empty() {
                waiting.retain(|(turns, before)| turns.count() == *before);
                sleep(LOOK_INTERVAL).await;
            }
        };
        _ = timeout(patience, look).await;
        // A shard that has died meanwhile makes no turn any more.
        let open = self.gates.lock();
        let is_open = |turns: &Turns| open.gates().any(|gate| gate.turns.is_same(turns));
        waiting.iter().filter(|(turns, _)| is_open(turns)).count()
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.gates.tell(|| Incoming::Stop);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests;
