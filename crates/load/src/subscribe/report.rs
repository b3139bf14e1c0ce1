//! The report of what subscribers have received.
use crate::{fault::Faults, histogram::Histogram};
use serde::{Deserialize, Serialize};

/// The report of the subscribers of one worker, or of all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The number of events received since the subscribers were created, without late and repeated events.
    pub deliveries: u64,
    /// The number of reads from a socket since the subscribers were created.
    pub reads: u64,
    /// The number of bytes read since the subscribers were created.
    pub bytes: u64,
    /// The faults since the subscribers were created.
    pub faults: Faults,
    /// The times that subscribers took to connect, from the first packet until the head of the response arrived, since
    /// the last report.
    pub connects: Histogram,
    /// The times from when an event was due until it was received, since the last report, for subscribers that were
    /// never made to pause or to leave.
    pub steady: Histogram,
    /// The times from when an event was due until it was received, since the last report, for subscribers that were
    /// made to pause or to leave.
    pub troubled: Histogram,
}

impl Report {
    /// Returns the report, and empties the histograms, which cover only the time since the last report.
    pub(super) fn take(&mut self) -> Self {
        let begun = Self {
            deliveries: self.deliveries,
            reads: self.reads,
            bytes: self.bytes,
            faults: self.faults.clone(),
            ..Self::default()
        };
        std::mem::replace(self, begun)
    }

    /// Adds what other subscribers have received.
    pub fn merge(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.reads += other.reads;
        self.bytes += other.bytes;
        self.faults.merge(other.faults);
        self.connects.merge(&other.connects);
        self.steady.merge(&other.steady);
        self.troubled.merge(&other.troubled);
    }
}
