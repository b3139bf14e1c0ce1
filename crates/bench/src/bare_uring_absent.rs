//! Where there is no io_uring, or no definitions of it for this kind of processor.
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
