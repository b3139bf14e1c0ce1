//! Receives the signal SIGHUP, which tells the hub to read its keys again.
use std::io;

/// A receiver of SIGHUP. On systems without this signal it receives nothing.
pub(super) struct Hangups {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangups {
    /// Catches SIGHUP from now on. Without this, the signal would end the process.
    ///
    /// # Errors
    /// [`io::Error`] if the signals cannot be caught.
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        self.signal.recv().await;
    }

    /// Makes a receiver that never receives a signal.
    ///
    /// # Errors
    /// Never fails.
    #[cfg(not(unix))]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for ever, because this system has no such signal.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}
