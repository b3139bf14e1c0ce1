//! The scale of a run: the sizes of everything that it measures.

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The number of times that each measurement of time is repeated. The figure is the median of the results.
    pub rounds: usize,
    /// The number of entries in the large log.
    pub entries: u64,
    /// The number of topics over which the entries are spread.
    pub topics: u64,
    /// The number of entries of 1 KiB whose written bytes are counted.
    pub written: u64,
    /// The number of small updates that are appended alone, and whose written bytes are counted.
    pub alone: u64,
    /// The number of small updates whose appends are timed in a round.
    pub timed: u64,
    /// The number of segments of the log with many segments.
    pub segments: u64,
}

impl Scale {
    /// The scale for which the limits are defined.
    pub const FULL: Self = Self {
        rounds: 9,
        entries: 1_000_000,
        topics: 10_000,
        written: 128 << 10,
        alone: 2_000,
        timed: 500,
        segments: 1_000,
    };
    /// A small scale, which only shows that everything works. The figures mean nothing.
    pub const SMOKE: Self =
        Self { rounds: 1, entries: 6_400, topics: 64, written: 640, alone: 50, timed: 50, segments: 60 };
}
