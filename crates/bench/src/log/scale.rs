//! The scale of a run: how much of everything it measures.

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The number of times that what is timed is repeated. The median counts.
    pub rounds: usize,
    /// The entries of the large log.
    pub entries: u64,
    /// The topics over which entries are spread.
    pub topics: u64,
    /// The entries of 1 KiB whose writing is counted.
    pub written: u64,
    /// The small updates that are appended alone, and whose writing is counted.
    pub alone: u64,
    /// The entries that are timed in a round.
    pub timed: u64,
    /// The segments of the log with many of them.
    pub segments: u64,
}

impl Scale {
    /// The scale that the limits are for.
    pub const FULL: Self = Self {
        rounds: 9,
        entries: 1_000_000,
        topics: 10_000,
        written: 128 << 10,
        alone: 2_000,
        timed: 500,
        segments: 1_000,
    };
    /// A scale that shows in a moment that everything works. The figures mean nothing.
    pub const SMOKE: Self =
        Self { rounds: 1, entries: 6_400, topics: 64, written: 640, alone: 50, timed: 50, segments: 60 };
}
