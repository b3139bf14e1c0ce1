//! Histograms, which count times in a small amount of memory. A broadcast to many subscribers gives millions of
//! latencies in a minute.
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The number of decimal digits with which a time is recorded. A quantile is therefore at most 1/128 longer than the
/// exact quantile.
const DIGITS: u8 = 2;
/// The longest time that a bucket can count, in nanoseconds: 292 years.
const MAX_NANOS: u64 = u64::MAX >> 1;

/// A histogram of times, together with the longest of these times. Its serialized form holds only the buckets that are
/// not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The buckets, which count times in nanoseconds.
    times: hdrhistogram::Histogram<u64>,
    /// The longest recorded time. It is exact, whereas a bucket stands for a range of times.
    max: Duration,
}

/// The serialized form of a histogram: for each bucket that is not empty, its time in nanoseconds and its count.
#[derive(Serialize, Deserialize)]
struct Sparse {
    times: Vec<(u64, u64)>,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        let times = hdrhistogram::Histogram::new(DIGITS).expect("two significant digits are allowed");
        Self { times, max: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one time. A time of more than 292 years counts as 292 years.
    pub fn record(&mut self, time: Duration) {
        self.record_n(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), 1);
        self.max = self.max.max(time);
    }

    fn record_n(&mut self, nanos: u64, count: u64) {
        self.times.record_n(nanos.min(MAX_NANOS), count).expect("the histogram grows until it can hold any time");
    }

    /// Adds all times of another histogram.
    pub fn merge(&mut self, other: &Self) {
        self.times.add(&other.times).expect("the histogram grows until it can hold any time");
        self.max = self.max.max(other.max);
    }

    /// Returns the number of times that were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.times.len()
    }

    /// Returns the longest time, exactly; zero if there is none.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    /// Returns the time that the given share (from 0 to 1) of all times did not exceed. The result is never too short,
    /// and at most 1/128 too long. Zero if there are no times.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        // For a share of zero, the library would return the lower end of a bucket's range, which is too short.
        let share = share.max(f64::MIN_POSITIVE);
        Duration::from_nanos(self.times.value_at_quantile(share)).min(self.max)
    }
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let times = self.times.iter_recorded().map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value()));
        Sparse { times: times.collect(), max: self.max }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sparse { times, max } = Sparse::deserialize(deserializer)?;
        let mut histogram = Self { max, ..Self::default() };
        times.into_iter().for_each(|(nanos, count)| histogram.record_n(nanos, count));
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_at_most_a_128th_too_long() {
        for nanos in (0..300).chain([1 << 20, (1 << 20) + 12_345, 999_999_999, MAX_NANOS - 1, MAX_NANOS]) {
            let mut histogram = Histogram::default();
            histogram.record(Duration::from_nanos(nanos));
            histogram.record(Duration::MAX);
            let found = histogram.quantile(0.5).as_nanos();
            let nanos = u128::from(nanos);
            assert!(found >= nanos && found - nanos <= nanos / 128, "{nanos} is {found}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_times() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        (1..=50).for_each(|nanos| histogram.record(Duration::from_nanos(nanos)));
        histogram.record(Duration::from_secs(7));
        let quantiles = [0.0, 0.5, 50.0 / 51.0, 1.0].map(|share| histogram.quantile(share).as_nanos());
        assert_eq!(quantiles, [1, 26, 50, 7_000_000_000]);
        assert_eq!((histogram.count(), histogram.max()), (51, Duration::from_secs(7)));
    }

    #[test]
    fn parts_merged_over_text_are_the_whole() {
        let times = [0, 1, 70, 1 << 20, 7_000_000_000].map(Duration::from_nanos);
        let (mut whole, mut merged) = (Histogram::default(), Histogram::default());
        times.iter().for_each(|time| whole.record(*time));
        for part in times.chunks(2) {
            let mut histogram = Histogram::default();
            part.iter().for_each(|time| histogram.record(*time));
            merged.merge(&serde_json::from_str(&serde_json::to_string(&histogram).unwrap()).unwrap());
        }
        assert_eq!(merged, whole);
    }
}
