//! Verifies the files beside a segment: its index, the hashes of IDs, and the list of erased updates.
use super::{
    blocks,
    directory::{Directory, Kind},
    erase::read_erased,
    finding::Flaw,
    index_file::{self, Ids, IndexFile},
    index_memory::IndexMemory,
    segment::Seeds,
};
use crate::{log::terms::Term, position::Offset};
use std::{fs::File, io, ops::Range};

/// The greatest number of rewrites of a segment after which an older index file is recognised as outdated. An index
/// file that missed more rewrites is reported as damaged.
const MAX_EARLIER: u32 = 1_000;

/// The byte position of a flaw in its file, and the flaw.
pub(super) type Placed = (u64, Flaw);

/// Opens the file of this kind beside a segment; `None` if there is none.
pub(super) fn open(directory: &Directory, first: Offset, kind: Kind) -> io::Result<Option<File>> {
    match File::open(directory.file(first, kind)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Verifies an index file of a segment. If the index that the segment should have is known, it is `expected`, and is
/// compared with the file.
pub(super) fn index(
    file: &File,
    (first, generation, seeds): (Offset, u32, &Seeds),
    expected: Option<&IndexMemory>,
) -> io::Result<Vec<Placed>> {
    let seed = seeds.index(generation);
    // An index from before the segment was rewritten is ignored; the hub makes a new one.
    let earlier = generation.saturating_sub(MAX_EARLIER)..generation;
    if earlier.rev().any(|earlier| IndexFile::open(file, first, seeds.index(earlier)).is_ok()) {
        return Ok(Vec::new());
    }
    let length = file.metadata()?.len();
    let mut flaws = damaged_blocks(file, 0..length, seed)?;
    let Some(expected) = expected.filter(|_| flaws.is_empty()) else { return Ok(flaws) };
    let payload = index_file::payload(expected, first);
    let mut place = 0;
    blocks::visit(file, 0..length, seed, |at, block| {
        let Some(block) = block else { return };
        let same = payload.get(place..place + block.len()).is_some_and(|wanted| is_same(block, wanted, place));
        place += block.len();
        if !same && flaws.is_empty() {
            flaws.push((at, Flaw::IndexDiffers));
        }
    })?;
    if place != payload.len() && flaws.is_empty() {
        flaws.push((0, Flaw::IndexDiffers));
    }
    Ok(flaws)
}

/// True if `block`, the part of an index file at position `place`, is equal to the expected part `wanted`. Two fields
/// are not compared, because they depend on the time when the index was written: the position where the frames end,
/// which may be before or after zeros at the end of the segment, and the oldest offset of the log.
fn is_same(block: &[u8], wanted: &[u8], place: usize) -> bool {
    let mut ignored = index_file::BY_WRITER.into_iter().flatten().filter(|_| place == 0);
    block == wanted
        || block.iter().zip(wanted).enumerate().all(|(at, (is, wanted))| is == wanted || ignored.any(|free| free == at))
}

/// Verifies the file with the hashes of IDs, and that it includes the hashes of all IDs in the segment.
pub(super) fn ids(file: &File, seeds: &Seeds, in_segment: Option<&IndexMemory>) -> io::Result<Vec<Placed>> {
    let length = file.metadata()?.len();
    let flaws = damaged_blocks(file, 0..length, seeds.ids())?;
    if !flaws.is_empty() {
        return Ok(flaws);
    }
    let differs = vec![(0, Flaw::IdsDiffer)];
    let Ok(table) = Ids::open(file, seeds.ids()) else { return Ok(differs) };
    let wanted: Vec<(Term, u32)> = in_segment.map(IndexMemory::ids).unwrap_or_default();
    match table.holds(file, &wanted) {
        Ok(true) => Ok(Vec::new()),
        _ => Ok(differs),
    }
}

/// Verifies the list of erased updates of a segment. `end` is the offset after the last record of the segment, if it is
/// known.
pub(super) fn erased(
    directory: &Directory,
    file: &File,
    (first, generation, seeds): (Offset, u32, &Seeds),
    end: Option<Offset>,
) -> io::Result<Vec<Placed>> {
    let Some(erased) = read_erased(directory, first, generation, seeds)? else {
        return Ok(vec![(0, Flaw::ErasedLost)]);
    };
    let length = file.metadata()?.len();
    let halves = [0..length / 2, length / 2..length];
    let look = |generation: u32| {
        let each = halves.clone().map(|half| damaged_blocks(file, half, seeds.erased(generation)));
        each.into_iter().collect::<io::Result<Vec<_>>>().map(|flaws| flaws.concat())
    };
    let mut flaws = look(generation)?;
    // The list may be from before the segment was rewritten. Readers ignore this list, but it is verified with the seed
    // with which it was written.
    if !flaws.is_empty() && generation > 0 && erased.is_empty() {
        flaws = look(generation - 1)?;
    }
    let is_in_order = erased.is_sorted_by(|one, next| one < next);
    let is_in_segment = |end: Offset| erased.iter().all(|offset| (first..end).contains(offset));
    if flaws.is_empty() && !(is_in_order && end.is_none_or(is_in_segment)) {
        flaws.push((0, Flaw::ErasedDiffers));
    }
    Ok(flaws)
}

fn damaged_blocks(file: &File, stretch: Range<u64>, seed: u64) -> io::Result<Vec<Placed>> {
    let (mut flaws, mut is_empty) = (Vec::new(), true);
    let at_least = stretch.start;
    blocks::visit(file, stretch, seed, |at, block| {
        is_empty = false;
        if block.is_none() && flaws.len() < super::finding::MAX_FINDINGS {
            flaws.push((at, Flaw::Block));
        }
    })?;
    if is_empty {
        flaws.push((at_least, Flaw::Block));
    }
    Ok(flaws)
}
