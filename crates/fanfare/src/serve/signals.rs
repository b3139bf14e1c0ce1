//! When to stop: Ctrl-C in a terminal, SIGTERM from a service manager. When to look at the keys again: SIGHUP.
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

/// Resolves when the process is told to stop. The signals are caught from this call on, not only when it is awaited.
///
/// # Errors
/// [`io::Error`] if they cannot be caught.
#[cfg(unix)]
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Resolves when the process is told to stop.
///
/// # Errors
/// None where there are no signals.
#[cfg(not(unix))]
pub(super) fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!("cannot wait for Ctrl-C: {error}");
            std::future::pending::<()>().await;
        }
        tracing::info!("stopping");
    })
}
