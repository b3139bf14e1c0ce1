//! The index of the active segment.
use super::index::{PLACE_BYTES, Place, Posting, Stretch, Summary};
use crate::{
    entry::Timestamp,
    log::terms::{Term, Terms},
    position::Offset,
};
use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// The index of a segment while it grows. The postings of one term (the records with one topic or ID) form a linked
/// list, from the newest to the oldest.
#[derive(Debug)]
pub(super) struct IndexMemory {
    first: Offset,
    summary: Summary,
    links: Vec<Link>,
    newest: HashMap<Term, u32, BuildHasherDefault<AsItIs>>,
    places: Vec<Place>,
    holes: Vec<(Offset, Offset)>,
    /// The terms (hashes) of publishers' own IDs.
    ids: Vec<Term>,
    /// The number of bytes of records that a rewrite joins to the record before them, because both are of presence
    /// updates.
    spare_bytes: u64,
    /// True if the last record is that of a run of presence updates.
    ends_with_presence: bool,
}

/// A posting in a form that takes little memory: 32 bits are enough for an offset and a position within a segment.
#[derive(Clone, Copy, Debug)]
struct Link {
    offset: u32,
    at: u32,
    /// The index of the next older link with the same term, or [`NONE`].
    older: u32,
}

const NONE: u32 = u32::MAX;

/// The facts about one record that the index needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Indexed {
    pub(super) offset: Offset,
    /// The last offset. Only the record of a run of presence updates has more than one offset.
    pub(super) last: Offset,
    pub(super) time: Timestamp,
    pub(super) expires: Option<Timestamp>,
    pub(super) at: u64,
    pub(super) bytes: usize,
    pub(super) is_of_presence: bool,
}

impl IndexMemory {
    /// Returns the index of a segment that begins with `first` and has no record yet.
    pub(super) fn new(first: Offset) -> Self {
        let summary = Summary {
            log_bytes: 0,
            end: first,
            first_time: Timestamp(u64::MAX),
            last_time: Timestamp(0),
            record_bytes: 0,
            presence: 0,
            missing: 0,
            next_expiry: Timestamp(u64::MAX),
            oldest: Offset::ZERO,
        };
        Self {
            first,
            summary,
            links: vec![],
            newest: HashMap::default(),
            places: vec![],
            holes: vec![],
            ids: vec![],
            spare_bytes: 0,
            ends_with_presence: false,
        }
    }

    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(super) fn holes(&self) -> &[(Offset, Offset)] {
        &self.holes
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The number of bytes of memory that the index takes.
    pub(super) fn bytes(&self) -> usize {
        let of_terms = self.newest.capacity() * (size_of::<(Term, u32)>() + 1);
        let of_places = self.places.capacity() * size_of::<Place>();
        self.links.capacity() * size_of::<Link>() + of_terms + of_places + self.ids.capacity() * size_of::<Term>()
    }

    /// Notes where the last frame ends, and the oldest offset that the log held when this frame was written.
    pub(super) fn end_at(&mut self, log_bytes: u64, oldest: Offset) {
        self.summary.log_bytes = log_bytes;
        self.summary.oldest = self.summary.oldest.max(oldest);
    }

    /// The number of bytes of records that a rewrite joins to the record before them, because both are of presence
    /// updates.
    pub(super) fn spare_bytes(&self) -> u64 {
        self.spare_bytes
    }

    /// Adds a record. Its offset must be higher than those of all records in the index.
    pub(super) fn add(&mut self, record: Indexed, terms: Terms) {
        let Indexed { offset, last, time, expires, at, bytes, is_of_presence } = record;
        let summary = &mut self.summary;
        debug_assert!(offset >= summary.end);
        if offset > summary.end {
            self.holes.push((summary.end, Offset(offset.0 - 1)));
            summary.missing += offset.0 - summary.end.0;
        }
        if is_of_presence {
            summary.presence += last.0 + 1 - offset.0;
            if self.ends_with_presence && offset == summary.end {
                self.spare_bytes += bytes as u64;
            }
        } else {
            summary.record_bytes += bytes as u64;
        }
        self.ends_with_presence = is_of_presence;
        summary.end = last.next();
        summary.first_time = summary.first_time.min(time);
        summary.last_time = summary.last_time.max(time);
        summary.next_expiry = summary.next_expiry.min(expires.unwrap_or(Timestamp(u64::MAX)));
        if self.places.last().is_none_or(|last| at - last.at >= PLACE_BYTES) {
            self.places.push(Place { offset, at, time });
        }
        // The conversions never fail: a segment is sealed long before an offset or a position within it exceeds 32
        // bits.
        let (Ok(offset), Ok(at)) = (u32::try_from(offset.0 - self.first.0), u32::try_from(at)) else { return };
        self.ids.extend(terms.id);
        for term in terms.id.into_iter().chain(terms.topics) {
            let link = u32::try_from(self.links.len()).expect("a segment has fewer than 2^32 links");
            let older = self.newest.insert(term, link).unwrap_or(NONE);
            // If an update has the same topic twice, its record has only one posting for the topic.
            if self.links.get(older as usize).is_some_and(|older| older.offset == offset) {
                self.newest.insert(term, older);
                continue;
            }
            self.links.push(Link { offset, at, older });
        }
    }

    /// Returns the terms of publishers' IDs, in order, and how many times each occurs.
    pub(super) fn ids(&self) -> Vec<(Term, u32)> {
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        ids.chunk_by(Term::eq).map(|same| (same[0], u32::try_from(same.len()).unwrap_or(u32::MAX))).collect()
    }

    pub(super) fn postings(&self, term: Term, Stretch { from, until, most }: Stretch) -> Vec<Posting> {
        let chain = self.chain(term).skip_while(|posting| posting.offset > until);
        let mut postings: Vec<_> = chain.take_while(|posting| posting.offset >= from).collect();
        postings.reverse();
        postings.truncate(most);
        postings
    }

    /// Returns each term with its postings, in the order of the terms and of the postings.
    pub(super) fn terms(&self) -> impl Iterator<Item = (Term, Vec<Posting>)> {
        let mut terms: Vec<_> = self.newest.keys().copied().collect();
        terms.sort_unstable();
        let all = |term| {
            let mut postings: Vec<_> = self.chain(term).collect();
            postings.reverse();
            (term, postings)
        };
        terms.into_iter().map(all)
    }

    /// Returns the number of all postings, and of all terms.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.links.len(), self.newest.len())
    }

    pub(super) fn place_before(&self, is_before: impl Fn(&Place) -> bool) -> u64 {
        let behind = self.places.partition_point(is_before);
        self.places.get(behind.saturating_sub(1)).map_or(0, |place| place.at)
    }

    fn chain(&self, term: Term) -> impl Iterator<Item = Posting> {
        let mut next = self.newest.get(&term).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let link = self.links.get(next as usize)?;
            next = link.older;
            Some(Posting { offset: Offset(self.first.0 + u64::from(link.offset)), at: link.at.into() })
        })
    }
}

/// A hasher for values that are hashes already: it returns the value.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a term is a number");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
