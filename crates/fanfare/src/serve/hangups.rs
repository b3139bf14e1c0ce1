//! The signal to look at the keys again: SIGHUP.
use std::io;

/// The SIGHUPs that come, where there are any.
pub(super) struct Hangups {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangups {
    /// Catches the signals from now on, which would end the process otherwise.
    ///
    /// # Errors
    /// [`io::Error`] if they cannot be caught.
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signal: signal(SignalKind::hangup())? })
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        self.signal.recv().await;
    }

    /// There are none.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Never ends.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}
