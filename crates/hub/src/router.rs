//! The router: the sink of the log's writer, which hands every event to the audiences that it reaches. What it looks up
//! belongs to it alone, and it is called by one thread at a time, so that an event's way holds it up nowhere: whoever
//! wants events follows an audience by a message.
use crate::{
    audience::Audience,
    audience_key::AudienceKey,
    entry::Entry,
    join_permit::JoinPermit,
    log::writer::sink::{Nudge, Sink},
    position::Offset,
    postbox::{Events, Letter, Postbox},
    routes::{Outlet, RouteKey, Routes},
    wire::{WireEvent, WireEvents},
};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The number of events of all audiences together that go into one letter, before those of the entry that exceeds it.
/// Each takes 40 bytes: a batch that reaches many audiences is handed out piece by piece.
const LETTER_EVENTS: usize = 64 << 10;

/// The means by which the router is spoken to.
#[derive(Debug)]
pub(crate) struct Router {
    /// Bounded by permits: each subscriber that joins has one until the router has heard of it, and who leaves has
    /// joined.
    requests: Sender<Request>,
    shards: AtomicUsize,
    /// Has them heard although nothing is published.
    nudge: Nudge,
}

#[derive(Debug)]
enum Request {
    Shard(usize, Postbox),
    Follow(Arc<AudienceKey>, Outlet, JoinPermit),
    Unfollow(Arc<AudienceKey>, Outlet),
}

/// The routes that the router looks up.
#[derive(Debug)]
pub(crate) struct Routing {
    requests: Receiver<Request>,
    routes: Routes,
    shards: HashMap<usize, Postbox>,
}

/// The way to a [`Routing`] whose router is not there yet.
#[derive(Debug)]
pub(crate) struct Requests(Sender<Request>);

impl Sink for Routing {
    fn take(&mut self, batch: Vec<Arc<Entry>>) {
        // Who asked before this batch was appended has asked before it came here, and is to get it.
        self.hear();
        self.route(&batch);
    }

    fn nudged(&mut self) {
        self.hear();
    }
}

impl Router {
    /// A router that speaks to a [`Routing`] by `requests`, of which `nudge` tells it.
    pub(crate) fn new(requests: Requests, nudge: Nudge) -> Self {
        Self { requests: requests.0, shards: AtomicUsize::new(0), nudge }
    }

    /// Makes a shard known, and gives the number it has.
    pub(crate) fn add_shard(&self, postbox: Postbox) -> usize {
        let shard = self.shards.fetch_add(1, Ordering::Relaxed);
        self.send(Request::Shard(shard, postbox));
        shard
    }

    /// Has `outlet` get the events of the audience with this key: everything that is appended after this
    /// returns, and perhaps some of what was appended before.
    pub(crate) fn follow(&self, key: Arc<AudienceKey>, outlet: Outlet, permit: JoinPermit) {
        self.send(Request::Follow(key, outlet, permit));
    }

    /// Ends that. Some events may still come.
    pub(crate) fn unfollow(&self, key: Arc<AudienceKey>, outlet: Outlet) {
        self.send(Request::Unfollow(key, outlet));
    }

    fn send(&self, request: Request) {
        // A router that has ended, because the log's writer has, has nothing to hand out any more.
        _ = self.requests.send(request);
        self.nudge.nudge();
    }
}

impl Routing {
    /// The routes of nobody, and the means by which others make themselves known.
    pub(crate) fn new() -> (Requests, Self) {
        let (sender, requests) = unbounded();
        (Requests(sender), Self { requests, routes: Routes::default(), shards: HashMap::new() })
    }

    fn hear(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            self.serve(request);
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Shard(shard, postbox) => drop(self.shards.insert(shard, postbox)),
            Request::Follow(key, outlet, _permit) => self.routes.add(&key, outlet),
            Request::Unfollow(key, outlet) => self.routes.remove(&key, &outlet),
        }
    }

    /// Hands a batch of entries, which follow each other and what was routed before, to every audience that they reach.
    fn route(&mut self, mut entries: &[Arc<Entry>]) {
        while !entries.is_empty() {
            let (mails, taken) = address(&self.routes, entries);
            self.post(mails);
            entries = &entries[taken..];
        }
    }

    fn post(&mut self, mails: Vec<Mail>) {
        let mut letters: HashMap<usize, Letter> = HashMap::new();
        let mut polled: Vec<(&Arc<Audience>, Events)> = Vec::new();
        for (route, events) in mails {
            let events: Events = events.into();
            for outlet in &self.routes.get(route).outlets {
                match outlet {
                    Outlet::Shard(shard, part) => letters.entry(*shard).or_default().push((*part, events.clone())),
                    Outlet::Polled(audience) => polled.push((audience, events.clone())),
                }
            }
        }
        for (shard, letter) in letters {
            let known = self.shards.get(&shard).is_some_and(|postbox| postbox.post(letter));
            if !known {
                self.shards.remove(&shard);
            }
        }
        for (audience, events) in polled {
            audience.deliver(&events);
        }
    }
}

/// The events for one audience.
type Mail = (RouteKey, Vec<(Offset, Bytes)>);

/// The wire events of each audience that these entries reach, in order, and how many entries were looked at: no more
/// after [`LETTER_EVENTS`] were found.
fn address(routes: &Routes, entries: &[Arc<Entry>]) -> (Vec<Mail>, usize) {
    let mut mails: Vec<Mail> = Vec::new();
    let mut mail_of: HashMap<RouteKey, usize> = HashMap::new();
    let (mut taken, mut found) = (0, 0);
    for entry in entries {
        if found >= LETTER_EVENTS {
            break;
        }
        taken += 1;
        let offset = entry.position.offset;
        let mut wire = WireEvents::of(entry);
        for route in routes.matching(entry) {
            let mail = *mail_of.entry(route).or_insert_with(|| {
                mails.push((route, Vec::new()));
                mails.len() - 1
            });
            let events = &mut mails[mail].1;
            let reached_by_another_topic = events.last().is_some_and(|(last, _)| *last == offset);
            if !reached_by_another_topic {
                let WireEvent { bytes, rest } = wire.get(&routes.get(route).key);
                events.push((offset, bytes));
                // The second piece has the same offset.
                events.extend(rest.map(|rest| (offset, rest)));
                found += 1;
            }
        }
    }
    (mails, taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audience::Found,
        entry::Timestamp,
        grant::Matchers,
        position::{Epoch, Position},
        postbox::PartKey,
        representation::Representation,
        topic::{Topic, matcher::Matcher},
        update::{Update, UpdateFields},
        window::WindowLimit,
    };
    use std::task::{Context, Poll, Waker};

    /// The number of audiences that an update of the topic `all` reaches. One of the topic `one` reaches the first of
    /// them.
    const AUDIENCES: usize = 256;
    /// The number of updates of the topic `all` that make a letter.
    const FULL: usize = LETTER_EVENTS / AUDIENCES;

    /// The number of updates of each topic, in order.
    type Published = &'static [(&'static str, usize)];
    /// The number of entries that each letter takes, and of events that it has.
    type Letters = &'static [(usize, usize)];

    fn key(number: usize) -> Arc<AudienceKey> {
        let own = if number == 0 { "one".to_owned() } else { format!("audience {number}") };
        let matchers = ["all", &own].map(|topic| Matcher::exact(topic).unwrap()).into_iter().collect();
        Arc::new(AudienceKey { matchers, granted: Matchers::default(), representation: Representation::EventStream })
    }

    fn entries(topics: Published) -> Vec<Arc<Entry>> {
        let topics = topics.iter().flat_map(|(topic, count)| std::iter::repeat_n(*topic, *count));
        let entry = |(offset, topic)| {
            let topics = vec![Topic::new(topic).unwrap()];
            let update = Update::new(UpdateFields { topics, ..UpdateFields::default() }).unwrap();
            let position = Position { epoch: Epoch::random(), offset: Offset(offset) };
            Arc::new(Entry::new(position, Timestamp(0), update))
        };
        (1..).zip(topics).map(entry).collect()
    }

    /// The offsets of those of the entries that reach this audience.
    fn due(entries: &[Arc<Entry>], number: usize) -> Vec<Offset> {
        let key = key(number);
        entries.iter().filter(|entry| key.admits(&entry.update)).map(|entry| entry.position.offset).collect()
    }

    #[test]
    fn a_letter_ends_with_the_entry_that_fills_it() {
        let mut routes = Routes::default();
        (0..AUDIENCES).for_each(|number| routes.add(&key(number), Outlet::Shard(0, PartKey::default())));
        let cases: [(Published, Letters); 6] = [
            (&[("all", FULL)], &[(FULL, LETTER_EVENTS)]),
            (&[("all", FULL + 1)], &[(FULL, LETTER_EVENTS), (1, AUDIENCES)]),
            (&[("all", FULL), ("none", 1)], &[(FULL, LETTER_EVENTS), (1, 0)]),
            (&[("one", 1), ("all", FULL), ("one", 1)], &[(FULL + 1, LETTER_EVENTS + 1), (1, 1)]),
            // One event of room is enough for an entry: it is never divided.
            (
                &[("all", FULL - 1), ("one", AUDIENCES - 1), ("all", 2)],
                &[(FULL + AUDIENCES - 1, LETTER_EVENTS - 1 + AUDIENCES), (1, AUDIENCES)],
            ),
            (&[("none", 3), ("all", 2 * FULL)], &[(FULL + 3, LETTER_EVENTS), (FULL, LETTER_EVENTS)]),
        ];
        for (published, expected) in cases {
            let entries = entries(published);
            let (mut left, mut letters) = (&entries[..], Vec::new());
            let mut received: HashMap<RouteKey, Vec<Offset>> = HashMap::new();
            while !left.is_empty() {
                let (mails, taken) = address(&routes, left);
                letters.push((taken, mails.iter().map(|(_, events)| events.len()).sum::<usize>()));
                for (route, events) in mails {
                    received.entry(route).or_default().extend(events.iter().map(|(offset, _)| *offset));
                }
                left = &left[taken..];
            }
            assert_eq!(letters, expected, "{published:?}");
            for number in 0..AUDIENCES {
                assert_eq!(received[&number], due(&entries, number), "of {published:?} for audience {number}");
            }
        }
    }

    #[test]
    fn a_batch_of_several_letters_arrives_whole() {
        let (_requests, mut routing) = Routing::new();
        let audiences: Vec<_> = (0..AUDIENCES)
            .map(|number| Arc::new(Audience::new(key(number), WindowLimit { events: usize::MAX, bytes: usize::MAX })))
            .collect();
        for audience in &audiences {
            audience.join();
            routing.routes.add(&audience.key, Outlet::Polled(audience.clone()));
        }
        let entries = entries(&[("all", 2 * FULL), ("one", 1), ("all", 1)]);
        routing.route(&entries);
        let mut context = Context::from_waker(Waker::noop());
        for (number, audience) in audiences.iter().enumerate() {
            let found = audience.poll_behind(0, Offset::ZERO, usize::MAX, &mut context);
            let Poll::Ready(Found::Run(run)) = found else { panic!("nothing came for audience {number}") };
            let ids = str::from_utf8(run.bytes()).unwrap().lines().filter_map(|line| line.strip_prefix("id: "));
            let offsets: Vec<_> = ids.map(|id| Offset(id.rsplit('-').next().unwrap().parse().unwrap())).collect();
            assert_eq!(offsets, due(&entries, number));
        }
    }
}
