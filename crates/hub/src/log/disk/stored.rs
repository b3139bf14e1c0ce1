//! How an entry is stored: one record per entry, which says of itself where it belongs and whether it is whole.
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 4 | [`MAGIC`]: no UTF-8 text can hold it, so no record can be forged inside another one's texts |
//! | 4 | length of the record |
//! | 8 | XXH3 of everything behind it |
//! | 8, 8, 8 | offset; time in milliseconds; epoch |
//! | 8 | bytes of all records before this one, so that first and last record tell the size of the log |
//! | 8 | the oldest offset held when it was appended: what has an older one was discarded |
//! | 4, 8 | session and batch in which it was appended: of two records with one offset the later one counts |
//! | 8 | reconnection time in milliseconds |
//! | 1, 1 | flags; unused |
//! | 2, 2, 2 | length of the ID and of the event type (0 is none), number of topics |
//! | 2 per topic, then texts | length of each topic; ID, event type, topics, and what is left is the data |
use crate::{
    entry::{Entry, Timestamp},
    position::{Epoch, Offset, Position},
    topic::Topic,
    update::{Stored, Update},
};
use fanfare_event_stream::{EventId, EventType};
use xxhash_rust::xxh3::xxh3_64;

/// The first bytes of every record; the last of them is the format's version.
pub(crate) const MAGIC: [u8; 4] = [0xff, 0xfa, 0x4e, 1];
/// The bytes of a record before the lengths of its topics.
const FIXED_BYTES: usize = 84;
/// The place where the bytes begin that the checksum covers.
const CHECKED_FROM: usize = 16;
const PRIVATE: u8 = 1;
const RETRY: u8 = 2;

/// What is known of an entry's place besides its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bytes of all records before this one.
    pub(crate) bytes_before: u64,
    /// The oldest offset that the log held.
    pub(crate) oldest: Offset,
    /// Counts how often the log was opened.
    pub(crate) session: u32,
    /// Counts the batches of the session.
    pub(crate) batch: u64,
}

/// A record that was read, and found whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) position: Position,
    pub(crate) time: Timestamp,
    pub(crate) place: Place,
    bytes: &'a [u8],
}

/// The number of bytes that the record of `update` has.
pub(crate) fn len(update: &Update) -> usize {
    let topics: usize = update.topics().iter().map(|topic| 2 + topic.as_str().len()).sum();
    FIXED_BYTES + topics + id_of(update).len() + type_of(update).len() + update.data().len()
}

/// Writes the record of `entry` to `out`, in place of what it held.
///
/// # Panics
/// If the record has 4 GiB or more; the writer takes no such update.
pub(crate) fn encode(entry: &Entry, place: Place, out: &mut Vec<u8>) {
    let update = &entry.update;
    let length = u32::try_from(len(update)).expect("no update is that large");
    let flags = if update.is_private() { PRIVATE } else { 0 } | if update.retry_ms().is_some() { RETRY } else { 0 };
    out.clear();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&entry.position.offset.0.to_le_bytes());
    out.extend_from_slice(&entry.time.0.to_le_bytes());
    out.extend_from_slice(entry.position.epoch.as_str().as_bytes());
    out.extend_from_slice(&place.bytes_before.to_le_bytes());
    out.extend_from_slice(&place.oldest.0.to_le_bytes());
    out.extend_from_slice(&place.session.to_le_bytes());
    out.extend_from_slice(&place.batch.to_le_bytes());
    out.extend_from_slice(&update.retry_ms().unwrap_or(0).to_le_bytes());
    out.extend_from_slice(&[flags, 0]);
    let mut count = |count: usize| {
        let count = u16::try_from(count).expect("an update's limits are below 65,536");
        out.extend_from_slice(&count.to_le_bytes());
    };
    count(id_of(update).len());
    count(type_of(update).len());
    count(update.topics().len());
    update.topics().iter().for_each(|topic| count(topic.as_str().len()));
    let topics = update.topics().iter().map(Topic::as_str);
    for text in [id_of(update), type_of(update)].into_iter().chain(topics).chain([update.data()]) {
        out.extend_from_slice(text.as_bytes());
    }
    let checksum = xxh3_64(&out[CHECKED_FROM..]);
    out[8..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
}

/// The length that the record at the beginning of `bytes` says it has; `None` if there is none.
pub(crate) fn declared_len(bytes: &[u8]) -> Option<usize> {
    let length = bytes.strip_prefix(&MAGIC)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length >= FIXED_BYTES)
}

impl<'a> Record<'a> {
    /// Reads the record at the beginning of `bytes`; `None` unless it is whole.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.get(..declared_len(bytes)?)?;
        let mut fields = Fields(&bytes[8..]);
        if fields.u64()? != xxh3_64(&bytes[CHECKED_FROM..]) {
            return None;
        }
        let offset = Offset(fields.u64()?);
        let time = Timestamp(fields.u64()?);
        let epoch = Epoch::parse(fields.text(Epoch::LEN)?)?;
        let place = Place {
            bytes_before: fields.u64()?,
            oldest: Offset(fields.u64()?),
            session: fields.u32()?,
            batch: fields.u64()?,
        };
        Some(Self { position: Position { epoch, offset }, time, place, bytes })
    }

    /// The number of bytes that it has.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The entry that it stores.
    pub(crate) fn entry(&self) -> Option<Entry> {
        Some(Entry::new(self.position, self.time, self.update()?))
    }

    fn update(&self) -> Option<Update> {
        let mut fields = Fields(&self.bytes[FIXED_BYTES - 16..]);
        let retry_ms = fields.u64()?;
        let [flags, _] = *fields.take(2)? else { return None };
        let (id, event_type, topics) = (fields.u16()?, fields.u16()?, fields.u16()?);
        let lengths = (0..topics).map(|_| fields.u16()).collect::<Option<Vec<_>>>()?;
        let id = Some(fields.text(id)?).filter(|id| !id.is_empty());
        let event_type = Some(fields.text(event_type)?).filter(|event_type| !event_type.is_empty());
        let topic = |length| Topic::new(fields.text(length)?).ok();
        let topics = lengths.into_iter().map(topic).collect::<Option<Box<[_]>>>()?;
        Some(Update::restore(Stored {
            topics,
            data: str::from_utf8(fields.0).ok()?.into(),
            id: id.map(EventId::new).transpose().ok()?,
            event_type: event_type.map(EventType::new).transpose().ok()?,
            retry_ms: (flags & RETRY != 0).then_some(retry_ms),
            ttl_ms: None,
            private: flags & PRIVATE != 0,
        }))
    }
}

/// The bytes of a record that are not read yet.
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
