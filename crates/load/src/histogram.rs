//! A histogram of times in a fixed amount of memory: a broadcast to many yields millions of latencies in a minute.
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The buckets of each power of two: a bucket is at most 1/64 wider than the shortest time in it.
const BUCKETS_PER_OCTAVE: usize = 1 << OCTAVE_BITS;
const OCTAVE_BITS: u32 = 6;
/// Nanoseconds below [`BUCKETS_PER_OCTAVE`] have a bucket each; every further power of two has this many.
const BUCKETS: usize = (u64::BITS - OCTAVE_BITS + 1) as usize * BUCKETS_PER_OCTAVE;

/// Counts of times, in buckets that grow with the time. As text it holds only the buckets that are not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sparse", into = "Sparse")]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: Duration,
}

/// The form that goes from one process to another.
#[derive(Serialize, Deserialize)]
struct Sparse {
    buckets: Vec<(usize, u64)>,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, max: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one time. Beyond 584 years it counts as that.
    pub fn record(&mut self, time: Duration) {
        self.counts[bucket(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))] += 1;
        self.count += 1;
        self.max = self.max.max(time);
    }

    /// Adds all that another one has counted.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// Returns the number of times that were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest, exactly; zero if there is none.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The time that `share` of them, of 0 to 1, did not exceed: never too short, and at most 1/64 too long.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank, far below 2^52"
        )]
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        let found = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        });
        found.map_or(self.max, |index| Duration::from_nanos(last_of(index)).min(self.max))
    }
}

impl From<Histogram> for Sparse {
    fn from(histogram: Histogram) -> Self {
        let buckets = histogram.counts.into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
        Self { buckets, max: histogram.max }
    }
}

impl From<Sparse> for Histogram {
    fn from(sparse: Sparse) -> Self {
        let mut histogram = Self { max: sparse.max, ..Self::default() };
        for (bucket, count) in sparse.buckets.into_iter().filter(|(bucket, _)| *bucket < BUCKETS) {
            histogram.counts[bucket] += count;
            histogram.count += count;
        }
        histogram
    }
}

/// The bucket of a time: the position of its highest bit and the [`OCTAVE_BITS`] that follow.
fn bucket(nanos: u64) -> usize {
    let shift = u64::BITS.saturating_sub(nanos.leading_zeros()).saturating_sub(OCTAVE_BITS + 1);
    let within = usize::try_from(nanos >> shift).unwrap_or(usize::MAX);
    shift as usize * BUCKETS_PER_OCTAVE + within
}

/// The longest time in a bucket, in nanoseconds.
fn last_of(bucket: usize) -> u64 {
    let shift = (bucket / BUCKETS_PER_OCTAVE).saturating_sub(1);
    let within = (bucket - shift * BUCKETS_PER_OCTAVE) as u64;
    (within << shift) | ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_a_bucket_that_ends_at_most_a_64th_later() {
        for nanos in (0..300).chain([1 << 20, (1 << 20) + 12_345, 999_999_999, u64::MAX - 1, u64::MAX]) {
            let last = last_of(bucket(nanos));
            assert!(last >= nanos && last - nanos <= nanos / 64, "{nanos} ends at {last}");
        }
    }

    #[test]
    fn buckets_follow_each_other_without_a_hole() {
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        for index in 0..BUCKETS - 1 {
            assert_eq!(bucket(last_of(index) + 1), index + 1);
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
