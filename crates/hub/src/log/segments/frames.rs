//! Verifies a segment: its head, and that the frames follow each other and are unchanged.
use super::{
    finding::Flaw,
    frame::{self, Head},
    index_memory::IndexMemory,
    open_files::read_head,
    recovery::{PAGE_BYTES, is_end},
    scan::{Piece, Scan},
    segment::{Seeds, add},
};
use crate::{log::record::Record, position::Offset};
use std::{fs::File, io};

/// The greatest number of flaws of one segment that are reported.
const MAX_FLAWS: usize = super::finding::MAX_FINDINGS;

/// The result of verifying the frames of a segment's file.
pub(super) struct Frames {
    /// The faults, and their byte positions.
    pub(super) flaws: Vec<(u64, Flaw)>,
    pub(super) frames: u64,
    pub(super) records: u64,
    /// The index that the segment should have.
    pub(super) index: IndexMemory,
    /// The position after the last complete frame, or after the head if there is none.
    pub(super) end: u64,
    /// The last offset in the last complete frame.
    pub(super) last: Offset,
}

/// The state of reading a segment frame by frame.
struct Walk<'a> {
    file: &'a File,
    seeds: Seeds,
    found: Frames,
    /// The position where the next frame or record should begin.
    expected: u64,
    /// The frame whose records are being read.
    frame: Option<Current>,
}

/// A frame whose records are being read.
struct Current {
    at: u64,
    head: Head,
    is_whole: bool,
    /// The expected offset of the next record.
    next: Offset,
}

/// Verifies the first `length` bytes of a segment's file: the head of the segment, its frames and its records.
pub(super) fn walk(file: &File, first: Offset, seeds: Seeds, length: u64) -> io::Result<Frames> {
    let index = IndexMemory::new(first);
    let last = Offset(first.0.saturating_sub(1));
    let found = Frames { flaws: Vec::new(), frames: 0, records: 0, index, end: 0, last };
    let mut walk = Walk { file, seeds, found, expected: 0, frame: None };
    walk.head(length)?;
    let mut scan = Scan::new(file, walk.expected..length, seeds.segment);
    let mut is_torn = false;
    while let Some((at, piece)) = scan.next()? {
        match piece {
            // The frame is incomplete, and the length of the file is a multiple of the page size. The system writes
            // whole pages, so the frame was being written when the process ended. It was not acknowledged, so its loss
            // is not a fault.
            Piece::Head(head) if at + head.frame_bytes() > length && length.is_multiple_of(PAGE_BYTES) => {
                walk.reach(at);
                is_torn = true;
                break;
            }
            Piece::Head(head) => walk.begin(at, head)?,
            Piece::Record(record) => walk.record(at, &record),
        }
    }
    walk.end_frame();
    if !is_torn && walk.expected < length && !is_end(file, walk.expected..length)? {
        walk.reach(length);
    }
    walk.found.index.end_at(walk.found.end, Offset::ZERO);
    Ok(walk.found)
}

impl Walk<'_> {
    fn head(&mut self, length: u64) -> io::Result<()> {
        match read_head(self.file)? {
            Some((_, bytes)) => self.expected = bytes as u64,
            None => {
                self.flaw(0, Flaw::SegmentHead);
                // The head is damaged, so its length is not known. The scan finds the first frame or record after the
                // head.
                let mut scan = Scan::new(self.file, 0..length, self.seeds.segment);
                self.expected = scan.next()?.map_or(length, |(at, _)| at);
            }
        }
        self.found.end = self.expected;
        Ok(())
    }

    fn begin(&mut self, at: u64, head: Head) -> io::Result<()> {
        self.end_frame();
        self.reach(at);
        let is_whole = head.has_body_in(self.file, at, self.seeds.segment)?;
        if is_whole {
            self.found.frames += 1;
            (self.found.end, self.found.last) = (at + head.frame_bytes(), head.last());
        } else {
            self.flaw(at, Flaw::Frame);
        }
        self.found.index.end_at(at + head.frame_bytes(), head.oldest);
        self.frame = Some(Current { at, head, is_whole, next: head.first });
        self.expected = at + frame::HEAD_BYTES as u64;
        Ok(())
    }

    fn record(&mut self, at: u64, record: &Record<'_>) {
        self.reach(at);
        self.expected = at + record.bytes().len() as u64;
        self.found.records += 1;
        add(&mut self.found.index, at, record, &self.seeds);
        let (offset, last) = (record.position.offset, record.last());
        match &mut self.frame {
            Some(frame) if frame.is_whole && offset != frame.next => {
                frame.is_whole = false;
                let at = frame.at;
                self.flaw(at, Flaw::Frame);
            }
            Some(frame) => frame.next = last.next(),
            // The record is in a frame whose head is damaged. This damage is reported already.
            None => {}
        }
    }

    /// Ends the current frame, and checks that it has as many bytes and records as its head says.
    fn end_frame(&mut self) {
        let Some(Current { at, head, is_whole, next }) = self.frame.take() else { return };
        let end = at + head.frame_bytes();
        if is_whole && (self.expected != end || next != head.last().next()) {
            self.flaw(at, Flaw::Frame);
        }
        // Damage inside the frame is reported already, so the verification continues after the frame.
        self.expected = self.expected.max(end);
    }

    /// Continues the verification at position `at`. Bytes that are skipped to get there are reported as damaged, unless
    /// they are in a frame that is reported as damaged already.
    fn reach(&mut self, at: u64) {
        let in_damaged =
            self.frame.as_ref().is_some_and(|frame| !frame.is_whole && at < frame.at + frame.head.frame_bytes());
        if at > self.expected && !in_damaged {
            self.flaw(self.expected, Flaw::Stretch { bytes: at - self.expected });
        }
        self.expected = self.expected.max(at);
    }

    fn flaw(&mut self, at: u64, flaw: Flaw) {
        if self.found.flaws.len() < MAX_FLAWS {
            self.found.flaws.push((at, flaw));
        }
    }
}

/// Returns the position after the last frame of a segment whose head has `head_bytes` bytes. `known` is an offset that
/// is in the log. An incomplete frame that ends with a higher offset is ignored, because it may still be being written.
/// An incomplete frame that ends with `known` or a lower offset is damaged, and is not ignored.
pub(super) fn end_of_frames(file: &File, head_bytes: u64, seed: u64, known: Offset) -> io::Result<u64> {
    let mut end = head_bytes;
    let mut scan = Scan::new(file, head_bytes..file.metadata()?.len(), seed);
    while let Some((at, piece)) = scan.next()? {
        if let Piece::Head(head) = piece
            && (head.last() <= known || head.has_body_in(file, at, seed)?)
        {
            end = at + head.frame_bytes();
        }
    }
    Ok(end)
}
