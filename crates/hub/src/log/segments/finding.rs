//! The faults found in the files of a log, and how much of the log was checked.
use crate::position::Offset;
use std::fmt;

/// The greatest number of findings that are reported one by one. Further findings are only counted.
pub const MAX_FINDINGS: usize = 1_000;

/// A fault of a log on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the file in the directory of the log.
    pub file: String,
    /// The byte position in the file; `None` if the fault is not at one position.
    pub at: Option<u64>,
    /// The kind of fault.
    pub flaw: Flaw,
}

/// The kinds of faults of a log on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// Something that is not a file, such as a directory, has the name of a file of the log.
    NotAFile,
    /// The file with the identity of the log, or the mark of its end, is damaged.
    Damaged,
    /// The file with the identity of the log is missing.
    NoIdentity,
    /// The file belongs to another log, or to another segment.
    Foreign,
    /// The head of the segment is damaged.
    SegmentHead,
    /// A part of the file is neither a frame nor a record.
    Stretch {
        /// The number of damaged bytes.
        bytes: u64,
    },
    /// The records of a frame are not those that were written.
    Frame,
    /// The updates with these offsets are missing, and retention has not discarded them.
    Missing {
        /// The first missing offset.
        first: Offset,
        /// The last missing offset.
        last: Offset,
    },
    /// A block of an index, or of another file beside a segment, is damaged.
    Block,
    /// The content of the index does not match the segment.
    IndexDiffers,
    /// The hashes of publishers' IDs do not match the segment.
    IdsDiffer,
    /// The list of erased updates has offsets that cannot be in the segment.
    ErasedDiffers,
    /// Both copies of the list of erased updates are damaged, so readers get nothing of the segment.
    ErasedLost,
}

/// The amount of a log that was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of files that were checked.
    pub files: u64,
    /// The number of bytes in the checked files.
    pub bytes: u64,
    /// The number of segments that were checked.
    pub segments: u64,
    /// The number of complete frames.
    pub frames: u64,
    /// The number of complete records.
    pub records: u64,
}

/// The result of checking every byte of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The faults; at most [`MAX_FINDINGS`].
    pub findings: Vec<Finding>,
    /// The number of faults that were found and are not in `findings`.
    pub more: u64,
    /// The amount of the log that was checked.
    pub counts: Counts,
}

impl Verified {
    /// True if no fault was found.
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
            Self::NotAFile => f.write_str("this is not a file; the data that belongs in it is lost"),
            Self::Damaged => f.write_str("the file is damaged"),
            Self::NoIdentity => {
                f.write_str("the file is missing; the identity of the log is taken from its segments instead")
            }
            Self::Foreign => f.write_str("the file belongs to another log, or to another segment of this log"),
            Self::SegmentHead => f.write_str("the head of the segment is damaged"),
            Self::Stretch { bytes: 1 } => f.write_str("one byte is damaged"),
            Self::Stretch { bytes } => write!(f, "{bytes} bytes are damaged"),
            Self::Frame => f.write_str("a frame is damaged: its checksum is wrong"),
            Self::Missing { first, last } if first == last => write!(f, "the update {first} is lost"),
            Self::Missing { first, last } => write!(f, "the updates {first} to {last} are lost"),
            Self::Block => f.write_str("a block is damaged: its checksum is wrong"),
            Self::IndexDiffers => {
                f.write_str("the index does not match its segment; remove the file, and the hub makes it again")
            }
            Self::IdsDiffer => f.write_str("the hashes of IDs do not match the segment"),
            Self::ErasedDiffers => f.write_str("the list of erased updates does not match the segment"),
            Self::ErasedLost => f.write_str(
                "the list of erased updates is lost, so subscribers get no update of its segment; restore the file",
            ),
        }
    }
}
