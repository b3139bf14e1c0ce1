//! The router: the sink of the log's writer. It sends each event to the audiences that the event reaches. The writer
//! lets only one thread at a time call its sink, so the router's tables have no lock of their own. Other threads do not
//! use the tables: to get the events of an audience, they send a request to the router.
use crate::{
    audience_key::AudienceKey,
    bundle::{Bundle, Events},
    entry::Entry,
    join_permit::JoinPermit,
    log::writer::sink::{Nudge, Sink},
    position::Offset,
    routes::{Destination, RouteKey, Routes},
    wakeup::Wakeup,
    wire::{WireEvent, WireEvents},
};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// The number of events, of all audiences together, at which the router stops adding entries to its bundles and sends
/// the bundles. Each event takes 40 bytes of memory, so a batch that reaches many audiences is sent in several rounds
/// of bundles. The router stops only after the last event of an entry, so a round may have more events than this.
const BUNDLE_EVENTS: usize = 64 << 10;

/// The handle by which other threads send requests to the router. A clone is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// The requests to the router. Their number is bounded by permits: each subscriber that joins keeps a permit until
    /// the router has handled its request, and only a subscriber that has joined can leave.
    requests: Sender<Request>,
    recipients: Arc<AtomicUsize>,
    routed: Arc<AtomicU64>,
    /// Makes the router handle the requests even if nothing is published.
    nudge: Nudge,
}

/// A receiver of bundles: a shard, or a group of polled subscriptions.
pub(crate) enum Recipient {
    /// A shard, which takes the bundles out of its mailbox on its own thread. The router waits while the mailbox is
    /// full.
    Mailbox { bundles: Sender<Bundle>, wakeup: Arc<Wakeup> },
    /// A group of polled subscriptions. The function delivers a bundle to the group before it returns. It returns false
    /// if the group is gone, or cannot be used any more.
    Group(Box<dyn FnMut(Bundle) -> bool + Send>),
}

impl Recipient {
    /// Gives a bundle to the recipient. Returns false if the recipient is gone.
    fn take(&mut self, bundle: Bundle) -> bool {
        match self {
            Self::Mailbox { bundles, wakeup } => {
                let is_there = bundles.send(bundle).is_ok();
                wakeup.call();
                is_there
            }
            Self::Group(take) => take(bundle),
        }
    }
}

enum Request {
    Recipient(usize, Recipient),
    Gone(usize),
    Follow(Arc<AudienceKey>, Destination, JoinPermit),
    Unfollow(Arc<AudienceKey>, Destination),
}

/// The router's tables, which say where the events of each audience go.
pub(crate) struct Routing {
    requests: Receiver<Request>,
    routes: Routes,
    recipients: HashMap<usize, Recipient>,
    /// The offset up to which the recipients have been given every event.
    routed: Arc<AtomicU64>,
    /// The offset of the entry that was routed last; `None` before the first entry.
    last: Option<Offset>,
}

/// The sender of requests to a [`Routing`] for which there is no [`Router`] yet.
#[derive(Debug)]
pub(crate) struct Requests {
    sender: Sender<Request>,
    routed: Arc<AtomicU64>,
}

impl Sink for Routing {
    fn take(&mut self, batch: Vec<Arc<Entry>>) {
        // A recipient that asked for events before this batch was appended must get the batch, so its request is
        // handled first.
        self.hear();
        self.route(&batch);
    }

    fn nudged(&mut self) {
        self.hear();
    }
}

impl Router {
    /// Returns a router that sends requests through `requests`, and then calls `nudge`, so that the [`Routing`] handles
    /// them soon.
    pub(crate) fn new(requests: Requests, nudge: Nudge) -> Self {
        let Requests { sender, routed } = requests;
        Self { requests: sender, recipients: Arc::default(), routed, nudge }
    }

    /// Adds a recipient, and returns its number.
    pub(crate) fn add_recipient(&self, recipient: Recipient) -> usize {
        let number = self.recipients.fetch_add(1, Ordering::Relaxed);
        self.send(Request::Recipient(number, recipient));
        number
    }

    /// Removes a recipient, and everything that was to be sent to it.
    pub(crate) fn remove_recipient(&self, number: usize) {
        self.send(Request::Gone(number));
    }

    /// Asks for the events of the audience with this key to be sent to `destination`: all events that are appended
    /// after this call returns, and perhaps some that were appended before.
    pub(crate) fn follow(&self, key: Arc<AudienceKey>, destination: Destination, permit: JoinPermit) {
        self.send(Request::Follow(key, destination, permit));
    }

    /// Asks for no more events of the audience to be sent to `destination`. A few events may still come.
    pub(crate) fn unfollow(&self, key: Arc<AudienceKey>, destination: Destination) {
        self.send(Request::Unfollow(key, destination));
    }

    /// The offset up to which the router has given every event to its recipients. A recipient that reads this offset
    /// first, and then takes everything that the router has given to it, has all of its events up to this offset.
    pub(crate) fn routed(&self) -> Offset {
        Offset(self.routed.load(Ordering::Acquire))
    }

    fn send(&self, request: Request) {
        // If the log's writer has ended, the router has ended too, and there are no more events.
        _ = self.requests.send(request);
        self.nudge.nudge();
    }
}

impl Routing {
    /// Returns routing tables without routes, and the sender of requests to these tables.
    pub(crate) fn new() -> (Requests, Self) {
        let ((sender, requests), routed) = (unbounded(), Arc::<AtomicU64>::default());
        let (routes, recipients) = (Routes::default(), HashMap::new());
        (Requests { sender, routed: routed.clone() }, Self { requests, routes, recipients, routed, last: None })
    }

    fn hear(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            self.serve(request);
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Recipient(number, recipient) => drop(self.recipients.insert(number, recipient)),
            Request::Gone(number) => {
                self.recipients.remove(&number);
                self.routes.remove_recipient(number);
            }
            Request::Follow(key, destination, _permit) => self.routes.add(&key, destination),
            Request::Unfollow(key, destination) => self.routes.remove(&key, destination),
        }
    }

    /// Sends a batch of entries to every audience that they reach. The entries must directly follow each other and the
    /// last entry of the previous batch.
    fn route(&mut self, mut entries: &[Arc<Entry>]) {
        let offset = |entry: &Arc<Entry>| entry.position.offset;
        let (first, before) = (entries.first().map(offset), self.last);
        assert!(
            first.zip(before).is_none_or(|(first, before)| first == before.next()),
            "a batch begins directly after the last routed entry: {first:?} after {before:?}"
        );
        self.last = entries.last().map(offset).or(before);
        while !entries.is_empty() {
            let (addressed, taken) = address(&self.routes, entries);
            self.hand_out(addressed);
            entries = &entries[taken..];
        }
        if let Some(last) = self.last {
            self.routed.store(last.0, Ordering::Release);
        }
    }

    fn hand_out(&mut self, addressed: Vec<Addressed>) {
        let mut bundles: HashMap<usize, Bundle> = HashMap::new();
        for (route, events) in addressed {
            let events: Events = events.into();
            for (number, part) in &self.routes.get(route).destinations {
                bundles.entry(*number).or_default().push((*part, events.clone()));
            }
        }
        for (number, bundle) in bundles {
            let is_there = self.recipients.get_mut(&number).is_some_and(|recipient| recipient.take(bundle));
            if !is_there {
                self.recipients.remove(&number);
            }
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// The encoded events for one audience.
type Addressed = (RouteKey, Vec<(Offset, Bytes)>);

/// Returns the encoded events of each audience that these entries reach, in order, and the number of entries that were
/// handled. It handles no further entry once it has found [`BUNDLE_EVENTS`] events.
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
                // The second piece of the event has the same offset.
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

    /// The number of audiences that an update of the topic `all` reaches. An update of the topic `one` reaches only the
    /// first of them.
    const AUDIENCES: usize = 256;
    /// The number of updates of the topic `all` that fill a round of bundles.
    const FULL: usize = BUNDLE_EVENTS / AUDIENCES;

    /// The number of updates of each topic, in order.
    type Published = &'static [(&'static str, usize)];
    /// The number of entries that each round takes, and the number of its events.
    type Rounds = &'static [(usize, usize)];

    fn key(number: usize) -> Arc<AudienceKey> {
        let own = if number == 0 { "one".to_owned() } else { format!("audience {number}") };
        let matchers = ["all", &own].map(|topic| Matcher::exact(topic).unwrap()).into_iter().collect();
        Arc::new(AudienceKey::new(matchers, Matchers::default(), Representation::EventStream))
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

    /// Returns the offsets of the entries that reach this audience.
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
            // An entry is never split: a round with room for one more event takes all events of an entry.
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
        routing.serve(Request::Recipient(0, Recipient::Group(Box::new(take))));
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
