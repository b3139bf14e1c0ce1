//! The index of a segment in a file beside it: [blocks] that contain
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 8 each | the fields of the [`Summary`], except the numbers of offsets without a record or of presence; number of holes, places, terms and postings |
//! | 8 each | holes: first and last offset |
//! | 16 each | places: offset, position in the segment's file, time |
//! | 12 each | terms, in order: hash, number of the first posting |
//! | 8 each | postings, term by term and in order: offset, position in the segment's file |
//! | 8 | the number of offsets of presence updates; missing if it is 0, as in the files of earlier versions |
//!
//! A term is the hash of a topic or of an ID, and a posting is a record that has this topic or ID. Offsets are counted
//! from the first offset of the segment.
//!
//! Another file of blocks, with another seed, contains [`Ids`]: a table of the hashes of all publishers' IDs that a
//! segment ever had. That file is kept longer than the segment.
use super::{
    blocks,
    directory::{MAX_OFFSET, MAX_WHOLE_BYTES},
    index::{NoAnswer, Place, Posting, Stretch, Summary},
    index_memory::IndexMemory,
};
use crate::{
    entry::Timestamp,
    log::{record::Fields, terms::Term},
    position::Offset,
};
use std::{fs::File, io, ops::Range};

const SUMMARY_BYTES: usize = 88;
const HOLE_BYTES: usize = 8;
const PLACE_BYTES: usize = 16;
const TERM_BYTES: usize = 12;
const POSTING_BYTES: usize = 8;
const PRESENCE_BYTES: usize = 8;
/// The number of rows of a table that are read at once around the row where a hash is expected. With 100,000 terms, the
/// row of a hash is hardly ever further away from the expected row than half of this number.
const GUESS_ROWS: usize = 512;

/// An index in a file. The file is not kept open.
#[derive(Clone, Debug)]
pub(super) struct IndexFile {
    first: Offset,
    seed: u64,
    counts: Counts,
}

#[derive(Clone, Copy, Debug)]
struct Counts {
    holes: usize,
    places: usize,
    terms: usize,
    postings: usize,
}

impl Counts {
    /// True if the file is long enough for tables of these numbers of rows, and not too long to be read at once.
    fn fit(self, file: &File) -> io::Result<bool> {
        let rows = [self.holes, self.places, self.terms, self.postings];
        let mut tables = rows.iter().zip([HOLE_BYTES, PLACE_BYTES, TERM_BYTES, POSTING_BYTES]);
        let bytes = tables.try_fold(0_usize, |sum, (rows, bytes)| sum.checked_add(rows.checked_mul(bytes)?));
        let length = file.metadata()?.len();
        Ok(length <= MAX_WHOLE_BYTES && bytes.is_some_and(|bytes| bytes as u64 <= length))
    }
}

/// The positions of the two summary fields that depend on the time when the index was written: the end of the last
/// frame, and the oldest offset.
pub(super) const BY_WRITER: [Range<usize>; 2] = [0..8, 48..56];

/// Returns an index as the bytes of a file.
pub(super) fn encode(index: &IndexMemory, first: Offset, seed: u64) -> Vec<u8> {
    blocks::encode(&payload(index, first), seed)
}

/// Returns the content of an index before it is put into blocks.
pub(super) fn payload(index: &IndexMemory, first: Offset) -> Vec<u8> {
    let (postings, terms) = index.counts();
    let Summary { log_bytes, end, first_time, last_time, record_bytes, presence, next_expiry, oldest, .. } =
        *index.summary();
    let (holes, places) = (index.holes(), index.places());
    let mut out = Vec::new();
    let fields = [log_bytes, end.0, first_time.0, last_time.0, record_bytes, next_expiry.0, oldest.0];
    let counts = [holes.len(), places.len(), terms, postings].map(|count| count as u64);
    fields.into_iter().chain(counts).for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
    // A number that does not fit into 32 bits is replaced by the largest one. The record of this number is not found
    // through the index. A wrong record is never returned, because the offset from the index is compared with the
    // record in the file.
    let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    for (from, to) in holes {
        out.extend_from_slice(&short(from.0 - first.0));
        out.extend_from_slice(&short(to.0 - first.0));
    }
    for Place { offset, at, time } in places {
        out.extend_from_slice(&short(offset.0 - first.0));
        out.extend_from_slice(&short(*at));
        out.extend_from_slice(&time.0.to_le_bytes());
    }
    let mut rows = Vec::with_capacity(postings * POSTING_BYTES);
    for (term, postings) in index.terms() {
        out.extend_from_slice(&term.0.to_le_bytes());
        out.extend_from_slice(&short((rows.len() / POSTING_BYTES) as u64));
        for Posting { offset, at } in postings {
            rows.extend_from_slice(&short(offset.0 - first.0));
            rows.extend_from_slice(&short(at));
        }
    }
    out.append(&mut rows);
    if presence > 0 {
        out.extend_from_slice(&presence.to_le_bytes());
    }
    out
}

impl IndexFile {
    /// Reads the summary of an index file and the sizes of its tables.
    pub(super) fn open(file: &File, first: Offset, seed: u64) -> Result<(Self, Summary), NoAnswer> {
        let head = blocks::read(file, 0..SUMMARY_BYTES, seed)?.ok_or(NoAnswer::Damaged)?;
        let fields = numbers(&head);
        let [log_bytes, end, first_time, last_time, record_bytes, next_expiry, oldest, counts @ ..] = &*fields else {
            return Err(NoAnswer::Damaged);
        };
        let summary = Summary {
            log_bytes: *log_bytes,
            end: Offset(*end),
            first_time: Timestamp(*first_time),
            last_time: Timestamp(*last_time),
            record_bytes: *record_bytes,
            presence: 0,
            missing: 0,
            next_expiry: Timestamp(*next_expiry),
            oldest: Offset(*oldest),
        };
        let counts: Vec<_> = counts.iter().filter_map(|count| usize::try_from(*count).ok()).collect();
        let [holes, places, terms, postings] = *counts else { return Err(NoAnswer::Damaged) };
        let counts = Counts { holes, places, terms, postings };
        if !(first..=MAX_OFFSET).contains(&summary.end) || !counts.fit(file)? {
            return Err(NoAnswer::Damaged);
        }
        let index = Self { first, seed, counts };
        let presence = index.presence(file)?;
        let missing = index.holes(file)?.iter().map(|(from, to)| to.0.saturating_sub(from.0) + 1).sum();
        Ok((index, Summary { presence, missing, ..summary }))
    }

    /// Reads the number of offsets of presence updates, which is behind the tables.
    fn presence(&self, file: &File) -> Result<u64, NoAnswer> {
        let at = self.postings_at() + self.counts.postings * POSTING_BYTES;
        if blocks::payload_bytes(file)? < (at + PRESENCE_BYTES) as u64 {
            return Ok(0);
        }
        let bytes = blocks::read(file, at..at + PRESENCE_BYTES, self.seed)?.ok_or(NoAnswer::Damaged)?;
        Ok(numbers(&bytes)[0])
    }

    pub(super) fn holes(&self, file: &File) -> Result<Vec<(Offset, Offset)>, NoAnswer> {
        let bytes = self.rows(file, SUMMARY_BYTES, HOLE_BYTES, 0..self.counts.holes)?;
        Ok(bytes
            .chunks_exact(HOLE_BYTES)
            .map(|row| self.pair(row))
            .map(|(from, to)| (from, self.first.plus(to)))
            .collect())
    }

    /// Returns the position, in the segment's file, of the last place for which `is_before` is true; of the first place
    /// if it is true for none; 0 if there are no places.
    pub(super) fn place_before(&self, file: &File, is_before: impl Fn(&Place) -> bool) -> Result<u64, NoAnswer> {
        let place = |number: usize| {
            let row = self.rows(file, self.places_at(), PLACE_BYTES, number..number + 1)?;
            let (offset, at) = self.pair(&row);
            Ok::<_, NoAnswer>(Place { offset, at, time: Timestamp(numbers(&row)[1]) })
        };
        let behind = partition_point(0..self.counts.places, |number| Ok::<_, NoAnswer>(is_before(&place(number)?)))?;
        if self.counts.places == 0 { Ok(0) } else { Ok(place(behind.saturating_sub(1))?.at) }
    }

    pub(super) fn postings(&self, file: &File, term: Term, stretch: Stretch) -> Result<Vec<Posting>, NoAnswer> {
        let Some(rows) = self.rows_of(file, term)? else { return Ok(Vec::new()) };
        let read = |rows: Range<usize>| self.rows(file, self.postings_at(), POSTING_BYTES, rows);
        let offset = |row: usize| Ok::<_, NoAnswer>(self.pair(&read(row..row + 1)?).0);
        let from = partition_point(rows.clone(), |row| Ok::<_, NoAnswer>(offset(row)? < stretch.from))?;
        let bytes = read(from..rows.end.min(from.saturating_add(stretch.most)))?;
        let postings = bytes.chunks_exact(POSTING_BYTES).map(|row| self.pair(row));
        let postings = postings.map(|(offset, at)| Posting { offset, at });
        Ok(postings.take_while(|posting| posting.offset <= stretch.until).collect())
    }

    /// Returns the row numbers of the postings of a term; `None` if the index does not have the term.
    fn rows_of(&self, file: &File, term: Term) -> Result<Option<Range<usize>>, NoAnswer> {
        let read = |rows: Range<usize>| self.rows(file, self.terms_at(), TERM_BYTES, rows);
        let Some((row, begin)) = find(self.counts.terms, term, read)? else { return Ok(None) };
        let end = match row + 1 < self.counts.terms {
            true => number_of_row(&read(row + 1..row + 2)?),
            false => self.counts.postings,
        };
        if begin > end || end > self.counts.postings { Err(NoAnswer::Damaged) } else { Ok(Some(begin..end)) }
    }

    fn rows(&self, file: &File, at: usize, row_bytes: usize, rows: Range<usize>) -> Result<Vec<u8>, NoAnswer> {
        let stretch = at + rows.start * row_bytes..at + rows.end * row_bytes;
        blocks::read(file, stretch, self.seed)?.ok_or(NoAnswer::Damaged)
    }

    fn places_at(&self) -> usize {
        SUMMARY_BYTES + self.counts.holes * HOLE_BYTES
    }

    fn terms_at(&self) -> usize {
        self.places_at() + self.counts.places * PLACE_BYTES
    }

    fn postings_at(&self) -> usize {
        self.terms_at() + self.counts.terms * TERM_BYTES
    }

    /// Returns the two numbers with which a row of a table begins. The first one is an offset, counted from the
    /// beginning of the segment, and is returned as an offset of the log.
    fn pair(&self, row: &[u8]) -> (Offset, u64) {
        let mut fields = Fields(row);
        let mut number = || fields.u32().unwrap_or(u32::MAX).into();
        (self.first.plus(number()), number())
    }
}

/// The hashes of all publishers' IDs that a segment ever had, in a file that is kept longer than the segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    /// The number of IDs. An ID that was used twice is counted twice.
    pub(super) count: u64,
    rows: usize,
    seed: u64,
}

impl Ids {
    /// Returns the hashes, and how many times each occurs, as the bytes of a file. The hashes must be sorted.
    pub(super) fn encode(ids: &[(Term, u32)], seed: u64) -> Vec<u8> {
        let count: u64 = ids.iter().map(|(_, count)| u64::from(*count)).sum();
        let mut out = [count.to_le_bytes(), (ids.len() as u64).to_le_bytes()].concat();
        for (term, count) in ids {
            out.extend_from_slice(&term.0.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        }
        blocks::encode(&out, seed)
    }

    pub(super) fn open(file: &File, seed: u64) -> Result<Self, NoAnswer> {
        let fields = numbers(&blocks::read(file, 0..16, seed)?.ok_or(NoAnswer::Damaged)?);
        let most = file.metadata()?.len() / TERM_BYTES as u64;
        let rows = usize::try_from(fields[1]).ok().filter(|rows| *rows as u64 <= most).ok_or(NoAnswer::Damaged)?;
        Ok(Self { count: fields[0], rows, seed })
    }

    /// True if the table includes the hashes `wanted`, its hashes are sorted, and the number of its IDs is right.
    pub(super) fn holds(&self, file: &File, wanted: &[(Term, u32)]) -> Result<bool, NoAnswer> {
        let (mut wanted, mut before, mut count) = (wanted.iter().peekable(), None, 0);
        for from in (0..self.rows).step_by(GUESS_ROWS) {
            let stretch = 16 + from * TERM_BYTES..16 + self.rows.min(from + GUESS_ROWS) * TERM_BYTES;
            let bytes = blocks::read(file, stretch, self.seed)?.ok_or(NoAnswer::Damaged)?;
            for row in bytes.chunks_exact(TERM_BYTES) {
                let (term, times) = (Term(numbers(row)[0]), number_of_row(row) as u64);
                if before.is_some_and(|before| before >= term) {
                    return Ok(false);
                }
                if let Some((_, least)) = wanted.next_if(|(wanted, _)| *wanted == term)
                    && times < u64::from(*least)
                {
                    return Ok(false);
                }
                (before, count) = (Some(term), count + times);
            }
        }
        Ok(wanted.next().is_none() && count == self.count)
    }

    /// Returns the number of times that the ID with the hash `term` was used.
    pub(super) fn count_of(&self, file: &File, term: Term) -> Result<usize, NoAnswer> {
        let read = |rows: Range<usize>| {
            let stretch = 16 + rows.start * TERM_BYTES..16 + rows.end * TERM_BYTES;
            blocks::read(file, stretch, self.seed)?.ok_or(NoAnswer::Damaged)
        };
        Ok(find(self.rows, term, read)?.map_or(0, |(_, count)| count))
    }
}

/// Finds a term in a table of `rows` rows, which is sorted by term; `read` reads a range of its rows. Returns the index
/// of the term's row, and the number that this row has after the term; `None` if the table does not have the term.
fn find(
    rows: usize,
    term: Term,
    read: impl Fn(Range<usize>) -> Result<Vec<u8>, NoAnswer>,
) -> Result<Option<(usize, usize)>, NoAnswer> {
    let (mut low, mut high) = (0, rows);
    let mut guess = usize::try_from((u128::from(term.0) * rows as u128) >> 64).unwrap_or(0);
    while low < high {
        let from = guess.saturating_sub(GUESS_ROWS / 2).clamp(low, high - 1);
        let to = high.min(from + GUESS_ROWS);
        let bytes = read(from..to)?;
        let terms: Vec<u64> = bytes.chunks_exact(TERM_BYTES).map(|row| numbers(row)[0]).collect();
        match (terms.first(), terms.last()) {
            (Some(first), _) if *first > term.0 => high = from,
            (_, Some(last)) if *last < term.0 => low = to,
            _ => {
                let found = terms.binary_search(&term.0).ok();
                return Ok(found.map(|row| (from + row, number_of_row(&bytes[row * TERM_BYTES..]))));
            }
        }
        guess = usize::midpoint(low, high);
    }
    Ok(None)
}

fn number_of_row(row: &[u8]) -> usize {
    row.get(8..).and_then(|rest| Fields(rest).u32()).unwrap_or(u32::MAX) as usize
}

/// Returns the first number of a range for which `holds` is false, as `slice::partition_point` does.
fn partition_point<E>(mut range: Range<usize>, holds: impl Fn(usize) -> Result<bool, E>) -> Result<usize, E> {
    while range.start < range.end {
        let middle = usize::midpoint(range.start, range.end);
        if holds(middle)? { range.start = middle + 1 } else { range.end = middle }
    }
    Ok(range.start)
}

fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).filter_map(|bytes| Fields(bytes).u64()).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::index_memory::Indexed, *};
    use crate::log::terms::Terms;
    use std::io::Write as _;

    const FIRST: Offset = Offset(1_000);
    const EVERYTHING: Stretch = Stretch { from: Offset(0), until: Offset(u64::MAX), most: usize::MAX };

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    /// Returns terms that are distributed like hashes.
    fn term(number: u64) -> Term {
        Term(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Returns an index in which every record has one of 50 topics, and every third record also an ID. Two ranges of
    /// records are missing.
    fn index() -> IndexMemory {
        let mut index = IndexMemory::new(FIRST);
        for number in (0..20_000).filter(|number| *number != 7 && !(100..200).contains(number)) {
            let offset = Offset(FIRST.0 + number);
            let (time, at) = (Timestamp(number / 10), 100 + number * 200);
            let expires = (number == 9).then_some(Timestamp(77));
            let own = (number % 3 == 0).then_some(term(1_000 + number));
            index.add(
                Indexed { offset, last: offset, time, expires, at, bytes: 200, is_of_presence: false },
                Terms { id: own, topics: vec![term(number % 50), term(number % 50)] },
            );
        }
        index.end_at(5_000_000, Offset(12));
        index
    }

    #[test]
    fn the_file_says_what_memory_says() {
        let memory = index();
        let file = file_of(&encode(&memory, FIRST, 3));
        let (index, summary) = IndexFile::open(&file, FIRST, 3).unwrap();
        assert_eq!(summary, *memory.summary());
        assert_eq!((summary.end, summary.next_expiry), (Offset(21_000), Timestamp(77)));
        assert_eq!(index.holes(&file).unwrap(), [(Offset(1_007), Offset(1_007)), (Offset(1_100), Offset(1_199))]);
        assert_eq!(index.holes(&file).unwrap(), memory.holes());
        let stretches = [
            EVERYTHING,
            Stretch { from: Offset(5_000), ..EVERYTHING },
            Stretch { from: Offset(5_000), until: Offset(5_100), ..EVERYTHING },
            Stretch { most: 3, ..EVERYTHING },
            Stretch { from: Offset(30_000), ..EVERYTHING },
        ];
        for (number, stretch) in
            (0..60).chain(1_000..1_100).chain([20_999]).flat_map(|number| stretches.map(|stretch| (number, stretch)))
        {
            let found = memory.postings(term(number), stretch);
            assert_eq!(index.postings(&file, term(number), stretch).unwrap(), found, "{number} {stretch:?}");
        }
        assert_eq!(memory.postings(term(3), EVERYTHING).len(), 398, "each record once");
        for number in (0..25_000).step_by(501) {
            let (before, at) = (|place: &Place| place.offset.0 <= number, |place: &Place| place.time.0 < number / 10);
            assert_eq!(index.place_before(&file, before).unwrap(), memory.place_before(before), "{number}");
            assert_eq!(index.place_before(&file, at).unwrap(), memory.place_before(at), "{number}");
        }
    }

    /// The number of presence updates is behind the tables, wherever these end. Without presence updates the file is
    /// the same as that of an earlier version.
    #[test]
    fn presence_updates_are_counted() {
        for records in 0..700 {
            let mut memory = IndexMemory::new(FIRST);
            let offset = |number: u64| Offset(FIRST.0 + number);
            let (time, expires) = (Timestamp(5), None);
            for number in 0..records {
                let (offset, at) = (offset(number), 100 + number * 200);
                let record = Indexed { offset, last: offset, time, expires, at, bytes: 200, is_of_presence: false };
                memory.add(record, Terms { id: Some(term(number)), topics: Vec::new() });
            }
            let without = payload(&memory, FIRST);
            let file = file_of(&encode(&memory, FIRST, 3));
            assert_eq!(IndexFile::open(&file, FIRST, 3).unwrap().1, *memory.summary());
            let (offset, last, at) = (offset(records), offset(records + 9), 100 + records * 200);
            memory.add(Indexed { offset, last, time, expires, at, bytes: 68, is_of_presence: true }, Terms::default());
            let with = payload(&memory, FIRST);
            let file = file_of(&encode(&memory, FIRST, 3));
            let summary = IndexFile::open(&file, FIRST, 3).unwrap().1;
            assert_eq!((summary, summary.presence, summary.record_bytes), (*memory.summary(), 10, 200 * records));
            assert!([8, 8 + PLACE_BYTES].contains(&(with.len() - without.len())), "the number, and perhaps a place");
        }
    }

    #[test]
    fn an_index_of_another_segment_is_damaged() {
        let bytes = encode(&index(), FIRST, 3);
        assert!(matches!(IndexFile::open(&file_of(&bytes), FIRST, 4), Err(NoAnswer::Damaged)));
        assert!(matches!(IndexFile::open(&file_of(&[]), FIRST, 3), Err(NoAnswer::Damaged)));
        // A damaged block is noticed when it is read, and other blocks can still be read.
        let (good, mut bad) = (file_of(&bytes), bytes.clone());
        *bad.last_mut().unwrap() ^= 1;
        let bad = file_of(&bad);
        let (index, _) = IndexFile::open(&bad, FIRST, 3).unwrap();
        let last = (0..50).max_by_key(|number| term(*number)).unwrap();
        let (_, rows) = (index.rows_of(&good, term(last)).unwrap(), index.rows_of(&bad, term(last)).unwrap());
        assert!(rows.is_some());
        let damaged =
            (0..60).chain(1_000..21_000).filter(|number| index.postings(&bad, term(*number), EVERYTHING).is_err());
        assert!((1..600).contains(&damaged.count()));
    }

    #[test]
    fn ids_are_counted() {
        let mut ids: Vec<_> = (0..5_000).map(|number| (term(number), 1 + u32::from(number == 9))).collect();
        ids.sort_unstable();
        let file = file_of(&Ids::encode(&ids, 8));
        let table = Ids::open(&file, 8).unwrap();
        assert_eq!(table.count, 5_001);
        for (number, count) in [(0, 1), (9, 2), (4_999, 1), (5_000, 0), (77_777, 0)] {
            assert_eq!(table.count_of(&file, term(number)).unwrap(), count, "{number}");
        }
        let none = file_of(&Ids::encode(&[], 8));
        assert_eq!(Ids::open(&none, 8).unwrap().count_of(&none, term(1)).unwrap(), 0);
    }
}
