//! When to stop: Ctrl-C in a terminal, SIGTERM from a service manager.
use std::io;

/// Resolves when the process is told to stop. The signals are caught from this call on, not only when it is awaited.
///
/// # Errors
/// [`io::Error`] if they cannot be caught.
#[cfg(unix)]
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
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
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!("cannot wait for Ctrl-C: {error}");
            std::future::pending::<()>().await;
        }
        tracing::info!("stopping");
    })
}
