//! HTTP/2 connections, which several requests share: as many as the server allows at a time.
use super::{
    origin::Origin,
    taken::{IDLE_TIMEOUT, Sender, Slot, Taken, lock},
};
use crate::transport::{
    RequestBody,
    wire::{Connect, Wire},
};
use hyper::client::conn::http2;
use hyper_util::rt::TokioExecutor;
use std::{
    future::{Future as _, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
};
use tokio::{sync::watch, time::Instant};

/// The number of allowed streams that hyper reports before it has read the server's number. On 32-bit systems, a server
/// could also send this number. So if hyper reports this number, the server's number is read from [`Wire`].
pub(super) const NOT_SAID: usize = usize::MAX - 1;

/// The part of hyper that drives a connection; `None` after the connection has ended. Only this part knows how many
/// streams the server allows at present.
///
/// Lock order: this lock is taken after the lock of the kept connections, never before it.
type Driver = Arc<Mutex<Option<http2::Connection<Connect, RequestBody, TokioExecutor>>>>;

/// Drives a connection until it ends.
async fn drive(driver: Driver) {
    poll_fn(|context| {
        let mut driver = lock(&driver);
        let polled = driver.as_mut().map_or(Poll::Ready(Ok(())), |driver| Pin::new(driver).poll(context));
        if polled.is_ready() {
            *driver = None;
        }
        polled.map(drop)
    })
    .await;
}

/// An HTTP/2 connection.
pub(super) struct Shared {
    pub(super) sender: http2::SendRequest<RequestBody>,
    driver: Driver,
    pub(super) wire: Arc<Wire>,
    streams: Arc<AtomicUsize>,
    since: Instant,
}

impl Shared {
    /// Starts the task that drives a new connection, whose first stream is already in use. Returns the connection and
    /// the slot of this stream.
    pub(super) fn new(
        sender: http2::SendRequest<RequestBody>,
        connection: http2::Connection<Connect, RequestBody, TokioExecutor>,
        wire: Arc<Wire>,
    ) -> (Self, Slot) {
        let driver = Arc::new(Mutex::new(Some(connection)));
        tokio::spawn(drive(Arc::clone(&driver)));
        let streams = Arc::new(AtomicUsize::new(1));
        let slot = Slot(Arc::clone(&streams));
        (Self { sender, driver, wire, streams, since: Instant::now() }, slot)
    }

    /// Takes a slot among the connection's streams, if one is free.
    pub(super) fn take(&mut self) -> Option<Taken> {
        // This function is called only under the lock of the kept connections, so no other task can take the last free
        // slot between the check and `fetch_add`. Slots become free without the lock, which does no harm.
        if self.streams.load(Relaxed) >= self.allowed() {
            return None;
        }
        self.streams.fetch_add(1, Relaxed);
        self.since = Instant::now();
        let sender = Sender::Http2(self.sender.clone(), Slot(Arc::clone(&self.streams)));
        Some(Taken { sender, wire: Arc::clone(&self.wire), is_kept: true, is_forwarded: false })
    }

    /// Returns the number of streams that the server allows at present. It is 1 until the server has sent its number.
    fn allowed(&self) -> usize {
        match lock(&self.driver).as_ref().map(http2::Connection::current_max_send_streams) {
            // `Wire` finds the server's number in the received bytes slightly before hyper has read it.
            Some(NOT_SAID) => self.wire.streams().borrow().unwrap_or(1) as usize,
            Some(streams) => streams,
            None => 0,
        }
    }

    /// Returns true if the connection is closed, or has had no request for too long.
    pub(super) fn is_over(&self) -> bool {
        let is_idle = self.streams.load(Relaxed) == 0 && self.since.elapsed() >= IDLE_TIMEOUT;
        is_idle || self.sender.is_closed()
    }
}

impl Origin {
    /// Returns a receiver of the number of allowed streams, for a kept connection whose server has not yet said the
    /// number. `None` if there is no such connection.
    pub(super) fn unknown(&self) -> Option<watch::Receiver<Option<u32>>> {
        let kept = lock(&self.kept);
        let is_unknown = |shared: &&Shared| !shared.sender.is_closed() && shared.wire.streams().borrow().is_none();
        kept.shared.iter().find(is_unknown).map(|shared| shared.wire.streams())
    }

    /// Stops sending new requests over the connection with this [`Wire`]. Requests that were sent over it before are
    /// not affected.
    pub(super) fn forget(&self, wire: &Arc<Wire>) {
        lock(&self.kept).shared.retain(|shared| !Arc::ptr_eq(&shared.wire, wire));
    }
}
