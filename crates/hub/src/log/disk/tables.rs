//! The tables of the log and what is done to them inside a transaction.
use super::superblock::Superblock;
use crate::{
    entry::{Entry, Timestamp},
    log::{
        ReadLimit, Retention,
        disk::stored::{self, Place, Record},
    },
    position::Offset,
};
use fanfare_event_stream::EventId;
use redb::{Error, ReadTransaction, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use std::{ops::RangeInclusive, sync::Arc};

/// Offset to record. All that an append writes if no publisher chose an ID.
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
/// Publishers' own IDs, each with the offset at which it stands: the oldest one comes first.
const IDS: TableDefinition<'_, (&str, u64), ()> = TableDefinition::new("ids");
/// One row.
const SUPERBLOCK: TableDefinition<'_, (), &[u8]> = TableDefinition::new("superblock");

/// What the log holds, as its last committed state says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) oldest: Offset,
    pub(super) head: Offset,
    /// The number of entries: fewer than offsets if damage has torn holes.
    pub(super) count: u64,
    /// The bytes of all records ever appended before the oldest one.
    pub(super) first_byte: u64,
    /// The bytes of all records ever appended.
    pub(super) end_byte: u64,
    /// The time when the oldest entry was appended.
    pub(super) oldest_time: Timestamp,
}

impl Extent {
    /// The extent of a log without entries.
    pub(super) fn empty(head: Offset) -> Self {
        Self { oldest: head.next(), head, count: 0, first_byte: 0, end_byte: 0, oldest_time: Timestamp::default() }
    }

    /// True if the oldest entry has to go.
    pub(super) fn exceeds(&self, retention: &Retention, now: Timestamp) -> bool {
        self.count > 0
            && (retention.count.is_some_and(|limit| self.count > limit)
                || retention.bytes.is_some_and(|limit| self.end_byte - self.first_byte > limit)
                || retention.age_ms.is_some_and(|limit| now.0.saturating_sub(self.oldest_time.0) > limit))
    }
}

/// Makes the tables of a log, or replaces its superblock.
pub(super) fn put_superblock(transaction: &WriteTransaction, superblock: &Superblock) -> Result<(), Error> {
    transaction.open_table(ENTRIES)?;
    transaction.open_table(IDS)?;
    transaction.open_table(SUPERBLOCK)?.insert((), &*superblock.encode())?;
    Ok(())
}

/// Reads what the log is and holds.
pub(super) fn load(transaction: &ReadTransaction) -> Result<(Superblock, Extent), Error> {
    transaction.open_table(IDS)?;
    let block = transaction.open_table(SUPERBLOCK)?.get(())?;
    let superblock = block.and_then(|block| Superblock::read(block.value())).ok_or_else(|| corrupt("superblock"))?;
    let entries = transaction.open_table(ENTRIES)?;
    let mut extent = Extent::empty(superblock.head);
    extent.count = entries.len()?;
    if let (Some((first, record)), Some((last, end))) = (entries.first()?, entries.last()?) {
        begin_at(&mut extent, first.value(), whole(first.value(), record.value())?);
        let end = whole(last.value(), end.value())?;
        extent.head = extent.head.max(Offset(last.value()));
        extent.end_byte = end.place.bytes_before + end.len() as u64;
    }
    Ok((superblock, extent))
}

/// Appends `batch` behind the head, and its records to `records`.
pub(super) fn append(
    transaction: &WriteTransaction,
    batch: &[Arc<Entry>],
    (session, number): (u32, u64),
    extent: &mut Extent,
    records: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut record = Vec::new();
    let mut entries = transaction.open_table(ENTRIES)?;
    let oldest = extent.oldest;
    for entry in batch {
        let place = Place { bytes_before: extent.end_byte, oldest, session, batch: number };
        stored::encode(entry, place, &mut record);
        entries.insert(entry.position.offset.0, &*record)?;
        records.extend_from_slice(&record);
        if extent.count == 0 {
            extent.oldest = entry.position.offset;
            extent.oldest_time = entry.time;
        }
        extent.head = entry.position.offset;
        extent.count += 1;
        extent.end_byte += record.len() as u64;
    }
    if batch.iter().any(|entry| entry.update.id().is_some()) {
        let mut ids = transaction.open_table(IDS)?;
        for (id, entry) in batch.iter().filter_map(|entry| Some((entry.update.id()?, entry))) {
            ids.insert((id.as_str(), entry.position.offset.0), ())?;
        }
    }
    Ok(())
}

/// Discards the oldest entries as long as retention asks for it, but no more than `budget`. Returns how many.
pub(super) fn discard(
    transaction: &WriteTransaction,
    (retention, now): (&Retention, Timestamp),
    budget: usize,
    extent: &mut Extent,
) -> Result<usize, Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let mut ids: Option<Table<'_, (&str, u64), ()>> = None;
    let mut discarded = 0;
    while discarded < budget && extent.exceeds(retention, now) {
        let Some((offset, record)) = entries.pop_first()? else { break };
        if let Some(id) = own_id(record.value()) {
            let ids = match &mut ids {
                Some(ids) => ids,
                None => ids.insert(transaction.open_table(IDS)?),
            };
            ids.remove((id.as_str(), offset.value()))?;
        }
        drop((offset, record));
        discarded += 1;
        extent.count -= 1;
        match entries.first()? {
            // What is damaged has no time and no size of its own: it goes with what stood before it.
            Some((first, record)) => match whole(first.value(), record.value()) {
                Ok(record) => begin_at(extent, first.value(), record),
                Err(_) => (extent.oldest, extent.oldest_time) = (Offset(first.value()), Timestamp::default()),
            },
            None => (extent.oldest, extent.first_byte) = (extent.head.next(), extent.end_byte),
        }
    }
    Ok(discarded)
}

/// Removes what a batch has left that failed and yet was committed. Nobody was told of it.
pub(super) fn cut(transaction: &WriteTransaction, head: Offset) -> Result<(), Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let mut ids = transaction.open_table(IDS)?;
    loop {
        let last = entries.last()?.map(|(offset, record)| (offset.value(), own_id(record.value())));
        let Some((offset, id)) = last.filter(|(offset, _)| *offset > head.0) else { return Ok(()) };
        entries.remove(offset)?;
        if let Some(id) = id {
            ids.remove((id.as_str(), offset))?;
        }
    }
}

/// Entries at `offsets`, without holes from the first one on. A record that is not whole is a hole.
pub(super) fn read(
    transaction: &ReadTransaction,
    offsets: RangeInclusive<u64>,
    limit: ReadLimit,
) -> Result<Vec<Arc<Entry>>, Error> {
    let mut run: Vec<Arc<Entry>> = Vec::new();
    let (mut bytes, mut is_empty) = (0, true);
    let entries = transaction.open_table(ENTRIES)?;
    for row in entries.range(offsets.clone())? {
        let (offset, record) = row?;
        let (offset, record) = (offset.value(), record.value());
        is_empty = false;
        bytes += record.len();
        let last = run.last().map(|entry| entry.position.offset.0);
        if last.is_some_and(|last| offset != last + 1 || run.len() >= limit.entries || bytes > limit.bytes) {
            break;
        }
        match whole(offset, record).ok().and_then(|record| record.entry()) {
            Some(entry) => run.push(Arc::new(entry)),
            None => {
                tracing::error!(offset, "an entry of the log is damaged: its readers are told of a gap");
                if last.is_some() {
                    break;
                }
                bytes = 0;
            }
        }
    }
    // A damaged page may lead past entries that are there.
    if is_empty && entries.last()?.is_some_and(|(last, _)| offsets.contains(&last.value())) {
        return Err(corrupt("the tree of entries"));
    }
    Ok(run)
}

/// The first of `offsets` that has this ID. The index has no checksums of its own, so its word is not taken for it: a
/// place where another entry stands would lead a subscriber astray without a word.
pub(super) fn locate(
    transaction: &ReadTransaction,
    id: &EventId,
    offsets: RangeInclusive<u64>,
) -> Result<Option<Offset>, Error> {
    let range = (id.as_str(), *offsets.start())..=(id.as_str(), *offsets.end());
    let entries = transaction.open_table(ENTRIES)?;
    for row in transaction.open_table(IDS)?.range(range)? {
        let offset = row?.0.value().1;
        if entries.get(offset)?.and_then(|record| own_id(record.value())).as_ref() == Some(id) {
            return Ok(Some(Offset(offset)));
        }
        tracing::error!(offset, "the index of IDs is damaged");
    }
    Ok(None)
}

fn begin_at(extent: &mut Extent, offset: u64, record: Record<'_>) {
    extent.oldest = Offset(offset);
    extent.oldest_time = record.time;
    extent.first_byte = record.place.bytes_before;
}

fn own_id(record: &[u8]) -> Option<EventId> {
    Record::read(record)?.entry()?.update.id().cloned()
}

fn whole(offset: u64, record: &[u8]) -> Result<Record<'_>, Error> {
    Record::read(record)
        .filter(|record| record.position.offset.0 == offset)
        .ok_or_else(|| corrupt(&format!("the entry {offset}")))
}

pub(super) fn corrupt(what: &str) -> Error {
    Error::Corrupted(format!("{what} does not match its checksum"))
}
