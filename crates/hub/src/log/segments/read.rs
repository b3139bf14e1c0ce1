//! Reads the log. All records are read by a scan, which begins at a position that the index gives. Records with certain
//! topics are found in the index, and are read one by one.
use super::{
    directory::Kind,
    file,
    index::{Posting, Stretch},
    scan::{Piece, Scan},
    segment::Segment,
    store::Store,
};
use crate::{
    entry::Timestamp,
    log::{
        Bounds, Found, LogError, Query, Read, ReadLimit,
        found::{Erasure, MAX_LOOKED_AT},
        record::{self, Record},
        terms::{self, Term},
    },
    position::Offset,
};
use std::{collections::BTreeSet, fs::File, io, sync::Arc};

/// The number of bytes to read from disk for a record whose length is not known yet. If the next wanted record begins
/// less than this number of bytes after the beginning of the record, `RUN_BYTES` are read instead, so that one read
/// from disk gets several records.
const RECORD_BYTES: usize = 4 << 10;
const RUN_BYTES: usize = 64 << 10;

impl Store {
    pub(super) fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        let Bounds { oldest, head, .. } = self.bounds();
        let until = head.min(query.until);
        let mut reading = Reading::new(query, self.hear(query.now));
        if query.after >= until {
            return Ok(reading.end());
        }
        if query.after.next() < oldest {
            reading.lose_up_to(Offset(oldest.0 - 1).min(until));
        }
        let terms = query.indexed_topics().map(|topics| {
            let terms: BTreeSet<_> =
                topics.iter().map(|topic| terms::topic(topic.as_str(), super::head::log_seed(&self.log))).collect();
            terms.into_iter().collect::<Vec<_>>()
        });
        while reading.up_to < until && !reading.is_full() {
            self.read_segment(&mut reading, until, terms.as_deref())?;
        }
        Ok(reading.end())
    }

    /// Reads from the segment that contains the offset after `reading.up_to`. `reading.up_to` is higher after this
    /// call.
    fn read_segment(&self, reading: &mut Reading, until: Offset, terms: Option<&[Term]>) -> Result<(), LogError> {
        let read = self.retry(|| {
            let from = reading.up_to.next();
            let Some((segment, last)) = self.segment_with(from) else {
                // Retention has removed the segment meanwhile, so its updates are noted as lost.
                let floor = self.bounds().floor();
                reading.lose_up_to(floor.max(from).min(until));
                return Ok(());
            };
            let last = last.min(until);
            if segment.state().is_withheld {
                reading.lose_up_to(last);
                return Ok(());
            }
            let part = Part { segment: &segment, file: &*self.open(&segment, Kind::Log)?, last };
            match terms {
                Some(terms) => self.read_topics(reading, &part, terms),
                None => self.read_all(reading, &part),
            }
        });
        match read {
            Err(LogError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                let from = reading.up_to.next();
                tracing::error!(from = from.0, "a segment of the log is missing: the updates in it are lost");
                let last = self.segment_with(from).map_or(until, |(_, last)| last);
                reading.lose_up_to(last.min(until));
                Ok(())
            }
            read => read,
        }
    }

    fn read_all(&self, reading: &mut Reading, part: &Part<'_>) -> Result<(), LogError> {
        let at = self.place(part.segment, reading.up_to.next())?;
        let (end, erased) = {
            let state = part.segment.state();
            (state.summary.log_bytes, state.erased.clone())
        };
        let now = reading.now;
        let mut scan = Scan::new(part.file, at..end, part.segment.seeds.segment);
        while let Some((_, piece)) = scan.next()? {
            let Piece::Record(record) = piece else { continue };
            let offset = record.position.offset;
            if offset > part.last {
                break;
            }
            let has_room = match record.is_of_presence() {
                true => self.take_presence(reading, offset, record.last().min(part.last)),
                false if offset <= reading.up_to => true,
                false => reading.take(&record, |found| self.judge(found, &record, &erased, now)),
            };
            if !has_room {
                return Ok(());
            }
        }
        reading.lose_up_to(part.last);
        Ok(())
    }

    /// Adds the presence updates with the offsets from `first` to `last`, and returns false if the limit of the answer
    /// leaves no room for all of them.
    fn take_presence(&self, reading: &mut Reading, first: Offset, last: Offset) -> bool {
        let first = first.max(reading.up_to.next());
        let (presence, now) = (self.presence(), reading.now);
        for found in presence.within(first, last) {
            let (begin, end) = match found {
                Found::PresenceLost(begin, end) => (begin, end),
                _ => (found.offset(), found.offset()),
            };
            let bytes = match &found {
                Found::Entry(entry) => entry.update.stored_bytes(),
                _ => 0,
            };
            let judged = || match found {
                Found::Entry(entry) => Some(self.retention.judge(entry, now)),
                found => Some(found),
            };
            if !reading.take_found((begin, end), bytes, judged) {
                return false;
            }
        }
        true
    }

    fn read_topics(&self, reading: &mut Reading, part: &Part<'_>, terms: &[Term]) -> Result<(), LogError> {
        let stretch = Stretch { from: reading.up_to.next(), until: part.last, most: reading.limit.entries.max(1) };
        let Some(plan) = self.plan(part.segment, terms, stretch)? else { return self.read_all(reading, part) };
        let (erased, now) = (part.segment.state().erased.clone(), reading.now);
        let mut records = Records::new(part);
        for (number, step) in plan.steps.iter().enumerate() {
            match step {
                Step::Hole(from, last) => {
                    reading.pass(Offset(from.0 - 1));
                    reading.lose_up_to(*last);
                }
                Step::Record(posting) => {
                    reading.pass(Offset(posting.offset.0 - 1));
                    let follows = plan.steps.get(number + 1).and_then(Step::at);
                    match records.get(*posting, follows)? {
                        Some(record) => {
                            if !reading.take(&record, |found| self.judge(found, &record, &erased, now)) {
                                return Ok(());
                            }
                        }
                        None => reading.lose_up_to(posting.offset),
                    }
                }
            }
            if reading.is_full() {
                return Ok(());
            }
        }
        reading.pass(plan.up_to);
        Ok(())
    }

    /// Returns the records to read in a range of a segment, and the holes (missing offsets) in it, in order. Each of
    /// these records has at least one of `terms`. Returns `None` if there is no index.
    fn plan(&self, segment: &Segment, terms: &[Term], stretch: Stretch) -> io::Result<Option<Plan>> {
        let parts = (&self.directory, &self.files);
        let Some(holes) = segment.ask(parts, |index, file| index.holes(file))? else { return Ok(None) };
        let mut up_to = stretch.until;
        let mut postings = Vec::new();
        for term in terms {
            let Some(of_term) = segment.ask(parts, |index, file| index.postings(file, *term, stretch))? else {
                return Ok(None);
            };
            if of_term.len() == stretch.most {
                up_to = up_to.min(of_term[of_term.len() - 1].offset);
            }
            postings.extend(of_term);
        }
        // Offsets between the last record and the next segment are missing.
        let end = segment.summary().end;
        let behind = (end <= stretch.until).then_some((end, stretch.until));
        let holes = holes.into_iter().chain(behind).filter(|(_, last)| *last >= stretch.from);
        let holes = holes.map(|(from, last)| Step::Hole(from.max(stretch.from), last.min(stretch.until)));
        let mut steps: Vec<_> = postings.into_iter().map(Step::Record).chain(holes).collect();
        steps.retain(|step| step.first() <= up_to);
        steps.sort_unstable_by_key(Step::first);
        steps.dedup_by_key(|step| step.first());
        Ok(Some(Plan { steps, up_to }))
    }

    /// Returns what a reader gets for a record at the time `now`. `found` is the content of the record, and `erased`
    /// are the erased offsets of its segment.
    pub(super) fn judge(&self, found: Found, record: &Record<'_>, erased: &[Offset], now: Timestamp) -> Found {
        let Found::Entry(entry) = found else { return found };
        let (offset, private) = (record.position.offset, entry.update.is_private());
        match erased.binary_search(&offset) {
            Ok(_) => Found::Erased(Erasure { offset, private }),
            Err(_) => self.retention.judge(entry, now),
        }
    }

    /// Returns a position in a segment's file from which a scan finds the record with this offset: at this record, or
    /// before it.
    pub(super) fn place(&self, segment: &Segment, offset: Offset) -> io::Result<u64> {
        let parts = (&self.directory, &self.files);
        Ok(segment.ask(parts, |index, file| index.place(file, offset))?.unwrap_or(0))
    }

    /// Returns the offset directly before the first entry of `time` or later; the newest offset of the log if there is
    /// no such entry.
    pub(super) fn place_at(&self, time: Timestamp) -> Result<Offset, LogError> {
        self.retry(|| self.look_for(time))
    }

    fn look_for(&self, time: Timestamp) -> Result<Offset, LogError> {
        let (segment, bounds) = {
            let held = self.held();
            // The segments are searched one by one, because a binary search needs a time for each of them, and a
            // segment whose records are lost has none.
            let reaches = |segment: &&Arc<Segment>| {
                let summary = segment.summary();
                summary.end > segment.first && summary.last_time >= time
            };
            (held.segments.iter().find(reaches).cloned(), held.bounds.clone())
        };
        let Some(segment) = segment else { return Ok(bounds.head) };
        let parts = (&self.directory, &self.files);
        let at = segment.ask(parts, |index, file| index.place_at(file, time))?.unwrap_or(0);
        let file = self.open(&segment, Kind::Log)?;
        let mut scan = Scan::new(&file, at..segment.summary().log_bytes, segment.seeds.segment);
        while let Some((_, piece)) = scan.next()? {
            if let Piece::Record(record) = piece
                && record.time >= time
            {
                let (first, before) = (record.position.offset, Offset(record.position.offset.0 - 1));
                // A run of presence updates has the time of the last of them. The first of them may be older.
                let older = record.is_of_presence().then(|| self.presence().newest_before(first, record.last(), time));
                return Ok(older.flatten().unwrap_or(before).clamp(bounds.floor(), bounds.head));
            }
        }
        Ok(bounds.head)
    }
}

/// A part of a segment that is to be read, up to the offset `last`.
pub(super) struct Part<'a> {
    pub(super) segment: &'a Segment,
    pub(super) file: &'a File,
    pub(super) last: Offset,
}

struct Plan {
    steps: Vec<Step>,
    /// The offset up to which `steps` has all records with the wanted terms, and all holes. There may be more of them
    /// after this offset.
    up_to: Offset,
}

enum Step {
    Record(Posting),
    Hole(Offset, Offset),
}

impl Step {
    fn first(&self) -> Offset {
        match self {
            Self::Record(posting) => posting.offset,
            Self::Hole(first, _) => *first,
        }
    }

    fn at(&self) -> Option<u64> {
        match self {
            Self::Record(posting) => Some(posting.at),
            Self::Hole(..) => None,
        }
    }
}

/// Reads records one by one. Records that are close to each other are read from disk together.
pub(super) struct Records<'a> {
    file: &'a File,
    seed: u64,
    buffer: Vec<u8>,
    /// The position in the file of the first byte of the buffer.
    begin: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(part: &Part<'a>) -> Self {
        Self { file: part.file, seed: part.segment.seeds.segment, buffer: Vec::new(), begin: 0 }
    }

    /// Reads the record of a posting; `None` if another or a damaged record is at its position. `follows` is the
    /// position of the next record that will be read.
    pub(super) fn get(&mut self, posting: Posting, follows: Option<u64>) -> io::Result<Option<Record<'_>>> {
        let is_near = follows.is_some_and(|next| next.saturating_sub(posting.at) < RECORD_BYTES as u64);
        self.have(posting.at, record_head_bytes(), if is_near { RUN_BYTES } else { RECORD_BYTES })?;
        if let Some(length) = record::declared_len(self.bytes(posting.at)) {
            self.have(posting.at, length, length)?;
        }
        let record = Record::read(self.bytes(posting.at), self.seed);
        Ok(record.filter(|record| record.position.offset == posting.offset))
    }

    /// Reads `ahead` bytes from position `at` on, unless the buffer has `wanted` bytes from there already.
    fn have(&mut self, at: u64, wanted: usize, ahead: usize) -> io::Result<()> {
        if self.bytes(at).len() >= wanted {
            return Ok(());
        }
        // A wrong length must not make the buffer larger than the file.
        let rest = self.file.metadata()?.len().saturating_sub(at);
        self.buffer.resize(ahead.max(wanted).min(usize::try_from(rest).unwrap_or(usize::MAX)), 0);
        let read = file::read_at(self.file, &mut self.buffer, at)?;
        self.buffer.truncate(read);
        self.begin = at;
        Ok(())
    }

    fn bytes(&self, at: u64) -> &[u8] {
        let skipped = at.checked_sub(self.begin).and_then(|skipped| usize::try_from(skipped).ok());
        skipped.and_then(|skipped| self.buffer.get(skipped..)).unwrap_or_default()
    }
}

const fn record_head_bytes() -> usize {
    8
}

/// The state of reading: the findings so far, and the limit that ends the reading.
pub(super) struct Reading {
    found: Vec<Found>,
    up_to: Offset,
    limit: ReadLimit,
    now: Timestamp,
    looked_at: usize,
    entries: usize,
    bytes: usize,
    is_full: bool,
}

impl Reading {
    fn new(query: &Query<'_>, now: Timestamp) -> Self {
        let (limit, up_to) = (query.limit, query.after);
        Self { found: Vec::new(), up_to, limit, now, looked_at: 0, entries: 0, bytes: 0, is_full: false }
    }

    fn end(self) -> Read {
        Read { found: self.found, up_to: self.up_to }
    }

    fn is_full(&self) -> bool {
        self.is_full || self.entries >= self.limit.entries.max(1) || self.looked_at >= MAX_LOOKED_AT
    }

    /// Notes that no record up to `offset` has to be read any more.
    fn pass(&mut self, offset: Offset) {
        self.up_to = self.up_to.max(offset);
    }

    /// Notes that the offsets after `self.up_to`, up to `last`, are lost.
    fn lose_up_to(&mut self, last: Offset) {
        if last <= self.up_to {
            return;
        }
        let from = self.up_to.next();
        match self.found.last_mut() {
            Some(Found::Lost(_, before)) if *before == self.up_to => *before = last,
            _ => self.found.push(Found::Lost(from, last)),
        }
        self.up_to = last;
    }

    /// Adds a record, and returns false if the limit of the answer leaves no room for it. Offsets that are missing
    /// before the record are noted as lost.
    fn take(&mut self, record: &Record<'_>, judge: impl FnOnce(Found) -> Found) -> bool {
        let offset = record.position.offset;
        self.take_found((offset, offset), record.bytes().len(), || record.found().map(judge))
    }

    /// Adds what is at the offsets from `first` to `last`, as [`Self::take`] does.
    fn take_found(
        &mut self,
        (first, last): (Offset, Offset),
        bytes: usize,
        found: impl FnOnce() -> Option<Found>,
    ) -> bool {
        if self.is_full() {
            return false;
        }
        let found = found();
        if let Some(Found::Entry(_)) = found {
            let bytes = self.bytes.saturating_add(bytes);
            if self.entries > 0 && bytes > self.limit.bytes {
                self.is_full = true;
                return false;
            }
            (self.entries, self.bytes) = (self.entries + 1, bytes);
        }
        self.lose_up_to(Offset(first.0 - 1));
        self.up_to = last;
        self.looked_at += 1;
        if let Some(found @ (Found::Entry(_) | Found::Discarded(_) | Found::PresenceLost(..))) = found {
            self.found.push(found);
        }
        true
    }
}
