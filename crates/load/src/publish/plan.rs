//! The plan of the publishers, and their results.
use crate::{histogram::Histogram, target::Naming};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The plan of the publications: their number, size and rate.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The way in which subscribers select the topics: by name or by pattern.
    pub naming: Naming,
    /// The number of topics, to which events are published in turn.
    pub topics: u32,
    /// The number of publishers. Each has one connection with one publication at a time, and subscribers check the
    /// order of its events separately.
    pub publishers: u32,
    /// The number of events a second, of all publishers together; `None` to publish as fast as answers arrive.
    pub rate: Option<u32>,
    /// The number of events of all publishers together; `None` to publish until
    /// [`Publishing::stop`](super::Publishing::stop).
    pub count: Option<u64>,
    /// The size of each event's data, in bytes.
    pub bytes: usize,
}

/// The number of events that each publisher has published to each topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    publishers: usize,
    /// The counts of all publishers for the first topic, then those of all publishers for the second topic, and so on.
    counts: Vec<u64>,
}

/// The results of the publishers.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The counts of the published events, including the counts with which the publishers started.
    pub counts: Counts,
    /// The number of publications that were acknowledged since the publishers started.
    pub count: u64,
    /// The time from the first publication to the last.
    pub elapsed: Duration,
    /// The times from sending a publication until its answer arrived.
    pub latencies: Histogram,
    /// The longest time by which a publication was sent later than planned; zero for publishers without a rate.
    pub latest: Duration,
}

impl Counts {
    /// Returns counts for this many topics and publishers, all of which begin at zero.
    #[must_use]
    pub fn new(topics: u32, publishers: u32) -> Self {
        Self { publishers: publishers as usize, counts: vec![0; topics as usize * publishers as usize] }
    }

    /// Returns the number of events of one topic, by publisher. Empty if there are no publishers.
    #[must_use]
    pub fn of(&self, topic: u32) -> &[u64] {
        let start = topic as usize * self.publishers;
        self.counts.get(start..start + self.publishers).unwrap_or_default()
    }

    /// Adds the differences between the counts `before` and `after`.
    pub(super) fn add(&mut self, after: &Self, before: &Self) {
        let more = after.counts.iter().zip(&before.counts).map(|(after, before)| after - before);
        self.counts.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }

    /// Counts one more event of this topic and publisher. Returns the event's number among the events of this topic and
    /// publisher; the first number is 0.
    pub(super) fn next(&mut self, topic: u32, publisher: u32) -> u64 {
        let count = &mut self.counts[topic as usize * self.publishers + publisher as usize];
        *count += 1;
        *count - 1
    }
}

impl Plan {
    /// Returns true if the plan has an event with this number.
    pub(super) fn has(&self, index: u64) -> bool {
        self.count.is_none_or(|count| index < count)
    }

    /// Returns the topic of the event with this number.
    pub(super) fn topic(&self, index: u64) -> u32 {
        u32::try_from(index % u64::from(self.topics)).unwrap_or(0)
    }
}

impl Published {
    /// Returns the number of acknowledged publications per second.
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
