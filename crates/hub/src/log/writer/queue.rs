//! The queue to the writer. It knows how many publications its reader waits for, so that the reader is not woken before
//! as many have arrived.
use super::{gather::Gathered, publication::Publication};
use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The queue that publishers and the writer's thread share. Its size is limited: before a publication is put into it,
/// the publication must get places from a semaphore.
#[derive(Debug, Default)]
pub(in crate::log) struct Queue {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Publication>,
    /// True if the queue takes no more publications.
    closed: bool,
    /// The number of publications at which the reader is woken; `None` while it is awake.
    sleeps_for: Option<usize>,
    /// True if one of the waiting publications cannot wait for other publications.
    is_urgent: bool,
}

/// The reason why the reader was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) enum Woken {
    /// There are publications in the queue.
    Came,
    /// The time has come at which the reader has something else to do.
    Late,
    /// The queue is closed and empty.
    Closed,
}

impl Queue {
    /// Puts a publication into the queue. Returns the publication as an error if the queue is closed.
    pub(super) fn push(&self, publication: Publication) -> Result<(), Publication> {
        let mut state = self.lock();
        if state.closed {
            return Err(publication);
        }
        state.is_urgent |= !publication.can_wait;
        state.waiting.push_back(publication);
        let wakes = state.sleeps_for.is_some_and(|count| state.is_urgent || state.waiting.len() >= count);
        if wakes {
            state.sleeps_for = None;
        }
        drop(state);
        if wakes {
            self.came.notify_one();
        }
        Ok(())
    }

    /// Closes the queue: it takes no more publications. The waiting publications can still be taken out.
    pub(in crate::log) fn close(&self) {
        self.lock().closed = true;
        self.came.notify_one();
    }

    /// Drops the waiting publications. The reader calls this when it ends early.
    pub(in crate::log) fn clear(&self) {
        let dropped = mem::take(&mut self.lock().waiting);
        // The publishers of these publications are woken, and get an error.
        drop(dropped);
    }

    /// Sleeps until `count` publications are in the queue, or a publication that cannot wait, at most for `patience`.
    /// Returns how many publications there are.
    ///
    /// Publications that arrive earlier do not wake the reader before there are enough, so that there is one wake-up
    /// for all of them.
    pub(in crate::log) fn gather(&self, count: usize, patience: Duration) -> Gathered {
        let mut state = self.lock();
        let until = Instant::now() + patience;
        while !state.closed && !state.is_urgent && state.waiting.len() < count && Instant::now() < until {
            state = self.sleep(state, count, until);
        }
        Gathered { count: state.waiting.len(), was_cut: state.is_urgent }
    }

    /// Moves the waiting publications to `taken`, which must be empty. If there are none, sleeps until one arrives, or
    /// until the time `late`.
    pub(in crate::log) fn take(&self, taken: &mut VecDeque<Publication>, late: Instant) -> Woken {
        let mut state = self.lock();
        loop {
            if !state.waiting.is_empty() {
                mem::swap(&mut state.waiting, taken);
                state.is_urgent = false;
                return Woken::Came;
            }
            if state.closed {
                return Woken::Closed;
            }
            if Instant::now() >= late {
                return Woken::Late;
            }
            state = self.sleep(state, 1, late);
        }
    }

    /// Sleeps until there are `count` publications, at most until the time `until`. This function may return earlier,
    /// so the caller has to check the state again.
    fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>, count: usize, until: Instant) -> MutexGuard<'a, State> {
        state.sleeps_for = Some(count);
        let patience = until.saturating_duration_since(Instant::now());
        let (mut state, _) = self.came.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
        state.sleeps_for = None;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while this lock is held, so the state is right even if the lock is poisoned.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{Arc, mpsc},
        thread,
    };
    use tokio::sync::oneshot;

    const LONG: Duration = Duration::from_secs(3_600);

    fn publication() -> Publication {
        Publication { updates: Vec::new(), bytes: 0, places: 1, can_wait: true, acknowledgement: oneshot::channel().0 }
    }

    fn urgent() -> Publication {
        Publication { can_wait: false, ..publication() }
    }

    /// Starts a thread that calls `wait`, and returns the receiver of its result. The thread is asleep when this
    /// function returns.
    fn waits<T: Send + 'static>(
        queue: &Arc<Queue>,
        wait: impl FnOnce(&Queue) -> T + Send + 'static,
    ) -> mpsc::Receiver<T> {
        let (said, says) = mpsc::channel();
        let waited_for = Arc::clone(queue);
        thread::spawn(move || said.send(wait(&waited_for)));
        while queue.lock().sleeps_for.is_none() {
            thread::yield_now();
        }
        says
    }

    #[test]
    fn who_gathers_is_woken_by_the_last_one() {
        let queue = Arc::new(Queue::default());
        let says = waits(&queue, |queue| queue.gather(3, LONG).count);
        for _ in 0..2 {
            queue.push(publication()).unwrap();
            assert_eq!(queue.lock().sleeps_for, Some(3));
        }
        queue.push(publication()).unwrap();
        assert_eq!(says.recv().unwrap(), 3);
    }

    #[test]
    fn who_gathers_takes_what_there_is_in_the_end() {
        let queue = Arc::new(Queue::default());
        let says = waits(&queue, |queue| queue.gather(3, Duration::from_millis(50)));
        queue.push(publication()).unwrap();
        assert_eq!(says.recv().unwrap(), Gathered { count: 1, was_cut: false });
        let nothing = Queue::default().gather(3, Duration::from_millis(1));
        assert_eq!(nothing, Gathered { count: 0, was_cut: false });
    }

    #[test]
    fn who_cannot_wait_ends_the_wait_of_all() {
        let queue = Arc::new(Queue::default());
        let says = waits(&queue, |queue| queue.gather(3, LONG));
        queue.push(publication()).unwrap();
        queue.push(urgent()).unwrap();
        assert_eq!(says.recv().unwrap(), Gathered { count: 2, was_cut: true });
        let (mut taken, late) = (VecDeque::new(), Instant::now() + LONG);
        assert_eq!((queue.take(&mut taken, late), taken.len()), (Woken::Came, 2));
        let says = waits(&queue, |queue| queue.gather(2, LONG));
        queue.push(publication()).unwrap();
        queue.push(publication()).unwrap();
        assert_eq!(says.recv().unwrap(), Gathered { count: 2, was_cut: false }, "earlier publications are forgotten");
    }

    #[test]
    fn what_waits_already_counts() {
        let queue = Arc::new(Queue::default());
        queue.push(publication()).unwrap();
        let says = waits(&queue, |queue| queue.gather(2, LONG));
        queue.push(publication()).unwrap();
        assert_eq!(says.recv().unwrap(), Gathered { count: 2, was_cut: false });
        assert_eq!(queue.gather(2, LONG), Gathered { count: 2, was_cut: false });
        queue.push(urgent()).unwrap();
        assert_eq!(queue.gather(9, LONG), Gathered { count: 3, was_cut: true });
    }

    #[test]
    fn closing_ends_every_wait_and_leaves_what_waits() {
        let queue = Arc::new(Queue::default());
        let says = waits(&queue, |queue| queue.gather(2, LONG).count);
        queue.push(publication()).unwrap();
        queue.close();
        assert_eq!(says.recv().unwrap(), 1);
        assert!(queue.push(publication()).is_err());
        let (mut taken, late) = (VecDeque::new(), Instant::now() + LONG);
        assert_eq!((queue.take(&mut taken, late), taken.len()), (Woken::Came, 1));
        taken.clear();
        assert_eq!(queue.take(&mut taken, late), Woken::Closed);
        let queue = Arc::new(Queue::default());
        let says = waits(&queue, move |queue| queue.take(&mut VecDeque::new(), late));
        queue.close();
        assert_eq!(says.recv().unwrap(), Woken::Closed);
    }

    #[test]
    fn who_waits_for_the_next_one_is_woken_by_it_or_is_late() {
        let queue = Arc::new(Queue::default());
        let says = waits(&queue, |queue| queue.take(&mut VecDeque::new(), Instant::now() + LONG));
        queue.push(publication()).unwrap();
        assert_eq!(says.recv().unwrap(), Woken::Came);
        assert_eq!(queue.take(&mut VecDeque::new(), Instant::now()), Woken::Late);
    }
}
