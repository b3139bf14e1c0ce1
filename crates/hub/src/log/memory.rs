//! A log in memory: a queue of entries, from which retention discards the oldest. Its content is lost when its process
//! ends. In the queue, each run of presence updates is a single item that has only their offsets; the newest presence
//! updates are kept beside the queue.
use super::{
    Bounds, Candidates, Epochs, Found, Log, LogError, Query, Read, Retention,
    erase::{Erase, Erased},
    found::{Erasure, MAX_CANDIDATES, MAX_LOOKED_AT},
    presence::Presence,
};
use crate::{
    entry::{Entry, Timestamp},
    position::{Epoch, Offset, Position},
    topic::Topic,
    update::Update,
};
use fanfare_event_stream::EventId;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard},
};

/// The greatest number of entries that one call of [`Log::discard`] removes, so that readers do not wait long for the
/// lock.
const DISCARD_ENTRIES: usize = 1_000;
/// The greatest number of discarded updates whose publishers' IDs are remembered, to notice that a discarded update had
/// the same ID as an update in the log. Each ID is remembered as a hash of 8 bytes.
const REMEMBERED_IDS: usize = 1_000_000;

/// A log in memory. It is empty when its process starts, has one epoch, and is lost when its process ends.
#[derive(Debug)]
pub struct MemoryLog {
    retention: Retention,
    epochs: Arc<Epochs>,
    ring: Mutex<Ring>,
    /// The hasher for the publishers' IDs of discarded updates.
    hasher: RandomState,
}

#[derive(Debug)]
struct Ring {
    entries: VecDeque<Held>,
    oldest: Offset,
    head: Offset,
    /// The number of bytes of all entries, without presence updates.
    bytes: u64,
    /// The newest presence updates.
    presence: Presence,
    /// The number of offsets from the oldest one on that belong to presence updates.
    presence_offsets: u64,
    /// The IDs that publishers gave, with their offsets. An ID that was used twice is in this set twice, the older use
    /// first.
    ids: BTreeSet<(EventId, Offset)>,
    /// The offsets of the updates of each topic, in order.
    topics: HashMap<Topic, VecDeque<Offset>>,
    /// The hashes of the publishers' IDs of discarded updates, oldest first.
    old_ids: VecDeque<u64>,
    /// The number of entries that were checked for expiry so far. This number modulo the number of entries in the log
    /// is the index of the entry to check next.
    swept: u64,
    /// True if at least one of all updates that were ever appended had a time to live.
    expires: bool,
}

/// The content of the log at one offset, or at the offsets of a run of presence updates.
#[derive(Debug)]
struct Held {
    what: Found,
    /// The ID that the publisher gave. It is kept even if the update is erased.
    id: Option<EventId>,
    /// The time of the entry; for a run of presence updates, the time of the last one.
    time: Timestamp,
    bytes: usize,
}

impl MemoryLog {
    /// Returns an empty log, which discards entries that exceed the limits of `retention`.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        let ring = Ring {
            entries: VecDeque::new(),
            oldest: Offset(1),
            head: Offset::ZERO,
            bytes: 0,
            presence: Presence::new(retention.presence),
            presence_offsets: 0,
            ids: BTreeSet::new(),
            topics: HashMap::new(),
            old_ids: VecDeque::new(),
            swept: 0,
            expires: false,
        };
        let epochs = Arc::new(Epochs::first(Epoch::random()));
        Self { retention, epochs, ring: Mutex::new(ring), hasher: RandomState::new() }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().expect("nothing panics while the log in memory is locked")
    }
}

impl Log for MemoryLog {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        let epoch = self.epochs.current();
        let mut ring = self.ring();
        let appended = batch
            .into_iter()
            .map(|update| {
                let position = Position { epoch, offset: ring.head.next() };
                let entry = Arc::new(Entry::new(position, now, update));
                ring.push(Arc::clone(&entry));
                entry
            })
            .collect();
        while ring.exceeds(&self.retention, now) {
            ring.pop(&self.hasher);
        }
        ring.discard_presence(&self.retention, now);
        Ok(appended)
    }

    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        let ring = self.ring();
        let mut read = Read { found: Vec::new(), up_to: query.after };
        let until = ring.head.min(query.until);
        if query.after >= until {
            return Ok(read);
        }
        let floor = Offset(ring.oldest.0 - 1).min(until);
        if query.after < floor {
            read.found.push(Found::Lost(query.after.next(), floor));
            read.up_to = floor;
        }
        let (mut bytes, mut count) = (0, 0);
        let from = read.up_to.next();
        let (wanted, is_all) = match query.indexed_topics() {
            Some(topics) => {
                let (offsets, is_all) = ring.with_topics(topics, from, until);
                (offsets.into_iter().filter_map(|offset| ring.get(offset)).collect(), is_all)
            }
            None => (ring.range(from).take(MAX_LOOKED_AT).collect::<Vec<_>>(), false),
        };
        let found = wanted.into_iter().flat_map(|held| ring.expand(held, from, until)).take(MAX_LOOKED_AT);
        for (found, stored_bytes) in found {
            let offset = found.offset();
            let found = match found {
                Found::Entry(entry) => self.retention.judge(entry, query.now),
                other => other,
            };
            if let Found::Entry(_) = found {
                bytes += stored_bytes;
                if count > 0 && (count >= query.limit.entries || bytes > query.limit.bytes) {
                    return Ok(read);
                }
                count += 1;
            }
            if !matches!(found, Found::Erased(_)) {
                read.found.push(found);
            }
            read.up_to = offset;
        }
        if is_all {
            read.up_to = until;
        }
        Ok(read)
    }

    fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError> {
        let ring = self.ring();
        let uses = ring.ids.range((id.clone(), Offset::ZERO)..).take_while(|(found, _)| found == id);
        let mut offsets = uses.filter_map(|(_, offset)| ring.get(*offset));
        let judge = |held: &Held| match &held.what {
            Found::Entry(entry) => self.retention.judge(entry.clone(), now),
            other => other.clone(),
        };
        let held: Vec<_> = offsets.by_ref().take(MAX_CANDIDATES).map(judge).collect();
        let more = offsets.next().is_some();
        let discarded = !held.is_empty() && ring.old_ids.contains(&self.hasher.hash_one(id));
        Ok(Candidates { held, more, discarded })
    }

    fn place_at(&self, time: Timestamp) -> Result<Offset, LogError> {
        let ring = self.ring();
        let first = ring.entries.partition_point(|held| held.time < time);
        let Some(held) = ring.entries.get(first) else { return Ok(ring.head) };
        let before = Offset(held.first().0 - 1);
        // A run of presence updates has the time of the last of them. The first of them may be older.
        Ok(match held.what {
            Found::PresenceLost(first, last) => ring.presence.newest_before(first, last, time).unwrap_or(before),
            _ => before,
        })
    }

    fn bounds(&self) -> Bounds {
        let ring = self.ring();
        let Ring { oldest, head, presence_offsets: presence, .. } = *ring;
        Bounds { oldest, head, held: head.0 + 1 - oldest.0 - presence, presence }
    }

    fn newest(&self) -> Timestamp {
        self.ring().entries.back().map_or(Timestamp::default(), |newest| newest.time)
    }

    fn epochs(&self) -> Arc<Epochs> {
        Arc::clone(&self.epochs)
    }

    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        let mut ring = self.ring();
        let mut discarded = 0;
        while discarded < DISCARD_ENTRIES && ring.exceeds(&self.retention, now) {
            ring.pop(&self.hasher);
            discarded += 1;
        }
        ring.discard_presence(&self.retention, now);
        if ring.expires || !self.retention.topics.is_empty() {
            ring.sweep(&self.retention, now);
        }
        Ok(discarded)
    }

    fn erase(&self, erase: &Erase<'_>, _now: Timestamp) -> Result<Erased, LogError> {
        let mut ring = self.ring();
        let offsets: Vec<Offset> = match (erase.topic, erase.id) {
            (Some(topic), _) => ring.topics.get(topic).into_iter().flatten().copied().collect(),
            (None, Some(id)) if Position::parse(id.as_str()).is_none() => {
                let uses = ring.ids.range((id.clone(), Offset::ZERO)..).take_while(|(found, _)| found == id);
                uses.map(|(_, offset)| *offset).collect()
            }
            _ => ring.entries.iter().map(|held| held.what.offset()).collect(),
        };
        let mut erased = Erased::default();
        ring.presence.erase(erase, &mut erased);
        for offset in offsets {
            let Some(Held { what: Found::Entry(entry), .. }) = ring.get(offset) else { continue };
            if !erase.fits(entry) {
                continue;
            }
            if (erase.may)(entry.update.topics()) {
                let rest = Found::Erased(Erasure { offset, private: entry.update.is_private() });
                ring.replace(offset, rest);
                erased.erased += 1;
            } else {
                erased.kept += 1;
            }
        }
        Ok(erased)
    }
}

impl Ring {
    /// Returns the index of the item that has `offset`, or of the first item after this offset.
    fn index_of(&self, offset: Offset) -> usize {
        self.entries.partition_point(|held| held.what.offset() < offset)
    }

    fn get(&self, offset: Offset) -> Option<&Held> {
        self.entries.get(self.index_of(offset)).filter(|held| held.first() <= offset)
    }

    /// Returns the items from `offset` on.
    fn range(&self, offset: Offset) -> impl Iterator<Item = &Held> {
        self.entries.range(self.index_of(offset)..)
    }

    /// Returns the content of an item, from the offset `from` to the offset `until`, and the stored bytes of each part.
    /// A run of presence updates has several parts: the updates that are kept, and the ranges that are not.
    fn expand(&self, held: &Held, from: Offset, until: Offset) -> impl Iterator<Item = (Found, usize)> + '_ {
        let run = match held.what {
            Found::PresenceLost(first, last) => Some((first.max(from), last.min(until))),
            _ => None,
        };
        let own = (run.is_none() && held.what.offset() <= until).then(|| (held.what.clone(), held.bytes));
        let parts = run.into_iter().flat_map(|(first, last)| self.presence.within(first, last)).map(|found| {
            let bytes = match &found {
                Found::Entry(entry) => entry.update.stored_bytes(),
                _ => 0,
            };
            (found, bytes)
        });
        own.into_iter().chain(parts)
    }

    /// Returns the offsets from `from` to `until` of the updates that have at least one of these topics, in order; at
    /// most [`MAX_LOOKED_AT`] offsets. The second value is true if it is certain that there are no more of these
    /// updates.
    fn with_topics(&self, topics: &[Topic], from: Offset, until: Offset) -> (Vec<Offset>, bool) {
        let of_topic = |offsets: &'_ VecDeque<Offset>| {
            let begin = offsets.partition_point(|offset| *offset < from);
            let wanted = offsets.range(begin..).copied().take_while(|offset| *offset <= until);
            wanted.take(MAX_LOOKED_AT).collect::<Vec<_>>()
        };
        let offsets: BTreeSet<_> =
            topics.iter().filter_map(|topic| self.topics.get(topic)).flat_map(of_topic).collect();
        let is_all = offsets.len() < MAX_LOOKED_AT;
        (offsets.into_iter().take(MAX_LOOKED_AT).collect(), is_all)
    }

    fn push(&mut self, entry: Arc<Entry>) {
        let offset = entry.position.offset;
        self.head = offset;
        if entry.update.is_of_presence() {
            self.push_presence(entry);
            return;
        }
        let id = entry.update.id().cloned();
        self.expires |= entry.update.ttl_ms().is_some();
        if let Some(id) = &id {
            self.ids.insert((id.clone(), offset));
        }
        for topic in entry.update.topics() {
            let offsets = self.topics.entry(topic.clone()).or_default();
            if offsets.back() != Some(&offset) {
                offsets.push_back(offset);
            }
        }
        let bytes = entry.update.stored_bytes();
        self.bytes += bytes as u64;
        let time = entry.time;
        self.entries.push_back(Held { what: Found::Entry(entry), id, time, bytes });
    }

    fn push_presence(&mut self, entry: Arc<Entry>) {
        let (offset, time) = (entry.position.offset, entry.time);
        match self.entries.back_mut() {
            Some(Held { what: Found::PresenceLost(_, last), time: newest, .. }) => (*last, *newest) = (offset, time),
            _ => self.entries.push_back(Held { what: Found::PresenceLost(offset, offset), id: None, time, bytes: 0 }),
        }
        self.presence_offsets += 1;
        self.presence.push(entry);
    }

    fn discard_presence(&mut self, retention: &Retention, now: Timestamp) {
        self.presence.discard(self.oldest, retention.age_ms, now);
    }

    /// True if the log exceeds a limit of `retention`, so that its oldest entry has to be discarded. If this entry is a
    /// run of presence updates, it goes because an entry after it has to go.
    fn exceeds(&self, retention: &Retention, now: Timestamp) -> bool {
        let Some(oldest) = self.entries.front() else { return false };
        let count = (self.head.0 + 1 - self.oldest.0) - self.presence_offsets;
        retention.count.is_some_and(|limit| count > limit)
            || retention.bytes.is_some_and(|limit| self.bytes > limit)
            || retention.age_ms.is_some_and(|limit| now.0.saturating_sub(oldest.time.0) > limit)
    }

    fn pop(&mut self, hasher: &RandomState) {
        let Some(Held { what, id, bytes, .. }) = self.entries.pop_front() else { return };
        let offset = what.offset();
        if let Found::PresenceLost(first, last) = what {
            self.presence_offsets -= last.0 + 1 - first.0;
        }
        self.forget_topics(&what, offset);
        self.oldest = offset.next();
        self.bytes -= bytes as u64;
        if let Some(id) = id {
            if self.old_ids.len() >= REMEMBERED_IDS {
                self.old_ids.pop_front();
            }
            self.old_ids.push_back(hasher.hash_one(&id));
            self.ids.remove(&(id, offset));
        }
    }

    /// Replaces the entry at `offset` by `rest`, which says what the log still knows of the entry.
    fn replace(&mut self, offset: Offset, rest: Found) {
        let index = self.index_of(offset);
        let before = std::mem::replace(&mut self.entries[index].what, rest);
        if matches!(self.entries[index].what, Found::Erased(_)) {
            self.forget_topics(&before, offset);
        }
    }

    fn forget_topics(&mut self, what: &Found, offset: Offset) {
        let topics = match what {
            Found::Entry(entry) => entry.update.topics(),
            Found::Discarded(discarded) => &discarded.topics,
            Found::Lost(..) | Found::Erased(_) | Found::PresenceLost(..) => return,
        };
        for topic in topics {
            let Some(offsets) = self.topics.get_mut(topic) else { continue };
            if let Ok(place) = offsets.binary_search(&offset) {
                offsets.remove(place);
            }
            if offsets.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    /// Checks some entries. Replaces each entry that has expired, or that exceeds the age limit of its topics, by what
    /// the log still knows of it. The next call continues after the checked entries.
    fn sweep(&mut self, retention: &Retention, now: Timestamp) {
        let count = self.entries.len() as u64;
        for _ in 0..count.min(MAX_LOOKED_AT as u64) {
            let index = usize::try_from(self.swept % count).expect("an index of the queue");
            self.swept = self.swept.wrapping_add(1);
            let Some(Held { what: Found::Entry(entry), .. }) = self.entries.get(index) else { continue };
            let offset = entry.position.offset;
            let judged = retention.judge(entry.clone(), now);
            if !matches!(judged, Found::Entry(_)) {
                self.replace(offset, judged);
            }
        }
    }
}

impl Held {
    fn first(&self) -> Offset {
        match self.what {
            Found::PresenceLost(first, _) => first,
            _ => self.what.offset(),
        }
    }
}
