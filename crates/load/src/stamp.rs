//! The stamp in an event's data: the number of the event, and the time when it was due.
use std::{fmt::Write, time::Duration};

/// The smallest size of an event's data in bytes: all numbers at their greatest length, and a space after each.
pub const MIN_DATA_BYTES: usize = 2 * (10 + 1) + 2 * (20 + 1);

/// The stamp of an event: its number in a run, and the time when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The number of the event's topic.
    pub topic: u32,
    /// The number of the event's publisher. Only events of the same publisher and topic have an order.
    pub publisher: u32,
    /// The number of the event among those of its publisher and topic, counted from 0.
    pub sequence: u64,
    /// The time when the publication was due, since the run began, in nanoseconds of the monotonic clock. Latency is
    /// measured from this time. So a publisher that is late because a hub answers late does not make that hub look
    /// faster.
    pub due: Duration,
}

impl Stamp {
    /// Returns data with this stamp, of `bytes` bytes, or of [`MIN_DATA_BYTES`] if that is more.
    #[must_use]
    pub fn data(&self, bytes: usize) -> String {
        let Self { topic, publisher, sequence, due } = self;
        let bytes = bytes.max(MIN_DATA_BYTES);
        let mut data = String::with_capacity(bytes);
        write!(data, "{topic} {publisher} {sequence} {} ", due.as_nanos()).expect("writing to a string cannot fail");
        data.extend(std::iter::repeat_n('x', bytes - data.len()));
        data
    }

    /// Reads the stamp in this data, if it has one.
    #[must_use]
    pub fn of(data: &str) -> Option<Self> {
        let mut words = data.splitn(5, ' ');
        let (topic, publisher) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (sequence, nanos) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().map(|_| Self { topic, publisher, sequence, due: Duration::from_nanos(nanos) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_from_data_of_the_length_asked_for() {
        let longest =
            Stamp { topic: u32::MAX, publisher: u32::MAX, sequence: u64::MAX, due: Duration::from_nanos(u64::MAX) };
        let short = Stamp { topic: 3, publisher: 1, sequence: 7, due: Duration::from_millis(3) };
        for (stamp, bytes, length) in
            [(short, 200, 200), (longest, MIN_DATA_BYTES, MIN_DATA_BYTES), (longest, 0, MIN_DATA_BYTES)]
        {
            let data = stamp.data(bytes);
            assert_eq!((Stamp::of(&data), data.len()), (Some(stamp), length));
        }
        assert_eq!(["", "1 2 3", "1 2 3 4", "1 a 3 4 x"].map(Stamp::of), [None; 4]);
    }
}
