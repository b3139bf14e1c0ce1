//! A connection that a request has taken from the pool, and the kinds of connections that a request accepts.
use crate::transport::{RequestBody, wire::Wire};
use hyper::client::conn::http1;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// The time for which a connection without a request is kept for the next request.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// The greatest number of idle HTTP/1.1 connections that are kept for one origin.
pub(super) const MAX_IDLE_PER_ORIGIN: usize = 4;

/// A slot among the streams of an HTTP/2 connection. Dropping it makes the slot free again.
pub(in crate::transport) struct Slot(pub(super) Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The part of hyper that sends requests over one connection, for each protocol.
pub(super) enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<RequestBody>, Slot),
}

/// A connection that a request has taken.
pub(super) struct Taken {
    pub(super) sender: Sender,
    pub(super) wire: Arc<Wire>,
    /// True if the connection was used before.
    pub(super) is_kept: bool,
    pub(super) is_forwarded: bool,
}

/// The kinds of connections that a request accepts.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// True if a kept connection is accepted.
    pub(super) kept: bool,
    /// True if the connection may be shared with other requests.
    #[cfg(feature = "http2")]
    pub(super) shared: bool,
    /// The time for making a new connection.
    pub(super) timeout: Duration,
}

/// Locks a mutex. A panic of a thread that held the lock is ignored, because no panic leaves the data half changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
