//! A wake-up call for the one thread that empties a mailbox. If the thread has not noticed an earlier call yet, another
//! call costs one instruction instead of a system call.
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// A flag that is true from a call until the thread notices the call. `swap` is atomic, with the orderings acquire and
/// release.
pub(crate) trait Flag {
    fn swap(&self, value: bool) -> bool;
}

impl Flag for AtomicBool {
    fn swap(&self, value: bool) -> bool {
        Self::swap(self, value, Ordering::AcqRel)
    }
}

/// The function that wakes the thread.
pub(crate) type Wake = dyn Fn() + Send + Sync;

/// A wake-up call. A thread that puts something into the mailbox makes the call afterwards. The thread that empties the
/// mailbox calls `noticed` *before* it looks into the mailbox. So it finds what was put in before, and is called again
/// for what is put in later.
pub(crate) struct Wakeup<W: ?Sized = Wake, F = AtomicBool> {
    called: F,
    wake: Box<W>,
}

impl<W: Fn() + ?Sized, F: Flag> Wakeup<W, F> {
    /// Returns a wake-up call that uses the function `wake`. If the thread does not wait yet, `wake` must make its next
    /// wait return at once.
    pub(crate) fn new(called: F, wake: Box<W>) -> Self {
        Self { called, wake }
    }

    pub(crate) fn call(&self) {
        if !self.called.swap(true) {
            (self.wake)();
        }
    }

    pub(crate) fn noticed(&self) {
        self.called.swap(false);
    }
}

impl<W: ?Sized, F> fmt::Debug for Wakeup<W, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakeup").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom::{
        model,
        sync::{Arc, Condvar, Mutex, atomic},
        thread,
    };
    use std::collections::VecDeque;

    impl Flag for atomic::AtomicBool {
        fn swap(&self, value: bool) -> bool {
            Self::swap(self, value, Ordering::AcqRel)
        }
    }

    /// A wait that returns at once if a wake came before, as an eventfd in an epoll does.
    #[derive(Default)]
    struct Sleep {
        woken: Mutex<bool>,
        changed: Condvar,
    }

    impl Sleep {
        fn wake(&self) {
            *self.woken.lock().unwrap() = true;
            self.changed.notify_one();
        }

        fn wait(&self) {
            let mut woken = self.woken.lock().unwrap();
            while !std::mem::replace(&mut *woken, false) {
                woken = self.changed.wait(woken).unwrap();
            }
        }
    }

    /// Tries every interleaving of two threads that put something into a mailbox and one thread that waits for it: the
    /// waiting thread never sleeps for ever while something is in the mailbox.
    #[test]
    fn nothing_is_left_lying() {
        model(|| {
            let (items, sleep) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(Sleep::default()));
            let waking = sleep.clone();
            let wake: Box<dyn Fn() + Send + Sync> = Box::new(move || waking.wake());
            let wakeup = Arc::new(Wakeup::new(atomic::AtomicBool::new(false), wake));
            for item in 1..=2 {
                let (items, wakeup) = (items.clone(), wakeup.clone());
                thread::spawn(move || {
                    items.lock().unwrap().push_back(item);
                    wakeup.call();
                });
            }
            let mut taken = 0;
            while taken < 2 {
                sleep.wait();
                wakeup.noticed();
                while items.lock().unwrap().pop_front().is_some() {
                    taken += 1;
                }
            }
        });
    }
}
