//! Recovery: reads the file of the last segment after an unclean end. Its last frame may be incomplete.
use super::{
    file,
    frame::{self, Head},
    index_memory::IndexMemory,
    scan::{Piece, Scan},
    segment::{Seeds, add},
};
use crate::position::Offset;
use std::{fs::File, io, ops::Range};

/// The size of a page of a file. The system writes whole pages, so a write that was interrupted, because its process
/// was killed or the disk was full, ends at the end of a page. A file that ends elsewhere was cut later.
pub(super) const PAGE_BYTES: u64 = 4 << 10;

/// The end of the last segment of a log that did not end cleanly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// The last offset according to the head of the last frame, even if records of this frame are damaged.
    pub(super) named: Offset,
    /// True if updates with unknown offsets are missing, or may be missing, after the last frame: there is damaged data
    /// after it, or the file was cut.
    pub(super) has_more: bool,
}

/// Reads the last segment to its end.
///
/// If the last frame is incomplete, the length of the file says why. The system writes whole pages, so a multiple of
/// [`PAGE_BYTES`] means that the process ended while it wrote the frame. The frame was not acknowledged, and is
/// ignored. Another length means that the file was cut later: the offsets of the frame are missing, and so may be
/// frames after it. If a frame has the right length and a wrong checksum, the offsets of its damaged records are
/// missing.
pub(super) fn recover(file: &File, first: Offset, seeds: &Seeds) -> io::Result<(IndexMemory, Ending)> {
    let length = file.metadata()?.len();
    let mut index = IndexMemory::new(first);
    let mut last: Option<(u64, Head)> = None;
    let mut end = length;
    let mut scan = Scan::new(file, 0..length, seeds.segment);
    while let Some((at, piece)) = scan.next()? {
        match piece {
            Piece::Head(head) if at + head.frame_bytes() > length && length.is_multiple_of(PAGE_BYTES) => {
                end = at;
                break;
            }
            Piece::Head(head) => {
                index.end_at(at + head.frame_bytes(), head.oldest);
                last = Some((at, head));
            }
            Piece::Record(record) => add(&mut index, at, &record, seeds),
        }
    }
    let behind = last.map_or(0, |(at, head)| at + head.frame_bytes());
    let before = Offset(first.0.saturating_sub(1));
    let named = last.map_or(before, |(_, head)| head.last());
    let has_more = match last {
        // There is no frame. Data after the segment's head can only be what is left of lost frames.
        None => has_more_than_head(file, end)?,
        // The file was cut in this frame. Nothing says how many frames came after it.
        Some(_) if end < behind => true,
        Some(_) => behind < end && !is_end(file, behind..end)?,
    };
    index.end_at(if has_more { end } else { behind.min(end) }, Offset::ZERO);
    Ok((index, Ending { named, has_more }))
}

fn has_more_than_head(file: &File, end: u64) -> io::Result<bool> {
    match super::open_files::read_head(file)? {
        Some((_, bytes)) => Ok(!is_end(file, bytes as u64..end)?),
        None => Ok(end > 0),
    }
}

/// True if nothing was written to this part of the file, or only a part of a frame's head, which was being written when
/// the process ended.
pub(super) fn is_end(file: &File, stretch: Range<u64>) -> io::Result<bool> {
    let is_torn = stretch.end.is_multiple_of(PAGE_BYTES) && stretch.end - stretch.start < frame::HEAD_BYTES as u64;
    Ok(is_torn || is_zero(file, stretch)?)
}

fn is_zero(file: &File, mut stretch: Range<u64>) -> io::Result<bool> {
    let mut buffer = vec![0; 64 << 10];
    while stretch.start < stretch.end {
        let wanted = buffer.len().min(usize::try_from(stretch.end - stretch.start).unwrap_or(usize::MAX));
        let read = file::read_at(file, &mut buffer[..wanted], stretch.start)?;
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if read < wanted {
            break;
        }
        stretch.start += read as u64;
    }
    Ok(true)
}
