//! The connections to one origin.
use super::{
    idle::Idle,
    taken::{Taken, lock},
};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// The number of turns that other tasks get before a new connection is made. When a response was just read to its end,
/// the task of its connection needs a turn to notice the end. Then the connection is free for the next request.
const TURNS_UNTIL_FREE: usize = 3;

/// The connections to one origin.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) kept: Mutex<Kept>,
    /// The lock that a request holds while it connects, if waiting requests may share the new connection.
    #[cfg(feature = "http2")]
    pub(super) gate: tokio::sync::Mutex<()>,
    /// True if an earlier connection to the origin used HTTP/1.1. The next connection will probably use HTTP/1.1, too,
    /// so requests do not wait to share it.
    pub(super) speaks_http1: AtomicBool,
    /// The number of HTTP/1.1 connections whose responses are not read to the end.
    pub(super) lent: AtomicUsize,
}

/// The connections that can serve another request.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) idle: Vec<Idle>,
    #[cfg(feature = "http2")]
    pub(super) shared: Vec<super::shared::Shared>,
    /// True if the task that closes idle connections is running.
    pub(super) is_watched: bool,
}

impl Origin {
    /// Takes a kept connection that is free, if there is one.
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

    /// Takes a kept connection that is free, or waits a moment for a connection that is about to become free.
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

    /// Returns true if no connection is kept.
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

    /// Closes the connections that have had no request for too long.
    pub(super) fn forget_idle(&mut self) {
        self.idle.retain(|idle| !idle.is_over());
        #[cfg(feature = "http2")]
        self.shared.retain(|shared| !shared.is_over());
    }
}
