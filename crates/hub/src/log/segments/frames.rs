//! Verifying a segment: its head, and that frame follows frame, each as it was written.
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

/// The most flaws of one segment that are kept.
const MAX_FLAWS: usize = super::finding::MAX_FINDINGS;

/// The content of a segment's file.
pub(super) struct Frames {
    /// The faults, and where they are.
    pub(super) flaws: Vec<(u64, Flaw)>,
    pub(super) frames: u64,
    pub(super) records: u64,
    /// The index as it should be.
    pub(super) index: IndexMemory,
    /// The place behind the last frame that is whole, or behind the head.
    pub(super) end: u64,
    /// The last offset that such a frame has.
    pub(super) last: Offset,
}

/// A walk from frame to frame.
struct Walk<'a> {
    file: &'a File,
    seeds: Seeds,
    found: Frames,
    /// The place where the next piece should be.
    expected: u64,
    /// The frame whose records are read.
    frame: Option<Current>,
}

/// A frame whose records are read.
struct Current {
    at: u64,
    head: Head,
    is_whole: bool,
    /// The offset of its next record.
    next: Offset,
}

/// Walks through the first `length` bytes of a segment's file.
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
            // Nobody was told of what was being written when the process ended.
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
                // Where it ends is not known. What follows it is found.
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
        let offset = record.position.offset;
        match &mut self.frame {
            Some(frame) if frame.is_whole && offset != frame.next => {
                frame.is_whole = false;
                let at = frame.at;
                self.flaw(at, Flaw::Frame);
            }
            Some(frame) => frame.next = frame.next.next(),
            // Its frame has no head any more, which is told.
            None => {}
        }
    }

    /// Ends the frame whose records were read: it has as many bytes and records as it says.
    fn end_frame(&mut self) {
        let Some(Current { at, head, is_whole, next }) = self.frame.take() else { return };
        let end = at + head.frame_bytes();
        if is_whole && (self.expected != end || next != head.last().next()) {
            self.flaw(at, Flaw::Frame);
        }
        // What is damaged in it is told.
        self.expected = self.expected.max(end);
    }

    /// Goes on at `at`. Bytes that were passed over on the way are damaged, unless they are part of a damaged frame.
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

/// Returns the place behind the last frame of a segment whose head has so many bytes. A frame counts if it is whole, or
/// if it has no offset behind `known`: then it is damaged, and not under way.
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
