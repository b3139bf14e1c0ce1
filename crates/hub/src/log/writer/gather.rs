//! Group commit on purpose: how many publications the writer waits for before it appends.
//!
//! Publications that come while a batch is being made durable are the next batch, so a busy log needs no help. A log
//! that is done long before the next publication comes would sync once for each, and a sync costs the CPU about as much
//! as all else that a publication does. So the writer sleeps a little after each batch, if this has proved to bring
//! several publications together.
//!
//! What is worth waiting for cannot be told from a rate: publishers who wait for their answers publish as fast as they
//! are answered, and then waiting slows them down and brings nobody. So it is tried out. The number to wait for grows by
//! one where that many came in time, and what was tried in vain is tried ever more seldom.
use std::time::Duration;

/// The longest time for which publications wait for others, from the end of the batch before on. At 1,000 publications a
/// second three of them come together, which wait for 1 ms on average.
pub const GATHER_TIMEOUT: Duration = Duration::from_micros(3_250);
/// The most publications that are waited for. With as many, a sync is a small part of what each costs.
pub const GATHER_PUBLICATIONS: usize = 8;
/// A log that appends faster than this is not waited for: it is in memory, or as good as that.
pub const GATHER_WORTH: Duration = Duration::from_micros(20);
/// The number of batches between two attempts to gather more, at first and after each success.
const RETRY_BATCHES: u32 = 4;
/// The same after many attempts in vain. A publisher that is alone is delayed once in so many publications.
const MAX_RETRY_BATCHES: u32 = 1_024;
/// What an attempt in vain may cost of the time that appending takes: one part in so many.
const IN_VAIN_SHARE: u32 = 20;
/// The number of misses in a row after which a number is given up that was reached many times. One that is new is given
/// up after half as many.
const MAX_CREDIT: u32 = 8;
/// What the cheapest append of late rises by with each append, at least, so that it is forgotten in the end.
const FORGETTING: Duration = Duration::from_micros(1);

/// What was learnt of how publications come.
#[derive(Debug)]
pub(in crate::log) struct Gather {
    /// The number that came together of late; 1 if they come one by one.
    count: usize,
    /// A success gives one, a miss takes one.
    credit: u32,
    /// The number of batches before one more is tried.
    retry_in: u32,
    retry_batches: u32,
    /// The time that is to be spent on appending before one more is tried, so that attempts in vain are a small share of
    /// it.
    owed: Duration,
    /// The time that the cheapest append of late took. The dearest says nothing: any may be interrupted.
    cheapest: Duration,
    /// True if the last batch was larger than any that is waited for: then the log is busy.
    is_busy: bool,
}

/// What came while publications were waited for.
#[derive(Clone, Copy, Debug)]
pub(in crate::log) struct Gathered {
    pub(in crate::log) count: usize,
    /// The time until the first one.
    pub(in crate::log) first_after: Duration,
}

impl Default for Gather {
    fn default() -> Self {
        let (retry_in, retry_batches) = (RETRY_BATCHES, RETRY_BATCHES);
        let (owed, cheapest) = (Duration::ZERO, Duration::ZERO);
        Self { count: 1, credit: 0, retry_in, retry_batches, owed, cheapest, is_busy: false }
    }
}

impl Gather {
    /// An append of so many publications took so long.
    pub(in crate::log) fn appended(&mut self, publications: usize, took: Duration) {
        self.is_busy = publications > GATHER_PUBLICATIONS;
        self.cheapest = took.min(self.cheapest + FORGETTING.max(self.cheapest / 8));
        self.retry_in = self.retry_in.saturating_sub(1);
        self.owed = self.owed.saturating_sub(took);
    }

    /// The number of publications to wait for; `None` if the next one is to be appended as soon as it comes.
    pub(in crate::log) fn count(&self) -> Option<usize> {
        let tries_more = self.retry_in == 0 && self.owed.is_zero() && self.count < GATHER_PUBLICATIONS;
        let count = self.count + usize::from(tries_more);
        (count > 1 && !self.is_busy && self.cheapest >= GATHER_WORTH).then_some(count)
    }

    /// So many came while `count` were waited for.
    pub(in crate::log) fn gathered(&mut self, count: usize, came: Gathered) {
        // Who publishes again at once waits for the answer to do so, and is not to wait for those who publish seldom. And
        // a log that is asked again before it could have appended is busy enough.
        let was_idle = came.first_after >= self.cheapest;
        let succeeded = was_idle && came.count >= count;
        let is_attempt = count > self.count;
        if is_attempt {
            let longer = (self.retry_batches * 2).min(MAX_RETRY_BATCHES);
            self.retry_batches = if succeeded { RETRY_BATCHES } else { longer };
            self.retry_in = self.retry_batches;
            self.owed = if succeeded { Duration::ZERO } else { GATHER_TIMEOUT * IN_VAIN_SHARE };
        }
        match (succeeded, is_attempt) {
            (true, true) => (self.count, self.credit) = (count, MAX_CREDIT / 2),
            (true, false) => self.credit = (self.credit + 1).min(MAX_CREDIT),
            (false, true) => {}
            (false, false) if self.credit > 1 => self.credit -= 1,
            (false, false) => {
                let fewer = if was_idle { came.count.clamp(1, self.count - 1) } else { 1 };
                (self.count, self.credit) = (fewer, MAX_CREDIT / 2);
                self.retry_in = self.retry_batches;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A writer with a log whose appends take `append_us`, and its publishers. All times are in microseconds.
    struct Simulation {
        gather: Gather,
        append_us: u64,
        now: u64,
        /// The times when publications come, and the number of their publisher.
        coming: Vec<(u64, usize)>,
        /// The time after which each publisher publishes again once it is answered; those that are not among them do
        /// not.
        answers_after: Vec<u64>,
        batches: u64,
        publications: u64,
        longest_wait: u64,
        waited: u64,
    }

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    impl Simulation {
        /// Publishers who publish when it is their time.
        fn open(append_us: u64, times: impl IntoIterator<Item = u64>) -> Self {
            let coming = times.into_iter().map(|time| (time, usize::MAX)).collect();
            Self::new(append_us, coming, Vec::new())
        }

        /// Publishers who publish again so long after they were answered.
        fn closed(append_us: u64, answers_after: Vec<u64>) -> Self {
            let coming = answers_after.iter().copied().zip(0..).collect();
            Self::new(append_us, coming, answers_after)
        }

        fn new(append_us: u64, mut coming: Vec<(u64, usize)>, answers_after: Vec<u64>) -> Self {
            coming.sort_unstable();
            let (gather, now) = (Gather::default(), 0);
            let (batches, publications, longest_wait, waited) = (0, 0, 0, 0);
            Self { gather, append_us, now, coming, answers_after, batches, publications, longest_wait, waited }
        }

        fn waiting(&self) -> usize {
            self.coming.partition_point(|(time, _)| *time <= self.now)
        }

        /// Waits as the writer does, and appends one batch.
        fn turn(&mut self, gathers: bool) {
            let begun = self.now;
            if self.waiting() == 0
                && gathers
                && let Some(count) = self.gather.count()
            {
                let until = begun + u64::try_from(GATHER_TIMEOUT.as_micros()).unwrap();
                self.now = self.coming.get(count - 1).map_or(until, |(time, _)| until.min(*time));
                let first_after = us(self.coming[0].0.min(self.now) - begun);
                self.gather.gathered(count, Gathered { count: self.waiting(), first_after });
            }
            self.now = self.now.max(self.coming[0].0);
            let batch: Vec<_> = self.coming.drain(..self.waiting()).collect();
            self.longest_wait = batch.iter().map(|(time, _)| self.now - time).fold(self.longest_wait, u64::max);
            self.waited += batch.iter().map(|(time, _)| self.now - time).sum::<u64>();
            self.now += self.append_us;
            self.gather.appended(batch.len(), us(self.append_us));
            self.batches += 1;
            self.publications += batch.len() as u64;
            let again = batch.iter().filter_map(|(_, who)| Some((self.now + self.answers_after.get(*who)?, *who)));
            self.coming.extend(again);
            self.coming.sort_unstable();
        }

        fn run(mut self, publications: u64, gathers: bool) -> Self {
            while self.publications < publications && !self.coming.is_empty() {
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
        // One that is dear because the machine is busy is as cheap as before.
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

    /// How many times as long publishers take who wait for their answers.
    fn slower(append_us: u64, answers_after: u64, publishers: usize) -> f64 {
        let of = |gathers| {
            let run = Simulation::closed(append_us, vec![answers_after; publishers]);
            run.run(3_000 * publishers as u64, gathers).now as f64
        };
        of(true) / of(false)
    }

    #[test]
    fn attempts_in_vain_are_cheap_for_a_fast_log() {
        for (append_us, answers_after, publishers) in
            [(20, 30, 1), (20, 30, 3), (21, 100, 1), (120, 30, 1), (50, 3_249, 1)]
        {
            let slower = slower(append_us, answers_after, publishers);
            assert!(slower < 1.05, "{append_us}, {answers_after}, {publishers}: {slower}");
        }
    }

    proptest! {
        /// Alone, or many who wait for their answers: they publish about as fast as without.
        #[test]
        fn who_waits_for_answers_is_not_slowed_down(
            append_us in 20_u64..2_000,
            answers_after in 30_u64..5_000,
            publishers in 1_usize..65,
        ) {
            let slower = slower(append_us, answers_after, publishers);
            prop_assert!(slower < 1.05, "{slower}");
        }

        /// One who publishes as fast as it is answered, beside others who publish seldom.
        #[test]
        fn who_is_fast_does_not_wait_for_who_is_slow(append_us in 60_u64..500, slow in 1_usize..20) {
            let of = |gathers| {
                let answers_after = [append_us * 4 / 5].into_iter().chain((0..slow as u64).map(|number| 8_000 + number * 777));
                Simulation::closed(append_us, answers_after.collect()).run(6_000, gathers)
            };
            let slower = of(true).now as f64 / of(false).now as f64;
            prop_assert!(slower < 1.15, "{slower}");
        }

        /// However they come, nobody waits for longer than that.
        #[test]
        fn no_publication_waits_for_long(times in prop::collection::vec(0_u64..3_000_000, 1..3_000), append_us in 20_u64..1_000) {
            let count = times.len() as u64;
            let run = Simulation::open(append_us, times).run(count, true);
            // The batch before may have been on its way.
            prop_assert!(run.longest_wait <= 3_250 + append_us);
        }
    }
}
