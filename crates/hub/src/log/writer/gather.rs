//! Group commit: decides how many publications the writer waits for before it appends.
//!
//! Publications that arrive while a batch is made durable form the next batch, so the writer of a busy log does not
//! need to wait. If each batch is durable before the next publication arrives, there is one sync for each publication,
//! and a sync costs about as much CPU time as all other work for a publication. So the writer waits a little after each
//! batch, if earlier waits have brought several publications together.
//!
//! A publisher that publishes again as soon as it is answered would only be slowed down by waiting. So a publication
//! that its publisher sends shortly after the answer to its previous one is in a hurry: it does not wait, and it also
//! ends the wait of all other publications.
//!
//! The number of publications to wait for is learnt by trying: from time to time, the writer waits for one publication
//! more. If as many publications arrive in time, the writer keeps the new number. After each failed attempt, the number
//! of batches until the next attempt is doubled, up to a limit.
use std::time::Duration;

/// The longest time for which publications wait for other publications, counted from the end of the last batch. At
/// 1,000 publications a second, three of them are appended together, after a wait of 1 ms on average.
pub const GATHER_TIMEOUT: Duration = Duration::from_micros(3_250);
/// The time since a publisher's last answer after which this publisher is not in a hurry: its publications may wait,
/// which slows it down by a third at most.
pub const UNHURRIED: Duration = Duration::from_millis(10);
/// The greatest number of publications that the writer waits for. With so many, a sync is a small part of the cost of
/// each.
pub const GATHER_PUBLICATIONS: usize = 8;
/// The duration of an append from which on the writer waits for more publications. If appends are faster, the log is in
/// memory, or nearly as fast, and waiting gains nothing.
pub const GATHER_WORTH: Duration = Duration::from_micros(20);
/// The number of batches after which the writer tries to wait for one publication more than before. The count begins
/// again after each try that was worth it, and each time the writer waits for fewer publications.
const RETRY_BATCHES: u32 = 4;
/// The largest number of batches until the next attempt, which is reached after many failed attempts. So a publisher
/// that is alone is delayed only once in this many publications.
const MAX_RETRY_BATCHES: u32 = 1_024;
/// The greatest value of [`Gather::credit`]. If a number of publications to wait for was reached in many waits, it is
/// lowered only after this many failed waits in a row. If it was reached only once, half as many failed waits lower it.
const MAX_CREDIT: u32 = 8;
/// The amount by which each append may raise [`Gather::cheapest`], the time of the fastest recent append, even if this
/// time is very small. So an old value does not last for ever.
const FORGETTING: Duration = Duration::from_micros(1);

/// The state of learning how many publications arrive together.
#[derive(Debug)]
pub(in crate::log) struct Gather {
    /// The number of publications that arrived together lately; 1 if they arrive one by one.
    count: usize,
    /// The credit of `count`: a successful wait adds one, a failed wait subtracts one. If the credit is one, a failed
    /// wait lowers `count` instead.
    credit: u32,
    /// The number of batches before the next attempt to gather one more publication.
    retry_in: u32,
    retry_batches: u32,
    /// The time that the fastest of the recent appends took. The slowest one would say nothing about the log, because
    /// any append may be interrupted.
    cheapest: Duration,
    /// True if the last batch was larger than [`GATHER_PUBLICATIONS`]: then the log is busy, and the writer does not
    /// wait.
    is_busy: bool,
}

/// The publications that arrived during a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) struct Gathered {
    pub(in crate::log) count: usize,
    /// True if a publication that cannot wait has ended the wait.
    pub(in crate::log) was_cut: bool,
}

impl Default for Gather {
    fn default() -> Self {
        let (retry_in, retry_batches) = (RETRY_BATCHES, RETRY_BATCHES);
        Self { count: 1, credit: 0, retry_in, retry_batches, cheapest: Duration::ZERO, is_busy: false }
    }
}

impl Gather {
    /// Notes that an append of this many publications took this long. With these two facts, [`Self::count`] decides
    /// whether the next batch should wait for more publications.
    pub(in crate::log) fn appended(&mut self, publications: usize, took: Duration) {
        self.is_busy = publications > GATHER_PUBLICATIONS;
        self.cheapest = took.min(self.cheapest + FORGETTING.max(self.cheapest / 8));
        self.retry_in = self.retry_in.saturating_sub(1);
    }

    /// Returns the number of publications to wait for; `None` if the next publication is to be appended as soon as it
    /// arrives.
    pub(in crate::log) fn count(&self) -> Option<usize> {
        let tries_more = self.retry_in == 0 && self.count < GATHER_PUBLICATIONS;
        let count = self.count + usize::from(tries_more);
        (count > 1 && !self.is_busy && self.cheapest >= GATHER_WORTH).then_some(count)
    }

    /// Learns from a wait for `count` publications: `came` are those that arrived.
    pub(in crate::log) fn gathered(&mut self, count: usize, came: Gathered) {
        let succeeded = came.count >= count;
        if came.was_cut && !succeeded {
            // It is unknown how many publications would have arrived if the wait had not been cut short.
            return;
        }
        let is_attempt = count > self.count;
        if is_attempt {
            let longer = (self.retry_batches * 2).min(MAX_RETRY_BATCHES);
            self.retry_batches = if succeeded { RETRY_BATCHES } else { longer };
            self.retry_in = self.retry_batches;
        }
        match (succeeded, is_attempt) {
            (true, true) => (self.count, self.credit) = (count, MAX_CREDIT / 2),
            (true, false) => self.credit = (self.credit + 1).min(MAX_CREDIT),
            (false, true) => {}
            (false, false) if self.credit > 1 => self.credit -= 1,
            (false, false) => {
                (self.count, self.credit) = (came.count.clamp(1, self.count - 1), MAX_CREDIT / 2);
                // The earlier failed attempts were attempts to gather more publications than the new `count`, so they
                // do not delay the next attempt.
                (self.retry_in, self.retry_batches) = (RETRY_BATCHES, RETRY_BATCHES);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A simulation of a writer, with a log whose appends take `append_us`, and its publishers. All times are in
    /// microseconds.
    struct Simulation {
        gather: Gather,
        append_us: u64,
        now: u64,
        /// The times at which publications will arrive, and the number of the publisher of each.
        coming: Vec<(u64, usize)>,
        /// The average time after an answer at which each publisher publishes again. Publishers without a value publish
        /// only once, and can wait.
        answers_after: Vec<u64>,
        /// The state of the random numbers by which the times vary. Without them, publishers that once publish at the
        /// same time would always do so.
        random: u64,
        batches: u64,
        publications: u64,
        longest_wait: u64,
        waited: u64,
        /// The number of publications so far of each publisher.
        of: Vec<u64>,
    }

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    impl Simulation {
        /// Returns a simulation in which publications arrive at fixed times.
        fn open(append_us: u64, times: impl IntoIterator<Item = u64>) -> Self {
            let coming = times.into_iter().map(|time| (time, usize::MAX)).collect();
            Self::new(append_us, coming, Vec::new())
        }

        /// Returns a simulation of publishers that publish again this long after each answer.
        fn closed(append_us: u64, answers_after: Vec<u64>) -> Self {
            let coming = answers_after.iter().copied().zip(0..).collect();
            Self::new(append_us, coming, answers_after)
        }

        fn new(append_us: u64, mut coming: Vec<(u64, usize)>, answers_after: Vec<u64>) -> Self {
            coming.sort_unstable();
            let (gather, now, of) = (Gather::default(), 0, vec![0; answers_after.len()]);
            let (random, batches, publications, longest_wait, waited) = (1, 0, 0, 0, 0);
            Self {
                gather,
                append_us,
                now,
                coming,
                answers_after,
                random,
                batches,
                publications,
                longest_wait,
                waited,
                of,
            }
        }

        fn random(&mut self) -> u64 {
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            self.random >> 33
        }

        fn waiting(&self) -> usize {
            self.coming.partition_point(|(time, _)| *time <= self.now)
        }

        fn can_wait(&self, publisher: usize) -> bool {
            self.answers_after.get(publisher).is_none_or(|after| us(*after) >= UNHURRIED)
        }

        /// Waits for publications, as the writer does.
        fn gather(&mut self) {
            let Some(count) = self.gather.count() else { return };
            let timeout = self.now + u64::try_from(GATHER_TIMEOUT.as_micros()).unwrap();
            let enough = self.coming.get(count - 1).map(|(time, _)| *time);
            let hurried = self.coming.iter().find(|(_, publisher)| !self.can_wait(*publisher)).map(|(time, _)| *time);
            self.now = [enough, hurried].into_iter().flatten().fold(timeout, u64::min).max(self.now);
            let was_cut = hurried.is_some_and(|time| time <= self.now);
            self.gather.gathered(count, Gathered { count: self.waiting(), was_cut });
        }

        /// Waits for publications, and appends one batch.
        fn turn(&mut self, gathers: bool) {
            if gathers {
                self.gather();
            }
            self.now = self.now.max(self.coming[0].0);
            let batch: Vec<_> = self.coming.drain(..self.waiting()).collect();
            self.longest_wait = batch.iter().map(|(time, _)| self.now - time).fold(self.longest_wait, u64::max);
            self.waited += batch.iter().map(|(time, _)| self.now - time).sum::<u64>();
            self.now += self.append_us;
            self.gather.appended(batch.len(), us(self.append_us));
            self.batches += 1;
            self.publications += batch.len() as u64;
            for (_, publisher) in batch {
                if let Some(after) = self.answers_after.get(publisher).copied() {
                    self.of[publisher] += 1;
                    let after = after * 3 / 4 + self.random() % (after / 2 + 1);
                    self.coming.push((self.now + after, publisher));
                }
            }
            self.coming.sort_unstable();
        }

        fn run(mut self, publications: u64, gathers: bool) -> Self {
            while self.publications < publications && !self.coming.is_empty() {
                self.turn(gathers);
            }
            self
        }

        fn run_until(mut self, end: u64, gathers: bool) -> Self {
            while self.now < end {
                self.turn(gathers);
            }
            self
        }

        fn per_batch(&self) -> f64 {
            self.publications as f64 / self.batches as f64
        }
    }

    #[test]
    fn publications_a_millisecond_apart_come_in_threes() {
        for append_us in [60, 100, 200, 300] {
            let run = Simulation::open(append_us, (0..4_000).map(|number| number * 1_000)).run(4_000, true);
            assert!(run.per_batch() > 2.8, "{append_us}: {}", run.per_batch());
            assert!(run.longest_wait <= 3_250, "{append_us}: {}", run.longest_wait);
        }
    }

    #[test]
    fn what_is_seldom_is_not_kept_waiting() {
        let run = Simulation::open(100, (0..1_000).map(|number| number * 5_000)).run(1_000, true);
        assert_eq!((run.batches, run.longest_wait), (1_000, 0));
    }

    #[test]
    fn a_log_in_memory_is_not_waited_for() {
        let run = Simulation::open(15, (0..4_000).map(|number| number * 1_000)).run(4_000, true);
        assert_eq!((run.batches, run.longest_wait), (4_000, 0));
        // If a busy machine makes many appends slow, the fast ones still show that the log is fast.
        let mut gather = Gather::default();
        for number in 0..1_000 {
            gather.appended(1, us(if number % 10 == 0 { 3 } else { 5_000 }));
            assert_eq!(gather.count(), None);
        }
    }

    #[test]
    fn a_rush_that_ends_is_forgotten() {
        let rush = (0..2_000).map(|number| number * 1_000);
        let after = (1..4_000).map(|number| 2_000_000 + number * 4_000);
        let mut run = Simulation::open(100, rush.chain(after)).run(2_020, true);
        run.waited = 0;
        let run = run.run(6_000, true);
        assert!(run.waited < 4_000 * 10, "in all {} µs", run.waited);
    }

    /// The machine stops for a short time now and then, as shared machines do.
    #[test]
    fn a_rush_that_is_interrupted_goes_on_as_before() {
        let stands_still = |number: u64| number % 1_000 >= 980;
        let times =
            (0..20_000).map(|number| if stands_still(number) { number / 1_000 * 1_000 + 1_000 } else { number });
        let run = Simulation::open(250, times.map(|milliseconds| milliseconds * 1_000)).run(20_000, true);
        assert!(run.per_batch() > 2.8, "{}", run.per_batch());
    }

    proptest! {
        /// No publisher is slowed down much by others: one in a hurry not at all, one that is not in a hurry by a third
        /// at most.
        #[test]
        fn nobody_is_slowed_down_much(
            append_us in 20_u64..2_000,
            answers_after in prop::collection::vec(prop_oneof![30_u64..10_000, 10_000_u64..60_000], 1..12),
        ) {
            let of = |gathers| Simulation::closed(append_us, answers_after.clone()).run_until(10_000_000, gathers).of;
            let (with, without) = (of(true), of(false));
            for (publisher, after) in answers_after.iter().enumerate() {
                let share = (with[publisher] + 2) as f64 / without[publisher] as f64;
                // A publication that arrives during an append waits for the end of this append, with or without
                // gathering.
                let least = if us(*after) >= UNHURRIED { 0.7 } else { 0.9 };
                prop_assert!(share >= least, "{after}: {share} in {answers_after:?}");
            }
        }

        /// Publishers that are all in a hurry publish exactly as fast as without gathering.
        #[test]
        fn who_cannot_wait_does_not(append_us in 20_u64..2_000, answers_after in prop::collection::vec(30_u64..10_000, 1..65)) {
            let of = |gathers| Simulation::closed(append_us, answers_after.clone()).run(3_000, gathers).now;
            prop_assert_eq!(of(true), of(false));
        }

        /// No publication waits longer than [`GATHER_TIMEOUT`] and one append, at whatever times publications arrive.
        #[test]
        fn no_publication_waits_for_long(times in prop::collection::vec(0_u64..3_000_000, 1..3_000), append_us in 20_u64..1_000) {
            let count = times.len() as u64;
            let run = Simulation::open(append_us, times).run(count, true);
            // The batch before may still be being appended when a publication arrives.
            prop_assert!(run.longest_wait <= 3_250 + append_us);
        }
    }
}
