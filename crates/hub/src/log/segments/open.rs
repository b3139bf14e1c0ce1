//! Opens a log. The files are used as they are: nothing is repaired, moved or cut off. Missing entries leave a hole in
//! the sequence of offsets, and a reader that reaches the hole is told of a gap.
use super::{
    directory::{Directory, Kind},
    end_mark::EndMark,
    erase::read_erased,
    head::{LogId, SegmentHead},
    identity,
    index::Index,
    index_file::{Ids, IndexFile},
    index_memory::IndexMemory,
    open_files::read_head,
    presence_file,
    recovery::{Ending, recover},
    scan::{Piece, Scan},
    segment::{Seeds, Segment, index_of},
    store::{Held, Settings, Store, Tally},
};
use crate::{
    entry::Timestamp,
    log::{Bounds, Epochs, LogError, Retention},
    position::{Epoch, Offset},
};
use std::{
    collections::{HashSet, VecDeque},
    fs::File,
    io,
    path::Path,
    sync::Arc,
};

/// The state in which the log was when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// True if the last process that appended to the log has recorded where the log ended.
    pub was_clean: bool,
    /// The first and the last offset that are missing at the end of the log; `None` if none is missing at the end. A
    /// subscriber that resumes before the first of them is told of a gap.
    pub missing: Option<(Offset, Offset)>,
}

/// A segment whose content was not read yet, except its head.
struct Unread {
    first: Offset,
    /// The opened file; `None` if something else, such as a directory, has the name of the segment.
    file: Option<File>,
    head: Option<SegmentHead>,
}

/// The facts about the end of the log.
struct End {
    head: Offset,
    oldest: Offset,
    epochs: Vec<(Epoch, Offset)>,
    recovery: Recovery,
}

/// Opens the log in a directory, to write to it.
pub(super) fn open(path: &Path, retention: Retention, settings: Settings) -> Result<(Store, Recovery), LogError> {
    let directory = Directory::open(path)?;
    let unread = unread(&directory)?;
    let log = match identity::read(&directory, unread.iter().filter_map(|segment| segment.head.as_ref()))? {
        Some(log) => log,
        None => identity::create(&directory)?,
    };
    load(directory, log, unread, (retention, settings))
}

/// Opens the log in a directory only to read, even while another process writes to it; `None` if there is no log.
pub(super) fn look_into(path: &Path) -> Result<Option<(Store, Recovery)>, LogError> {
    let directory = Directory::look_into(path)?;
    let unread = unread(&directory)?;
    let heads = unread.iter().filter_map(|segment| segment.head.as_ref());
    let Some(log) = identity::read(&directory, heads)? else { return Ok(None) };
    let settings = Settings { segment_bytes: super::SEGMENT_BYTES };
    load(directory, log, unread, (Retention::default(), settings)).map(Some)
}

fn unread(directory: &Directory) -> io::Result<Vec<Unread>> {
    let mut unread = Vec::new();
    for (first, is_file) in directory.segments(Kind::Log)? {
        if !is_file {
            unread.push(Unread { first, file: None, head: None });
            continue;
        }
        match File::open(directory.file(first, Kind::Log)) {
            Ok(file) => {
                let head = read_head(&file)?.map(|(head, _)| head).filter(|head| head.first == first);
                unread.push(Unread { first, file: Some(file), head });
            }
            // Retention has removed the segment meanwhile, so it is left out.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(unread)
}

fn load(
    directory: Directory,
    log: LogId,
    unread: Vec<Unread>,
    (retention, settings): (Retention, Settings),
) -> Result<(Store, Recovery), LogError> {
    let heads: Vec<_> =
        unread.iter().filter_map(|segment| segment.head.clone()).filter(|head| head.log == log).collect();
    let session = heads.iter().map(|head| head.session).max().unwrap_or(0) + 1;
    let mark = EndMark::read(&directory)?.filter(|mark| mark.log == log);
    let newest = unread.last().map_or(Offset::ZERO, |segment| segment.first);
    // A mark is outdated if a process has appended since. Then there is a newer segment than the one that the mark
    // names, or that one was empty and was replaced. In both cases the newest segment has an epoch that the mark does
    // not know.
    let begun = unread.last().and_then(|segment| segment.head.as_ref()).filter(|head| head.log == log);
    let begun = begun.and_then(|head| head.epochs.last());
    let knows = |mark: &EndMark| begun.is_none_or(|(epoch, _)| mark.epochs.iter().any(|(known, _)| known == epoch));
    let mark = mark.filter(|mark| mark.last_segment >= newest && knows(mark));
    let mut segments = VecDeque::new();
    let mut ending = None;
    let firsts: Vec<_> = unread.iter().map(|segment| segment.first).collect();
    for (number, Unread { first, file, head }) in unread.into_iter().enumerate() {
        let generation = head.filter(|head| head.log == log).map_or(0, |head| head.generation);
        let seeds = Seeds::of(&log, first);
        let (segment, its_ending) = match file {
            Some(file) => read_segment(&directory, (first, generation), &file, seeds, firsts.get(number + 1).copied())?,
            None => unreadable(first, seeds),
        };
        match read_erased(&directory, first, generation, &seeds)? {
            Some(erased) => {
                let mut state = segment.state_mut();
                // It is not known when the entries were erased. They are treated as erased long ago, so that they are
                // soon removed from disk.
                state.dead_since = if erased.is_empty() { state.dead_since } else { Timestamp(0) };
                state.erased = erased;
            }
            None => warn_of_withheld(&directory, &segment),
        }
        segments.push_back(Arc::new(segment));
        ending = its_ending;
    }
    let end = end_of(&log, &segments, &heads, mark, ending);
    let End { head, oldest, epochs, recovery } = end;
    let mut epochs = Epochs::from_vec(epochs);
    epochs.forget(oldest);
    let tally = tally(&segments, oldest, &directory)?;
    let bounds = Bounds { oldest, head, held: 0, presence: 0 };
    let presence = presence_file::read(&directory, &log, retention.presence, (&bounds, &epochs))?;
    let old_ids = old_ids(&directory, &log, &segments)?;
    let mut held = Held { segments, bounds, tally, old_ids };
    held.set_tally(tally);
    let store = Store::new(directory, (log, session), (retention, settings), epochs, (held, presence));
    Ok((store, recovery))
}

/// Reads a segment's index, or makes it by a scan. `next` is the first offset of the next segment, if there is one.
fn read_segment(
    directory: &Directory,
    (first, generation): (Offset, u32),
    file: &File,
    seeds: Seeds,
    next: Option<Offset>,
) -> io::Result<(Segment, Option<Ending>)> {
    let beside = File::open(directory.file(first, Kind::Index));
    let known = beside.ok().and_then(|beside| IndexFile::open(&beside, first, seeds.index(generation)).ok());
    if let Some((index, summary)) = known {
        return Ok((Segment::new(first, generation, seeds, Index::File(index), summary), None));
    }
    let Some(next) = next else {
        let (index, ending) = recover(file, first, &seeds)?;
        let summary = *index.summary();
        return Ok((Segment::new(first, generation, seeds, Index::Memory(index), summary), Some(ending)));
    };
    let index = index_of(file, (first, next), file.metadata()?.len(), &seeds)?;
    let segment = Segment::new(first, generation, seeds, Index::Missing, *index.summary());
    if !directory.is_locked() {
        return Ok((segment, None));
    }
    let written = segment.write_ids(directory, &index).and_then(|()| segment.write_index(directory, &index));
    match written {
        Ok(index) => segment.state_mut().index = Index::File(index),
        Err(error) => {
            tracing::warn!(%error, "the index of a segment cannot be written: the segment is read without an index");
        }
    }
    Ok((segment, None))
}

/// Returns the segment for a name that belongs to something that is not a file, such as a directory. Readers are told
/// that all its updates are lost.
fn unreadable(first: Offset, seeds: Seeds) -> (Segment, Option<Ending>) {
    let index = IndexMemory::new(first);
    let summary = *index.summary();
    let segment = Segment::new(first, 0, seeds, Index::Memory(index), summary);
    segment.state_mut().is_withheld = true;
    (segment, Some(Ending { named: Offset(first.0 - 1), has_more: true }))
}

/// Withholds a segment from readers, because its list of erased updates is damaged, and logs an error about it.
fn warn_of_withheld(directory: &Directory, segment: &Segment) {
    let file = directory.file(segment.first, Kind::Erased);
    tracing::error!(
        "{} is damaged. It lists the erased updates. Without this list, erased updates would be sent again, so the \
         hub treats the whole segment as lost. Restore the file; or remove it if erased updates may be sent again",
        file.display()
    );
    segment.state_mut().is_withheld = true;
}

/// Finds where the log ends, and which offsets are missing there.
fn end_of(
    log: &LogId,
    segments: &VecDeque<Arc<Segment>>,
    heads: &[SegmentHead],
    mark: Option<EndMark>,
    ending: Option<Ending>,
) -> End {
    let summary = segments.back().map(|segment| segment.summary());
    let last_record = summary.map_or(Offset::ZERO, |summary| Offset(summary.end.0 - 1));
    let named = ending.map_or(last_record, |ending| last_record.max(ending.named));
    let oldest_noted =
        segments.iter().map(|segment| segment.summary().oldest).max().unwrap_or(Offset(1)).max(Offset(1));
    let first = segments.front().map_or(Offset(1), |segment| segment.first);
    if let Some(mark) = mark {
        let head = mark.head.max(named);
        let oldest = mark.oldest.max(oldest_noted).max(first.min(head.next())).min(head.next());
        let missing = (last_record < head && oldest <= head).then(|| (last_record.next().max(oldest), head));
        return End { head, oldest, epochs: mark.epochs, recovery: Recovery { was_clean: true, missing } };
    }
    let mut epochs = epochs_of(log, heads);
    // There is no end mark, so the log has not ended cleanly. Until a clean end, the index of a segment is written only
    // when the next segment has begun. So if the last segment has an index, the next segment is missing, and the last
    // offset of the missing segment is unknown.
    let is_sealed = summary.is_some() && ending.is_none();
    let leaves_out = is_sealed || ending.is_some_and(|ending| ending.has_more);
    let head = if leaves_out { named.next() } else { named };
    if leaves_out {
        epochs.push((identity::lost_epoch(log, head.0), head));
    }
    let oldest = oldest_noted.max(first).min(head.next());
    let missing = (last_record < head).then(|| (last_record.next(), head));
    End { head, oldest, epochs, recovery: Recovery { was_clean: false, missing } }
}

/// Returns the epochs that are in the heads of the segments, and the first epoch of the log. The head of a segment has
/// the newest epochs that the log had when the segment began.
fn epochs_of(log: &LogId, heads: &[SegmentHead]) -> Vec<(Epoch, Offset)> {
    let mut epochs = vec![(identity::base_epoch(log), Offset(1))];
    let mut known: HashSet<Epoch> = epochs.iter().map(|(epoch, _)| *epoch).collect();
    for (epoch, first) in heads.iter().flat_map(|head| &head.epochs) {
        if known.insert(*epoch) {
            epochs.push((*epoch, *first));
        }
    }
    epochs
}

/// Returns the amounts of the records of a log that begins with the offset `oldest`.
fn tally(segments: &VecDeque<Arc<Segment>>, oldest: Offset, directory: &Directory) -> io::Result<Tally> {
    // A segment that retention has removed may be there again, after a power failure or in a copy that was made
    // meanwhile. It does not count.
    let before = segments.partition_point(|segment| segment.first <= oldest).saturating_sub(1);
    let segment = segments.get(before).map_or(Offset::ZERO, |begins| begins.first);
    let mut tally = Tally { segment, ..Tally::default() };
    for segment in segments.iter().skip(before) {
        let (summary, amounts) = (segment.summary(), segment.summary().amounts(segment.first));
        tally.stored += amounts;
        if summary.end <= oldest {
            tally.passed += amounts;
        } else if segment.first < oldest {
            let file = File::open(directory.file(segment.first, Kind::Log))?;
            let mut scan = Scan::new(&file, 0..summary.log_bytes, segment.seeds.segment);
            while let Some((_, piece)) = scan.next()? {
                match piece {
                    Piece::Record(record) if record.position.offset >= oldest => break,
                    Piece::Record(record) if record.is_of_presence() => {
                        tally.passed.presence += record.last().next().min(oldest).0 - record.position.offset.0;
                    }
                    Piece::Record(record) => {
                        tally.passed.entries += 1;
                        tally.passed.bytes += record.bytes().len() as u64;
                    }
                    Piece::Head(_) => {}
                }
            }
        }
    }
    Ok(tally)
}

/// Reads the files with the hashes of publishers' IDs of segments that retention has removed.
fn old_ids(
    directory: &Directory,
    log: &LogId,
    segments: &VecDeque<Arc<Segment>>,
) -> io::Result<VecDeque<(Offset, Ids)>> {
    let held: HashSet<Offset> = segments.iter().map(|segment| segment.first).collect();
    let gone = directory.segments(Kind::Ids)?.into_iter().filter(|(first, is_file)| *is_file && !held.contains(first));
    let read = |(first, _): (Offset, bool)| {
        let file = File::open(directory.file(first, Kind::Ids)).ok()?;
        Some((first, Ids::open(&file, Seeds::of(log, first).ids()).ok()?))
    };
    Ok(gone.filter_map(read).collect())
}
