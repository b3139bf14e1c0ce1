//! The ring for systems without io_uring, or without definitions of it for this kind of processor.
use std::{io, net::TcpListener};

/// No.
#[must_use]
pub fn is_available() -> bool {
    false
}

/// Does not.
///
/// # Errors
/// Always.
pub fn serve(_: TcpListener) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
