//! All shards, for whoever has a subscriber for one of them.
use super::{
    engine::Engine,
    shard::{Equipment, Shard, WAKER},
    stream::Stream,
};
use crate::settings::Settings;
use crossbeam_channel::{Sender, unbounded};
use fanfare_hub::Hub;
use mio::{Poll, Waker};
use std::{
    io,
    net::TcpStream,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::Semaphore;

/// A connection whose request is answered by a stream, of which nothing is written yet.
#[derive(Debug)]
pub(crate) struct Handed {
    /// In non-blocking mode.
    pub(crate) socket: TcpStream,
    /// The head of the response and what follows it at once.
    pub(crate) head: Vec<u8>,
    /// What follows then.
    pub(crate) stream: Stream,
}

/// What comes to a shard from outside. Bounded by the places for subscribers.
#[derive(Debug)]
pub(super) enum Incoming {
    Subscriber(Box<Handed>),
    Stop,
}

/// The threads that deliver.
#[derive(Debug)]
pub struct Shards {
    gates: Vec<Gate>,
    threads: Vec<JoinHandle<()>>,
}

/// The way into a shard.
#[derive(Debug)]
struct Gate {
    incoming: Sender<Incoming>,
    waker: Arc<Waker>,
    load: Arc<AtomicUsize>,
}

impl Gate {
    /// Returns what the shard did not take, because it has ended.
    fn send(&self, what: Incoming) -> Result<(), Incoming> {
        self.incoming.send(what).map_err(|refused| refused.0)?;
        // Fails only if the shard has ended.
        _ = self.waker.wake();
        Ok(())
    }
}

impl Shards {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system has no thread or no poll to give.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(hub: &Hub, settings: &Settings, places: &Arc<Semaphore>) -> io::Result<Self> {
        let count = settings.delivery_threads.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let mut shards = Self { gates: Vec::new(), threads: Vec::new() };
        for number in 0..count {
            let (gate, shard) = open(hub, settings, places)?;
            let name = format!("fanfare-shard-{number}");
            let thread = thread::Builder::new().name(name).spawn(move || {
                if let Err(error) = shard.run() {
                    tracing::error!("a shard has ended, and its streams: {error}");
                }
            })?;
            shards.gates.push(gate);
            shards.threads.push(thread);
        }
        Ok(shards)
    }

    /// Gives a subscriber to the shard that has the fewest.
    pub(crate) fn take(&self, handed: Handed) {
        let mut gates: Vec<_> = self.gates.iter().map(|gate| (gate.load.load(Ordering::Relaxed), gate)).collect();
        gates.sort_by_key(|(load, _)| *load);
        let mut what = Incoming::Subscriber(Box::new(handed));
        for (_, gate) in gates {
            gate.load.fetch_add(1, Ordering::Relaxed);
            match gate.send(what) {
                Ok(()) => return,
                Err(refused) => what = refused,
            }
        }
        tracing::error!("no shard is left to deliver");
    }

    /// Ends all streams, and waits until that is done.
    pub fn stop(&mut self) {
        for gate in &self.gates {
            // Refused only by one that has ended.
            _ = gate.send(Incoming::Stop);
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a shard has panicked");
            }
        }
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.stop();
    }
}

fn open(hub: &Hub, settings: &Settings, places: &Arc<Semaphore>) -> io::Result<(Gate, Shard)> {
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
    let wake = waker.clone();
    let mailbox = hub.mailbox(move || {
        if let Err(error) = wake.wake() {
            tracing::error!("cannot wake a shard: {error}");
        }
    });
    let (sender, incoming) = unbounded();
    let load = Arc::new(AtomicUsize::new(0));
    let shard = Shard::new(Equipment {
        poll,
        mailbox,
        incoming,
        engine: Engine::Direct,
        heartbeat_interval: settings.heartbeat_interval,
        window: hub.window_limit(),
        places: places.clone(),
        load: load.clone(),
    });
    Ok((Gate { incoming: sender, waker, load }, shard))
}
