//! The connections to one origin.
use super::{
    idle::Idle,
    taken::{Taken, lock},
};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// The number of turns that other tasks have before another connection is made: one that has just been read to the end
/// is free as soon as its own task knows.
const TURNS_UNTIL_FREE: usize = 3;

/// The connections to one origin.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) kept: Mutex<Kept>,
    /// Held while connecting, where all that wait may share what comes of it.
    #[cfg(feature = "http2")]
    pub(super) gate: tokio::sync::Mutex<()>,
    /// It was seen to speak HTTP/1.1, of which nothing can be shared.
    pub(super) speaks_http1: AtomicBool,
    /// Connections over HTTP/1.1 whose responses are not read to the end.
    pub(super) lent: AtomicUsize,
}

/// The connections that may serve another request.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) idle: Vec<Idle>,
    #[cfg(feature = "http2")]
    pub(super) shared: Vec<super::shared::Shared>,
    /// There is a task that closes what is idle for too long.
    pub(super) is_watched: bool,
}

impl Origin {
    /// A connection that was kept and is free.
    pub(super) fn take(&self) -> Option<Taken> {
        let mut kept = lock(&self.kept);
        #[cfg(feature = "http2")]
        {
            kept.shared.retain(|shared| !shared.sender.is_closed());
            if let Some(taken) = kept.shared.iter_mut().find_map(super::shared::Shared::take) {
                return Some(taken);
            }
        }
        while let Some(idle) = kept.idle.pop() {
            if !idle.is_over() {
                return Some(idle.take());
            }
        }
        None
    }

    /// The same, once those that are about to be free are.
    pub(super) async fn take_soon(&self) -> Option<Taken> {
        for _ in 0..TURNS_UNTIL_FREE {
            if let Some(taken) = self.take() {
                return Some(taken);
            }
            if self.lent.load(Relaxed) == 0 {
                return None;
            }
            tokio::task::yield_now().await;
        }
        self.take()
    }

    /// True if nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.kept).is_empty()
    }
}

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        #[cfg(feature = "http2")]
        if !self.shared.is_empty() {
            return false;
        }
        self.idle.is_empty()
    }

    /// Closes what has had no request for too long.
    pub(super) fn forget_idle(&mut self) {
        self.idle.retain(|idle| !idle.is_over());
        #[cfg(feature = "http2")]
        self.shared.retain(|shared| !shared.is_over());
    }
}
