//! The plan of publishers, and what they have published.
use crate::{histogram::Histogram, target::Naming};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The plan of what is published how often.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// True if topics are published that subscribers name, or that their patterns match.
    pub naming: Naming,
    /// Topics, published to in turn.
    pub topics: u32,
    /// Connections, each with one publication on its way. The events of each have an order of their own.
    pub publishers: u32,
    /// Events a second, by all publishers together; `None` for as fast as answers come.
    pub rate: Option<u32>,
    /// Events in all; `None` until [`Publishing::stop`](super::Publishing::stop).
    pub count: Option<u64>,
    /// The data of each, in bytes.
    pub bytes: usize,
}

/// The number of events of each topic that each publisher has published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    publishers: usize,
    /// The counts of all publishers of the first topic, then those of the next.
    counts: Vec<u64>,
}

/// The results of publishers.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The counts of what they have published, with that of the runs before.
    pub counts: Counts,
    /// The number of publications that were acknowledged, in this run alone.
    pub count: u64,
    /// The time from the first to the last.
    pub elapsed: Duration,
    /// The time from a request to its answer.
    pub latencies: Histogram,
    /// The longest delay of a publisher with a pace.
    pub latest: Duration,
}

impl Counts {
    /// None yet, of this many topics and publishers.
    #[must_use]
    pub fn new(topics: u32, publishers: u32) -> Self {
        Self { publishers: publishers as usize, counts: vec![0; topics as usize * publishers as usize] }
    }

    /// The events of one topic, by publisher. Empty if nobody publishes.
    #[must_use]
    pub fn of(&self, topic: u32) -> &[u64] {
        let start = topic as usize * self.publishers;
        self.counts.get(start..start + self.publishers).unwrap_or_default()
    }

    /// Adds what somebody else has counted on from `before` to `after`.
    pub(super) fn add(&mut self, after: &Self, before: &Self) {
        let more = after.counts.iter().zip(&before.counts).map(|(after, before)| after - before);
        self.counts.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }

    /// Counts an event, and gives its number.
    pub(super) fn next(&mut self, topic: u32, publisher: u32) -> u64 {
        let count = &mut self.counts[topic as usize * self.publishers + publisher as usize];
        *count += 1;
        *count - 1
    }
}

impl Plan {
    /// Returns true if there is an event of this number.
    pub(super) fn has(&self, index: u64) -> bool {
        self.count.is_none_or(|count| index < count)
    }

    /// The topic of the event of this number.
    pub(super) fn topic(&self, index: u64) -> u32 {
        u32::try_from(index % u64::from(self.topics)).unwrap_or(0)
    }
}

impl Published {
    /// Acknowledged publications per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of publications is far below 2^52")]
        let count = self.count as f64;
        count / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_topic_and_publisher() {
        let mut counts = Counts::new(3, 2);
        assert_eq!([(1, 0), (1, 1), (1, 1)].map(|(topic, publisher)| counts.next(topic, publisher)), [0, 0, 1]);
        assert_eq!([0, 1, 2].map(|topic| counts.of(topic).to_vec()), [vec![0, 0], vec![1, 2], vec![0, 0]]);
        assert!(counts.of(3).is_empty() && Counts::default().of(0).is_empty());
    }
}
