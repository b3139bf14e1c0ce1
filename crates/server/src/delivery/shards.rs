//! All shards of the server. A connection gives its stream to them for delivery. A shard that has died is replaced: its
//! subscribers have lost their connections, and resume on the new one.
use super::{
    engine::{Choice, Engine, Started},
    incoming::Incoming,
    shard::{Equipment, Shard, WAKER},
    stream::Stream,
    turns::Turns,
};
use crate::{
    progress::WriteTimeout,
    seldom::Seldom,
    settings::{Delivery, Settings},
};
use crossbeam_channel::{Sender, unbounded};
use fanfare_hub::{Hub, failure::Failure, mailbox::Caller};
use mio::{Poll, Waker};
use std::{
    any::Any,
    io,
    net::TcpStream,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    task,
    time::{sleep, timeout},
};

/// The number of times that a shard is replaced within [`REPLACEMENT_WINDOW`]. A shard that dies more often would die
/// again.
const REPLACEMENTS: usize = 5;
/// The time in which [`REPLACEMENTS`] are counted.
const REPLACEMENT_WINDOW: Duration = Duration::from_secs(60);
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

/// The ways to all shards.
#[derive(Debug, Default)]
struct Gates(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    slots: Vec<Slot>,
    /// Makes the last message that all shards were told. A shard that replaces another one is told it too.
    told: Option<fn() -> Incoming>,
}

/// A shard, as the connections see it.
#[derive(Debug)]
enum Slot {
    /// The shard takes streams.
    Open(Gate),
    /// The shard has died, and another one is about to take its place.
    Closed,
    /// The shard has died, and is not replaced.
    Dead,
}

/// The sending side of the queue of messages to one shard.
#[derive(Debug)]
struct Gate {
    incoming: Sender<Incoming>,
    caller: Caller,
    load: Arc<AtomicUsize>,
    /// The progress of the shard.
    turns: Turns,
}

/// The values from which shards are made, at the start and later.
#[derive(Clone, Debug)]
struct Makings {
    hub: Hub,
    heartbeat_interval: Duration,
    write_timeout: Option<WriteTimeout>,
    places: Arc<Semaphore>,
    /// The runtime on which the log is read for the shards.
    runtime: Handle,
    choice: Choice,
}

impl Gate {
    /// Sends a message to the shard. Returns the message if the shard has ended.
    fn send(&self, what: Incoming) -> Result<(), Incoming> {
        self.incoming.send(what).map_err(|refused| refused.0)?;
        self.caller.call();
        Ok(())
    }
}

impl Gates {
    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while this lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the gate of a shard that replaces the shard with this number.
    fn reopen(&self, number: usize, gate: Gate) {
        let mut open = self.lock();
        if let Some(told) = open.told {
            _ = gate.send(told());
        }
        open.slots[number] = Slot::Open(gate);
    }

    /// Notes that a shard has died, and whether another one is about to take its place. Returns true if there is no
    /// shard any more and there will be none.
    fn close(&self, number: usize, slot: Slot) -> bool {
        let mut open = self.lock();
        open.slots[number] = slot;
        open.slots.iter().all(|slot| matches!(slot, Slot::Dead))
    }
}

impl Open {
    /// The gates of the shards that take streams.
    fn gates(&self) -> impl Iterator<Item = &Gate> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Open(gate) => Some(gate),
            Slot::Closed | Slot::Dead => None,
        })
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

    fn tell(&self, what: fn() -> Incoming) {
        let mut open = self.gates.lock();
        open.told = Some(what);
        for gate in open.gates() {
            // Sending fails only if the shard has ended. Such a shard needs no message.
            _ = gate.send(what());
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
        self.tell(|| Incoming::EndAll);
    }

    /// Breaks off all streams, and ends the threads of the shards.
    pub(crate) fn abort(&self) {
        self.tell(|| Incoming::Abort);
    }

    /// Tells the threads of the shards to end, and waits until they have ended. No stream may be given to a shard after
    /// this call.
    pub(crate) async fn stop(&self) {
        self.tell(|| Incoming::Stop);
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
        self.tell(|| Incoming::Stop);
    }
}

impl Makings {
    /// Runs a shard until it is told to stop. If it dies, another one takes its place. If the last shard cannot be
    /// replaced, the hub has failed.
    fn keep(&self, number: usize, shard: Shard, gates: &Gates) {
        let (mut shard, mut deaths) = (shard, Vec::new());
        loop {
            let why = match catch_unwind(AssertUnwindSafe(|| shard.run())) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => text_of(&*panic).to_owned(),
            };
            tracing::error!("delivery thread {number} has failed, and all its streams have ended: {why}");
            gates.close(number, Slot::Closed);
            deaths.retain(|at: &Instant| at.elapsed() < REPLACEMENT_WINDOW);
            deaths.push(Instant::now());
            let replaced = match deaths.len() <= REPLACEMENTS {
                true => self.make(),
                false => Err(io::Error::other(format!("it has failed {} times in a minute", deaths.len()))),
            };
            match replaced {
                Ok((gate, next, _)) => {
                    gates.reopen(number, gate);
                    shard = next;
                    tracing::warn!("delivery thread {number} takes subscribers again");
                }
                Err(error) => {
                    tracing::error!("delivery thread {number} is not replaced: {error}");
                    if gates.close(number, Slot::Dead) {
                        self.hub.fail(Failure::Delivery);
                    }
                    return;
                }
            }
        }
    }

    fn make(&self) -> io::Result<(Gate, Shard, Started)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let _entered = self.runtime.enter();
        let mailbox = self.hub.mailbox(move || {
            if let Err(error) = waker.wake() {
                tracing::error!("cannot wake a shard: {error}");
            }
        });
        let (engine, started) = Engine::start(self.choice);
        let (sender, incoming) = unbounded();
        let (caller, load, turns) = (mailbox.caller(), Arc::<AtomicUsize>::default(), Turns::default());
        let shard = Shard::new(Equipment {
            poll,
            mailbox,
            incoming,
            engine,
            heartbeat_interval: self.heartbeat_interval,
            write_timeout: self.write_timeout,
            window: self.hub.window_limit(),
            places: self.places.clone(),
            load: load.clone(),
            turns: turns.clone(),
            runtime: self.runtime.clone(),
        });
        Ok((Gate { incoming: sender, caller, load, turns }, shard, started))
    }
}

/// Returns the message of a panic.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it has panicked")
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
mod tests {
    use super::*;
    use crate::{
        auth::signer::{self, Signer},
        tls::seal::{self, Seal},
    };
    use fanfare_hub::{
        HubLimits,
        audience_key::AudienceKey,
        grant::Matchers,
        log::{MemoryLog, Retention},
        representation::Representation,
        subscription::Start,
        topic::{Topic, matcher::Matcher},
        update::{Update, UpdateFields},
    };
    use std::{io::Read as _, net::TcpListener};

    /// The longest time that a test waits.
    const PATIENCE: Duration = Duration::from_secs(20);

    struct Stage {
        hub: Hub,
        shards: Shards,
        places: Arc<Semaphore>,
        listener: TcpListener,
    }

    impl Stage {
        fn start(delivery: Delivery, threads: usize) -> Self {
            let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &HubLimits::default()).unwrap();
            let settings = Settings { delivery, delivery_threads: NonZero::new(threads), ..Settings::default() };
            let places = Arc::new(Semaphore::new(0));
            let shards = Shards::start(&hub, &settings, &places).unwrap().unwrap();
            Self { hub, shards, places, listener: TcpListener::bind("127.0.0.1:0").unwrap() }
        }

        async fn subscribe(&self) -> TcpStream {
            self.subscribe_with(None).await
        }

        async fn subscribe_with(&self, signer: Option<Arc<Signer>>) -> TcpStream {
            self.subscribe_through(signer, None).await
        }

        async fn subscribe_through(&self, signer: Option<Arc<Signer>>, seal: Option<Box<Seal>>) -> TcpStream {
            let peer = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
            peer.set_read_timeout(Some(PATIENCE)).unwrap();
            let socket = self.listener.accept().unwrap().0;
            socket.set_nonblocking(true).unwrap();
            let matchers = [Matcher::exact("a").unwrap()].into_iter().collect();
            let (granted, representation) = (Matchers::default(), Representation::EventStream);
            let key = AudienceKey::new(matchers, granted, representation);
            let mut opening = self.hub.open(key, Start::Now).await.unwrap();
            self.places.add_permits(1);
            let place = self.places.clone().try_acquire_owned().unwrap();
            opening.admit().await;
            let stream = Stream::new(opening, place, None).signed_by(signer);
            self.shards.take(socket, Stream { head: b":\n".to_vec(), seal, ..stream });
            peer
        }

        /// Makes one shard panic, and waits until another one has taken its place, or until it is given up.
        async fn kill_one(&self) {
            let (dead, turns) = (self.shards.dead(), |gate: &Gate| gate.turns.clone());
            let killed = {
                let open = self.shards.gates.lock();
                let gate = open.gates().next().unwrap();
                gate.send(Incoming::Panic).unwrap();
                turns(gate)
            };
            let is_replaced = || {
                let open = self.shards.gates.lock();
                let is_gone = open.gates().all(|gate| !gate.turns.is_same(&killed));
                is_gone && open.slots.iter().all(|slot| !matches!(slot, Slot::Closed))
            };
            let wait = async {
                while !is_replaced() && self.shards.dead() == dead {
                    sleep(Duration::from_millis(2)).await;
                }
            };
            timeout(PATIENCE, wait).await.expect("the shard dies");
        }
    }

    async fn publish(hub: &Hub, data: &str) {
        let fields = UpdateFields { topics: vec![Topic::new("a").unwrap()], data: data.into(), ..Default::default() };
        hub.publish(vec![Update::new(fields).unwrap()]).await.unwrap();
    }

    /// The streams of a shard that dies end, so that their subscribers come back; the next ones are served.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_shard_that_has_died_is_replaced() {
        for delivery in [Delivery::Epoll, Delivery::Auto] {
            let stage = Stage::start(delivery, 1);
            let mut lost = stage.subscribe().await;
            lost.read_exact(&mut [0; 2]).unwrap();
            stage.kill_one().await;
            let mut rest = String::new();
            _ = lost.read_to_string(&mut rest);
            assert_eq!(stage.places.available_permits(), 1, "the place of its subscriber is free again");
            let mut next = stage.subscribe().await;
            next.read_exact(&mut [0; 2]).unwrap();
            assert_eq!((stage.shards.stuck(PATIENCE).await, stage.shards.dead()), (0, 0));
            publish(&stage.hub, "later").await;
            let (mut text, mut chunk) = (String::new(), [0; 1_024]);
            while !text.contains("data: later\n\n") {
                let read = next.read(&mut chunk).unwrap();
                assert_ne!(read, 0, "{text}");
                text.push_str(str::from_utf8(&chunk[..read]).unwrap());
            }
            assert_eq!(stage.hub.failure(), None);
            timeout(PATIENCE, stage.shards.stop()).await.expect("the new shard hears of the stop too");
        }
    }

    /// A stream may arrive at its shard after the message that ends the streams of its signer.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_stream_that_comes_after_its_signer_was_revoked_ends() {
        let stage = Stage::start(Delivery::Epoll, 1);
        let signer = signer::for_test();
        let (mut first, mut other) = (stage.subscribe_with(Some(signer.clone())).await, stage.subscribe().await);
        first.read_exact(&mut [0; 2]).unwrap();
        signer.revoke();
        stage.shards.end_revoked();
        let (mut late, mut text) = (stage.subscribe_with(Some(signer)).await, String::new());
        for stream in [&mut first, &mut late] {
            text.clear();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.ends_with("data: {\"reason\":\"token-revoked\"}\n\n"), "{text}");
        }
        publish(&stage.hub, "later").await;
        let mut chunk = [0; 1_024];
        while !text.contains("data: later\n\n") {
            let read = other.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "{text}");
            text.push_str(str::from_utf8(&chunk[..read]).unwrap());
        }
    }

    /// A stream ends before its key must not be used any more, with all that was published before, and is announced to end.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_stream_ends_before_its_key_is_exhausted() {
        for delivery in [Delivery::Epoll, Delivery::Auto] {
            let (stage, left) = (Stage::start(delivery, 1), 20);
            let (seal, opener) = seal::for_test(left);
            let mut peer = stage.subscribe_through(None, Some(seal)).await;
            let (mut sealed, mut chunk) = (Vec::new(), [0; 4_096]);
            for number in 0..=left {
                let read = peer.read(&mut chunk).unwrap();
                sealed.extend_from_slice(&chunk[..read]);
                publish(&stage.hub, &number.to_string()).await;
            }
            peer.read_to_end(&mut sealed).unwrap();
            let records = opener.open(&sealed);
            let (last, texts) = records.split_last().unwrap();
            assert_eq!(last, &[1, 0, 21], "the alert that nothing follows");
            let text: String =
                texts.iter().map(|record| str::from_utf8(&record[..record.len() - 1]).unwrap()).collect();
            assert!(text.contains("data: 0\n\n") && !text.contains("data: 20\n\n"), "{text}");
            assert!(texts.len() as u64 <= left + 2, "{} records", texts.len());
            assert_eq!(stage.places.available_permits(), 1);
        }
    }

    /// A shard that dies again and again is given up. The hub has failed when there is none left.
    #[tokio::test(flavor = "multi_thread")]
    async fn without_shards_the_hub_has_failed() {
        let stage = Stage::start(Delivery::Epoll, 2);
        for deaths in 1..=2 * (REPLACEMENTS + 1) {
            assert_eq!(stage.hub.failure(), None, "before death {deaths}");
            stage.kill_one().await;
            assert_eq!(stage.shards.dead(), deaths / (REPLACEMENTS + 1), "after {deaths} deaths");
        }
        assert_eq!(timeout(PATIENCE, stage.hub.failed()).await.unwrap(), Failure::Delivery);
        let mut refused = stage.subscribe().await;
        assert_eq!(refused.read(&mut [0; 8]).unwrap(), 0, "nobody delivers");
    }
}
