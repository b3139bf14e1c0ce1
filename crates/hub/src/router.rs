//! The router: the sink of the log's writer, which hands every event to the audiences that it reaches. What it looks up
//! belongs to it alone, and it is called by one thread at a time, so that an event's way holds it up nowhere: whoever
//! wants events follows an audience by a message.
use crate::{
    audience_key::AudienceKey,
    bundle::{Bundle, Events},
    entry::Entry,
    join_permit::JoinPermit,
    log::writer::sink::{Nudge, Sink},
    position::Offset,
    routes::{Destination, RouteKey, Routes},
    wire::{WireEvent, WireEvents},
};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The number of events of all audiences together that go into one round of bundles, before those of the entry that
/// exceeds it. Each takes 40 bytes: a batch that reaches many audiences is handed out piece by piece.
const BUNDLE_EVENTS: usize = 64 << 10;

/// The means by which others speak to the router. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// Bounded by permits: each subscriber that joins has one until the router has heard of it, and a subscriber that
    /// leaves has joined.
    requests: Sender<Request>,
    recipients: Arc<AtomicUsize>,
    /// Has the requests heard although nothing is published.
    nudge: Nudge,
}

/// Takes the bundles for one recipient, and may wait until there is room. Returns false if the recipient is gone.
type Take = Box<dyn FnMut(Bundle) -> bool + Send>;

enum Request {
    Recipient(usize, Take),
    Follow(Arc<AudienceKey>, Destination, JoinPermit),
    Unfollow(Arc<AudienceKey>, Destination),
}

/// The routes that the router looks up.
pub(crate) struct Routing {
    requests: Receiver<Request>,
    routes: Routes,
    recipients: HashMap<usize, Take>,
    /// The offset of the entry that was routed last, if one was.
    last: Option<Offset>,
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
        Self { requests: requests.0, recipients: Arc::default(), nudge }
    }

    /// Makes a recipient known, and returns its number. `take` is called by the router with each bundle; it may wait
    /// until there is room, and returns false once the recipient is gone.
    pub(crate) fn add_recipient(&self, take: impl FnMut(Bundle) -> bool + Send + 'static) -> usize {
        let number = self.recipients.fetch_add(1, Ordering::Relaxed);
        self.send(Request::Recipient(number, Box::new(take)));
        number
    }

    /// Sends the events of the audience with this key to `destination`: everything that is appended after this returns,
    /// and perhaps some of what was appended before.
    pub(crate) fn follow(&self, key: Arc<AudienceKey>, destination: Destination, permit: JoinPermit) {
        self.send(Request::Follow(key, destination, permit));
    }

    /// Ends that. Some events may still come.
    pub(crate) fn unfollow(&self, key: Arc<AudienceKey>, destination: Destination) {
        self.send(Request::Unfollow(key, destination));
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
        (Requests(sender), Self { requests, routes: Routes::default(), recipients: HashMap::new(), last: None })
    }

    fn hear(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            self.serve(request);
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Recipient(number, take) => drop(self.recipients.insert(number, take)),
            Request::Follow(key, destination, _permit) => self.routes.add(&key, destination),
            Request::Unfollow(key, destination) => self.routes.remove(&key, destination),
        }
    }

    /// Hands a batch of entries, which follow each other and what was routed before, to every audience that they reach.
    fn route(&mut self, mut entries: &[Arc<Entry>]) {
        let offset = |entry: &Arc<Entry>| entry.position.offset;
        let (first, before) = (entries.first().map(offset), self.last);
        assert!(
            first.zip(before).is_none_or(|(first, before)| first == before.next()),
            "a batch follows what was routed before: {first:?} behind {before:?}"
        );
        self.last = entries.last().map(offset).or(before);
        while !entries.is_empty() {
            let (addressed, taken) = address(&self.routes, entries);
            self.hand_out(addressed);
            entries = &entries[taken..];
        }
    }

    fn hand_out(&mut self, addressed: Vec<Addressed>) {
        let mut bundles: HashMap<usize, Bundle> = HashMap::new();
        for (route, events) in addressed {
            let events: Events = events.into();
            for (recipient, part) in &self.routes.get(route).destinations {
                bundles.entry(*recipient).or_default().push((*part, events.clone()));
            }
        }
        for (recipient, bundle) in bundles {
            let is_there = self.recipients.get_mut(&recipient).is_some_and(|take| take(bundle));
            if !is_there {
                self.recipients.remove(&recipient);
            }
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// The events for one audience.
type Addressed = (RouteKey, Vec<(Offset, Bytes)>);

/// The wire events of each audience that these entries reach, in order, and the number of entries that were looked at:
/// no more after [`BUNDLE_EVENTS`] were found.
fn address(routes: &Routes, entries: &[Arc<Entry>]) -> (Vec<Addressed>, usize) {
    let mut all: Vec<Addressed> = Vec::new();
    let mut place_of: HashMap<RouteKey, usize> = HashMap::new();
    let (mut taken, mut found) = (0, 0);
    for entry in entries {
        if found >= BUNDLE_EVENTS {
            break;
        }
        taken += 1;
        let offset = entry.position.offset;
        let mut wire = WireEvents::of(entry);
        for route in routes.matching(entry) {
            let place = *place_of.entry(route).or_insert_with(|| {
                all.push((route, Vec::new()));
                all.len() - 1
            });
            let events = &mut all[place].1;
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
    (all, taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bundle::PartKey,
        entry::Timestamp,
        grant::Matchers,
        position::{Epoch, Position},
        representation::Representation,
        topic::{Topic, matcher::Matcher},
        update::{Update, UpdateFields},
    };
    use std::sync::Mutex;

    /// The number of audiences that an update of the topic `all` reaches. One of the topic `one` reaches the first of
    /// them.
    const AUDIENCES: usize = 256;
    /// The number of updates of the topic `all` that fill a round of bundles.
    const FULL: usize = BUNDLE_EVENTS / AUDIENCES;

    /// The number of updates of each topic, in order.
    type Published = &'static [(&'static str, usize)];
    /// The number of entries that each round takes, and of events that it has.
    type Rounds = &'static [(usize, usize)];

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
    fn a_round_ends_with_the_entry_that_fills_it() {
        let mut routes = Routes::default();
        (0..AUDIENCES).for_each(|number| routes.add(&key(number), (0, PartKey::default())));
        let cases: [(Published, Rounds); 6] = [
            (&[("all", FULL)], &[(FULL, BUNDLE_EVENTS)]),
            (&[("all", FULL + 1)], &[(FULL, BUNDLE_EVENTS), (1, AUDIENCES)]),
            (&[("all", FULL), ("none", 1)], &[(FULL, BUNDLE_EVENTS), (1, 0)]),
            (&[("one", 1), ("all", FULL), ("one", 1)], &[(FULL + 1, BUNDLE_EVENTS + 1), (1, 1)]),
            // One event of room is enough for an entry: it is never divided.
            (
                &[("all", FULL - 1), ("one", AUDIENCES - 1), ("all", 2)],
                &[(FULL + AUDIENCES - 1, BUNDLE_EVENTS - 1 + AUDIENCES), (1, AUDIENCES)],
            ),
            (&[("none", 3), ("all", 2 * FULL)], &[(FULL + 3, BUNDLE_EVENTS), (FULL, BUNDLE_EVENTS)]),
        ];
        for (published, expected) in cases {
            let entries = entries(published);
            let (mut left, mut rounds) = (&entries[..], Vec::new());
            let mut received: HashMap<RouteKey, Vec<Offset>> = HashMap::new();
            while !left.is_empty() {
                let (all, taken) = address(&routes, left);
                rounds.push((taken, all.iter().map(|(_, events)| events.len()).sum::<usize>()));
                for (route, events) in all {
                    received.entry(route).or_default().extend(events.iter().map(|(offset, _)| *offset));
                }
                left = &left[taken..];
            }
            assert_eq!(rounds, expected, "{published:?}");
            for number in 0..AUDIENCES {
                assert_eq!(received[&number], due(&entries, number), "of {published:?} for audience {number}");
            }
        }
    }

    #[test]
    fn a_batch_of_several_rounds_arrives_whole() {
        let (_requests, mut routing) = Routing::new();
        let received: Arc<Mutex<HashMap<PartKey, Vec<Offset>>>> = Arc::default();
        let taken = received.clone();
        let take = move |bundle: Bundle| {
            let mut taken = taken.lock().unwrap();
            for (part, events) in bundle {
                taken.entry(part).or_default().extend(events.iter().map(|(offset, _)| *offset));
            }
            true
        };
        routing.serve(Request::Recipient(0, Box::new(take)));
        let part = |number: usize| PartKey { index: u32::try_from(number).unwrap(), generation: 1 };
        (0..AUDIENCES).for_each(|number| routing.routes.add(&key(number), (0, part(number))));
        let entries = entries(&[("all", 2 * FULL), ("one", 1), ("all", 1)]);
        routing.route(&entries);
        let received = received.lock().unwrap();
        for number in 0..AUDIENCES {
            assert_eq!(received[&part(number)], due(&entries, number), "for audience {number}");
        }
    }
}
