//! Tests of the shards of a server: how they die, are replaced, and end streams.
use super::{super::makings::REPLACEMENTS, *};
use crate::{
    auth::signer::{self, Signer},
    tls::seal::{self, Seal},
};
use fanfare_hub::{
    HubLimits,
    audience_key::AudienceKey,
    failure::Failure,
    grant::Matchers,
    log::{MemoryLog, Retention},
    representation::Representation,
    subscription::Start,
    topic::{Topic, matcher::Matcher},
    update::{Update, UpdateFields},
};
use std::{io::Read as _, net::TcpListener, time::Instant};

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
        let text: String = texts.iter().map(|record| str::from_utf8(&record[..record.len() - 1]).unwrap()).collect();
        assert!(text.contains("data: 0\n\n") && !text.contains("data: 20\n\n"), "{text}");
        assert!(texts.len() as u64 <= left + 2, "{} records", texts.len());
        assert_eq!(stage.places.available_permits(), 1);
    }
}

/// A connection may have sent almost as much as its key may seal before the shard gets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_key_is_nearly_exhausted_ends_at_once() {
    let stage = Stage::start(Delivery::Epoll, 1);
    let (seal, opener) = seal::for_test(0);
    let (mut peer, mut sealed) = (stage.subscribe_through(None, Some(seal)).await, Vec::new());
    // A stream that does not end has heartbeats.
    let (began, mut chunk) = (Instant::now(), [0; 4_096]);
    while let read @ 1.. = peer.read(&mut chunk).unwrap() {
        assert!(began.elapsed() < PATIENCE / 2, "it does not end");
        sealed.extend_from_slice(&chunk[..read]);
    }
    assert_eq!(opener.open(&sealed).last().unwrap(), &[1, 0, 21], "the alert that nothing follows");
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
