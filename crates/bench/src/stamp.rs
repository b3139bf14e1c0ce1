//! What an event's data says of the event: which one it is, and when it was due.
use std::time::Duration;

/// The least bytes of data: both numbers at their longest, and a space after each.
pub const MIN_DATA_BYTES: usize = 2 * (20 + 1);

/// The number of an event and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Counts from 0.
    pub sequence: u64,
    /// When its publication was due, since the run began, in nanoseconds of the monotonic clock. A publisher that falls
    /// behind, because a hub answers late, does not make that hub look faster: it is this time that latency counts from.
    pub due: Duration,
}

impl Stamp {
    /// Data of this many bytes, or of [`MIN_DATA_BYTES`] if that is more.
    #[must_use]
    pub fn data(&self, bytes: usize) -> String {
        let mut data = format!("{} {} ", self.sequence, self.due.as_nanos());
        data.extend(std::iter::repeat_n('x', bytes.max(MIN_DATA_BYTES) - data.len()));
        data
    }

    /// Reads the stamp of this data, if it has one.
    #[must_use]
    pub fn of(data: &str) -> Option<Self> {
        let mut words = data.splitn(3, ' ');
        let (sequence, nanos) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().map(|_| Self { sequence, due: Duration::from_nanos(nanos) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_from_data_of_the_length_asked_for() {
        let longest = Stamp { sequence: u64::MAX, due: Duration::from_nanos(u64::MAX) };
        for (stamp, bytes, length) in [
            (Stamp { sequence: 7, due: Duration::from_millis(3) }, 200, 200),
            (longest, MIN_DATA_BYTES, MIN_DATA_BYTES),
            (longest, 0, MIN_DATA_BYTES),
        ] {
            let data = stamp.data(bytes);
            assert_eq!((Stamp::of(&data), data.len()), (Some(stamp), length));
        }
        assert_eq!(["", "1", "1 2", "a 2 x"].map(Stamp::of), [None; 4]);
    }
}
