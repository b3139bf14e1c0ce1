//! A bell wakes the one thread that empties a mailbox. While it has been rung and not heard, ringing it again costs one
//! instruction instead of a system call.
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// A flag that tells whether somebody rang. The operation is atomic, acquires and releases.
pub(crate) trait Flag {
    fn swap(&self, value: bool) -> bool;
}

impl Flag for AtomicBool {
    fn swap(&self, value: bool) -> bool {
        Self::swap(self, value, Ordering::AcqRel)
    }
}

/// A bell. Whoever puts something into the mailbox rings after that. Whoever empties it says that it heard *before* it
/// does: what comes later rings anew, and what came earlier is found.
pub(crate) struct Bell<Wake: ?Sized, F = AtomicBool> {
    rung: F,
    wake: Box<Wake>,
}

impl<Wake: Fn() + ?Sized, F: Flag> Bell<Wake, F> {
    /// A bell that wakes its listener by calling `wake`, which is to make the listener's next wait return at once if it
    /// does not wait yet.
    pub(crate) fn new(rung: F, wake: Box<Wake>) -> Self {
        Self { rung, wake }
    }

    pub(crate) fn ring(&self) {
        if !self.rung.swap(true) {
            (self.wake)();
        }
    }

    pub(crate) fn heard(&self) {
        self.rung.swap(false);
    }
}

impl<Wake: ?Sized, F> fmt::Debug for Bell<Wake, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
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

    /// A wait that returns at once if it was woken before: what an eventfd in an epoll is.
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

    /// Every interleaving of two threads that post and one that waits: nobody waits for ever with a letter in the box.
    #[test]
    fn no_letter_is_left_lying() {
        model(|| {
            let (letters, sleep) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(Sleep::default()));
            let waking = sleep.clone();
            let wake: Box<dyn Fn() + Send + Sync> = Box::new(move || waking.wake());
            let bell = Arc::new(Bell::new(atomic::AtomicBool::new(false), wake));
            for letter in 1..=2 {
                let (letters, bell) = (letters.clone(), bell.clone());
                thread::spawn(move || {
                    letters.lock().unwrap().push_back(letter);
                    bell.ring();
                });
            }
            let mut taken = 0;
            while taken < 2 {
                sleep.wait();
                bell.heard();
                while letters.lock().unwrap().pop_front().is_some() {
                    taken += 1;
                }
            }
        });
    }
}
