//! The io_uring baseline for systems without io_uring, or without definitions of it for this kind of processor.
use std::{io, net::TcpListener};

/// Returns false, because this build has no io_uring.
#[must_use]
pub fn is_available() -> bool {
    false
}

/// Fails, because there is no io_uring.
///
/// # Errors
/// Always.
pub fn serve(_: TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
