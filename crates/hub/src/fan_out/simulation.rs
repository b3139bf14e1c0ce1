//! A simulation in virtual time of everything that can happen together: publications; subscribers that join, stall,
//! disconnect, resume and end; a log that discards entries; windows that hold very few events. In whatever order these
//! things happen, each subscriber gets the updates that it subscribed to, once and in order, or a gap event for the
//! updates that are missing. A member takes bytes either like a socket, which takes any number of bytes, or like the
//! body of a response, which takes one frame.
use super::*;
use crate::{
    audience_key::AudienceKey,
    bundle::{Events, PartKey},
    catch_up,
    ending::EndReason,
    entry::{Entry, Timestamp},
    framing::Framing,
    grant::Matchers,
    log::{Log, MemoryLog, Retention},
    position::Offset,
    representation::Representation,
    topic::{Topic, matcher::Matcher},
    update::{Update, UpdateFields},
    window::WindowLimit,
    wire::{WireEvent, WireEvents},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

const TOPICS: [&str; 3] = ["a", "b", "c"];
/// The number of random actions. After them, the simulation publishes nothing more and delivers all remaining entries.
const EVENTS: usize = 400;
const MAX_SUBSCRIBERS: usize = 12;
const WINDOW: WindowLimit = WindowLimit { events: 6, bytes: 2_000 };
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The number of heartbeats that may come early at the beginning of a silence.
const EARLY_BEATS: usize = 3;
/// The greatest number of entries that the log holds. The log discards older entries.
const HELD: u64 = 60;

proptest! {
    #[test]
    fn everybody_gets_everything_once_and_in_order_or_is_told(seed: u64, frames: bool) {
        let mut simulation = Simulation::new(seed, frames);
        for _ in 0..EVENTS {
            simulation.happen();
        }
        simulation.come_to_rest();
        simulation.check_heartbeats();
    }
}

/// The peers of all members, indexed by the keys of the members.
struct Peers {
    peers: Vec<Option<Peer>>,
    /// True if each peer takes one whole frame at a time; false if it takes any number of bytes.
    frames: bool,
}

/// A peer: the subscriber's end of one connection.
struct Peer {
    subscriber: usize,
    received: Vec<u8>,
    /// The number of bytes that the peer takes before it is full; if peers take frames, the number of frames: 0 or 1.
    room: usize,
    /// True if the peer has disconnected. The state machine notices this only at its next send.
    is_gone: bool,
    /// The position that the peer's member had reached after the last action.
    reached: Offset,
}

impl Peers {
    fn peer(&mut self, key: MemberKey) -> &mut Peer {
        self.peers[key as usize].as_mut().expect("the member has not left")
    }

    fn insert(&mut self, key: MemberKey, peer: Peer) {
        let place = key as usize;
        if self.peers.len() <= place {
            self.peers.resize_with(place + 1, || None);
        }
        assert!(self.peers[place].replace(peer).is_none(), "the key of a member that has left is used again too early");
    }

    fn keys(&self) -> Vec<MemberKey> {
        let keys = (0..).zip(&self.peers).filter(|(_, peer)| peer.is_some());
        keys.map(|(key, _)| key).collect()
    }
}

impl Transmit for Peers {
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>) {
        for send in sends {
            let (member, length) = (send.member, send.slice.len());
            let taken = self.send_one(send);
            if !taken.as_ref().is_ok_and(|taken| *taken == length) {
                unsent.push(Unsent { member, taken });
            }
        }
    }

    fn send_one(&mut self, send: Outgoing<'_>) -> io::Result<usize> {
        let frames = self.frames;
        let peer = self.peer(send.member);
        if peer.is_gone {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let bytes = send.slice;
        assert!(!bytes.is_empty(), "a send of nothing");
        let taken = if frames { bytes.len() * peer.room } else { bytes.len().min(peer.room) };
        peer.room -= if frames { peer.room } else { taken };
        peer.received.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }
}

/// A subscriber, which has several connections, one after the other.
struct Subscriber {
    key: Arc<AudienceKey>,
    /// The offset after which the subscriber's first connection started.
    start: Offset,
    received: Vec<Offset>,
    /// The offsets of the gap events that the subscriber got.
    gaps: Vec<Offset>,
    /// The offset after which the subscriber continues when it reconnects.
    cursor: Offset,
    /// True while the subscriber has a connection.
    is_there: bool,
}

struct Simulation {
    random: fastrand::Rng,
    now: Instant,
    log: MemoryLog,
    entries: Vec<Arc<Entry>>,
    /// The number of `entries` that were given to the state machine.
    routed: usize,
    follows: Vec<(Arc<AudienceKey>, PartKey)>,
    fan_out: FanOut,
    peers: Peers,
    subscribers: Vec<Subscriber>,
    reads: VecDeque<Wanted>,
    deadlines: HashMap<MemberKey, Instant>,
}

impl Simulation {
    fn new(seed: u64, frames: bool) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            now: Instant::now(),
            log: MemoryLog::new(Retention { count: Some(HELD), ..Retention::default() }),
            entries: Vec::new(),
            routed: 0,
            follows: Vec::new(),
            fan_out: FanOut::new(WINDOW, seed),
            peers: Peers { peers: Vec::new(), frames },
            subscribers: Vec::new(),
            reads: VecDeque::new(),
            deadlines: HashMap::new(),
        }
    }

    fn happen(&mut self) {
        match self.random.u8(..100) {
            0..20 => self.publish(),
            20..45 => {
                let most = self.random.usize(1..6);
                self.route(most);
            }
            45..65 => self.drain(),
            65..75 => self.answer_a_read(),
            75..88 => self.connect(),
            88..92 => self.break_off(),
            92..94 => self.end(),
            _ => {
                let passes = self.random.u64(1..4_000);
                self.pass(Duration::from_millis(passes));
            }
        }
        self.settle();
    }

    fn publish(&mut self) {
        for _ in 0..self.random.usize(1..5) {
            let topics = vec![Topic::new(self.random.choice(TOPICS).unwrap()).unwrap()];
            let most = if self.random.u8(..10) == 0 { 3_000 } else { 200 };
            let data = "x".repeat(self.random.usize(..most));
            let update = Update::new(UpdateFields { topics, data, ..UpdateFields::default() }).unwrap();
            self.entries.extend(self.log.append(vec![update], Timestamp(0)).unwrap());
        }
    }

    /// Gives the next entries to the state machine, as the router does; at most `most` of them.
    fn route(&mut self, most: usize) {
        let until = self.entries.len().min(self.routed + most);
        let batch = &self.entries[self.routed..until];
        self.routed = until;
        let mut turn = self.fan_out.turn(self.now, &mut self.peers);
        for (key, part) in &self.follows {
            let mut events = Vec::new();
            for entry in batch.iter().filter(|entry| key.admits(&entry.update)) {
                let WireEvent { bytes, rest } = WireEvents::of(entry).get(key);
                let offset = entry.position.offset;
                // Some events are split into two pieces, as large events for several audiences are.
                let cut = if offset.0.is_multiple_of(5) { bytes.len() / 2 } else { bytes.len() };
                assert!(rest.is_none(), "an event of a plain event stream has one piece");
                events.extend([bytes.slice(..cut), bytes.slice(cut..)].map(|piece| (offset, piece)));
                if cut == bytes.len() {
                    events.pop();
                }
            }
            if !events.is_empty() {
                turn.take_events(*part, &Events::from(events));
            }
        }
        turn.deliver();
        self.fan_out.routed(Offset(self.routed as u64));
    }

    /// Lets a random peer take more bytes.
    fn drain(&mut self) {
        let keys = self.peers.keys();
        let Some(key) = self.random.choice(keys) else { return };
        let room = if self.peers.frames { 1 } else { self.random.usize(1..4_000) };
        self.peers.peer(key).room = room;
        self.fan_out.turn(self.now, &mut self.peers).writable(key);
    }

    fn answer_a_read(&mut self) {
        self.reads.extend(std::iter::from_fn(|| self.fan_out.next_read()));
        let Some(Wanted { part, key, cursor, .. }) = self.reads.pop_front() else { return };
        let mut turn = self.fan_out.turn(self.now, &mut self.peers);
        match self.random.u8(..40) {
            0 => turn.cannot_read(part),
            1 => {
                let log = &self.log;
                let ended = turn.end_readers(part, EndReason::Later, &|offset| catch_up::id_of(log, offset));
                ended.into_iter().for_each(|key| self.schedule(key));
            }
            _ => turn.take_step(part, &catch_up::step(&self.log, &key, cursor, Timestamp(0)).unwrap()),
        }
    }

    fn connect(&mut self) {
        let lost: Vec<_> = (0..self.subscribers.len()).filter(|place| !self.subscribers[*place].is_there).collect();
        let subscriber = match self.random.choice(lost) {
            Some(subscriber) => subscriber,
            None if self.subscribers.len() == MAX_SUBSCRIBERS => return,
            None => {
                let mask = self.random.usize(1..8);
                let topics = TOPICS.iter().enumerate().filter(|(place, _)| (mask >> place) & 1 == 1);
                let matchers: Matchers = topics.map(|(_, topic)| Matcher::exact(topic).unwrap()).collect();
                let representation = Representation::EventStream;
                let framing = [Framing::Plain, Framing::Chunked][usize::from(!self.peers.frames && self.random.bool())];
                let key = AudienceKey { framing, ..AudienceKey::new(matchers, Matchers::default(), representation) };
                let key = Arc::new(key);
                let bounds = self.log.bounds();
                let start = if self.random.bool() { bounds.head } else { bounds.floor() };
                let (received, gaps) = (Vec::new(), Vec::new());
                self.subscribers.push(Subscriber { key, start, received, gaps, cursor: start, is_there: false });
                self.subscribers.len() - 1
            }
        };
        self.join(subscriber);
    }

    fn join(&mut self, number: usize) {
        let subscriber = &mut self.subscribers[number];
        subscriber.is_there = true;
        let at_head = subscriber.cursor == self.log.bounds().head && self.random.bool();
        let ends = (self.random.u8(..3) == 0).then(|| self.now + Duration::from_millis(self.random.u64(..30_000)));
        let mut opening = Vec::new();
        if self.random.bool() {
            subscriber.key.framing.frame(&mut opening, |out| out.extend_from_slice(b":head\n\n"));
        }
        let joining = Joining {
            key: subscriber.key.clone(),
            cursor: (!at_head).then_some(subscriber.cursor),
            opening,
            room: None,
            places: if self.random.u8(..4) == 0 { Places::None } else { Places::FromStart },
            ends,
            end_reason: self.random.bool().then_some(EndReason::TokenExpired),
            tag: u32::try_from(number).unwrap(),
        };
        let (key, follows, head) = (subscriber.key.clone(), &mut self.follows, self.log.bounds().head);
        let follow = |part| {
            follows.push((key, part));
            head
        };
        let log = &self.log;
        let member = self.fan_out.join(joining, self.now, follow, || head, &|offset| catch_up::id_of(log, offset));
        let room = if self.peers.frames { 1 } else { self.random.usize(..2_000) };
        let peer = Peer { subscriber: number, received: Vec::new(), room, is_gone: false, reached: Offset::ZERO };
        self.peers.insert(member, peer);
        self.fan_out.turn(self.now, &mut self.peers).start(member);
        self.schedule(member);
    }

    fn schedule(&mut self, member: MemberKey) {
        if self.fan_out.contains(member) {
            let deadline = self.fan_out.deadline(member, self.now, HEARTBEAT);
            self.deadlines.insert(member, deadline);
        }
    }

    fn break_off(&mut self) {
        let keys = self.peers.keys();
        let Some(key) = self.random.choice(keys) else { return };
        if self.random.bool() {
            self.peers.peer(key).is_gone = true;
        } else {
            self.fan_out.leave(key);
        }
    }

    fn end(&mut self) {
        let keys = self.peers.keys();
        let Some(key) = self.random.choice(keys) else { return };
        let log = &self.log;
        let mut turn = self.fan_out.turn(self.now, &mut self.peers);
        if self.random.bool() {
            turn.end(key);
        } else {
            turn.end_because(key, EndReason::TokenRevoked, &|offset| catch_up::id_of(log, offset));
        }
        self.schedule(key);
    }

    /// Lets time pass in small steps.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += Duration::from_millis(100);
            let due: Vec<_> = self.deadlines.iter().filter(|(_, at)| **at <= self.now).map(|(key, _)| *key).collect();
            let log = &self.log;
            let (held, place) = (log.bounds().held, |offset| catch_up::id_of(log, offset));
            self.fan_out.turn(self.now, &mut self.peers).expire(&due, HEARTBEAT, held, &place);
            for key in due {
                self.deadlines.remove(&key);
                self.schedule(key);
            }
            self.settle();
        }
    }

    /// Handles the members that have left, as a driver does.
    fn settle(&mut self) {
        for Departed { member, tag, .. } in self.fan_out.take_departed() {
            self.deadlines.remove(&member);
            let peer = self.peers.peers[member as usize].take().expect("a member leaves once");
            assert_eq!(peer.subscriber, tag as usize, "a member that leaves has the tag that it joined with");
            let subscriber = &mut self.subscribers[peer.subscriber];
            subscriber.is_there = false;
            subscriber.take(&peer.received, &self.entries);
        }
        for (key, part) in self.fan_out.take_abandoned() {
            let before = self.follows.len();
            self.follows.retain(|follow| *follow != (key.clone(), part));
            assert_eq!(before, self.follows.len() + 1, "an abandoned part had followed its audience");
        }
        for key in self.peers.keys() {
            let (reached, peer) = (self.fan_out.reached(key), self.peers.peer(key));
            assert!(reached >= peer.reached, "a member goes back from {} to {reached}", peer.reached);
            peer.reached = reached;
        }
    }

    /// Lets all peers take bytes until nothing more is sent, and checks what each subscriber has got.
    fn come_to_rest(&mut self) {
        let keys = self.peers.keys();
        for key in keys.into_iter().filter(|key| self.peers.peer(*key).is_gone).collect::<Vec<_>>() {
            self.fan_out.leave(key);
        }
        self.settle();
        for number in 0..self.subscribers.len() {
            if !self.subscribers[number].is_there {
                self.join(number);
            }
        }
        loop {
            let before = (self.routed, self.received_bytes(), self.reads.len());
            self.route(usize::MAX / 2);
            for key in self.peers.keys() {
                for _ in 0..50 {
                    let Some(peer) = self.peers.peers[key as usize].as_mut() else { break };
                    peer.room = if self.peers.frames { 1 } else { 1 << 20 };
                    self.fan_out.turn(self.now, &mut self.peers).writable(key);
                    self.settle();
                }
            }
            self.reads.extend(std::iter::from_fn(|| self.fan_out.next_read()));
            for Wanted { part, key, cursor, .. } in std::mem::take(&mut self.reads) {
                let step = catch_up::step(&self.log, &key, cursor, Timestamp(0)).unwrap();
                self.fan_out.turn(self.now, &mut self.peers).take_step(part, &step);
            }
            self.settle();
            self.reads.extend(std::iter::from_fn(|| self.fan_out.next_read()));
            if before == (self.routed, self.received_bytes(), self.reads.len()) && self.reads.is_empty() {
                break;
            }
        }
        for key in self.peers.keys() {
            let peer = self.peers.peer(key);
            let (number, received) = (peer.subscriber, std::mem::take(&mut peer.received));
            let subscriber = &mut self.subscribers[number];
            subscriber.take(&received, &self.entries);
            subscriber.has_everything(&self.entries, self.log.bounds().head);
        }
    }

    fn received_bytes(&self) -> usize {
        self.peers.peers.iter().flatten().map(|peer| peer.received.len()).sum()
    }

    /// Checks that every member gets its heartbeats in time, and not too many of them, while nothing is published.
    fn check_heartbeats(&mut self) {
        for key in self.peers.keys() {
            self.peers.peer(key).room = 1 << 20;
        }
        let intervals = 5;
        for _ in 0..intervals * 100 {
            if self.peers.frames {
                self.peers.keys().into_iter().for_each(|key| self.peers.peer(key).room = 1);
            }
            self.pass(HEARTBEAT / 100);
        }
        for key in self.peers.keys() {
            let peer = self.peers.peer(key);
            let received = self.subscribers[peer.subscriber].body(&peer.received);
            let received = str::from_utf8(&received).unwrap();
            let (comments, starts) = (received.matches(":\n").count(), received.matches("\n\n").count());
            let start = received.find("event: fanfare.start").map_or("", |at| &received[at..]);
            let start = start.split_inclusive("\n\n").next().unwrap_or_default();
            assert_eq!(received.replacen(start, "", 1), ":\n".repeat(comments), "heartbeats, and at most one place");
            let heartbeats = comments + starts;
            assert!(
                (intervals..=intervals * 5 / 4 + 1 + EARLY_BEATS).contains(&heartbeats),
                "{heartbeats} heartbeats in {intervals} intervals"
            );
        }
    }
}

/// Returns the data of the chunks, as far as they were received.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        let length = usize::from_str_radix(str::from_utf8(&bytes[..end]).unwrap(), 16).expect("the length of a chunk");
        let rest = &bytes[end + 2..];
        if length == 0 {
            assert!(b"\r\n".starts_with(rest), "nothing follows the last chunk");
            break;
        }
        data.extend_from_slice(&rest[..length.min(rest.len())]);
        let Some(next) = rest.get(length + 2..) else { break };
        assert_eq!(&rest[length..length + 2], b"\r\n", "the end of a chunk");
        bytes = next;
    }
    data
}

impl Subscriber {
    /// Returns the body of a response whose bytes are these.
    fn body(&self, bytes: &[u8]) -> Vec<u8> {
        match self.key.framing {
            Framing::Plain => bytes.to_vec(),
            Framing::Chunked => unchunked(bytes),
        }
    }

    /// Reads the bytes that came over a connection, up to the last complete event.
    fn take(&mut self, received: &[u8], entries: &[Arc<Entry>]) {
        let received = self.body(received);
        let text = str::from_utf8(&received).expect("whole characters");
        let Some((whole, _)) = text.rsplit_once("\n\n") else { return };
        for block in whole.split("\n\n") {
            let lines: Vec<_> = block.lines().filter(|line| !line.starts_with(':')).collect();
            let field = |name| lines.iter().find_map(|line| line.strip_prefix(name));
            let Some(id) = field("id: ") else {
                assert!(lines.is_empty(), "an event without an ID: {block}");
                continue;
            };
            let offset = Offset(id.rsplit('-').next().unwrap().parse().unwrap());
            match field("event: ") {
                Some("fanfare.gap") => self.gaps.push(offset),
                Some("fanfare.start" | "fanfare.end") => {
                    assert!(offset >= self.cursor, "the position is before an event that was received");
                    self.has_everything(entries, offset);
                }
                Some(other) => panic!("an event of type {other}"),
                None => {
                    let data = field("data: ").or(field("data:")).unwrap();
                    let entry = &entries[usize::try_from(offset.0).unwrap() - 1];
                    assert_eq!(data, entry.update.data(), "of {offset}");
                    assert!(offset > self.cursor, "event {offset} comes after event {}", self.cursor);
                    self.received.push(offset);
                }
            }
            self.cursor = self.cursor.max(offset);
        }
    }

    /// Checks that the subscriber has got every matching update up to the offset `place`, or a gap event for the
    /// missing updates.
    fn has_everything(&self, entries: &[Arc<Entry>], place: Offset) {
        let received: BTreeSet<_> = self.received.iter().copied().collect();
        assert_eq!(received.len(), self.received.len(), "an event comes twice");
        for entry in entries.iter().filter(|entry| self.key.admits(&entry.update)) {
            let offset = entry.position.offset;
            let is_due = offset > self.start && offset <= place;
            let is_told = self.gaps.iter().any(|gap| *gap >= offset);
            assert!(!is_due || is_told || received.contains(&offset), "{offset} is missing in {received:?}");
        }
        assert!(received.iter().all(|offset| *offset > self.start), "an event from before the start was received");
    }
}
