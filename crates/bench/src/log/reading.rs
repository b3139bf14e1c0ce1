//! Functions that read a log in the same way as catch-up.
use super::workload::{NOW, own_id, topic};
use fanfare_event_stream::EventId;
use fanfare_hub::{
    log::{Log, Query, ReadLimit},
    position::Offset,
};
use std::io;

/// The limit of one read from the log, which is the limit that the hub's catch-up uses.
const LIMIT: ReadLimit = ReadLimit { entries: 512, bytes: 64 << 10 };

/// Reads all entries of one topic from the beginning, and returns their number. `step` is called after each read of the
/// log.
///
/// # Errors
/// If the log cannot be read.
pub fn resume(log: &dyn Log, number: u64, step: impl FnMut()) -> io::Result<u64> {
    let topic = topic(number);
    read(log, Offset::ZERO, Some(std::slice::from_ref(&topic)), step)
}

/// Reads all entries after an offset, and returns their number.
///
/// # Errors
/// If the log cannot be read.
pub fn scan(log: &dyn Log, after: u64, step: impl FnMut()) -> io::Result<u64> {
    read(log, Offset(after), None, step)
}

fn read(
    log: &dyn Log,
    mut after: Offset,
    topics: Option<&[fanfare_hub::topic::Topic]>,
    mut step: impl FnMut(),
) -> io::Result<u64> {
    let mut entries = 0;
    loop {
        let query = Query { after, until: Offset(u64::MAX), topics, now: NOW, limit: LIMIT };
        let read = log.read(&query).map_err(io::Error::other)?;
        step();
        if read.up_to == after {
            return Ok(entries);
        }
        entries += read.entries().count() as u64;
        after = read.up_to;
    }
}

/// Finds the update with this number by its own ID, which its publisher chose.
///
/// # Errors
/// If the log cannot be read, or does not find the update.
pub fn locate(log: &dyn Log, number: u64) -> io::Result<()> {
    let id = EventId::new(own_id(number)).map_err(|error| io::Error::other(format!("{error:?}")))?;
    let found = log.locate(&id, NOW).map_err(io::Error::other)?;
    expect("offset of an own ID", found.held.first().map_or(0, |found| found.offset().0), number)
}

/// Checks that `found` is `expected`: a fast result that is wrong does not count.
///
/// # Errors
/// If the two differ.
pub fn expect(what: &str, found: u64, expected: u64) -> io::Result<()> {
    if found == expected { Ok(()) } else { Err(io::Error::other(format!("{what}: {found} instead of {expected}"))) }
}
