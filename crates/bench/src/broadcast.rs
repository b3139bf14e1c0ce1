//! One turn of a broadcast: everybody connects, nothing happens for a moment, then a publisher keeps its pace.
use crate::{
    histogram::Histogram, paced::Pace, process::HubProcess, process_tree::own_cpu, progress::Progress,
    subscribers::Subscribers,
};
use std::{
    io,
    net::SocketAddr,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

const TOPIC: &str = "bench";
/// How long what was expected may be followed by what was not.
const STRAY: Duration = Duration::from_millis(100);

/// What a hub has to bear.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Subscribers of the one topic.
    pub subscribers: u32,
    /// Events a second.
    pub rate: u32,
    /// Seconds of publishing.
    pub seconds: u32,
    /// Bytes of data in each event, at least [`MIN_DATA_BYTES`](crate::stamp::MIN_DATA_BYTES).
    pub bytes: u32,
    /// How long all are connected before their memory is read.
    pub idle: Duration,
}

/// What one turn showed.
#[derive(Debug)]
pub struct Turn {
    /// Events received, by all subscribers together.
    pub deliveries: u64,
    /// How many reads it took to receive them. With fewer than there are deliveries, a hub or a socket put several into one.
    pub reads: u64,
    /// From when an event was due to when it was received.
    pub latencies: Histogram,
    /// How late the publisher was at worst.
    pub publisher_latest: Duration,
    /// CPU of the hub from the first publication to the last delivery.
    pub cpu: Duration,
    /// CPU of this process in the same time.
    pub generator_cpu: Duration,
    /// CPU of the hub while all connected.
    pub connect_cpu: Duration,
    /// Proportional set size of the hub once it has served one subscriber and that one has left.
    pub idle_bytes: u64,
    /// The same with all subscribers connected and nothing published to them.
    pub connected_bytes: u64,
    /// The same after the last event: what a hub keeps for a subscriber once it has sent something.
    pub served_bytes: u64,
}

impl Turn {
    /// Runs one on a hub that was just started. `name` is for the progress.
    ///
    /// # Errors
    /// If the hub refuses, stalls, or misses or repeats an event for any subscriber.
    pub fn run(name: &str, hub: &HubProcess, load: &Load) -> io::Result<Self> {
        let (epoch, address) = (Instant::now(), hub.address);
        let count = load.subscribers as usize;
        warm_up(address, load.bytes, epoch)?;
        let (idle_bytes, before) = (hub.pss()?, hub.cpu()?);
        let mut progress = Progress::new(format!("{name}: connecting"), count as u64);
        let mut subscribers =
            Subscribers::connect(address, TOPIC, count, 1, epoch, |connected| progress.show(connected as u64))?;
        subscribers.receive_for(load.idle)?;
        let (connected_bytes, connect_cpu) = (hub.pss()?, hub.cpu()? - before);

        let (before, own_before, reads_before) = (hub.cpu()?, own_cpu()?, subscribers.reads());
        let publisher_latest = broadcast(name, address, load, epoch, &mut subscribers)?;
        let (cpu, generator_cpu) = (hub.cpu()? - before, own_cpu()? - own_before);
        let (deliveries, reads) = (subscribers.deliveries(), subscribers.reads() - reads_before);
        subscribers.receive_for(STRAY)?;
        let served_bytes = hub.pss()?;
        let latencies = subscribers.latencies().clone();
        Ok(Self {
            deliveries,
            reads,
            latencies,
            publisher_latest,
            cpu,
            generator_cpu,
            connect_cpu,
            idle_bytes,
            connected_bytes,
            served_bytes,
        })
    }
}

/// One subscriber, one event: what a hub loads or allocates the first time it does something is not what a subscriber
/// costs.
fn warm_up(hub: SocketAddr, bytes: u32, epoch: Instant) -> io::Result<()> {
    let mut subscribers = Subscribers::connect(hub, TOPIC, 1, 0, epoch, |_| {})?;
    Pace { topic: TOPIC, rate: 1, count: 1, bytes: bytes as usize, first: 0 }.publish(hub, epoch)?;
    subscribers.receive_all(1, |_| Ok(()))
}

/// Publishes while all receive. Gives how late the publisher was at worst.
fn broadcast(
    name: &str,
    hub: SocketAddr,
    load: &Load,
    epoch: Instant,
    subscribers: &mut Subscribers,
) -> io::Result<Duration> {
    let count = u64::from(load.rate) * u64::from(load.seconds);
    let mut progress = Progress::new(format!("{name}: delivering"), count * u64::from(load.subscribers));
    let pace = Pace { topic: TOPIC, rate: load.rate, count, bytes: load.bytes as usize, first: 1 };
    let mut publisher = Some(thread::spawn(move || pace.publish(hub, epoch)));
    let mut latest = Duration::ZERO;
    subscribers.receive_all(count, |deliveries| {
        progress.show(deliveries);
        // Its error, not the silence that follows from it, is what went wrong.
        if let Some(ended) = publisher.take_if(|publisher| publisher.is_finished()) {
            latest = join(ended)?;
        }
        Ok(())
    })?;
    publisher.map_or(Ok(latest), join)
}

fn join(publisher: JoinHandle<io::Result<Duration>>) -> io::Result<Duration> {
    publisher.join().unwrap_or_else(|_| Err(io::Error::other("the publisher panicked")))
}
