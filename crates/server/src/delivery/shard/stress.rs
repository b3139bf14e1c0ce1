//! A stress test with everything at once: publishers; subscribers that come, resume, stall and leave; events that fill
//! sockets; and windows that hold almost nothing. Each subscriber must receive each event of its subscription exactly
//! once, and in order, whether its connection uses TLS or not.
use crate::{
    Settings,
    delivery::{shards::Shards, stream::Stream},
    settings::Delivery,
    tls::{
        handshaken::{Pair, SUITES},
        seal::Seal,
    },
};
use fanfare_event_stream::{Chunk, Parser};
use fanfare_hub::{
    Hub, HubLimits, WindowLimit,
    audience_key::AudienceKey,
    grant::Matchers,
    log::{MemoryLog, Retention},
    representation::Representation,
    start_event::StartEvent,
    subscription::Start,
    topic::{Topic, matcher::Matcher},
    update::{Update, UpdateFields},
};
use rustls::{ClientConnection, StreamOwned};
use socket2::SockRef;
use std::{
    collections::HashMap,
    io::{self, Read},
    net::{Shutdown, TcpListener, TcpStream},
    num::NonZero,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::{runtime::Handle, sync::Semaphore};

const TOPICS: [&str; 3] = ["a", "b", "c"];
const PUBLISHERS: u64 = 4;
/// The number of events that each publisher publishes.
const EVENTS: u64 = 800;
const SUBSCRIBERS: u64 = 24;
/// The longest data of an event. It is larger than a window, and several such events are larger than a socket's buffer.
const MAX_DATA_BYTES: usize = 150_000;
/// The longest time that a reader waits for the next bytes.
const PATIENCE: Duration = Duration::from_secs(20);
/// The data of the last event, which is published when all other events have been published.
const LAST: &str = "last";

/// The topic and the length of the data of each published update, by its offset in the log.
type Published = HashMap<u64, (&'static str, usize)>;

struct Stage {
    hub: Hub,
    shards: Shards,
    places: Arc<Semaphore>,
    listener: Mutex<TcpListener>,
    runtime: Handle,
    encryption: Encryption,
}

#[test]
fn everybody_gets_everything_once_and_in_order_through_epoll() {
    run(Delivery::Epoll, Encryption::None);
}

/// Runs the test with io_uring, or with epoll on a system without io_uring.
#[test]
fn everybody_gets_everything_once_and_in_order_through_io_uring() {
    run(Delivery::IoUring, Encryption::None);
}

#[test]
fn everybody_gets_everything_once_and_in_order_through_tls() {
    run(Delivery::Epoll, Encryption::All);
}

#[test]
fn everybody_gets_everything_once_and_in_order_with_and_without_tls() {
    run(Delivery::IoUring, Encryption::Some);
}

/// Repeats the tests above. Their threads interleave differently each time.
#[test]
#[ignore = "takes long: it is meant to be run by hand"]
fn everybody_gets_everything_once_and_in_order_many_times() {
    for _ in 0..125 {
        run(Delivery::Epoll, Encryption::None);
        run(Delivery::IoUring, Encryption::None);
        run(Delivery::Epoll, Encryption::All);
        run(Delivery::IoUring, Encryption::Some);
    }
}

/// The subscribers whose connections use TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    None,
    Some,
    All,
}

fn run(delivery: Delivery, encryption: Encryption) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let _guard = runtime.enter();
    let mut limits = HubLimits::default();
    limits.window = WindowLimit { events: 8, bytes: 64 << 10 };
    let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &limits).unwrap();
    let settings = Settings {
        heartbeat_interval: Duration::from_millis(20),
        delivery,
        delivery_threads: NonZero::new(3),
        ..Settings::default()
    };
    let places = Arc::new(Semaphore::new(0));
    let shards = Shards::start(&hub, &settings, &places).unwrap().expect("not through hyper");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap().into();
    let stage = &Stage { hub, shards, places, listener, runtime: runtime.handle().clone(), encryption };

    let published = thread::scope(|scope| {
        let subscribers: Vec<_> = (0..SUBSCRIBERS).map(|seed| (seed, stage.subscriber(seed))).collect();
        let readers: Vec<_> = subscribers
            .into_iter()
            .map(|(seed, subscriber)| scope.spawn(move || subscriber.read(stage, seed)))
            .collect();
        let publishers: Vec<_> = (0..PUBLISHERS).map(|seed| scope.spawn(move || publish(stage, seed))).collect();
        let published: Published = publishers.into_iter().flat_map(|publisher| publisher.join().unwrap()).collect();
        stage.publish(TOPICS.map(Topic::new).map(Result::unwrap).to_vec(), LAST.into());
        let received: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        for reader in received {
            reader.check(&published);
        }
        published
    });
    assert_eq!(published.len() as u64, PUBLISHERS * EVENTS);
    // Waits until the shards have noticed that all subscribers have left.
    let freed = usize::try_from(SUBSCRIBERS).unwrap();
    for _ in 0..2_000 {
        if stage.places.available_permits() >= freed {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(stage.places.available_permits() >= freed);
}

fn publish(stage: &Stage, seed: u64) -> Vec<(u64, (&'static str, usize))> {
    let mut random = fastrand::Rng::with_seed(seed);
    let publish_one = |_| {
        let topic = TOPICS[random.usize(..TOPICS.len())];
        let length = if random.u8(..) < 8 { random.usize(..MAX_DATA_BYTES) } else { random.usize(..300) };
        if random.u8(..) < 4 {
            thread::sleep(Duration::from_millis(random.u64(..8)));
        }
        (stage.publish(vec![Topic::new(topic).unwrap()], "x".repeat(length)), (topic, length))
    };
    (0..EVENTS).map(publish_one).collect()
}

impl Stage {
    /// Publishes an update and returns its offset.
    fn publish(&self, topics: Vec<Topic>, data: String) -> u64 {
        let update = Update::new(UpdateFields { topics, data, ..UpdateFields::default() }).unwrap();
        self.runtime.block_on(self.hub.publish(vec![update])).unwrap()[0].position.offset.0
    }

    fn subscriber(&self, seed: u64) -> Subscriber {
        let topics = TOPICS.iter().enumerate().filter(|(index, _)| (seed >> index) & 1 == 1 || seed.is_multiple_of(8));
        let topics: Vec<_> = topics.map(|(_, topic)| *topic).collect();
        let start = if seed.is_multiple_of(3) { Start::After("earliest".into()) } else { Start::Now };
        let socket = self.connect(&topics, start, seed);
        Subscriber { topics, socket, begun: None, received: Vec::new() }
    }

    fn connect(&self, topics: &[&str], start: Start, seed: u64) -> Peer {
        let (peer, socket) = {
            // A thread holds the lock while it connects and accepts, so that it accepts its own connection and not that
            // of another thread.
            let listener = self.listener.lock().unwrap();
            let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            (peer, listener.accept().unwrap().0)
        };
        socket.set_nonblocking(true).unwrap();
        // The buffers of the sockets are small, so that they are full most of the time.
        SockRef::from(&socket).set_send_buffer_size(16 << 10).unwrap();
        SockRef::from(&peer).set_recv_buffer_size(16 << 10).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = AudienceKey::new(
            topics.iter().map(|topic| Matcher::exact(topic).unwrap()).collect(),
            Matchers::default(),
            Representation::EventStream,
        );
        let mut opening = self.runtime.block_on(self.hub.open(key, start)).unwrap();
        self.places.add_permits(1);
        let place = self.places.clone().try_acquire_owned().unwrap();
        self.runtime.block_on(opening.admit());
        let mut stream = Stream { head: b":head\n\n".to_vec(), ..Stream::new(opening, place, None) };
        let is_sealed = match self.encryption {
            Encryption::None => false,
            Encryption::Some => seed.is_multiple_of(2),
            Encryption::All => true,
        };
        let peer = if is_sealed {
            let Pair { client, server } = Pair::shake(SUITES[usize::try_from(seed).unwrap() % SUITES.len()]);
            stream.seal = Seal::new(server.dangerous_extract_secrets().unwrap()).map(Box::new);
            Peer::Tls(Box::new(StreamOwned::new(client, peer)))
        } else {
            Peer::Plain(peer)
        };
        self.shards.take(socket, stream);
        peer
    }
}

/// The socket of a subscriber.
enum Peer {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Peer {
    fn shutdown(&self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &stream.sock,
        }
        .shutdown(Shutdown::Both)
    }
}

impl Read for Peer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }
}

/// A subscriber that reads at random times.
struct Subscriber {
    topics: Vec<&'static str>,
    socket: Peer,
    /// The first place that the subscriber was told of.
    begun: Option<u64>,
    /// The offset of each received event, and the length of its data.
    received: Vec<(u64, usize)>,
}

impl Subscriber {
    /// Reads the stream up to the last event. From time to time, the subscriber stalls, or reconnects with the ID of
    /// the last event that it received.
    fn read(mut self, stage: &Stage, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut parser, mut bytes, mut id) = (Parser::new(), vec![0; 64 << 10], String::new());
        loop {
            match random.u8(..) {
                0 if !id.is_empty() => {
                    self.socket.shutdown().unwrap();
                    self.socket = stage.connect(&self.topics, Start::After(id.clone()), seed);
                    parser = Parser::new();
                }
                1 => thread::sleep(Duration::from_millis(random.u64(..200))),
                _ => {}
            }
            let most = random.usize(1..bytes.len());
            let read = self.socket.read(&mut bytes[..most]).unwrap();
            assert_ne!(read, 0, "the stream of subscriber {seed} ended");
            let mut chunk = Chunk::new(&bytes[..read]);
            while let Some(event) = parser.next_event(&mut chunk).unwrap() {
                if event.data == LAST {
                    return self;
                }
                id = event.last_event_id.to_string();
                let offset = id.rsplit('-').next().unwrap().parse().unwrap();
                if event.event_type == StartEvent::EVENT_TYPE {
                    self.begun.get_or_insert(offset);
                } else {
                    self.received.push((offset, event.data.len()));
                }
            }
        }
    }

    fn check(&self, published: &Published) {
        let disorder = self.received.windows(2).position(|pair| pair[0].0 >= pair[1].0);
        let around = disorder.map(|at| &self.received[at.saturating_sub(2)..self.received.len().min(at + 5)]);
        assert!(around.is_none(), "events came twice or out of order: {around:?}");
        for (offset, length) in &self.received {
            assert_eq!(published[offset].1, *length, "event {offset}");
            assert!(self.topics.contains(&published[offset].0));
        }
        let begun = self.begun.expect("each stream begins with its place");
        let due = published.iter().filter(|(offset, (topic, _))| **offset > begun && self.topics.contains(topic));
        assert_eq!(due.count(), self.received.len(), "of topics {:?}", self.topics);
    }
}
