//! The scan: visits the complete heads of frames and the complete records in a part of a segment, and skips everything
//! else. Reading, recovery and verification all use it.
use super::{
    file,
    frame::{self, Head},
};
use crate::log::record::{self, Record};
use std::{fs::File, io, ops::Range};

/// The number of bytes that are read at a time.
const READ_BYTES: usize = 64 << 10;
/// The first byte of the heads and records that a scan looks for. No UTF-8 text contains it.
const MARK: u8 = frame::MAGIC[0];

/// A part of a segment that a scan found: the head of a frame, or a record.
pub(super) enum Piece<'a> {
    Head(Head),
    Record(Record<'a>),
}

/// A scan of a part of a segment's file.
pub(super) struct Scan<'a> {
    file: &'a File,
    seed: u64,
    /// The part of the file that is still to be read.
    rest: Range<u64>,
    buffer: Vec<u8>,
    /// The index in the buffer of the first byte that was not examined yet.
    begin: usize,
}

/// The result of examining some bytes: what they begin with.
enum Seen {
    Head(Head),
    Record(usize),
    Nothing,
    /// More bytes are needed to know what they begin with. The number is how many bytes there must be in all.
    Needs(usize),
}

impl<'a> Scan<'a> {
    pub(super) fn new(file: &'a File, stretch: Range<u64>, seed: u64) -> Self {
        Self { file, seed, rest: stretch, buffer: Vec::new(), begin: 0 }
    }

    /// Returns the next complete head of a frame, or the next complete record, and its position in the file; `None` at
    /// the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Piece<'_>)>> {
        let seen = loop {
            let bytes = &self.buffer[self.begin..];
            let Some(skipped) = bytes.iter().position(|byte| *byte == MARK) else {
                self.begin = self.buffer.len();
                if !self.read_on(1)? {
                    return Ok(None);
                }
                continue;
            };
            self.begin += skipped;
            match look(&self.buffer[self.begin..], self.seed) {
                Seen::Needs(bytes) if self.read_on(bytes)? => {}
                Seen::Nothing | Seen::Needs(_) => self.begin += 1,
                seen => break seen,
            }
        };
        let (at, begin) = (self.place(), self.begin);
        Ok(match seen {
            Seen::Head(head) => {
                self.begin += frame::HEAD_BYTES;
                Some((at, Piece::Head(head)))
            }
            Seen::Record(bytes) => {
                self.begin += bytes;
                Record::read(&self.buffer[begin..self.begin], self.seed).map(|record| (at, Piece::Record(record)))
            }
            Seen::Nothing | Seen::Needs(_) => None,
        })
    }

    /// The position in the file of the first byte that was not examined yet.
    fn place(&self) -> u64 {
        self.rest.start - (self.buffer.len() - self.begin) as u64
    }

    /// Reads from the file until the buffer has `wanted` bytes to examine; returns false if the file does not have so
    /// many.
    fn read_on(&mut self, wanted: usize) -> io::Result<bool> {
        let kept = self.buffer.len() - self.begin;
        let more = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        if wanted > kept.saturating_add(more) {
            return Ok(false);
        }
        self.buffer.drain(..self.begin);
        self.begin = 0;
        let length = wanted.max(READ_BYTES).min(kept + more);
        self.buffer.resize(length, 0);
        let read = file::read_at(self.file, &mut self.buffer[kept..], self.rest.start)?;
        self.buffer.truncate(kept + read);
        self.rest.start += read as u64;
        if kept + read < length {
            // The file is shorter than expected: there is nothing more to read.
            self.rest.end = self.rest.start;
        }
        Ok(kept + read >= wanted)
    }
}

fn look(bytes: &[u8], seed: u64) -> Seen {
    if bytes.len() < frame::HEAD_BYTES {
        return Seen::Needs(frame::HEAD_BYTES);
    }
    if let Some(head) = Head::read(bytes, seed) {
        return Seen::Head(head);
    }
    match record::declared_len(bytes) {
        Some(length) if length > bytes.len() => Seen::Needs(length),
        Some(length) if Record::read(bytes, seed).is_some() => Seen::Record(length),
        _ => Seen::Nothing,
    }
}
