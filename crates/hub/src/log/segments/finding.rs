//! The faults that are found in the files of a log, and how much was looked at.
use crate::position::Offset;
use std::fmt;

/// The most findings that are kept. More are counted.
pub const MAX_FINDINGS: usize = 1_000;

/// Something that is wrong with a log on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the file in the directory of the log.
    pub file: String,
    /// The place in the file, in bytes; `None` if it is not about one place.
    pub at: Option<u64>,
    /// The fault.
    pub flaw: Flaw,
}

/// The kinds of faults of a log on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// Something else than a file has the name.
    NotAFile,
    /// The file is there and is not whole: that which says which log it is, or where the log ended.
    Damaged,
    /// The file that says which log it is is not there.
    NoIdentity,
    /// It is of another log, or of another segment.
    Foreign,
    /// The head of the segment is not whole.
    SegmentHead,
    /// Bytes that are neither a frame nor a record.
    Stretch {
        /// The number of bytes.
        bytes: u64,
    },
    /// The records of a frame are not those that were written.
    Frame,
    /// The updates with these offsets are not there, and retention has not discarded them.
    Missing {
        /// The first of them.
        first: Offset,
        /// The last of them.
        last: Offset,
    },
    /// A block of an index, or of another file beside a segment, is not whole.
    Block,
    /// The index says something else than the segment.
    IndexDiffers,
    /// The file with the hashes of publishers' IDs says something else than the segment.
    IdsDiffer,
    /// The file with what is erased names what cannot be in the segment.
    ErasedDiffers,
    /// The file that says what is erased cannot be read in either of its two copies, so the whole segment is withheld.
    ErasedLost,
}

/// The amount of a log that was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of files.
    pub files: u64,
    /// The bytes in them.
    pub bytes: u64,
    /// The number of segments.
    pub segments: u64,
    /// The number of frames that are whole.
    pub frames: u64,
    /// The number of records that are whole.
    pub records: u64,
}

/// The result of looking at every byte of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The faults; no more than [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// The number of findings beyond those.
    pub more: u64,
    /// The amount of the log that was looked at.
    pub counts: Counts,
}

impl Verified {
    /// True if nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn take(&mut self, findings: Vec<Finding>) {
        let room = MAX_FINDINGS - self.findings.len();
        self.more += findings.len().saturating_sub(room) as u64;
        self.findings.extend(findings.into_iter().take(room));
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(at) = self.at {
            write!(f, ", byte {at}")?;
        }
        write!(f, ": {}", self.flaw)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => f.write_str("this is not a file; what it should hold is lost"),
            Self::Damaged => f.write_str("the file is damaged"),
            Self::NoIdentity => f.write_str("the file is missing; the heads of the segments say which log it is"),
            Self::Foreign => f.write_str("the file belongs to another log, or to another place in this one"),
            Self::SegmentHead => f.write_str("the head of the segment is damaged"),
            Self::Stretch { bytes: 1 } => f.write_str("one byte is damaged"),
            Self::Stretch { bytes } => write!(f, "{bytes} bytes are damaged"),
            Self::Frame => f.write_str("a frame is damaged: its checksum does not fit"),
            Self::Missing { first, last } if first == last => write!(f, "the update {first} is lost"),
            Self::Missing { first, last } => write!(f, "the updates {first} to {last} are lost"),
            Self::Block => f.write_str("a block is damaged: its checksum does not fit"),
            Self::IndexDiffers => {
                f.write_str("the index does not fit its segment; the hub makes it again if it is removed")
            }
            Self::IdsDiffer => f.write_str("the hashes of IDs do not fit the segment"),
            Self::ErasedDiffers => f.write_str("the list of erased updates does not fit the segment"),
            Self::ErasedLost => f.write_str(
                "the list of erased updates is lost, so the hub shows nothing of its segment; restore the file",
            ),
        }
    }
}
