//! A record: the bytes stored for one offset of the log. It contains its offset, and a checksum that shows whether it
//! is complete.
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 4 | [`MAGIC`]: no UTF-8 text contains it, so the texts of a record cannot contain a forged record |
//! | 4 | length of the record |
//! | 8 | XXH3 of all bytes after this field, with the segment's seed |
//! | 8, 8, 8 | offset; time in milliseconds; epoch |
//! | 4, 8 | numbers of the process run (session) and of its batch that appended the record |
//! | 1, 1 | [kind](Kind); flags: private, and which of the three optional numbers follow |
//! | 2, 2, 2 | length of the ID and of the event type (0 is none), number of topics |
//! | 8 each | optional numbers: reconnection time and time to live, in milliseconds; hash in place of the ID |
//! | 2 per topic, then texts | length of each topic; ID, event type, topics; the remaining bytes are the data |
//!
//! Not every record is an update. An erased update leaves a record without topics and texts. An update that the
//! retention of its topics has discarded leaves a record that has only its topics. A run of presence updates is one
//! record: it has the offset of the first of them, the time of the last, and the number of further offsets in the place
//! of the reconnection time. A record of an unknown kind is skipped, and is not reported as a gap.
use super::{
    found::{Discarded, Erasure, Found},
    terms::{self, Term, Terms},
};
use crate::{
    entry::{Entry, Timestamp},
    position::{Epoch, Offset, Position},
    topic::Topic,
    update::{Stored, Update},
};
use fanfare_event_stream::{EventId, EventType};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The first bytes of every record; the last of them is the format's version.
pub(crate) const MAGIC: [u8; 4] = [0xff, 0xfa, b'R', 1];
/// The number of bytes of the fields that every record has.
const FIXED_BYTES: usize = 60;
/// The number of bytes of the record of a run of presence updates.
pub(crate) const PRESENCE_BYTES: usize = FIXED_BYTES + 8;
/// The index of the first byte of a record that its checksum covers.
const CHECKED_FROM: usize = 16;

const PRIVATE: u8 = 1;
const RETRY: u8 = 2;
const TTL: u8 = 4;
const HASHED_ID: u8 = 8;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Update = 0,
    Erased = 1,
    Discarded = 2,
    Presence = 3,
}

/// Identifies the append that put an entry into the log, by the number of the process run (`session`) and the number of
/// the batch within this run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) session: u32,
    pub(crate) batch: u64,
}

/// A record that was read and whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) position: Position,
    pub(crate) time: Timestamp,
    pub(crate) token: Token,
    kind: u8,
    bytes: &'a [u8],
}

/// The content of a record: all fields except the position, time, session, batch and kind.
struct Body<'a> {
    private: bool,
    retry_ms: Option<u64>,
    ttl_ms: Option<u64>,
    hashed_id: Option<u64>,
    topics: Vec<&'a str>,
    id: &'a str,
    event_type: &'a str,
    data: &'a str,
}

impl Update {
    /// The number of bytes that a log stores for the update: its texts, and at least 62 bytes for the other fields.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        let topics: usize = self.topics().iter().map(|topic| 2 + topic.as_str().len()).sum();
        let optional = 8 * (usize::from(self.retry_ms().is_some()) + usize::from(self.ttl_ms().is_some()));
        FIXED_BYTES + optional + topics + id_of(self).len() + type_of(self).len() + self.data().len()
    }
}

/// Appends the record of `entry` to `out`.
///
/// # Panics
/// If the record has 4 GiB or more; the writer accepts no update that is so large.
pub(crate) fn encode(entry: &Entry, token: Token, seed: u64, out: &mut Vec<u8>) {
    let update = &entry.update;
    let body = Body {
        private: update.is_private(),
        retry_ms: update.retry_ms(),
        ttl_ms: update.ttl_ms(),
        hashed_id: None,
        topics: update.topics().iter().map(Topic::as_str).collect(),
        id: id_of(update),
        event_type: type_of(update),
        data: update.data(),
    };
    write(entry.position, entry.time, token, Kind::Update as u8, &body, seed, out);
}

/// Appends to `out` a record of the given kind that replaces `record`. The new record keeps the position, the time, the
/// hash of the ID, and whether the update is private. If the kind is `Discarded`, it keeps the topics, too.
pub(crate) fn encode_rest(record: &Record<'_>, kind: Kind, log_seed: u64, seed: u64, out: &mut Vec<u8>) {
    let Some(body) = record.body() else { return };
    let own = (!body.id.is_empty()).then(|| terms::id(body.id, log_seed).0);
    let topics = if kind == Kind::Discarded { body.topics } else { Vec::new() };
    let (retry_ms, ttl_ms, hashed_id) = (None, None, body.hashed_id.or(own));
    let rest = Body { private: body.private, retry_ms, ttl_ms, hashed_id, topics, id: "", event_type: "", data: "" };
    write(record.position, record.time, record.token, kind as u8, &rest, seed, out);
}

/// Appends a record for a run of presence updates: they have the offsets from that of `position` to `last`, and `time` is
/// the time of the last of them.
pub(crate) fn encode_presence(
    (position, last): (Position, Offset),
    time: Timestamp,
    token: Token,
    seed: u64,
    out: &mut Vec<u8>,
) {
    let retry_ms = Some(last.0.saturating_sub(position.offset.0));
    let (ttl_ms, hashed_id, topics) = (None, None, Vec::new());
    let body = Body { private: true, retry_ms, ttl_ms, hashed_id, topics, id: "", event_type: "", data: "" };
    write(position, time, token, Kind::Presence as u8, &body, seed, out);
}

fn write(position: Position, time: Timestamp, token: Token, kind: u8, body: &Body<'_>, seed: u64, out: &mut Vec<u8>) {
    let begin = out.len();
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    let flags = flag(body.private, PRIVATE)
        | flag(body.retry_ms.is_some(), RETRY)
        | flag(body.ttl_ms.is_some(), TTL)
        | flag(body.hashed_id.is_some(), HASHED_ID);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; 12]);
    out.extend_from_slice(&position.offset.0.to_le_bytes());
    out.extend_from_slice(&time.0.to_le_bytes());
    out.extend_from_slice(position.epoch.as_str().as_bytes());
    out.extend_from_slice(&token.session.to_le_bytes());
    out.extend_from_slice(&token.batch.to_le_bytes());
    out.extend_from_slice(&[kind, flags]);
    let short = |count: usize| u16::try_from(count).expect("an update's limits are below 65,536").to_le_bytes();
    out.extend_from_slice(&short(body.id.len()));
    out.extend_from_slice(&short(body.event_type.len()));
    out.extend_from_slice(&short(body.topics.len()));
    for number in [body.retry_ms, body.ttl_ms, body.hashed_id].into_iter().flatten() {
        out.extend_from_slice(&number.to_le_bytes());
    }
    body.topics.iter().for_each(|topic| out.extend_from_slice(&short(topic.len())));
    for text in [body.id, body.event_type].iter().chain(&body.topics).chain([&body.data]) {
        out.extend_from_slice(text.as_bytes());
    }
    let length = u32::try_from(out.len() - begin).expect("a record has less than 4 GiB");
    out[begin + 4..begin + 8].copy_from_slice(&length.to_le_bytes());
    let checksum = xxh3_64_with_seed(&out[begin + CHECKED_FROM..], seed);
    out[begin + 8..begin + CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
}

/// Returns the length that a record at the beginning of `bytes` has according to its length field; `None` if no record
/// begins there.
pub(crate) fn declared_len(bytes: &[u8]) -> Option<usize> {
    let length = bytes.strip_prefix(&MAGIC)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length >= FIXED_BYTES)
}

impl<'a> Record<'a> {
    /// Reads the record at the beginning of `bytes`; `None` if it is incomplete, damaged, or from a segment with
    /// another seed.
    pub(crate) fn read(bytes: &'a [u8], seed: u64) -> Option<Self> {
        let bytes = bytes.get(..declared_len(bytes)?)?;
        let mut fields = Fields(&bytes[8..]);
        if fields.u64()? != xxh3_64_with_seed(&bytes[CHECKED_FROM..], seed) {
            return None;
        }
        let offset = Offset(fields.u64()?);
        let time = Timestamp(fields.u64()?);
        let epoch = Epoch::parse(fields.text(Epoch::LEN)?)?;
        let token = Token { session: fields.u32()?, batch: fields.u64()? };
        let [kind] = *fields.take(1)? else { return None };
        Some(Self { position: Position { epoch, offset }, time, token, kind, bytes })
    }

    /// The bytes of the record.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The last offset of the record. Only the record of a run of presence updates has more than one offset.
    pub(crate) fn last(&self) -> Offset {
        if !self.is_of_presence() {
            return self.position.offset;
        }
        let more = self.body().and_then(|body| body.retry_ms).unwrap_or(0);
        self.position.offset.0.checked_add(more).map_or(self.position.offset, Offset)
    }

    /// True if the record is that of a run of presence updates.
    pub(crate) fn is_of_presence(&self) -> bool {
        self.kind == Kind::Presence as u8
    }

    /// The time at which the time to live of the update is over; `None` if it has no time to live.
    pub(crate) fn expires(&self) -> Option<Timestamp> {
        (self.kind == Kind::Update as u8 && self.flags() & TTL != 0)
            .then(|| Some(Timestamp(self.time.0.saturating_add(self.body()?.ttl_ms?))))?
    }

    /// The terms by which the index finds the record.
    pub(crate) fn terms(&self, log_seed: u64) -> Terms {
        let Some(body) = self.body() else { return Terms::default() };
        let id = (!body.id.is_empty()).then(|| terms::id(body.id, log_seed)).or(body.hashed_id.map(Term));
        Terms { id, topics: body.topics.iter().map(|topic| terms::topic(topic, log_seed)).collect() }
    }

    /// Returns the content of the record as a reader gets it; `None` if readers skip the record, because its kind is
    /// unknown or its content is not valid.
    pub(crate) fn found(&self) -> Option<Found> {
        let body = self.body()?;
        let (offset, private) = (self.position.offset, body.private);
        match self.kind {
            kind if kind == Kind::Update as u8 => {
                let update = update(&body)?;
                Some(Found::Entry(Arc::new(Entry::new(self.position, self.time, update))))
            }
            kind if kind == Kind::Erased as u8 => Some(Found::Erased(Erasure { offset, private })),
            kind if kind == Kind::Discarded as u8 => {
                let topics = topics(&body)?;
                Some(Found::Discarded(Arc::new(Discarded { offset, topics, private })))
            }
            kind if kind == Kind::Presence as u8 => Some(Found::PresenceLost(offset, self.last())),
            _ => None,
        }
    }

    /// True if the record has the complete update, as it was published; false for what is left of an erased or
    /// discarded update.
    pub(crate) fn is_update(&self) -> bool {
        self.kind == Kind::Update as u8
    }

    fn flags(&self) -> u8 {
        self.bytes[53]
    }

    fn body(&self) -> Option<Body<'a>> {
        let flags = self.flags();
        let mut fields = Fields(&self.bytes[FIXED_BYTES - 6..]);
        let (id, event_type, topics) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let mut optional = |flag: u8| if flags & flag == 0 { Some(None) } else { fields.u64().map(Some) };
        let (retry_ms, ttl_ms, hashed_id) = (optional(RETRY)?, optional(TTL)?, optional(HASHED_ID)?);
        let lengths = (0..topics).map(|_| fields.u16()).collect::<Option<Vec<_>>>()?;
        let (id, event_type) = (fields.text(id)?, fields.text(event_type)?);
        let topics = lengths.into_iter().map(|length| fields.text(length)).collect::<Option<Vec<_>>>()?;
        let data = str::from_utf8(fields.0).ok()?;
        Some(Body { private: flags & PRIVATE != 0, retry_ms, ttl_ms, hashed_id, topics, id, event_type, data })
    }
}

fn topics(body: &Body<'_>) -> Option<Box<[Topic]>> {
    body.topics.iter().map(|topic| Topic::new(topic).ok()).collect()
}

fn update(body: &Body<'_>) -> Option<Update> {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Some(Update::restore(Stored {
        topics: topics(body)?,
        data: body.data.into(),
        id: some(body.id).map(EventId::new).transpose().ok()?,
        event_type: some(body.event_type).map(EventType::new).transpose().ok()?,
        retry_ms: body.retry_ms,
        ttl_ms: body.ttl_ms,
        private: body.private,
    }))
}

/// Bytes from which fields are read one after the other.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn text(&mut self, bytes: usize) -> Option<&'a str> {
        str::from_utf8(self.take(bytes)?).ok()
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn u16(&mut self) -> Option<usize> {
        self.take(2)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)))
    }
}

fn id_of(update: &Update) -> &str {
    update.id().map_or("", EventId::as_str)
}

fn type_of(update: &Update) -> &str {
    update.event_type().map_or("", EventType::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{MAX_RETRY_MS, UpdateFields};
    use proptest::prelude::*;

    const TOKEN: Token = Token { session: 7, batch: 1 << 40 };
    const SEED: u64 = 0x5eed;

    #[test]
    fn a_run_of_presence_updates_is_one_record() {
        let position = Position { epoch: Epoch::from_bits(9), offset: Offset(7) };
        for last in [Offset(7), Offset(8), Offset(1 << 62)] {
            let mut bytes = Vec::new();
            encode_presence((position, last), Timestamp(5), TOKEN, SEED, &mut bytes);
            assert_eq!(bytes.len(), PRESENCE_BYTES);
            let record = Record::read(&bytes, SEED).unwrap();
            assert_eq!((record.position, record.last(), record.time), (position, last, Timestamp(5)));
            assert_eq!(record.found(), Some(Found::PresenceLost(Offset(7), last)));
            assert_eq!((record.terms(1), record.expires(), record.is_update()), (Terms::default(), None, false));
        }
    }

    #[test]
    fn a_reconnection_time_of_years_that_was_stored_once_is_cut() {
        for (stored, read) in
            [(None, None), (Some(MAX_RETRY_MS), Some(MAX_RETRY_MS)), (Some(u64::MAX), Some(MAX_RETRY_MS))]
        {
            let topics = Box::new([Topic::new("a").unwrap()]);
            let (id, event_type, ttl_ms) = (None, None, None);
            let fields = Stored { topics, data: "x".into(), id, event_type, retry_ms: stored, ttl_ms, private: false };
            assert_eq!(Update::restore(fields).retry_ms(), read);
        }
    }

    fn entries() -> impl Strategy<Value = Entry> {
        let topics = prop::collection::vec("[^*\\p{C}]{1,20}", 1..5);
        let texts = (topics, "\\PC{0,40}|[\n\t\0é]{1,9}", "([a-z:]{1,20})?", "([a-z:]{1,20})?");
        let number = || prop::option::of(any::<u64>());
        (texts, (number(), number()), any::<bool>(), any::<u64>(), any::<u64>()).prop_map(
            |((topics, data, id, event_type), (retry_ms, ttl_ms), private, offset, time)| {
                let topics = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
                let (id, event_type) = (Some(id), Some(event_type).filter(|name| name != "mercure"));
                let id = id.filter(|id| id != "earliest");
                let retry_ms = retry_ms.map(|retry_ms: u64| retry_ms % (MAX_RETRY_MS + 1));
                let fields = UpdateFields { topics, data, id, event_type, retry_ms, ttl_ms, private };
                let position = Position { epoch: Epoch::from_bits(offset), offset: Offset(offset) };
                Entry::new(position, Timestamp(time), Update::new(fields).unwrap())
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_again(entry in entries(), behind in prop::collection::vec(any::<u8>(), 0..9)) {
            let mut bytes = Vec::new();
            encode(&entry, TOKEN, SEED, &mut bytes);
            prop_assert_eq!(bytes.len(), entry.update.stored_bytes());
            bytes.extend(behind);
            let record = Record::read(&bytes, SEED).unwrap();
            prop_assert_eq!(record.token, TOKEN);
            prop_assert_eq!(record.bytes().len(), entry.update.stored_bytes());
            let expires = entry.update.ttl_ms().map(|ttl| Timestamp(entry.time.0.saturating_add(ttl)));
            prop_assert_eq!(record.expires(), expires);
            prop_assert_eq!(record.found(), Some(Found::Entry(Arc::new(entry))));
        }

        #[test]
        fn what_is_not_whole_is_not_read(entry in entries(), place in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = Vec::new();
            encode(&entry, TOKEN, SEED, &mut bytes);
            prop_assert!(Record::read(&bytes, SEED + 1).is_none(), "the record is from another segment");
            let place = place.index(bytes.len());
            prop_assert!(Record::read(&bytes[..place], SEED).is_none());
            bytes[place] ^= 1_u8 << bit;
            prop_assert!(Record::read(&bytes, SEED).is_none());
        }

        #[test]
        fn what_is_erased_leaves_its_place_and_no_text(entry in entries()) {
            let mut bytes = Vec::new();
            encode(&entry, TOKEN, SEED, &mut bytes);
            let record = Record::read(&bytes, SEED).unwrap();
            let (offset, private) = (entry.position.offset, entry.update.is_private());
            for kind in [Kind::Erased, Kind::Discarded] {
                let mut rest = Vec::new();
                encode_rest(&record, kind, 1, SEED, &mut rest);
                let rest = Record::read(&rest, SEED).unwrap();
                prop_assert_eq!((rest.position, rest.time, rest.token), (record.position, record.time, TOKEN));
                let topics: Box<[Topic]> = entry.update.topics().into();
                let expected = match kind {
                    Kind::Erased => Found::Erased(Erasure { offset, private }),
                    _ => Found::Discarded(Arc::new(Discarded { offset, topics, private })),
                };
                prop_assert_eq!(rest.found(), Some(expected));
                // The record is still found by its ID.
                let own = entry.update.id().map(|id| terms::id(id.as_str(), 1));
                prop_assert_eq!(rest.terms(1).id, own);
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_passed_over() {
        let position = Position { epoch: Epoch::from_bits(1), offset: Offset(1) };
        let body = Body {
            private: false,
            retry_ms: None,
            ttl_ms: None,
            hashed_id: None,
            topics: vec![],
            id: "",
            event_type: "",
            data: "state",
        };
        let mut bytes = Vec::new();
        write(position, Timestamp(1), TOKEN, 99, &body, SEED, &mut bytes);
        let record = Record::read(&bytes, SEED).unwrap();
        assert_eq!((record.found(), record.terms(1), record.expires()), (None, Terms::default(), None));
    }
}
