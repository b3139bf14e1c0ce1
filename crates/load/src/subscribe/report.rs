//! A report of what subscribers have received.
use crate::{fault::Faults, histogram::Histogram};
use serde::{Deserialize, Serialize};

/// The report of the subscribers of one worker, or of all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Events received in order since the beginning.
    pub deliveries: u64,
    /// Times that something was read from a socket, since the beginning.
    pub reads: u64,
    /// Bytes read, since the beginning.
    pub bytes: u64,
    /// The faults since the beginning.
    pub faults: Faults,
    /// The times from a subscriber's first packet to the head of its stream, since the last report.
    pub connects: Histogram,
    /// The times from when an event was due to when it was received, since the last report, by subscribers who are left
    /// alone.
    pub steady: Histogram,
    /// The same for subscribers who were made to pause or to leave.
    pub troubled: Histogram,
}

impl Report {
    /// Gives what there is, and begins anew with what counts since the last report.
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
