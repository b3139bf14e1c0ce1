//! The limit on the size of files (`ulimit -f`), which the operator may have set.
use std::io;

/// The number of the signal SIGXFSZ on Linux (except on MIPS), macOS and the BSDs.
#[cfg(unix)]
const SIGXFSZ: std::ffi::c_int = 25;

/// Has a write fail that would exceed the limit on the size of files. Without this call, the system would end the
/// process by a signal. The log handles such an error like that of a full disk.
///
/// # Errors
/// [`io::Error`] if the signal cannot be caught.
///
/// # Panics
/// If it is called outside a tokio runtime.
#[cfg(unix)]
pub(super) fn fail_beyond_limit() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // The signal is caught for as long as the process lives, although nobody waits for it.
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

/// Does nothing: this system has no such signal.
///
/// # Errors
/// Never fails.
#[cfg(not(unix))]
pub(super) fn fail_beyond_limit() -> io::Result<()> {
    Ok(())
}
