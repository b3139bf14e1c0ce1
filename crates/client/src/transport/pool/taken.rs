//! A connection for one request, and what is wanted of it.
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

/// The time for which a connection without a request is kept for the next.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// The number of connections over HTTP/1.1 that are kept for one origin.
pub(super) const MAX_IDLE_PER_ORIGIN: usize = 4;

/// A place among the streams of a connection over HTTP/2. It is free again when this is dropped.
pub(in crate::transport) struct Slot(pub(super) Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The way to send a request over one connection.
pub(super) enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<RequestBody>, Slot),
}

/// A connection for one request.
pub(super) struct Taken {
    pub(super) sender: Sender,
    pub(super) wire: Arc<Wire>,
    /// It has served before.
    pub(super) is_kept: bool,
    pub(super) is_forwarded: bool,
}

/// The connections that a request may have.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// One that was kept will do.
    pub(super) kept: bool,
    /// One that other requests share will do.
    #[cfg(feature = "http2")]
    pub(super) shared: bool,
    /// The time for making one.
    pub(super) timeout: Duration,
}

/// Locks what no panic leaves half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
