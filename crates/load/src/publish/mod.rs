//! Publishers: several connections, which publish at a given rate or as fast as answers arrive.
mod answer;
mod paced;
mod plan;
mod share;
mod unthrottled;

pub use plan::{Counts, Plan, Published};

use crate::{epoch::Epoch, target::Target};
use share::Share;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Running publishers.
#[derive(Debug)]
pub struct Publishing {
    threads: Vec<JoinHandle<io::Result<Published>>>,
    end: Arc<AtomicBool>,
    counts: Counts,
}

impl Publishing {
    /// Starts the publishers of a plan. `counts` says how many events were published before; the publishers continue to
    /// number their events from these counts on. `counts` must have as many topics and publishers as the plan.
    pub fn start(target: &Target, plan: Plan, epoch: Epoch, counts: &Counts) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let share = |publisher| Share {
            target: target.clone(),
            plan,
            epoch,
            end: Arc::clone(&end),
            counts: counts.clone(),
            publisher,
        };
        let threads = match plan.rate {
            // Each publisher with a rate has its own thread, because a thread can sleep to the microsecond, while
            // waiting for several connections is exact only to the millisecond.
            Some(rate) => (0..plan.publishers)
                .map(|publisher| {
                    let share = share(publisher);
                    thread::spawn(move || paced::publish(share, rate))
                })
                .collect(),
            None => {
                let share = share(0);
                vec![thread::spawn(move || unthrottled::publish(share))]
            }
        };
        Self { threads, end, counts: counts.clone() }
    }

    /// Returns true if every publisher has published all its events, or has failed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Stops the publishers after each has finished the publication that it has begun.
    ///
    /// # Errors
    /// If the server refused a publication, closed a connection or left a publication without answer for ten seconds.
    pub fn stop(self) -> io::Result<Published> {
        self.end.store(true, Ordering::Relaxed);
        self.finish()
    }

    /// Waits until everything in the plan is published.
    ///
    /// # Errors
    /// As for [`stop`](Self::stop).
    pub fn finish(self) -> io::Result<Published> {
        let mut all = Published { counts: self.counts.clone(), ..Published::default() };
        for thread in self.threads {
            let part = thread.join().unwrap_or_else(|_| Err(io::Error::other("a publisher panicked")))?;
            all.count += part.count;
            all.elapsed = all.elapsed.max(part.elapsed);
            all.latencies.merge(&part.latencies);
            all.latest = all.latest.max(part.latest);
            // Each publisher has counted on from the counts at the start. So only the difference to these counts is
            // added.
            all.counts.add(&part.counts, &self.counts);
        }
        Ok(all)
    }
}
